// SPDX-License-Identifier: Apache-2.0
// Pass: a layout for every tensor that lives in registers or shared memory.
#pragma once

#include "nvfuser/lower/lowering.h"

namespace nvfuser {

/// By default loops right of the inline position that are neither block nor thread; a shared buffer also has every
/// thread-bound loop of the tensor wherever it stands, since it holds all threads' elements at once.
void allocate(Lowering& state);

}  // namespace nvfuser
