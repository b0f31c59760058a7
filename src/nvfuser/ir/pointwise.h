// SPDX-License-Identifier: Apache-2.0
// The table of pointwise operations as data, from pointwise.def, and what follows from a row: in which type an
// operation is computed and which type it gives.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "nvfuser/ir/dtype.h"
#include "nvfuser/ir/types.h"

namespace nvfuser {

class Expr;

/// How operand and result types relate; pointwise.def explains each.
enum class PromotionRule : uint8_t {
  real,
  arithmetic,
  same,
  magnitude,
  part,
  predicate,
  logical,
  integral,
  precise,
  compound,
  select,
};

enum class PointwiseCost : uint8_t { alu, special, heavy };

/// One row of pointwise.def, less its expression.
struct PointwiseInfo {
  PointwiseOp op;
  std::string_view name;
  int arity;
  PromotionRule rule;
  PointwiseCost cost;
  double ulp;  ///< largest error of Float results; negative: no bound is stated
  std::string_view doc, see, example;
};

inline constexpr int kPointwiseCount = static_cast<int>(PointwiseOp::count_);

inline constexpr PointwiseInfo kPointwiseOps[] = {
#define POINTWISE(name, arity, rule, cost, ulp, expression, doc, see, example) \
  {PointwiseOp::name, #name, arity, PromotionRule::rule, PointwiseCost::cost, ulp, doc, see, example},
#include "nvfuser/ir/pointwise.def"
};

inline constexpr std::string_view kPointwiseExpressions[] = {
#define POINTWISE(name, arity, rule, cost, ulp, expression, ...) #expression,
#include "nvfuser/ir/pointwise.def"
};

constexpr const PointwiseInfo& info(PointwiseOp op) { return kPointwiseOps[static_cast<int>(op)]; }
constexpr std::string_view name_of(PointwiseOp op) { return info(op).name; }
/// C++ over a, b, c, d in the compute type, in parentheses.
constexpr std::string_view expression_of(PointwiseOp op) { return kPointwiseExpressions[static_cast<int>(op)]; }

/// The operation of that name, if there is one.
std::optional<PointwiseOp> find_pointwise(std::string_view name);

/// The type that an operation computed in `operation` (a compute type) gives before it is rounded to its storage type.
constexpr DataType result_type(PointwiseOp op, DataType operation) {
  switch (info(op).rule) {
    case PromotionRule::predicate:
    case PromotionRule::logical:
      return DataType::Bool;
    case PromotionRule::magnitude:
    case PromotionRule::part:
      return real_type(operation);
    case PromotionRule::compound:
      return operation == DataType::Double ? DataType::ComplexDouble : DataType::ComplexFloat;
    default:
      return operation;
  }
}

/// The compute type in which a pointwise expression is evaluated: every operand is converted to it (a select's first
/// operand to Bool).  Builders bring operands to one type; where a scalar still differs, the tensors decide.
DataType operation_type(const Expr& expr);
/// The same by operand and result dtypes; `scalar[k]` says that operand k is no tensor.
DataType operation_type(PointwiseOp op, const std::vector<DataType>& operands, const std::vector<bool>& scalar,
                        DataType result);

}  // namespace nvfuser
