// SPDX-License-Identifier: Apache-2.0
// Arguments of a call held against the fusion's inputs.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "nvfuser/ir/evaluate.h"
#include "nvfuser/runtime/executor.h"

namespace nvfuser {

/// Checks number, kind, dtype, rank, contiguity and device; binds sizes and scalars.  Errors name the input, what was
/// expected and what came.
void bind_arguments(const Fusion& fusion, const std::vector<Argument>& arguments, ScalarBinding& binding);
/// The device of all tensors of rank > 0 (CPU scalars may mix with CUDA tensors); the CPU when there is none.
Device device_of(const std::vector<Argument>& arguments);
/// May the two tensors share memory?  True when their ranges of addresses meet.
bool ranges_meet(const TensorArgument& a, const TensorArgument& b);
/// The inputs into whose memory outputs are written.
std::vector<int> written_inputs(const Fusion& fusion);
/// Pairs of a written input and another tensor whose memory may be the same.
std::vector<std::pair<int, int>> shared_inputs(const std::vector<Argument>& arguments, const std::vector<int>& written);
/// For each input whether it is a scalar on which the size of some tensor depends.
std::vector<bool> sizing_scalars(const Fusion& fusion);
/// Everything on which a plan depends: dtypes, sizes, strides, alignment, devices, integer scalars, and the scalars of
/// other types that `sizing` names.
std::vector<int64_t> facts_key(const std::vector<Argument>& arguments, int way, const std::vector<bool>& sizing);

}  // namespace nvfuser
