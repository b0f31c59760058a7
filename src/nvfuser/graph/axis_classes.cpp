// SPDX-License-Identifier: Apache-2.0
// Exact axis classes: axes joined by links that read one axis as it is.  They say that iteration spaces are equal and
// propose bindings; no index ever comes from them.
#include <algorithm>

#include "nvfuser/graph/instantiate.h"

namespace nvfuser {

namespace {

bool same_extent(const IterDomain* a, const IterDomain* b) {
  const Val *x = a->extent(), *y = b->extent();
  return x == y || (x->is_constant() && y->is_constant() && x->constant_int() == y->constant_int());
}

/// Calls join(operand axis, result axis) for each operand axis that a link reads as one result axis.
template <class Join>
void for_each_exact_pair(const Expr& expr, const Link& link, const Join& join) {
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

/// Result axes on which an operand's index depends, in their order.
std::vector<const IterDomain*> axes_in(Index p, const std::vector<IterDomain*>& order) {
  std::vector<const IterDomain*> found;
  const std::vector<const Atom*> atoms = atoms_of(p);
  for (const IterDomain* axis : order) {
    if (std::any_of(atoms.begin(), atoms.end(),
                    [&](const Atom* atom) { return atom->kind == AtomKind::axis && atom->owner == axis; })) {
      found.push_back(axis);
    }
  }
  return found;
}

/// Calls split(whole, parts) for each operand axis whose points are those of several result axes, and the other way
/// round.  A reshape gives each operand point one result point: where an axis depends on some axes alone, and they on
/// no other, the two sides count the same points in one order.
template <class Split>
void for_each_split(const Expr& expr, const Link& link, const Split& split) {
  const std::vector<IterDomain*> from =
      static_cast<const TensorView*>(expr.input(link.operand))->domain()->no_reductions();
  const std::vector<IterDomain*>& to = static_cast<const TensorView*>(expr.output(0))->domain()->root();
  std::vector<std::vector<const IterDomain*>> read;
  for (const Index p : link.map) {
    read.push_back(axes_in(p, to));
  }
  for (const IterDomain* axis : to) {
    std::vector<const IterDomain*> parts;
    bool alone = true;
    for (size_t k = 0; k < from.size(); ++k) {
      if (std::find(read[k].begin(), read[k].end(), axis) != read[k].end()) {
        parts.push_back(from[k]);
        alone = alone && read[k].size() == 1;
      }
    }
    if (alone && parts.size() > 1) {
      split(axis, parts);
    }
  }
  for (size_t k = 0; k < from.size(); ++k) {
    const bool alone = std::all_of(read[k].begin(), read[k].end(), [&](const IterDomain* axis) {
      return std::count_if(read.begin(), read.end(), [&](const auto& axes) {
               return std::find(axes.begin(), axes.end(), axis) != axes.end();
             }) == 1;
    });
    if (alone && read[k].size() > 1) {
      split(from[k], read[k]);
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
  const auto data = [&](const TensorView*, const std::vector<Index>&, Index) { return pool.constant(0); };
  const LinkScope scope{pool, algebra, axis, extent, data};
  std::vector<std::pair<const IterDomain*, std::vector<const IterDomain*>>> splits;
  for (const Expr* expr : fusion.exprs()) {
    if (expr->outputs().empty() || !expr->output(0)->is_tensor()) {
      continue;
    }
    for (const Link& link : links(*expr, scope)) {
      for_each_exact_pair(*expr, link, [&](const IterDomain* a, const IterDomain* b) {
        const IterDomain *x = find(a), *y = find(b);
        if (x != y) {
          parent_[y] = x;
        }
      });
      if (link.kind == LinkKind::split_merge) {
        for_each_split(*expr, link, [&](const IterDomain* whole, const std::vector<const IterDomain*>& parts) {
          splits.emplace_back(whole, parts);
        });
      }
    }
  }
  for (auto& [whole, parts] : splits) {
    parts_.emplace(find(whole), std::move(parts));
  }
}

void AxisClasses::add_parts(const IterDomain* axis, std::vector<const IterDomain*>& above,
                            std::vector<const IterDomain*>& found) const {
  const IterDomain* mine = find(axis);
  const auto split = parts_.find(mine);
  if (split == parts_.end() || std::find(above.begin(), above.end(), mine) != above.end()) {
    found.push_back(axis);
    return;
  }
  above.push_back(mine);
  for (const IterDomain* part : split->second) {
    add_parts(part, above, found);
  }
  above.pop_back();
}

std::vector<const IterDomain*> AxisClasses::parts(const IterDomain* axis) const {
  std::vector<const IterDomain*> above, found;
  add_parts(axis, above, found);
  return found;
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
