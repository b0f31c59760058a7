// SPDX-License-Identifier: Apache-2.0
// Tuples of combiners as memory sees them: how many bytes, which fields of which types.
#pragma once

#include <array>
#include <cstdint>

#include "nvfuser/ir/dtype.h"
#include "nvfuser/ir/types.h"

namespace nvfuser {

struct TupleShape {
  int64_t bytes = 0;
  int count = 0;                     ///< of fields
  std::array<DataType, 3> fields{};  ///< storage types
};

/// Of a row that is computed in `type`.
const TupleShape& tuple_shape(ReductionOp row, DataType type);

}  // namespace nvfuser
