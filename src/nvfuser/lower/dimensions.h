// SPDX-License-Identifier: Apache-2.0
// Pass: extents of the grid and of blocks.
#pragma once

#include "nvfuser/lower/lowering.h"

namespace nvfuser {

/// Block: the largest constant extent bound to each thread index.  Grid: the extent bound to each block index; where
/// several are, their largest (constants) or their sum.
void set_dimensions(Lowering& state);

}  // namespace nvfuser
