// SPDX-License-Identifier: Apache-2.0
// Pass: operations of the nest become statements: what is read and written where, under which tests.
#pragma once

#include "nvfuser/lower/lowering.h"

namespace nvfuser {

/// Puts in indices and predicates; notes accesses of shared memory for the barrier pass.
void make_statements(Lowering& state);

}  // namespace nvfuser
