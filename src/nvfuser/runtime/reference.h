// SPDX-License-Identifier: Apache-2.0
// The values that results are compared with.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "nvfuser/runtime/executor.h"

namespace nvfuser {

/// All outputs with every floating value in double, into dense row-major memory at the addresses given.
void evaluate_float64(const Fusion& fusion, const std::vector<Argument>& arguments, std::span<const uintptr_t> outputs);

}  // namespace nvfuser
