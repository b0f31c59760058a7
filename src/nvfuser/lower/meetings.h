// SPDX-License-Identifier: Apache-2.0
// Meetings: where one program does several phases, the blocks of its grid meet between two of them.
#pragma once

#include "nvfuser/lower/lowering.h"

namespace nvfuser {

/// Pass: how blocks meet, from what each phase binds to the grid.
void set_meetings(Lowering& state);
/// What a meeting does.
Action meeting_of(const Lowering& state, const Operation& meeting);
/// What stands behind all meetings at barriers.
Action leave_of(const Lowering& state);

}  // namespace nvfuser
