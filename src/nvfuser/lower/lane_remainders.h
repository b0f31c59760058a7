// SPDX-License-Identifier: Apache-2.0
// Pass: lanes that read a row in turn share the division of the first one.
//
//   for l < 8: .. in1[(v + l) % i1] ..   ->   for l < 8: .. in1[(v % i1 + l) % i1] ..
//
// The outer remainder is of a number below 2 * i1, which takes one subtraction in place of a division.
#pragma once

#include "nvfuser/lower/lowering.h"

namespace nvfuser {

/// gpu target: in loops of lanes, for launch-time divisors that are surely no smaller than the last lane's distance
/// from the first.  Such remainders stand in Program::wraps.
void share_remainders(Lowering& state);

/// p with every such remainder rewritten; the new atoms are added to `wraps`.
Index with_shared_remainders(const Lowering& state, Index p, const Atom* lane, int64_t extent,
                             std::unordered_set<const Atom*>& wraps);

}  // namespace nvfuser
