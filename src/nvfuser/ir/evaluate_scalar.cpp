// SPDX-License-Identifier: Apache-2.0
// One operation on scalars, and the look-up of compiled rows.
#include "nvfuser/ir/evaluate.h"
#include "nvfuser/ir/evaluate_values.h"

namespace nvfuser {

extern const BlockTable kRealRows, kUnaryRows, kArithmeticRows, kCompareRows, kManyRows;

BlockFunction find_block_function(PointwiseOp op, DataType operation) {
  const int index = value_index(operation);
  for (const BlockTable* table : {&kRealRows, &kUnaryRows, &kArithmeticRows, &kCompareRows, &kManyRows}) {
    if (index >= 0 && table->functions[static_cast<int>(op)][index] != nullptr) {
      return table->functions[static_cast<int>(op)][index];
    }
  }
  return nullptr;
}

bool is_supported(PointwiseOp op, DataType dtype) { return find_block_function(op, dtype) != nullptr; }

namespace {

/// Rounds to what a narrow float holds; other values pass.
ScalarValue round_scalar(const ValueCell& cell, DataType from, DataType dtype) {
  ConvertFunction round = is_narrow_float(dtype) ? find_rounding(from, dtype) : nullptr;
  ValueCell result{};
  (round != nullptr ? round : find_convert(from, dtype))(result.bytes, cell.bytes, 1);
  return from_cell(result, dtype);
}

}  // namespace

ScalarValue cast_scalar(const ScalarValue& value, DataType dtype) {
  constexpr DataType kTypes[] = {DataType::Bool, DataType::Int, DataType::Double, DataType::ComplexDouble};
  const DataType from = kTypes[value.index()];
  return round_scalar(to_cell(value, from), from, dtype);
}

ScalarValue evaluate_scalar(PointwiseOp op, std::span<const ScalarValue> operands, DataType dtype) {
  const PointwiseInfo& row = info(op);
  check(static_cast<int>(operands.size()) == row.arity, ErrorKind::definition, row.name, " takes ", row.arity,
        " operands; got ", operands.size());
  const BlockFunction function = find_block_function(op, dtype);
  check(function != nullptr, ErrorKind::dtype, row.name, " has no meaning for dtype ", name_of(dtype));
  ValueCell cells[4]{}, result{};
  for (size_t k = 0; k < operands.size(); ++k) {
    const bool flag = k == 0 && row.rule == PromotionRule::select;
    cells[k] = to_cell(operands[k], flag ? DataType::Bool : dtype);
  }
  function(result.bytes, cells[0].bytes, cells[1].bytes, cells[2].bytes, cells[3].bytes, 1);
  const DataType given = result_type(op, compute_type(dtype));
  return round_scalar(result, given, given == compute_type(dtype) ? dtype : given);
}

}  // namespace nvfuser
