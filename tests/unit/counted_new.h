// SPDX-License-Identifier: Apache-2.0
// How often the current thread has asked for memory by `new`: for tests that nothing is allocated.
#pragma once

#include <cstdint>

namespace nvfuser::testing {

int64_t allocations();

}  // namespace nvfuser::testing
