// SPDX-License-Identifier: Apache-2.0
// The Fusion and its guard.
#include "bindings.h"
#include "docs_fusion.h"
#include "nvfuser/ir/titles.h"
#include "nvfuser/ops/python_source.h"

namespace nvfuser::python {
namespace {

/// Makes a fusion current until the guard dies or its `with` block ends.
struct Guard {
  explicit Guard(std::shared_ptr<Fusion> fusion) : open(open_fusion(std::move(fusion))) {}
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  ~Guard() { release(); }
  void release() { open->reset(); }
  std::shared_ptr<OpenFusion> open;
};

}  // namespace

void bind_fusion(nb::module_& m) {
  auto fusion = nb::class_<Fusion>(m, "Fusion", docs::kFusion);
  fusion
      .def(nb::new_([]() {
             auto fusion = Fusion::make();
             record_locations(*fusion);
             return fusion;
           }),
           "An empty fusion.")
      .def(
          "inputs", [](const Fusion& self) { return wrap_all(self.inputs()); },
          nb::sig("def inputs(self) -> list[Val]"), docs::kFusionInputs)
      .def(
          "outputs", [](const Fusion& self) { return wrap_all(self.outputs()); },
          nb::sig("def outputs(self) -> list[TensorView]"), docs::kFusionOutputs)
      .def(
          "vals", [](const Fusion& self) { return wrap_all(self.vals()); }, nb::sig("def vals(self) -> list[Val]"),
          docs::kFusionVals)
      .def(
          "exprs", [](const Fusion& self) { return wrap_all(self.exprs()); }, nb::sig("def exprs(self) -> list[Expr]"),
          docs::kFusionExprs)
      .def(
          "add_input", [](Fusion& self, ValRef& input) { self.add_input(input.get()); }, "input"_a,
          docs::kFusionAddInput)
      .def(
          "add_output",
          [](Fusion& self, nb::handle output, nb::handle alias) {
            if (alias.is_none()) {
              self.add_output(operand(self, output, "output"));
            } else {
              self.add_output(tensor_operand(output, "output"), tensor_operand(alias, "alias_input"));
            }
          },
          nb::sig("def add_output(self, output: TensorView, alias_input: TensorView | None = None) -> None"),
          "output"_a, "alias_input"_a = nb::none(), docs::kFusionAddOutput)
      .def("describe_input", &describe_input, "position"_a, docs::kFusionDescribeInput)
      .def(
          "print_math", [](const Fusion& self, Flag from_outputs_only) { return print_math(self, from_outputs_only); },
          "from_outputs_only"_a = true, docs::kFusionPrintMath)
      .def(
          "python_source", [](const Fusion& self) { return python_source(self); }, docs::kFusionPythonSource)
      .def(
          "structural_hash", [](const Fusion& self) { return structural_hash(self); }, docs::kFusionHash)
      .def(
          "same_definition", [](const Fusion& self, const Fusion& other) { return structurally_equal(self, other); },
          "other"_a, docs::kFusionSame)
      .def(
          "__eq__",
          [](const Fusion& self, nb::handle other) {
            return nb::isinstance<Fusion>(other) && structurally_equal(self, nb::cast<Fusion&>(other));
          },
          nb::sig("def __eq__(self, other: object) -> bool"), "other"_a)
      .def("__str__", [](const Fusion& self) { return print_math(self); })
      .def("__repr__", [](const Fusion& self) { return repr_text("Fusion", summary_of(self)); })
      .def(
          "_repr_html_", [](nb::handle self) { return nb::module_::import_("nvfuser.drawing").attr("html")(self); },
          nb::sig("def _repr_html_(self) -> str"), "What a notebook shows: see nvfuser.draw.");
  fusion.attr("__hash__") = nb::none();  // equality is structural and a fusion grows
  nb::class_<Guard>(m, "FusionGuard", docs::kFusionGuard)
      .def(nb::init<std::shared_ptr<Fusion>>(), "fusion"_a)
      .def("release", &Guard::release, docs::kFusionGuardRelease)
      .def(
          "__repr__",
          [](const Guard& self) { return repr_text("FusionGuard", *self.open ? summary_of(**self.open) : "released"); })
      .def(
          "__enter__", [](nb::handle self) { return nb::borrow(self); }, nb::sig("def __enter__(self) -> FusionGuard"))
      .def(
          "__exit__", [](Guard& self, nb::args) { self.release(); },
          nb::sig("def __exit__(self, *error: object) -> None"));
}

}  // namespace nvfuser::python
