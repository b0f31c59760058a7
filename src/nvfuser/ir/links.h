// SPDX-License-Identifier: Apache-2.0
// Axis links: for each tensor operand of an expression, where it is read for each point of the result.  Broadcast,
// permute, expand, reshape, slice, pad and cat exist for everything downstream only as links; nothing else has a case
// per view op.
#pragma once

#include <functional>
#include <vector>

#include "nvfuser/integer/index.h"
#include "nvfuser/ir/fusion.h"

namespace nvfuser {

/// `lt`: index < bound.  `ge`: index >= 0.  `eq`: index == 0.
struct Test {
  enum class Kind : uint8_t { lt, ge, eq } kind;
  Index index;
  Index bound = nullptr;  ///< lt only
  bool operator==(const Test&) const = default;
};

/// What a link does to axes; several may apply, the strongest is named (order of strength = order here).
enum class LinkKind : uint8_t { same, resolve, fresh, split_merge, shift, data };

/// How operand `operand` of an expression is read.
struct Link {
  int operand;  ///< position in Expr::inputs(); always a tensor
  LinkKind kind;
  std::vector<Index> map;   ///< one index per logical (no-reduction) axis of the operand, over the result's root axes
  std::vector<Test> tests;  ///< the operand is read only where all hold (pad, cat)
};

/// Maps IR values into an index pool: result axes to their index, extents to sizes.
struct LinkScope {
  IndexPool& pool;
  const Algebra& algebra;
  std::function<Index(const IterDomain*)> axis;  ///< index of a root axis of the result
  std::function<Index(const Val*)> extent;       ///< an integer scalar (extent, start, width)
  /// What an integer tensor tells at `map`, below `extent`.
  std::function<Index(const TensorView*, const std::vector<Index>& map, Index extent)> data;
};

/// One link per tensor operand, in operand order.  Broadcast axes are read at 0.
std::vector<Link> links(const Expr& expr, const LinkScope& scope);

}  // namespace nvfuser
