// SPDX-License-Identifier: Apache-2.0
// Results of builders: their axes and their layout.  The layout of a result is decided here, when its op is built, from
// the layouts of the operands, so that equal programs give equal strides.
#pragma once

#include <vector>

#include "nvfuser/ir/fusion.h"

namespace nvfuser {

/// The axes that users see.
std::vector<IterDomain*> axes_of(const TensorView* tensor);
/// The extents that users see.
std::vector<Val*> extents_of(const TensorView* tensor);

/// A new axis; a constant extent of 1 makes it a broadcast axis.
IterDomain* make_axis(Fusion& fusion, Val* extent);
/// A broadcast axis, expanded unless `expanded` is null or the constant 1.
IterDomain* make_broadcast_axis(Fusion& fusion, Val* expanded = nullptr);
/// An axis of equal extents and kind for another tensor.
IterDomain* copy_axis(const IterDomain* axis);

/// Axes in memory order, outermost first, as positions in axes_of.
using AllocationOrder = std::vector<int64_t>;
AllocationOrder allocation_order(const TensorView* tensor);
AllocationOrder row_major(size_t rank);
/// The order of a result that is computed point by point from operands of its rank.  Operands with the most axes that
/// are no broadcasts decide; among them the first that is not row-major.
AllocationOrder followed_order(const std::vector<TensorView*>& operands);

/// A tensor without definition whose memory is dense in the given order.
TensorView* make_tensor(Fusion& fusion, std::vector<IterDomain*> axes, DataType dtype, const AllocationOrder& order);

}  // namespace nvfuser
