// SPDX-License-Identifier: Apache-2.0
// Arguments of a call held against the fusion's inputs.
#pragma once

#include <cstdint>
#include <vector>

#include "nvfuser/ir/evaluate.h"
#include "nvfuser/runtime/executor.h"

namespace nvfuser {

/// Checks number, kind, dtype, rank, contiguity and device; binds sizes and scalars.  Errors name the input, what was
/// expected and what came.
void bind_arguments(const Fusion& fusion, const std::vector<Argument>& arguments, ScalarBinding& binding);
/// The device of all tensors of rank > 0 (CPU scalars may mix with CUDA tensors); the CPU when there is none.
Device device_of(const std::vector<Argument>& arguments);
/// Everything on which a plan depends: dtypes, sizes, strides, alignment, devices, integer scalars.
std::vector<int64_t> facts_key(const std::vector<Argument>& arguments, int way);

}  // namespace nvfuser
