// SPDX-License-Identifier: Apache-2.0
// The one entry for pointwise operations: promotes operand types, aligns ranks and broadcasts, folds constants, and
// decides the result's axes and layout.
#pragma once

#include <vector>

#include "nvfuser/ir/fusion.h"
#include "nvfuser/ir/pointwise.h"

namespace nvfuser {

/// A row of pointwise.def applied to scalars and tensors of one fusion.  The result is a tensor when an operand is one,
/// otherwise a scalar (a constant when all operands are).  Both limits of clamp may be null: no limit on that side.
/// `real` of an operand that is not complex is a copy.
Val* pointwise(PointwiseOp op, std::vector<Val*> operands);

/// A number of the user's program: bool gives Bool, integers Int, floats Double, complex numbers ComplexDouble.
Val* make_constant(Fusion& fusion, ScalarValue value);

}  // namespace nvfuser
