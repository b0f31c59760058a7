// SPDX-License-Identifier: Apache-2.0
// Statement, Val, IterDomain, TensorDomain, TensorView, Expr, and the operators of values.
#include <array>

#include "def_op.h"
#include "docs_tensors.h"
#include "docs_values.h"
#include "nvfuser/ir/pointwise.h"
#include "nvfuser/ops/pointwise_builder.h"
#include "nvfuser/ops/shape.h"

namespace nvfuser::python {
namespace {

struct OperatorRow {
  const char* method;
  const char* reflected;  ///< null: Python swaps comparisons itself
  PointwiseOp op;
};

constexpr OperatorRow kBinaryOperators[] = {
    {"__add__", "__radd__", PointwiseOp::add},
    {"__sub__", "__rsub__", PointwiseOp::sub},
    {"__mul__", "__rmul__", PointwiseOp::mul},
    {"__truediv__", "__rtruediv__", PointwiseOp::truediv},
    {"__mod__", "__rmod__", PointwiseOp::remainder},
    {"__pow__", "__rpow__", PointwiseOp::pow},
    {"__and__", "__rand__", PointwiseOp::bitwise_and},
    {"__or__", "__ror__", PointwiseOp::bitwise_or},
    {"__xor__", "__rxor__", PointwiseOp::bitwise_xor},
    {"__lshift__", "__rlshift__", PointwiseOp::bitwise_left_shift},
    {"__rshift__", "__rrshift__", PointwiseOp::bitwise_right_shift},
    {"__lt__", nullptr, PointwiseOp::lt},
    {"__le__", nullptr, PointwiseOp::le},
    {"__gt__", nullptr, PointwiseOp::gt},
    {"__ge__", nullptr, PointwiseOp::ge},
};

nb::object not_supported() { return nb::borrow(Py_NotImplemented); }

nb::object apply(PointwiseOp op, nb::handle lhs, nb::handle rhs) {
  auto usable = [](nb::handle object) { return nb::isinstance<ValRef>(object) || python_scalar(object).has_value(); };
  if (!usable(lhs) || !usable(rhs)) {
    return not_supported();
  }
  try {
    Fusion& fusion = fusion_of({lhs, rhs});
    return wrap(pointwise(op, {operand(fusion, lhs, "lhs"), operand(fusion, rhs, "rhs")}));
  } catch (...) {
    rethrow_named(info(op).name.data(), std::array{lhs, rhs}.data(), 2);
  }
}

nb::object apply(PointwiseOp op, nb::handle operand) {
  try {
    fusion_of({operand});
    return wrap(pointwise(op, {nb::inst_ptr<ValRef>(operand)->get()}));
  } catch (...) {
    rethrow_named(info(op).name.data(), &operand, 1);
  }
}

void bind_operators(nb::class_<ValRef, StatementRef>& val) {
  for (const OperatorRow& row : kBinaryOperators) {
    const PointwiseOp op = row.op;
    const std::string doc = "The op ``" + std::string(info(op).name) + "``.";
    const std::string sig = "def " + std::string(row.method) + "(self, other: Val | complex) -> Val";
    val.def(
        row.method, [op](nb::handle self, nb::handle other) { return apply(op, self, other); }, nb::sig(sig.c_str()),
        "other"_a, doc.c_str());
    if (row.reflected) {
      const std::string reflected = "def " + std::string(row.reflected) + "(self, other: complex) -> Val";
      val.def(
          row.reflected, [op](nb::handle self, nb::handle other) { return apply(op, other, self); },
          nb::sig(reflected.c_str()), "other"_a, doc.c_str());
    }
  }
  val.def(
      "__neg__", [](nb::handle self) { return apply(PointwiseOp::neg, self); }, nb::sig("def __neg__(self) -> Val"),
      "The op ``neg``.");
  val.def(
      "__abs__", [](nb::handle self) { return apply(PointwiseOp::abs, self); }, nb::sig("def __abs__(self) -> Val"),
      "The op ``abs``.");
  val.def(
      "__invert__", [](nb::handle self) { return apply(PointwiseOp::bitwise_not, self); },
      nb::sig("def __invert__(self) -> Val"), "The op ``bitwise_not``.");
  // NumPy's scalars leave operators with a Val on the right to the Val.
  val.attr("__array_ufunc__") = nb::none();
  val.def("__bool__", [](const ValRef&) -> bool {
    throw nb::type_error("a Val has no truth value while the fusion is being defined; use ops.where or logical ops");
  });
}

void bind_values(nb::module_& m) {
  nb::class_<StatementRef>(m, "Statement", docs::kStatement)
      .def("__str__", [](const StatementRef& self) { return to_string(*self.node); })
      .def("__repr__", [](nb::handle self) {
        return repr_text(class_name(self), to_string(*nb::inst_ptr<StatementRef>(self)->node));
      });
  auto val = nb::class_<ValRef, StatementRef>(m, "Val", docs::kVal)
                 .def(
                     "is_symbolic", [](const ValRef& self) { return self.get()->is_symbolic(); }, docs::kValIsSymbolic)
                 .def(
                     "is_tensor", [](const ValRef& self) { return self.get()->is_tensor(); }, docs::kValIsTensor)
                 .def(
                     "definition", [](const ValRef& self) { return wrap(self.get()->definition()); },
                     nb::sig("def definition(self) -> Expr | None"), docs::kValDefinition)
                 .def(
                     "uses", [](const ValRef& self) { return wrap_all(self.get()->uses()); },
                     nb::sig("def uses(self) -> list[Expr]"), docs::kValUses)
                 .def(
                     "location",
                     [](const ValRef& self) {
                       return self.get()->location() ? self.get()->location()->text() : std::string();
                     },
                     docs::kValLocation)
                 .def("fusion", [](const ValRef& self) { return self.fusion; }, docs::kValFusion);
  bind_operators(val);
  nb::class_<ExprRef, StatementRef>(m, "Expr", docs::kExpr)
      .def(
          "input", [](const ExprRef& self, int index) { return wrap(self.get()->input(index)); },
          nb::sig("def input(self, index: int) -> Val"), "index"_a, docs::kExprInput)
      .def(
          "output", [](const ExprRef& self, int index) { return wrap(self.get()->output(index)); },
          nb::sig("def output(self, index: int) -> Val"), "index"_a, docs::kExprOutput)
      .def(
          "inputs", [](const ExprRef& self) { return wrap_all(self.get()->inputs()); },
          nb::sig("def inputs(self) -> list[Val]"), docs::kExprInputs)
      .def(
          "outputs", [](const ExprRef& self) { return wrap_all(self.get()->outputs()); },
          nb::sig("def outputs(self) -> list[Val]"), docs::kExprOutputs)
      .def(
          "location",
          [](const ExprRef& self) -> std::string {
            return self.get()->location() ? self.get()->location()->text() : "";
          },
          docs::kExprLocation);
  nb::class_<BroadcastOpRef, ExprRef>(m, "BroadcastOp", docs::kBroadcastOp);
  nb::class_<SqueezeOpRef, ExprRef>(m, "SqueezeOp", docs::kSqueezeOp);
}

void bind_domains(nb::module_& m) {
  nb::class_<IterDomainRef, ValRef>(m, "IterDomain", docs::kIterDomain)
      .def(
          "is_reduction", [](const IterDomainRef& self) { return self.get()->is_reduction(); },
          docs::kIterDomainIsReduction)
      .def(
          "is_broadcast", [](const IterDomainRef& self) { return self.get()->is_broadcast(); },
          docs::kIterDomainIsBroadcast)
      .def(
          "extent", [](const IterDomainRef& self) { return wrap(self.get()->extent()); },
          nb::sig("def extent(self) -> Val"), docs::kIterDomainExtent);
  nb::class_<TensorDomainRef, ValRef>(m, "TensorDomain", docs::kTensorDomain);
}

TensorDomain* domain_of(const TensorViewRef& self) { return self.get()->domain(); }

/// A loop by its position, negative ones from the end.
nb::object loop_axis(const TensorViewRef& self, int64_t index) {
  const std::vector<IterDomain*>& loop = domain_of(self)->loop();
  const auto count = static_cast<int64_t>(loop.size());
  check(count > 0, ErrorKind::shape, *self.get(), " has no axes");
  check(index >= -count && index < count, ErrorKind::shape, "axis ", index, " is out of range for the ", count,
        " loops of ", *self.get());
  return wrap(loop[index < 0 ? index + count : index]);
}

void bind_tensor_view(nb::module_& m) {
  nb::class_<TensorViewRef, ValRef>(m, "TensorView", docs::kTensorView)
      .def_prop_ro(
          "ndim", [](const TensorViewRef& self) { return self.get()->rank(); }, "Logical rank without reduced axes.")
      .def(
          "dtype", [](const TensorViewRef& self) { return self.get()->dtype(); }, docs::kTensorViewDtype)
      .def(
          "size", [](const TensorViewRef& self, int64_t dim) { return wrap(size(self.get(), dim)); }, "dim"_a,
          nb::sig("def size(self, dim: int) -> Val"), docs::kTensorViewSize)
      .def(
          "shape", [](const TensorViewRef& self) { return wrap_all(shape(self.get())); },
          nb::sig("def shape(self) -> list[Val]"), docs::kTensorViewShape)
      .def("axis", &loop_axis, "index"_a, nb::sig("def axis(self, index: int) -> IterDomain"), docs::kTensorViewAxis)
      .def(
          "domain", [](const TensorViewRef& self) { return wrap(domain_of(self)); },
          nb::sig("def domain(self) -> TensorDomain"), docs::kTensorViewDomain)
      .def(
          "get_logical_domain", [](const TensorViewRef& self) { return wrap_all(domain_of(self)->logical()); },
          nb::sig("def get_logical_domain(self) -> list[IterDomain]"), docs::kTensorViewLogical)
      .def(
          "get_loop_domain", [](const TensorViewRef& self) { return wrap_all(domain_of(self)->loop()); },
          nb::sig("def get_loop_domain(self) -> list[IterDomain]"), docs::kTensorViewLoop)
      .def(
          "get_root_domain", [](const TensorViewRef& self) { return wrap_all(domain_of(self)->root()); },
          nb::sig("def get_root_domain(self) -> list[IterDomain]"), docs::kTensorViewRoot)
      .def(
          "has_root", [](const TensorViewRef& self) { return domain_of(self)->root() != domain_of(self)->logical(); },
          docs::kTensorViewHasRoot);
}

}  // namespace

void bind_ir(nb::module_& m) {
  bind_values(m);
  bind_domains(m);
  bind_tensor_view(m);
}

}  // namespace nvfuser::python
