// SPDX-License-Identifier: Apache-2.0
// Reductions in a type wider than their operands, where the machine adds in it as fast as memory brings elements.
#pragma once

#include "nvfuser/graph/kernel.h"

namespace nvfuser {

/// Does each step of such a reduction round, so that many of them add up errors?
bool rounds(ReductionOp row);
/// Lets reductions that round be computed in Double, or ComplexDouble, where their operands are narrower; results are
/// rounded once.
void widen_sums(Kernel& kernel);
/// Is the reduction computed in a wider type than the fusion asks for?
bool is_widened(const Tensor& reduce);

}  // namespace nvfuser
