// SPDX-License-Identifier: Apache-2.0
// Pass: elements of local memory join an accumulator several at a time.
#pragma once

#include "nvfuser/lower/lowering.h"

namespace nvfuser {

/// Turns a loop of constant extent whose only statement accumulates consecutive elements into one statement.  On the
/// CPU the loop may end early by its tests; no loop that accumulates is left to be vectorised as if its points were
/// independent.
void form_folds(Lowering& state);

}  // namespace nvfuser
