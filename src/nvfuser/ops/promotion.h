// SPDX-License-Identifier: Apache-2.0
// Type promotion of pointwise operations: torch's result_type with three categories of operands, and what the rule
// column of pointwise.def makes of it.  Pure functions over types; ops/pointwise_builder.h inserts the casts.
#pragma once

#include <cstdint>
#include <vector>

#include "nvfuser/ir/dtype.h"
#include "nvfuser/ir/pointwise.h"

namespace nvfuser {

/// A lower category changes only the kind (bool < integer < floating < complex) of the common type, never its width.
enum class OperandCategory : uint8_t { scalar, zero_dim, tensor };

struct OperandType {
  DataType dtype;
  OperandCategory category;
};

/// Common type of two operands of one category.  Two different narrow floats meet in Float; UInt64 wins over every
/// other integer, as in C; Index wins over Int.
DataType promote_types(DataType a, DataType b);

/// Common type of operands of mixed categories.  Next to a tensor a floating scalar counts as Float, a complex one as
/// ComplexFloat and an integer one as Int; scalars among themselves keep their types.
DataType common_type(const std::vector<OperandType>& operands);

/// The type that each operand is cast to, and the type of the result.
struct PromotedTypes {
  std::vector<DataType> operands;
  DataType result;
};

/// ErrorKind::dtype, naming the operation and the operand types, where the rule has no answer.
PromotedTypes promote(PointwiseOp op, const std::vector<OperandType>& operands);

/// Float for narrow floats; any other type is kept.
constexpr DataType widened(DataType type) { return is_narrow_float(type) ? DataType::Float : type; }

}  // namespace nvfuser
