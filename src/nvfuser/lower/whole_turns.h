// SPDX-License-Identifier: Apache-2.0
// Pass: turns of a row's vectors that lie inside the row whatever the thread run without tests.
#pragma once

#include "nvfuser/lower/lowering.h"

namespace nvfuser {

/// gpu target: an unrolled loop over vectors that may reach beyond an end of their row becomes up to three: those that
/// may, those that lie inside for all threads and blocks, and those that may again.  What stands inside loses its
/// tests, so loads of several turns may be under way at once.
void part_turns(Lowering& state);

}  // namespace nvfuser
