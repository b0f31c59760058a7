// SPDX-License-Identifier: Apache-2.0
// Canonical extents: one index expression per class of extents that must be equal.  Part of graph/instantiate.
#pragma once

#include <unordered_map>
#include <vector>

#include "nvfuser/graph/instantiate.h"

namespace nvfuser {

/// Names sizes "i0", "i1", ... in the order in which they are first asked for.
class Extents {
 public:
  /// `tensors`: every tensor of the group, in the order in which their extents are to be named.
  Extents(IndexPool& pool, const AxisClasses& classes, const std::vector<const TensorView*>& tensors);
  /// A constant of the class wins; then a size named after its first extent without definition; then a definition
  /// over other extents; then a size of its own.
  Index of(const Val* scalar);
  /// 1 for broadcast axes.
  Index of(const IterDomain* axis);
  const std::unordered_map<const Val*, Index>& all() const { return known_; }

 private:
  const Val* find(const Val* scalar) const;
  Index resolve(const std::vector<const Val*>& members);
  Index from_definition(const Val* scalar);
  Index fresh_size();

  IndexPool& pool_;
  Algebra algebra_;
  std::unordered_map<const Val*, const Val*> parent_;
  std::unordered_map<const Val*, std::vector<const Val*>> members_;  ///< of every class with more than one extent
  std::unordered_map<const Val*, Index> known_;
  int count_ = 0;
};

}  // namespace nvfuser
