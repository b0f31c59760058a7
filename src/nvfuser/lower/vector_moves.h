// SPDX-License-Identifier: Apache-2.0
// Pass: loads, stores and copies of a whole innermost run become moves of several elements.
#pragma once

#include "nvfuser/lower/lowering.h"

namespace nvfuser {

/// Vectorisation belongs to the access, not to the loop: an innermost vectorize or unroll loop around one load, store
/// or copy is tried at its whole extent, then at narrower powers of two as a loop of moves.
void form_moves(Lowering& state);

}  // namespace nvfuser
