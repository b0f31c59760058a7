// SPDX-License-Identifier: Apache-2.0
// Expressions by what they compute, so that none is made twice.
#pragma once

#include <map>
#include <vector>

#include "nvfuser/ir/fusion.h"

namespace nvfuser {

/// An expression of a fusion that is about to be made.
struct Draft {
  ExprKind kind;
  std::vector<Val*> operands;
  std::vector<Attribute> attributes;
  TensorView* result;  ///< without definition
};

/// Equal axes, position by position: kind and extents.
bool same_axes(const TensorView* a, const TensorView* b);

/// True for a set without cut of a value that has the result's dtype and axes: the operand may stand for it.
bool is_plain_copy(const Draft& draft);

class DuplicateTable {
 public:
  /// A tensor that is defined by an equal expression and has equal dtype and axes; null where there is none.
  TensorView* find(const Draft& draft) const;
  /// The draft has become the definition of its result.
  void add(const Draft& draft);

 private:
  std::map<std::vector<uint64_t>, TensorView*> made_;
};

}  // namespace nvfuser
