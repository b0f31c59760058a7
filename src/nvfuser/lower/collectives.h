// SPDX-License-Identifier: Apache-2.0
// Joins of one team that nothing keeps apart become one, with one barrier.
#pragma once

#include "nvfuser/lower/lowering.h"

namespace nvfuser {

void join_collectives(Lowering& state);

}  // namespace nvfuser
