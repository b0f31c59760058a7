// SPDX-License-Identifier: Apache-2.0
// The executor with its plans.  Tensors arrive as plain descriptions: the Python layer knows the frameworks.
#include "bindings.h"
#include "docs_enums.h"
#include "nvfuser/ir/titles.h"
#include "nvfuser/runtime/descriptions.h"
#include "nvfuser/runtime/reference.h"
#include "python_call.h"

namespace nvfuser::python {
namespace {

/// A plan with what keeps it valid.
struct PlanRef {
  std::shared_ptr<const Plan> plan;
};

/// The arguments of a call in the form that outlasts it.
[[gnu::cold]] std::vector<Argument> to_arguments(const FusionExecutor& executor, nb::handle inputs) {
  PythonCall call(executor);
  call.add_inputs(inputs);
  return call.arguments().arguments(0, call.arguments().size());
}

void bind_descriptions(nb::module_& m) {
  nb::enum_<Way>(m, "Way", docs::kWay)
      .value("cuda", Way::cuda, "Kernels on a GPU.")
      .value("host", Way::host, "Kernels compiled for the CPU.")
      .value("emulator", Way::emulator, "The GPU's kernels thread by thread on the CPU, every access checked.")
      .value("evaluator", Way::evaluator, "Expression by expression on the CPU, without a compiler.");
  nb::class_<TensorArgument>(m, "TensorArgument",
                             "A tensor as the executor sees it: address, dtype, device, sizes, strides in elements.")
      .def(
          "__init__",
          [](TensorArgument* self, uintptr_t data, DataType dtype, bool cuda, int index, const Ints& sizes,
             const Ints& strides) {
            new (self) TensorArgument{reinterpret_cast<void*>(data),
                                      dtype,
                                      {cuda ? Device::Kind::cuda : Device::Kind::cpu, index},
                                      sizes.as("sizes"),
                                      strides.as("strides")};
          },
          "data"_a, "dtype"_a, "cuda"_a, "index"_a, "sizes"_a, "strides"_a)
      .def_prop_ro(
          "data", [](const TensorArgument& self) { return reinterpret_cast<uintptr_t>(self.data); },
          "Address of the first element.")
      .def_ro("dtype", &TensorArgument::dtype, "Element type.")
      .def_prop_ro(
          "cuda", [](const TensorArgument& self) { return self.device.kind == Device::Kind::cuda; },
          "True for memory of a GPU.")
      .def_prop_ro(
          "index", [](const TensorArgument& self) { return self.device.index; }, "Ordinal of the device.")
      .def_ro("sizes", &TensorArgument::sizes, "Extent of each axis.")
      .def_ro("strides", &TensorArgument::strides, "Stride of each axis in elements.")
      .def("__repr__", [](const TensorArgument& self) { return repr_text("TensorArgument", description_of(self)); });
  nb::class_<OutputSpec>(m, "OutputSpec", "What the caller allocates for one output.")
      .def_ro("dtype", &OutputSpec::dtype, "Element type.")
      .def_prop_ro(
          "cuda", [](const OutputSpec& self) { return self.device.kind == Device::Kind::cuda; },
          "True for memory of a GPU.")
      .def_prop_ro(
          "index", [](const OutputSpec& self) { return self.device.index; }, "Ordinal of the device.")
      .def_ro("sizes", &OutputSpec::sizes, "Extent of each axis.")
      .def_ro("strides", &OutputSpec::strides, "Stride of each axis in elements; 0 for expanded axes.")
      .def_ro("elements", &OutputSpec::elements, "Elements that the memory holds.")
      .def_ro("alias_input", &OutputSpec::alias_input, "The input whose memory this output is, or -1.")
      .def_ro("same_as", &OutputSpec::same_as, "The earlier output that this one is, or -1.")
      .def_ro("hidden", &OutputSpec::hidden, "True when the output is not returned.")
      .def_ro("workspace", &OutputSpec::workspace, "True for memory of one call alone.")
      .def("__repr__", [](const OutputSpec& self) { return repr_text("OutputSpec", description_of(self)); });
}

ExecuteOptions make_options(std::optional<Way> way, uintptr_t stream, uint64_t seed, std::string device) {
  return {way, reinterpret_cast<void*>(stream), seed, std::move(device), {}, nullptr};
}

/// (executor, inputs, way, device of the emulator)
[[gnu::cold]] Preparation to_preparation(nb::handle call) {
  const std::optional<nb::object> parts = sequence_items(call);
  const nb::tuple items = parts ? nb::tuple(*parts) : nb::tuple();
  FusionExecutor* executor = nullptr;
  Way way = Way::evaluator;
  std::string device;
  if (nb::len(items) != 4 || !nb::try_cast(items[0], executor) || executor == nullptr || !nb::try_cast(items[2], way) ||
      !nb::try_cast(items[3], device)) {
    throw nb::type_error(("expected a call as (FusionExecutor, inputs, Way, device), got " + class_name(call)).c_str());
  }
  return {executor, to_arguments(*executor, items[1]), make_options(way, 0, 1, std::move(device))};
}

[[gnu::cold]] std::vector<std::string> kernel_texts(nb::tuple call) {
  const Preparation preparation = to_preparation(call);
  nb::gil_scoped_release release;
  return FusionExecutor::kernel_texts(preparation);
}

[[gnu::cold]] std::vector<PlanRef> prepare_batch(nb::list calls) {
  std::vector<Preparation> preparations;
  for (nb::handle call : calls) {
    preparations.push_back(to_preparation(call));
  }
  nb::gil_scoped_release release;
  std::vector<PlanRef> plans;
  for (std::shared_ptr<const Plan>& plan : FusionExecutor::prepare_all(preparations)) {
    plans.push_back({std::move(plan)});
  }
  return plans;
}

}  // namespace

void bind_runtime(nb::module_& m) {
  bind_descriptions(m);
  m.def(
      "evaluate_float64",
      [](const FusionExecutor& executor, nb::handle inputs, std::vector<uintptr_t> outputs) {
        const std::vector<Argument> arguments = to_arguments(executor, inputs);
        nb::gil_scoped_release release;
        evaluate_float64(*executor.fusion(), arguments, outputs);
      },
      "executor"_a, "inputs"_a, "outputs"_a,
      "Evaluates all outputs with every floating value in double, into dense memory at these addresses.");
  nb::class_<PlanRef>(m, "Plan", "A call that is ready to run.")
      .def_prop_ro(
          "outputs", [](const PlanRef& self) { return FusionExecutor::outputs_of(*self.plan); },
          "Outputs, then workspace.")
      .def_prop_ro(
          "way", [](const PlanRef& self) { return FusionExecutor::way_of(*self.plan); }, "How it runs.")
      .def_prop_ro(
          "kernel_text", [](const PlanRef& self) { return FusionExecutor::kernel_text(*self.plan); },
          "Text of its kernels.")
      .def_prop_ro(
          "fallback_reason", [](const PlanRef& self) { return FusionExecutor::fallback_reason(*self.plan); },
          "Why the evaluator runs although nobody asked for it; empty otherwise.")
      .def("__str__", [](const PlanRef& self) { return FusionExecutor::describe(*self.plan); })
      .def("__repr__", [](const PlanRef& self) {
        const std::string text = FusionExecutor::describe(*self.plan);
        return repr_text("Plan", std::string_view(text).substr(0, text.find('\n')));
      });
  nb::class_<FusionExecutor>(m, "FusionExecutor", "Plans and runs one fusion.")
      .def(nb::init<std::shared_ptr<Fusion>>(), "fusion"_a)
      .def(
          "prepare",
          [](FusionExecutor& self, nb::handle inputs, std::optional<Way> way, std::string device) {
            PythonCall call(self);
            call.add_inputs(inputs);
            nb::gil_scoped_release release;
            return PlanRef{self.prepare(call.arguments(), make_options(way, 0, 1, std::move(device)))};
          },
          "inputs"_a, "way"_a = nb::none(), "device"_a = "",
          nb::sig("def prepare(self, inputs: Sequence[object], way: Way | None = None, device: str = '') -> Plan"),
          "Finds or makes the plan for these inputs.")
      .def(
          "is_prepared",
          [](FusionExecutor& self, nb::handle inputs) {
            PythonCall call(self);
            call.add_inputs(inputs);
            return self.find(call.arguments()) != nullptr;
          },
          "inputs"_a, nb::sig("def is_prepared(self, inputs: Sequence[object]) -> bool"),
          "Whether a plan for inputs of these facts exists.")
      .def_prop_ro(
          "last_way", [](const FusionExecutor& self) { return self.last_way(); },
          "How the last call ran; None before the first.")
      .def_prop_ro(
          "plan_count", [](const FusionExecutor& self) { return self.plan_count(); }, "Plans made so far.")
      .def_rw("fusion_id", &FusionExecutor::fusion_id, "A number of the caller's, which profiles show.")
      .def_prop_ro(
          "fusion", [](const FusionExecutor& self) { return self.fusion(); }, "The fusion.")
      .def("__repr__", [](const FusionExecutor& self) {
        return repr_text("FusionExecutor",
                         summary_of(*self.fusion()) + ", " + std::to_string(self.plan_count()) + " plans");
      });
  m.def("kernel_texts", &kernel_texts, "call"_a,
        nb::sig("def kernel_texts(call: tuple[FusionExecutor, list, Way, str]) -> list[str]"),
        "Texts of the kernels of a call (as in prepare_batch), which are not compiled.");
  m.def("prepare_batch", &prepare_batch, "calls"_a,
        nb::sig("def prepare_batch(calls: Sequence[tuple[FusionExecutor, list, Way, str]]) -> list[Plan]"),
        "Plans of several calls (executor, inputs, way, device for the emulator); all kernels of one way are compiled "
        "as one unit.");
}

}  // namespace nvfuser::python
