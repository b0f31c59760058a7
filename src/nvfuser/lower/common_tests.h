// SPDX-License-Identifier: Apache-2.0
// Pass: what only serves results of a body is tested as they are, so that the test stands around all of it, once.
#pragma once

#include "nvfuser/lower/lowering.h"

namespace nvfuser {

/// gpu target: a test under which everything in a loop's body runs but values that are read there alone, and under it,
/// becomes theirs too.
void share_tests(Lowering& state);

}  // namespace nvfuser
