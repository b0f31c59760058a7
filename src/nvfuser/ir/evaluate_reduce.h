// SPDX-License-Identifier: Apache-2.0
// Combiners of the evaluator: the rows of reduction.def compiled for every value type.  Floats accumulate in double,
// whatever the precision of the call, so sums are those of a reference.
#pragma once

#include "nvfuser/ir/evaluate_values.h"
#include "nvfuser/ir/reduction.h"

namespace nvfuser {

/// What a reduction does with values of one type.  Tuples stand side by side, `tuple_bytes` apart.
struct ReduceFunctions {
  int64_t tuple_bytes;
  void (*begin)(void* tuples, int64_t n);
  /// Element i joins tuple at[i].
  void (*fold)(void* tuples, const int64_t* at, const void* const* operands, int64_t n);
  /// values[i] = result `part` of tuple i, a value of part_type(op, part, operand).
  void (*finish)(const void* tuples, int part, void* values, int64_t n);
};

/// Null where the combiner is not defined for the type.
const ReduceFunctions* find_reduce(ReductionOp op, DataType operand);

}  // namespace nvfuser
