// SPDX-License-Identifier: Apache-2.0
// Promotion: see promotion.h.
#include "nvfuser/ops/promotion.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "nvfuser/base/errors.h"

namespace nvfuser {
namespace {

/// Integer operations without a meaning for Bool.
constexpr PointwiseOp kIntegersOnly[] = {PointwiseOp::gcd, PointwiseOp::bitwise_left_shift,
                                         PointwiseOp::bitwise_right_shift, PointwiseOp::logical_right_shift};

/// Integer types from the weakest to the strongest.
constexpr DataType kIntegerOrder[] = {DataType::Int32, DataType::Int, DataType::Index, DataType::UInt64};

std::string type_list(const std::vector<OperandType>& operands) {
  std::string text;
  for (const OperandType& operand : operands) {
    text += (text.empty() ? "" : ", ") + std::string(name_of(operand.dtype));
  }
  return text;
}

bool is_double_width(DataType type) { return type == DataType::Double || type == DataType::ComplexDouble; }

DataType stronger_integer(DataType a, DataType b) {
  const auto rank = [](DataType type) { return std::find(std::begin(kIntegerOrder), std::end(kIntegerOrder), type); };
  return rank(a) < rank(b) ? b : a;
}

/// The complex type that holds a real one.
DataType complex_of(DataType type) { return is_double_width(type) ? DataType::ComplexDouble : DataType::ComplexFloat; }

/// A scalar next to a tensor.
DataType default_width(DataType type) {
  switch (kind_of(type)) {
    case DataKind::integer:
      return DataType::Int;
    case DataKind::floating:
      return DataType::Float;
    case DataKind::complex:
      return DataType::ComplexFloat;
    default:
      return type;
  }
}

/// Joins the types of a higher and a lower category.
DataType join(std::optional<DataType> higher, std::optional<DataType> lower) {
  if (!higher || !lower) {
    return higher ? *higher : lower.value_or(DataType::Null);
  }
  if (kind_of(*lower) <= kind_of(*higher)) {
    return *higher;
  }
  return is_floating(*higher) ? complex_of(*higher) : promote_types(*higher, *lower);
}

/// Integers and Bool as the floating type that real functions compute them in.
DataType as_real(DataType type, bool scalars_only) {
  if (is_integral(type) || is_boolean(type)) {
    return scalars_only ? DataType::Double : DataType::Float;
  }
  return widened(type);
}

PromotedTypes uniform(size_t count, DataType operand, DataType result) {
  return {std::vector<DataType>(count, operand), result};
}

PromotedTypes promote_precise(PointwiseOp op, const std::vector<OperandType>& operands, DataType common) {
  check(common == DataType::Float || common == DataType::Double, ErrorKind::dtype, info(op).name,
        " expects Float or Double operands, but got ", type_list(operands));
  return uniform(operands.size(), common, common);
}

PromotedTypes promote_integral(PointwiseOp op, const std::vector<OperandType>& operands, DataType common) {
  const bool integers_only =
      std::find(std::begin(kIntegersOnly), std::end(kIntegersOnly), op) != std::end(kIntegersOnly);
  check(is_integral(common) || (is_boolean(common) && !integers_only), ErrorKind::dtype, info(op).name, " expects ",
        integers_only ? "integer operands" : "integer or Bool operands", ", but got ", type_list(operands));
  return uniform(operands.size(), common, common);
}

PromotedTypes promote_compound(PointwiseOp op, const std::vector<OperandType>& operands) {
  const DataType type = operands.at(0).dtype;
  const bool alike = operands.at(1).dtype == type && (operands[0].category == OperandCategory::scalar) ==
                                                         (operands[1].category == OperandCategory::scalar);
  check(alike && (type == DataType::Float || type == DataType::Double), ErrorKind::dtype, info(op).name,
        " expects two tensors or two scalars of one type, Float or Double, but got ", type_list(operands));
  return uniform(2, type, complex_of(type));
}

PromotedTypes promote_select(PointwiseOp op, const std::vector<OperandType>& operands) {
  check(is_boolean(operands.at(0).dtype), ErrorKind::dtype, info(op).name, " expects a Bool condition, but got ",
        name_of(operands[0].dtype));
  const DataType common = common_type({operands.begin() + 1, operands.end()});
  return {{DataType::Bool, common, common}, common};
}

}  // namespace

DataType promote_types(DataType a, DataType b) {
  if (kind_of(a) < kind_of(b)) {
    std::swap(a, b);
  }
  if (a == b || is_boolean(b) || kind_of(b) == DataKind::none) {
    return a;
  }
  if (is_complex(a)) {
    return is_double_width(b) ? DataType::ComplexDouble : a;
  }
  if (is_integral(b)) {
    return is_integral(a) ? stronger_integer(a, b) : a;
  }
  // two different floating types
  return is_double_width(a) || is_double_width(b) ? DataType::Double : DataType::Float;
}

DataType common_type(const std::vector<OperandType>& operands) {
  const bool any_tensor = std::any_of(operands.begin(), operands.end(),
                                      [](const OperandType& o) { return o.category != OperandCategory::scalar; });
  std::optional<DataType> best[3];
  for (const OperandType& operand : operands) {
    const bool weak = any_tensor && operand.category == OperandCategory::scalar;
    const DataType type = weak ? default_width(operand.dtype) : operand.dtype;
    std::optional<DataType>& slot = best[static_cast<int>(operand.category)];
    slot = slot ? promote_types(*slot, type) : type;
  }
  const auto& [scalar, zero_dim, tensor] = best;
  if (!tensor && !zero_dim) {
    return scalar.value_or(DataType::Null);
  }
  const DataType tensors = join(tensor, zero_dim);
  return join(tensors, scalar);
}

PromotedTypes promote(PointwiseOp op, const std::vector<OperandType>& operands) {
  const PointwiseInfo& row = info(op);
  check(operands.size() == static_cast<size_t>(row.arity), ErrorKind::definition, row.name, " takes ", row.arity,
        " operands, but got ", operands.size());
  const DataType first = operands[0].dtype;
  const DataType common = common_type(operands);
  const size_t count = operands.size();
  const bool scalars_only = std::all_of(operands.begin(), operands.end(),
                                        [](const OperandType& o) { return o.category == OperandCategory::scalar; });
  switch (row.rule) {
    case PromotionRule::real: {
      const DataType type = as_real(common, scalars_only);
      return uniform(count, type, type);
    }
    case PromotionRule::arithmetic:
      return uniform(count, widened(common), widened(common));
    case PromotionRule::same:
      return uniform(count, first, first);
    case PromotionRule::magnitude:
      return uniform(count, first, real_type(first));
    case PromotionRule::part:
      check(op != PointwiseOp::imag || is_complex(first), ErrorKind::dtype, row.name,
            " expects a complex operand, but got ", name_of(first));
      return uniform(count, first, real_type(first));
    case PromotionRule::predicate:
      return uniform(count, widened(common), DataType::Bool);
    case PromotionRule::logical:
      return uniform(count, DataType::Bool, DataType::Bool);
    case PromotionRule::integral:
      return promote_integral(op, operands, common);
    case PromotionRule::precise:
      return promote_precise(op, operands, common);
    case PromotionRule::compound:
      return promote_compound(op, operands);
    case PromotionRule::select:
      return promote_select(op, operands);
  }
  fail(ErrorKind::internal, "internal error: ", row.name, " has no promotion rule");
}

}  // namespace nvfuser
