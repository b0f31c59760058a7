// SPDX-License-Identifier: Apache-2.0
// Pass: are the outputs that are to be written in place legal?
#pragma once

#include "nvfuser/lower/lowering.h"

namespace nvfuser {

/// Every read of the buffer must have the write's map and layout and be done by the one thread that writes (no test
/// singles it out among threads that do the same work).  That it comes before the write is an order edge of
/// `operations`.
void check_aliases(Lowering& state);

}  // namespace nvfuser
