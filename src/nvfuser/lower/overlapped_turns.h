// SPDX-License-Identifier: Apache-2.0
// Turns that overlap: where rows come by a ring and blocks that are apart share them, what a block tells the others of
// a row is collected one turn later, so that it reaches them while the block works on the next row.
//
//   for turn: { A; join; B }    ->    for turn: { A; tell } later { collect; B }
#pragma once

#include "nvfuser/lower/lowering.h"

namespace nvfuser {

/// A schedule error where blocks that are apart share a ring's rows, and B needs more of A than what is joined.
void overlap_turns(Lowering& state);

}  // namespace nvfuser
