// SPDX-License-Identifier: Apache-2.0
// Statistics that need each other, one reduction behind the other, and their
// form in one pass.  Found in the kernel, where views are gone: nothing in the
// fusion marks them.
#pragma once

#include <vector>

#include "nvfuser/graph/kernel.h"

namespace nvfuser {

/// Two reductions over one operand that one tuple holds.
struct Chain {
  Tensor* first;       ///< max x; sum x
  Tensor* second;      ///< sum exp(x - max x); sum (x - sum x / n)^2, of n elements
  ReductionOp joined;  ///< softmax_sums; moment_sums: `first` and `second` are its parts
};

std::vector<Chain> find_chains(const Kernel& kernel);
/// Makes one reduction of a chain, and drops what was computed for its second half alone.  Where a row has nothing
/// above minus infinity the sum of exponentials is then 0, where the chain has NaN; where it holds an infinity sum x is
/// NaN.
void make_streaming(Kernel& kernel, const Chain& chain);

}  // namespace nvfuser
