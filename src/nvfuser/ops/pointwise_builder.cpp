// SPDX-License-Identifier: Apache-2.0
// Pointwise operations: see pointwise_builder.h.
#include "nvfuser/ops/pointwise_builder.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string>

#include "nvfuser/ir/evaluate.h"
#include "nvfuser/ops/cast.h"
#include "nvfuser/ops/extent.h"
#include "nvfuser/ops/operand.h"
#include "nvfuser/ops/promotion.h"
#include "nvfuser/ops/result.h"
#include "nvfuser/ops/shape.h"

namespace nvfuser {
namespace {

/// Operands that have to be scalars, by operation and position.
struct ScalarsOnly {
  PointwiseOp op;
  size_t first, last;
};
constexpr ScalarsOnly kScalarsOnly[] = {
    {PointwiseOp::clamp, 1, 2}, {PointwiseOp::threshold, 1, 2}, {PointwiseOp::addcmul, 3, 3}};

/// The value that limits nothing.
Val* no_limit(Fusion& fusion, DataType type, bool upper) {
  if (is_integral(type)) {
    using Narrow = std::numeric_limits<int32_t>;
    using Wide = std::numeric_limits<int64_t>;
    const bool narrow = type == DataType::Int32;
    const int64_t most = narrow ? Narrow::max() : Wide::max(), least = narrow ? Narrow::min() : Wide::min();
    // all bits set is the largest UInt64
    return type == DataType::UInt64 ? fusion.constant(upper ? int64_t{-1} : int64_t{0}, type)
                                    : fusion.constant(upper ? most : least, type);
  }
  check(is_floating(type), ErrorKind::dtype, "clamp takes integers and floats, but got ", name_of(type));
  const double infinity = std::numeric_limits<double>::infinity();
  return fusion.constant(upper ? infinity : -infinity, DataType::Double);
}

void check_operands(PointwiseOp op, Fusion& fusion, std::vector<Val*>& operands) {
  const PointwiseInfo& row = info(op);
  check(operands.size() == static_cast<size_t>(row.arity), ErrorKind::definition, row.name, " takes ", row.arity,
        " operands, but got ", operands.size());
  for (size_t k = 1; op == PointwiseOp::clamp && k <= 2; ++k) {
    if (operands[k] == nullptr) {
      operands[k] = no_limit(fusion, operands[0]->dtype(), k == 2);
    }
  }
  for (const Val* operand : operands) {
    check_operand(row.name, &fusion, operand);
  }
  for (const ScalarsOnly& rule : kScalarsOnly) {
    for (size_t k = rule.first; op == rule.op && k <= rule.last; ++k) {
      check(operands[k]->is_scalar(), ErrorKind::definition, row.name, ": operand ", k, " has to be a scalar, but got ",
            describe(operands[k]));
    }
  }
}

OperandType operand_type(const Val* operand) {
  if (operand->is_scalar()) {
    return {operand->dtype(), OperandCategory::scalar};
  }
  const bool zero_dim = static_cast<const TensorView*>(operand)->rank() == 0;
  return {operand->dtype(), zero_dim ? OperandCategory::zero_dim : OperandCategory::tensor};
}

/// The type in which the operation is computed; an error when it has no meaning there.
DataType checked_operation_type(PointwiseOp op, const std::vector<Val*>& operands, DataType result) {
  std::vector<DataType> types;
  std::vector<bool> scalar;
  for (const Val* operand : operands) {
    types.push_back(operand->dtype());
    scalar.push_back(operand->is_scalar());
  }
  const DataType operation = operation_type(op, types, scalar, result);
  check(is_supported(op, operation), ErrorKind::dtype, info(op).name, " has no meaning for ", name_of(operation), ": ",
        describe(operands));
  return operation;
}

Val* fold(Fusion& fusion, PointwiseOp op, const std::vector<Val*>& operands, DataType operation, DataType result) {
  std::vector<ScalarValue> values;
  for (const Val* operand : operands) {
    values.push_back(*operand->constant());
  }
  return fusion.constant(convert_scalar(evaluate_scalar(op, values, operation), result), result);
}

/// A cast; the narrowest floats have no direct one to Bool and integers, so it goes through Float.
Val* converted(Val* operand, DataType type) {
  return cast(can_cast(operand->dtype(), type) ? operand : cast(operand, DataType::Float), type);
}

/// Leading broadcast axes for tensors of less than full rank.
void align_ranks(std::vector<Val*>& operands) {
  int rank = 0;
  for (const Val* operand : operands) {
    rank = std::max(rank, operand->is_tensor() ? static_cast<const TensorView*>(operand)->rank() : 0);
  }
  for (Val*& operand : operands) {
    auto* tensor = operand->is_tensor() ? static_cast<TensorView*>(operand) : nullptr;
    if (tensor != nullptr && tensor->rank() < rank) {
      std::vector<bool> flags(rank, false);
      std::fill_n(flags.begin(), rank - tensor->rank(), true);
      operand = broadcast(tensor, flags);
    }
  }
}

/// The result's axis where the operands have `axes`.  Extents of axes that are no plain broadcasts have to be equal.
IterDomain* joined_axis(PointwiseOp op, const std::vector<Val*>& operands, const std::vector<IterDomain*>& axes,
                        size_t position) {
  Val* extent = nullptr;
  bool real = false;
  for (const IterDomain* axis : axes) {
    if (axis->is_broadcast() && axis->expanded_extent() == nullptr) {
      continue;
    }
    Val* mine = axis->visible_extent();
    const bool differs =
        extent != nullptr && extent->is_constant() && mine->is_constant() && !same_scalar(extent, mine);
    check(!differs, ErrorKind::shape, info(op).name, ": the operands differ at axis ", position, ": ",
          describe(operands));
    extent = extent == nullptr ? mine : better_extent(extent, mine);
    real = real || !axis->is_broadcast();
  }
  Fusion& fusion = *axes.front()->fusion();
  return real ? fusion.axis(extent) : make_broadcast_axis(fusion, extent);
}

TensorView* tensor_result(Fusion& fusion, PointwiseOp op, const std::vector<Val*>& operands, DataType dtype) {
  std::vector<TensorView*> tensors;
  for (Val* operand : operands) {
    if (operand->is_tensor()) {
      tensors.push_back(static_cast<TensorView*>(operand));
    }
  }
  std::vector<IterDomain*> result;
  for (int k = 0; k < tensors.front()->rank(); ++k) {
    std::vector<IterDomain*> axes;
    for (const TensorView* tensor : tensors) {
      axes.push_back(axes_of(tensor)[k]);
    }
    result.push_back(joined_axis(op, operands, axes, k));
  }
  return make_tensor(fusion, std::move(result), dtype, followed_order(tensors));
}

}  // namespace

Val* make_constant(Fusion& fusion, ScalarValue value) {
  constexpr std::array kTypes = {DataType::Bool, DataType::Int, DataType::Double, DataType::ComplexDouble};
  return fusion.constant(value, kTypes[value.index()]);
}

Val* pointwise(PointwiseOp op, std::vector<Val*> operands) {
  check(!operands.empty(), ErrorKind::definition, info(op).name, " takes ", info(op).arity, " operands, but got none");
  Fusion& fusion = fusion_of(info(op).name, operands.front());
  check_operands(op, fusion, operands);
  std::vector<OperandType> types;
  std::transform(operands.begin(), operands.end(), std::back_inserter(types), operand_type);
  const PromotedTypes promoted = promote(op, types);
  if (op == PointwiseOp::real && !is_complex(operands[0]->dtype())) {
    return operands[0]->is_tensor() ? set(static_cast<TensorView*>(operands[0])) : operands[0];
  }
  for (size_t k = 0; k < operands.size(); ++k) {
    if (operands[k]->dtype() != promoted.operands[k]) {
      operands[k] = converted(operands[k], promoted.operands[k]);
    }
  }
  const DataType operation = checked_operation_type(op, operands, promoted.result);
  if (std::all_of(operands.begin(), operands.end(), [](const Val* v) { return v->is_constant(); })) {
    return fold(fusion, op, operands, operation, promoted.result);
  }
  if (std::all_of(operands.begin(), operands.end(), [](const Val* v) { return v->is_scalar(); })) {
    return scalar_expr(ExprKind::pointwise, operands, op, promoted.result);
  }
  align_ranks(operands);
  TensorView* result = tensor_result(fusion, op, operands, promoted.result);
  fusion.expr(ExprKind::pointwise, std::move(operands), {result}, {op});
  return result;
}

}  // namespace nvfuser
