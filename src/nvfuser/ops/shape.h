// SPDX-License-Identifier: Apache-2.0
// Builders of copies and of operations that rearrange, add, remove or cut axes.  Axis arguments may be negative,
// counted from the end.  Results are dense; their memory order follows the operand's where this file does not say
// otherwise.
#pragma once

#include <vector>

#include "nvfuser/ir/fusion.h"

namespace nvfuser {

/// A copy of equal type and memory order.
TensorView* set(TensorView* operand);
/// A copy at which kernels are cut.
TensorView* segment_set(TensorView* operand);
/// A copy whose memory order is given by ranks of strides: order[i] is that of axis i, 0 the fastest.  Empty: as set.
TensorView* stride_order(TensorView* operand, const std::vector<int64_t>& order);

/// New axes of extent 1 where a flag is true; all flags false gives the operand itself.
TensorView* broadcast(TensorView* operand, const std::vector<bool>& is_new);
/// Axis k of the operand becomes axis dims[k] (ascending) of a tensor of the given shape; the others are new.
TensorView* broadcast_in_dim(TensorView* operand, const std::vector<Val*>& shape, const std::vector<int64_t>& dims);
/// Grows axes of extent 1; -1 keeps an extent.
TensorView* expand(TensorView* operand, const std::vector<Val*>& shape);
/// Removes broadcast axes; expanded ones only when asked for.
TensorView* squeeze(TensorView* operand, const std::vector<int64_t>& dims, bool squeeze_expanded = false);
/// Axis i of the result is axis dims[i] of the operand.  Memory stays in the operand's order: only names of axes move.
TensorView* permute(TensorView* operand, const std::vector<int64_t>& dims);
/// The same elements in row-major order of the shape, of which one entry may be -1.  Memory order of the result is
/// row-major, except that whole axes or groups of axes which are kept or split in place stay where they are.
TensorView* reshape(TensorView* operand, const std::vector<Val*>& shape);

/// Extent of an axis.
Val* size(const TensorView* operand, int64_t dim);
std::vector<Val*> shape(const TensorView* operand);

}  // namespace nvfuser
