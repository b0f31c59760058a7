// SPDX-License-Identifier: Apache-2.0
// Pass: loads, stores and copies of a whole innermost run become moves of several elements.
#pragma once

#include <optional>

#include "nvfuser/lower/lowering.h"

namespace nvfuser {

/// Vectorisation belongs to the access, not to the loop: an innermost vectorize or unroll loop around one load, store
/// or copy is tried at its whole extent, then at narrower powers of two as a loop of moves.
void form_moves(Lowering& state);
/// The load or store of a whole vector whose lanes are tested for lying in the row alone, in place of its loop, from
/// which these tests are gone; none where its places are not those of a vector.
std::optional<Item> move_within(Lowering& state, const Item& loop, const Within& row);

}  // namespace nvfuser
