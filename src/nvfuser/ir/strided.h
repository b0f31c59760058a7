// SPDX-License-Identifier: Apache-2.0
// How far the elements of a strided tensor reach from its pointer.
#pragma once

#include <cstdint>
#include <span>

namespace nvfuser {

/// Distance from the pointer's element to the last addressed one, plus 1; 0 for empty tensors.
int64_t addressed_elements(std::span<const int64_t> sizes, std::span<const int64_t> strides);
/// Elements that negative strides reach below the pointer.
int64_t elements_before(std::span<const int64_t> sizes, std::span<const int64_t> strides);

}  // namespace nvfuser
