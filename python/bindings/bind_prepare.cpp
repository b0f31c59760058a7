// SPDX-License-Identifier: Apache-2.0
// Plans for tensors that are only described: made ahead, with all kernels compiled as one unit.
#include "bindings.h"
#include "nvfuser/runtime/imagined.h"

namespace nvfuser::python {
namespace {

[[gnu::cold]] TensorArgument describe_dense(const FusionExecutor& executor, size_t position, const Ints& sizes,
                                            bool cuda, int index) {
  const Device device{cuda ? Device::Kind::cuda : Device::Kind::cpu, index};
  return dense_argument(*executor.fusion(), position, sizes.as("sizes"), device);
}

/// Described tensors and numbers; None for any number.
[[gnu::cold]] std::vector<Argument> to_arguments(const FusionExecutor& executor, nb::handle described) {
  std::vector<Argument> arguments;
  for (nb::handle item : described) {
    if (item.is_none()) {
      arguments.emplace_back(any_value(executor, arguments.size()));
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

[[gnu::cold]] void prepare_described(FusionExecutor& self, nb::handle sets, std::optional<Way> way,
                                     const std::string& device) {
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
