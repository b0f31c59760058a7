// SPDX-License-Identifier: Apache-2.0
// Canonical extents: union-find over extent scalars along exact axis classes, then one expression per class.
#include "nvfuser/graph/extents.h"

#include <algorithm>

namespace nvfuser {

namespace {

bool all_nonnegative(Index p) {
  return std::all_of(p->terms.begin(), p->terms.end(), [](const Term& t) { return t.coefficient >= 0; });
}

}  // namespace

Extents::Extents(IndexPool& pool, const AxisClasses& classes, const std::vector<const TensorView*>& tensors)
    : pool_(pool), algebra_(pool) {
  std::unordered_map<const IterDomain*, const Val*> first;
  std::vector<const Val*> order;
  for (const TensorView* t : tensors) {
    for (const IterDomain* axis : t->domain()->logical()) {
      if (axis->is_broadcast()) {
        continue;
      }
      const Val* mine = axis->extent();
      order.push_back(mine);
      const Val* known = first.try_emplace(classes.find(axis), mine).first->second;
      if (find(known) != find(mine)) {
        parent_[find(mine)] = find(known);
      }
    }
  }
  for (const Val* v : order) {
    std::vector<const Val*>& members = members_[find(v)];
    if (std::find(members.begin(), members.end(), v) == members.end()) {
      members.push_back(v);
    }
  }
  for (const Val* v : order) {
    of(v);
  }
}

const Val* Extents::find(const Val* scalar) const {
  for (auto it = parent_.find(scalar); it != parent_.end(); it = parent_.find(scalar)) {
    scalar = it->second;
  }
  return scalar;
}

Index Extents::of(const IterDomain* axis) { return axis->is_broadcast() ? pool_.constant(1) : of(axis->extent()); }

Index Extents::of(const Val* scalar) {
  if (const auto it = known_.find(scalar); it != known_.end()) {
    return it->second;
  }
  const auto it = members_.find(find(scalar));
  const std::vector<const Val*> members = it == members_.end() ? std::vector<const Val*>{scalar} : it->second;
  for (const Val* v : members) {
    known_[v] = nullptr;  // in work: a definition that leads back here is given up
  }
  const Index index = resolve(members);
  for (const Val* v : members) {
    known_[v] = index;
  }
  return index;
}

Index Extents::resolve(const std::vector<const Val*>& members) {
  for (const Val* v : members) {
    if (v->is_constant()) {
      return pool_.constant(v->constant_int());
    }
  }
  for (const Val* v : members) {
    if (v->definition() == nullptr) {
      return fresh_size();
    }
  }
  for (const Val* v : members) {
    if (const Index index = from_definition(v)) {
      return index;
    }
  }
  return fresh_size();
}

Index Extents::fresh_size() { return pool_.size("i" + std::to_string(count_++)); }

/// Sums, differences, products and quotients of extents stay expressions, so that a slice of a pad cancels; null for
/// anything else.
Index Extents::from_definition(const Val* scalar) {
  const Expr& expr = *scalar->definition();
  if (expr.kind() == ExprKind::cast && expr.input(0)->is_scalar() && is_integral(expr.input(0)->dtype())) {
    return of(expr.input(0));
  }
  if (expr.kind() != ExprKind::pointwise || expr.inputs().size() != 2) {
    return nullptr;
  }
  const PointwiseOp op = expr.attribute<PointwiseOp>(0);
  const bool known =
      op == PointwiseOp::add || op == PointwiseOp::sub || op == PointwiseOp::mul || op == PointwiseOp::div;
  if (!known || !is_integral(expr.input(0)->dtype()) || !is_integral(expr.input(1)->dtype())) {
    return nullptr;
  }
  const Index a = of(expr.input(0)), b = of(expr.input(1));
  if (a == nullptr || b == nullptr) {
    return nullptr;
  }
  switch (op) {
    case PointwiseOp::add:
      return pool_.add(a, b);
    case PointwiseOp::sub:
      return pool_.sub(a, b);
    case PointwiseOp::mul:
      return pool_.mul(a, b);
    default:  // truncation is floor only where nothing is negative
      return all_nonnegative(a) && all_nonnegative(b) && !b->is(0) ? algebra_.div(a, b) : nullptr;
  }
}

}  // namespace nvfuser
