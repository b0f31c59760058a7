// SPDX-License-Identifier: Apache-2.0
// Builders of tensors from scalars.
#pragma once

#include <vector>

#include "nvfuser/ir/fusion.h"

namespace nvfuser {

/// A tensor of one value, converted to the type.
TensorView* full(const std::vector<Val*>& shape, Val* fill_value, DataType dtype);
/// start + i * step for 0 <= i < length.  Null start and step are 0 and 1; both are of the type's kind.
TensorView* iota(Val* length, Val* start = nullptr, Val* step = nullptr, DataType dtype = DataType::Int);

}  // namespace nvfuser
