// SPDX-License-Identifier: Apache-2.0
// The Fusion and its guard.
#include <sstream>

#include "bindings.h"
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

/// Such as `T0_g_float[iS0{i0}] (model.py:12 in block)`; empty where there is no such input.
std::string describe_input(const Fusion& fusion, size_t position) {
  std::ostringstream text;
  if (position < fusion.inputs().size()) {
    text << *fusion.inputs()[position] << AtLine{*fusion.inputs()[position]};
  }
  return text.str();
}

void bind_fusion(nb::module_& m) {
  auto fusion = nb::class_<Fusion>(m, "Fusion", "A graph of tensor expressions.");
  fusion
      .def(nb::new_([]() {
             auto fusion = Fusion::make();
             record_locations(*fusion);
             return fusion;
           }),
           "An empty fusion.")
      .def(
          "inputs", [](const Fusion& self) { return wrap_all(self.inputs()); },
          nb::sig("def inputs(self) -> list[Val]"), "Inputs in order.")
      .def(
          "outputs", [](const Fusion& self) { return wrap_all(self.outputs()); },
          nb::sig("def outputs(self) -> list[TensorView]"), "Outputs in order.")
      .def(
          "vals", [](const Fusion& self) { return wrap_all(self.vals()); }, nb::sig("def vals(self) -> list[Val]"),
          "All scalars and tensors.")
      .def(
          "exprs", [](const Fusion& self) { return wrap_all(self.exprs()); }, nb::sig("def exprs(self) -> list[Expr]"),
          "All expressions.")
      .def(
          "add_input", [](Fusion& self, ValRef& input) { self.add_input(input.get()); }, "input"_a,
          "Registers an input.")
      .def(
          "add_output",
          [](Fusion& self, nb::handle output, nb::handle alias) {
            if (alias.is_none()) {
              self.add_output(operand(self, output, "output"));
            } else {
              self.add_output(tensor_operand(output, "output"), tensor_operand(alias, "alias_input"));
            }
          },
          nb::sig("def add_output(self, output: Val, alias_input: TensorView | None = None) -> None"), "output"_a,
          "alias_input"_a = nb::none(),
          "Registers an output; with `alias_input` the result is written into that input's memory.")
      .def("describe_input", &describe_input, "position"_a,
           "An input and the line of the user's program that made it, for messages; empty where there is none.")
      .def(
          "print_math", [](const Fusion& self, bool from_outputs_only) { return print_math(self, from_outputs_only); },
          "from_outputs_only"_a = true, "The fusion as text.")
      .def(
          "python_source", [](const Fusion& self) { return python_source(self); },
          "Python source that rebuilds an equal fusion.")
      .def(
          "structural_hash", [](const Fusion& self) { return structural_hash(self); },
          "A hash of the definition; equal definitions have equal hashes.")
      .def(
          "same_definition", [](const Fusion& self, const Fusion& other) { return structurally_equal(self, other); },
          "other"_a, "True when both fusions have the same definition.")
      .def(
          "__eq__",
          [](const Fusion& self, nb::handle other) {
            return nb::isinstance<Fusion>(other) && structurally_equal(self, nb::cast<Fusion&>(other));
          },
          nb::sig("def __eq__(self, other: object) -> bool"), "other"_a)
      .def("__str__", [](const Fusion& self) { return print_math(self); })
      .def("__repr__", [](const Fusion& self) {
        return "<Fusion: " + std::to_string(self.inputs().size()) + " inputs, " + std::to_string(self.exprs().size()) +
               " expressions, " + std::to_string(self.outputs().size()) + " outputs>";
      });
  fusion.attr("__hash__") = nb::none();  // equality is structural and a fusion grows
  nb::class_<Guard>(m, "FusionGuard", "Makes a fusion the one that ops build, until the guard dies.")
      .def(nb::init<std::shared_ptr<Fusion>>(), "fusion"_a)
      .def("release", &Guard::release, "Ends the guard now.");
}

}  // namespace nvfuser::python
