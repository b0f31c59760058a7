// SPDX-License-Identifier: Apache-2.0
// Operands: see operand.h.
#include "nvfuser/ops/operand.h"

#include <algorithm>
#include <sstream>

namespace nvfuser {
namespace {

void write_extent(std::ostream& out, const Val* extent) {
  if (const auto size = known_integer(extent)) {
    out << *size;
  } else {
    out << "?";
  }
}

}  // namespace

std::string describe(const Val* operand) {
  std::ostringstream out;
  out << name_of(operand->dtype());
  if (operand->is_tensor()) {
    const char* separator = " [";
    for (const IterDomain* axis : static_cast<const TensorView*>(operand)->domain()->no_reductions()) {
      out << separator;
      write_extent(out, axis->visible_extent());
      separator = ", ";
    }
    out << (separator[0] == ' ' ? " []" : "]");
  } else {
    out << " scalar";
    if (operand->is_constant()) {
      out << " " << to_string(*operand->constant());
    }
  }
  return out.str();
}

std::string describe(const std::vector<Val*>& operands) {
  std::string text;
  for (const Val* operand : operands) {
    text += (text.empty() ? "" : ", ") + describe(operand);
  }
  return text;
}

void check_operand(std::string_view op, const Fusion* fusion, const Val* operand) {
  check(operand != nullptr, ErrorKind::definition, op, ": an operand is missing");
  check(operand->is_tensor() || operand->is_scalar(), ErrorKind::definition, op,
        ": operands have to be tensors or scalars, but one is an axis or a domain");
  check(operand->fusion() == fusion, ErrorKind::definition, op, ": the operand ", describe(operand),
        " belongs to another fusion", AtLine{*operand});
}

Fusion& fusion_of(std::string_view op, const Val* operand) {
  check(operand != nullptr, ErrorKind::definition, op, ": an operand is missing");
  check_operand(op, operand->fusion(), operand);
  return *operand->fusion();
}

std::vector<Val*> integer_scalars(std::string_view op, std::string_view what, Fusion& fusion,
                                  const std::vector<Val*>& values) {
  std::vector<Val*> result;
  for (Val* value : values) {
    check_operand(op, &fusion, value);
    check(value->is_scalar() && is_integral(value->dtype()), ErrorKind::dtype, op, ": ", what,
          " takes integer scalars, but got ", describe(value));
    const auto known = known_integer(value);
    result.push_back(known ? fusion.index_constant(*known) : value);
  }
  return result;
}

Val* scalar_expr(ExprKind kind, const std::vector<Val*>& operands, Attribute attribute, DataType dtype) {
  const auto same = [](const Val* a, const Val* b) {
    return a == b || (a->is_constant() && a->dtype() == b->dtype() && a->constant() == b->constant());
  };
  const auto symbolic = std::find_if(operands.begin(), operands.end(), [](const Val* v) { return v->is_symbolic(); });
  for (const Expr* use : symbolic == operands.end() ? std::vector<Expr*>{} : (*symbolic)->uses()) {
    const bool twin = use->kind() == kind && use->attributes().at(0) == attribute && use->output(0)->is_scalar() &&
                      std::equal(operands.begin(), operands.end(), use->inputs().begin(), use->inputs().end(), same);
    if (twin) {
      return use->output(0);
    }
  }
  Fusion& fusion = *operands.front()->fusion();
  Val* result = fusion.symbolic(dtype);
  fusion.expr(kind, operands, {result}, {std::move(attribute)});
  return result;
}

int64_t wrapped_axis(std::string_view op, int64_t axis, int64_t rank) {
  check(axis >= -rank && axis < rank, ErrorKind::shape, op, ": axis ", axis, " is out of range for a tensor of rank ",
        rank);
  return axis < 0 ? axis + rank : axis;
}

std::optional<int64_t> known_integer(const Val* value) {
  if (!value->is_constant()) {
    return std::nullopt;
  }
  const int64_t* integer = std::get_if<int64_t>(&*value->constant());
  return integer ? std::optional(*integer) : std::nullopt;
}

}  // namespace nvfuser
