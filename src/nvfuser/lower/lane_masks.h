// SPDX-License-Identifier: Apache-2.0
// Pass: vectors at both ends of a row, whose lanes beyond it are masked in one text.
#pragma once

#include "nvfuser/lower/lowering.h"

namespace nvfuser {

/// gpu target: inside an unswitch loop where every test of lanes says that they lie in a row, from its first column to
/// its last, loads, stores and folds take the lanes inside, values are computed in all lanes, and one test says that
/// some lane is inside.  What can do none of that keeps a test for each lane.  The loop is then an ordinary one.
void mask_lanes(Lowering& state);

}  // namespace nvfuser
