// SPDX-License-Identifier: Apache-2.0
// Exact axis classes: axes joined by links that read one axis as it is.  They say that iteration spaces are equal and
// propose bindings; no index ever comes from them.
#include "nvfuser/graph/instantiate.h"

namespace nvfuser {

namespace {

bool same_extent(const IterDomain* a, const IterDomain* b) {
  const Val *x = a->extent(), *y = b->extent();
  return x == y || (x->is_constant() && y->is_constant() && x->constant_int() == y->constant_int());
}

/// Calls join(operand axis, result axis) for each operand axis that a link reads as one result axis.
template <class Join>
void for_each_exact_pair(const Expr& expr, const LinkScope& scope, const Join& join) {
  for (const Link& link : links(expr, scope)) {
    const auto* operand = static_cast<const TensorView*>(expr.input(link.operand));
    const std::vector<IterDomain*> axes = operand->domain()->no_reductions();
    for (size_t k = 0; k < axes.size(); ++k) {
      const Atom* atom = link.map[k]->as_atom();
      if (atom == nullptr || atom->kind != AtomKind::axis) {
        continue;
      }
      const auto* result = static_cast<const IterDomain*>(atom->owner);
      // A slice from 0 reads an axis as it is too, and covers only part of it.
      if (link.kind != LinkKind::shift || same_extent(axes[k], result)) {
        join(axes[k], result);
      }
    }
  }
}

}  // namespace

AxisClasses::AxisClasses(const Fusion& fusion) {
  IndexPool pool;
  const Algebra algebra(pool);
  const auto extent = [&](const Val* v) {
    return v->is_constant() ? pool.constant(v->constant_int()) : pool.size("v" + std::to_string(v->number()));
  };
  const auto axis = [&](const IterDomain* a) {
    return a->is_broadcast() ? pool.constant(0) : pool.axis(a, "a" + std::to_string(a->number()), extent(a->extent()));
  };
  const LinkScope scope{pool, algebra, axis, extent};
  for (const Expr* expr : fusion.exprs()) {
    if (expr->outputs().empty() || !expr->output(0)->is_tensor()) {
      continue;
    }
    for_each_exact_pair(*expr, scope, [&](const IterDomain* a, const IterDomain* b) {
      const IterDomain *x = find(a), *y = find(b);
      if (x != y) {
        parent_[y] = x;
      }
    });
  }
}

const IterDomain* AxisClasses::find(const IterDomain* axis) const {
  const IterDomain* root = axis;
  for (auto it = parent_.find(root); it != parent_.end(); it = parent_.find(root)) {
    root = it->second;
  }
  while (axis != root) {
    const IterDomain* next = parent_.at(axis);
    parent_[axis] = root;
    axis = next;
  }
  return root;
}

}  // namespace nvfuser
