// SPDX-License-Identifier: Apache-2.0
// Pass: from the nest with tests at statements to the program's body with guards and loop limits.
#pragma once

#include "nvfuser/lower/lowering.h"

namespace nvfuser {

/// Consecutive statements of equal tests share a guard; a test that all of a loop's statements share and that does not
/// name the loop stands around the loop; on the cpu target tests that name it become the loop's limits.
void form_guards(Lowering& state);

}  // namespace nvfuser
