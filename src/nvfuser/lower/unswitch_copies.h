// SPDX-License-Identifier: Apache-2.0
// Pass: the body of an unswitch loop in two copies, one for full tiles and one with tests.
#pragma once

#include "nvfuser/lower/lowering.h"

namespace nvfuser {

/// gpu target: the first copy runs where the tests hold at their largest over the loops inside, and has none of them,
/// so that its lanes can move as vectors; the second runs elsewhere.  One copy where nothing is tested inside, and
/// where a barrier stands inside.  The cpu target has limits in place of tests.
void copy_unswitched(Lowering& state);

}  // namespace nvfuser
