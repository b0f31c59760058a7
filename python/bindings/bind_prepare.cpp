// SPDX-License-Identifier: Apache-2.0
// Plans for tensors that are only described: made ahead, with all kernels compiled as one unit.
#include "bindings.h"
#include "nvfuser/runtime/executor.h"
#include "nvfuser/runtime/layout.h"

namespace nvfuser::python {
namespace {

/// Addresses of tensors that are not there: apart from each other and aligned as fresh memory is.
void* imagined_address(size_t position) { return reinterpret_cast<void*>((position + 1) << 44); }

/// A dense tensor for an input, in the memory order that the definition gives.
TensorArgument describe_dense(const FusionExecutor& executor, size_t position, const Ints& given, bool cuda,
                              int index) {
  std::vector<int64_t> sizes = given.as("sizes");
  const std::vector<Val*>& inputs = executor.fusion()->inputs();
  check(position < inputs.size() && inputs[position]->is_tensor(), ErrorKind::definition, "Expected ",
        position < inputs.size() ? "a number" : "nothing", " for input ", position, ", but got a shape",
        describe_input(*executor.fusion(), position).empty() ? "" : "; it is for ",
        describe_input(*executor.fusion(), position));
  const auto* view = static_cast<const TensorView*>(inputs[position]);
  const Layout layout = allocation_layout(*view);
  check(layout.order.size() == sizes.size(), ErrorKind::shape, "Expected ", layout.order.size(), " sizes for ",
        describe_input(*executor.fusion(), position), ", but got ", sizes.size());
  const DataType dtype = view->dtype() == DataType::Index ? DataType::Int : view->dtype();
  const Device device{cuda ? Device::Kind::cuda : Device::Kind::cpu, index};
  std::vector<int64_t> strides = dense_strides(layout, sizes);
  return {imagined_address(position), dtype, device, std::move(sizes), std::move(strides)};
}

/// A value for a scalar whose value no plan depends on.
ScalarValue any_value(const FusionExecutor& executor, int position) {
  const std::string title = describe_input(*executor.fusion(), static_cast<size_t>(position));
  check(position < executor.input_count() && !executor.fusion()->inputs()[position]->is_tensor(), ErrorKind::definition,
        "Expected a shape for input ", position, ", but got None", title.empty() ? "" : ": ", title);
  check(!executor.is_sizing(position), ErrorKind::definition, "Expected a value for input ", position,
        ", which decides the size of a tensor, but got None: ", title);
  const DataType dtype = executor.fusion()->inputs()[position]->dtype();
  return is_complex(dtype)         ? ScalarValue(std::complex<double>())
         : is_floating(dtype)      ? ScalarValue(0.0)
         : dtype == DataType::Bool ? ScalarValue(false)
                                   : ScalarValue(int64_t{0});
}

/// Described tensors and numbers; None for any number.
std::vector<Argument> to_arguments(const FusionExecutor& executor, nb::handle described) {
  std::vector<Argument> arguments;
  for (nb::handle item : described) {
    if (item.is_none()) {
      arguments.emplace_back(any_value(executor, static_cast<int>(arguments.size())));
      continue;
    }
    if (std::optional<ScalarValue> number = python_scalar(item)) {
      arguments.emplace_back(*number);
      continue;
    }
    if (!nb::isinstance<TensorArgument>(item)) {
      throw nb::type_error(("element " + std::to_string(arguments.size()) +
                            ": expected a TensorArgument, a number or None, got " + class_name(item))
                               .c_str());
    }
    TensorArgument tensor = nb::cast<TensorArgument>(item);
    tensor.data = tensor.data != nullptr ? tensor.data : imagined_address(arguments.size());
    arguments.emplace_back(std::move(tensor));
  }
  return arguments;
}

void prepare_described(FusionExecutor& self, nb::handle sets, std::optional<Way> way, const std::string& device) {
  std::vector<Preparation> calls;
  for (nb::handle set : sets) {
    calls.push_back({&self, to_arguments(self, set), {}});
    calls.back().options.way = way;
    calls.back().options.device_props = device;
  }
  nb::gil_scoped_release release;
  FusionExecutor::prepare_all(calls);
}

}  // namespace

void bind_prepare(nb::module_& m) {
  m.def("describe_dense", &describe_dense, "executor"_a, "position"_a, "sizes"_a, "cuda"_a, "index"_a,
        "A tensor of these sizes for an input, dense in the memory order of the definition, at no real address.");
  m.def("prepare_described", &prepare_described, "executor"_a, "sets"_a, "way"_a = nb::none(), "device"_a = "",
        nb::sig("def prepare_described(executor: FusionExecutor, sets: Sequence[Sequence[object]], way: Way | None = "
                "None, device: str = '') "
                "-> None"),
        "Makes the plans of several calls whose tensors are described; all kernels of one way are one unit.");
}

}  // namespace nvfuser::python
