// SPDX-License-Identifier: Apache-2.0
// Pass: a value must reach its consumers through the memory it lives in.
#pragma once

#include "nvfuser/lower/lowering.h"

namespace nvfuser {

/// Refuses schedules in which a Local value crosses threads or blocks, or a Shared one blocks.
void check_memory(Lowering& state);

}  // namespace nvfuser
