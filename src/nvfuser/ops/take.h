// SPDX-License-Identifier: Apache-2.0
// Builders of tensors whose elements are taken where another tensor tells.  Indices count from 0 and have to lie within
// the axis: the evaluator raises an error for others, the emulator reports a fault, and kernels read the nearest
// element of the axis.
#pragma once

#include "nvfuser/ir/fusion.h"

namespace nvfuser {

/// result[..., i, ...] = operand[..., index[..., i, ...], ...] along the axis; the other axes broadcast together.
TensorView* take_along_axis(TensorView* operand, TensorView* index, int64_t dim);
/// The same where the other axes of the index are no longer than the operand's, of which their first elements are read.
TensorView* gather(TensorView* operand, TensorView* index, int64_t dim);
/// The operand of the `gather` that made this take_along_axis of its first elements; null where there is none, and
/// where the whole operand is read.
const TensorView* gathered(const Expr& take);

}  // namespace nvfuser
