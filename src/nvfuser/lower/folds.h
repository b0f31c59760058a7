// SPDX-License-Identifier: Apache-2.0
// Pass: elements of local memory join an accumulator several at a time.
#pragma once

#include <optional>

#include "nvfuser/lower/lowering.h"

namespace nvfuser {

/// Turns a loop of constant extent whose only statement accumulates consecutive elements into one statement.  On the
/// CPU the loop may end early by its tests; no loop that accumulates is left to be vectorised as if its points were
/// independent.
void form_folds(Lowering& state);
/// The same of one loop whose elements are tested for lying in the row alone, from which these tests are gone; none
/// where it is no fold.
std::optional<Item> fold_within(Lowering& state, const Item& loop, const Within& row);

}  // namespace nvfuser
