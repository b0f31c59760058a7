// SPDX-License-Identifier: Apache-2.0
// Reach of strided memory.
#include "nvfuser/ir/strided.h"

#include <algorithm>

namespace nvfuser {

int64_t addressed_elements(std::span<const int64_t> sizes, std::span<const int64_t> strides) {
  int64_t last = 0;
  for (size_t axis = 0; axis < sizes.size(); ++axis) {
    if (sizes[axis] == 0) {
      return 0;
    }
    last += (sizes[axis] - 1) * std::max<int64_t>(strides[axis], 0);
  }
  return last + 1;
}

int64_t elements_before(std::span<const int64_t> sizes, std::span<const int64_t> strides) {
  int64_t first = 0;
  for (size_t axis = 0; axis < sizes.size(); ++axis) {
    first += std::max<int64_t>(sizes[axis] - 1, 0) * std::min<int64_t>(strides[axis], 0);
  }
  return -first;
}

}  // namespace nvfuser
