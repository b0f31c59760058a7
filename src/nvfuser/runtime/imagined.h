// SPDX-License-Identifier: Apache-2.0
// Arguments that are only described, for plans that are made ahead of the call.
#pragma once

#include <cstddef>
#include <vector>

#include "nvfuser/runtime/executor.h"

namespace nvfuser {

/// Addresses of tensors that are not there: apart from each other and aligned as fresh memory is.
void* imagined_address(size_t position);
/// A dense tensor for an input, in the memory order that the definition gives, at an imagined address.
TensorArgument dense_argument(const Fusion& fusion, size_t position, std::vector<int64_t> sizes, const Device& device);
/// A value for a scalar whose value no plan depends on.
ScalarValue any_value(const FusionExecutor& executor, size_t position);

}  // namespace nvfuser
