// SPDX-License-Identifier: Apache-2.0
// Types, sums and axes of composites: see formula.h.
#include "nvfuser/ops/formula.h"

#include <algorithm>

#include "nvfuser/ops/cast.h"
#include "nvfuser/ops/extent.h"
#include "nvfuser/ops/promotion.h"
#include "nvfuser/ops/reduce.h"
#include "nvfuser/ops/result.h"
#include "nvfuser/ops/shape.h"

namespace nvfuser {

DataType computing_type(std::string_view op, std::initializer_list<const TensorView*> operands, DataType result) {
  DataType type = widened(result);
  for (const TensorView* operand : operands) {
    if (operand != nullptr) {
      fusion_of(op, operand);
      check(is_floating(operand->dtype()), ErrorKind::dtype, op, " takes floating tensors, but got ", describe(operand),
            "; cast it first");
      type = promote_types(type, widened(operand->dtype()));
    }
  }
  return type;
}

DataType result_type(std::string_view op, const TensorView* x, DataType given) {
  fusion_of(op, x);
  const DataType type = given == DataType::Null ? x->dtype() : given;
  check(given == DataType::Null || is_floating(type), ErrorKind::dtype, op, ": the dtype of the result is ",
        name_of(type), "; it has to be a floating type");
  return type;
}

Quantity widened(TensorView* tensor, DataType type) { return {tensor->dtype() == type ? tensor : cast(tensor, type)}; }

TensorView* stored(Quantity value, DataType type) {
  return static_cast<TensorView*>(value.val->dtype() == type ? value.val : cast(value.val, type));
}

Quantity sum_over(Quantity value, const std::vector<int64_t>& axes) {
  return {axes.empty() ? value.val : sum(static_cast<TensorView*>(value.val), axes, true)};
}

Quantity mean_over(Quantity value, const std::vector<int64_t>& axes) {
  return sum_over(value, axes) / Quantity{count_along(static_cast<TensorView*>(value.val), axes)};
}

Quantity placed(Quantity value, const std::vector<int64_t>& axes, int64_t rank) {
  std::vector<bool> fresh(rank, true);
  for (const int64_t axis : axes) {
    fresh[axis] = false;
  }
  return {broadcast(static_cast<TensorView*>(value.val), fresh)};
}

Val* count_along(const TensorView* tensor, const std::vector<int64_t>& axes) {
  Val* count = tensor->fusion()->index_constant(1);
  for (const int64_t axis : axes) {
    count = extent_product(count, extents_of(tensor)[axis]);
  }
  return count;
}

std::vector<int64_t> other_axes(const std::vector<int64_t>& axes, int64_t rank) {
  std::vector<int64_t> others;
  for (int64_t axis = 0; axis < rank; ++axis) {
    if (std::find(axes.begin(), axes.end(), axis) == axes.end()) {
      others.push_back(axis);
    }
  }
  return others;
}

}  // namespace nvfuser
