// SPDX-License-Identifier: Apache-2.0
// Extents: see extent.h.
#include "nvfuser/ops/extent.h"

#include "nvfuser/ops/operand.h"
#include "nvfuser/ops/pointwise_builder.h"

namespace nvfuser {
namespace {

bool is_known(const Val* value, int64_t expected) { return known_integer(value) == std::optional(expected); }

/// What an integer was before it became an Index.
const Val* unconverted(const Val* value) {
  const Expr* definition = value->definition();
  const bool converted = definition != nullptr && definition->kind() == ExprKind::cast &&
                         is_integral(definition->input(0)->dtype()) && value->dtype() == DataType::Index;
  return converted ? definition->input(0) : value;
}

/// One operand of an addition, when the other one is `part`.
Val* rest_of_sum(const Val* sum, const Val* part) {
  sum = unconverted(sum);
  const Expr* definition = sum->definition();
  if (definition == nullptr || definition->kind() != ExprKind::pointwise ||
      definition->attribute<PointwiseOp>(0) != PointwiseOp::add) {
    return nullptr;
  }
  for (const int k : {0, 1}) {
    if (same_integer(definition->input(k), part)) {
      Val* rest = definition->input(1 - k);
      return rest->is_constant() ? rest->fusion()->index_constant(rest->constant_int()) : rest;
    }
  }
  return nullptr;
}

}  // namespace

bool same_scalar(const Val* a, const Val* b) {
  return a == b || (a->is_constant() && b->is_constant() && *a->constant() == *b->constant());
}

bool same_integer(const Val* a, const Val* b) {
  return same_scalar(a, b) || same_scalar(unconverted(a), unconverted(b));
}

Val* better_extent(Val* a, Val* b) {
  const auto worth = [](const Val* v) { return v->is_constant() ? 2 : v->definition() == nullptr ? 1 : 0; };
  return worth(b) > worth(a) ? b : a;
}

Val* extent_sum(Val* a, Val* b) {
  if (is_known(a, 0) || is_known(b, 0)) {
    return is_known(a, 0) ? b : a;
  }
  return pointwise(PointwiseOp::add, {a, b});
}

Val* extent_difference(Val* a, Val* b) {
  if (is_known(b, 0)) {
    return a;
  }
  if (same_scalar(a, b)) {
    return a->fusion()->index_constant(0);
  }
  if (Val* rest = rest_of_sum(a, b)) {
    return rest;
  }
  return pointwise(PointwiseOp::sub, {a, b});
}

Val* extent_product(Val* a, Val* b) {
  if (is_known(a, 1) || is_known(b, 1)) {
    return is_known(a, 1) ? b : a;
  }
  return pointwise(PointwiseOp::mul, {a, b});
}

Val* extent_quotient(Val* a, Val* b) {
  if (is_known(b, 1)) {
    return a;
  }
  return pointwise(PointwiseOp::div, {a, b});
}

Val* extent_minimum(Val* a, Val* b) { return same_scalar(a, b) ? a : pointwise(PointwiseOp::minimum, {a, b}); }

}  // namespace nvfuser
