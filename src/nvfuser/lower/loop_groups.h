// SPDX-License-Identifier: Apache-2.0
// Pass: which loops of which tensors are one loop of the kernel.
#pragma once

#include "nvfuser/lower/lowering.h"

namespace nvfuser {

/// Unites (tensor, position) along the inline relation and names the loops.  A group is real if some member depends on
/// it; all members that do must hold the same id.
void group_loops(Lowering& state);

}  // namespace nvfuser
