// SPDX-License-Identifier: Apache-2.0
// Softmax from a maximum and a sum: see softmax.h.
#include "nvfuser/ops/softmax.h"

#include "nvfuser/ops/formula.h"
#include "nvfuser/ops/reduce.h"

namespace nvfuser {
namespace {

/// What the four have in common.
struct Along {
  std::vector<int64_t> axis;
  DataType result, type;

  Along(std::string_view op, TensorView* first, TensorView* second, int64_t dim, DataType dtype)
      : result(result_type(op, first, dtype)), type(computing_type(op, {first, second}, result)) {
    axis = {wrapped_axis(op, dim, first->rank())};
    check(second == nullptr || second->rank() == first->rank(), ErrorKind::shape, op, ": the operands are ",
          describe(first), " and ", second == nullptr ? "" : describe(second), "; their ranks have to be equal");
  }

  /// The distance from the maximum.
  Quantity shifted(TensorView* x) const {
    const Quantity wide = widened(x, type);
    return wide - Quantity{max(static_cast<TensorView*>(wide.val), axis, true)};
  }
};

}  // namespace

TensorView* softmax(TensorView* x, int64_t dim, DataType dtype) {
  const Along along("softmax", x, nullptr, dim, dtype);
  const Quantity terms = apply(PointwiseOp::exp, {along.shifted(x)});
  return stored(terms / sum_over(terms, along.axis), along.result);
}

TensorView* softmax_backward(TensorView* grad, TensorView* y, int64_t dim, DataType dtype) {
  const Along along("softmax_backward", grad, y, dim, dtype);
  const Quantity g = widened(grad, along.type), p = widened(y, along.type);
  return stored(p * (g - sum_over(g * p, along.axis)), along.result);
}

TensorView* log_softmax(TensorView* x, int64_t dim, DataType dtype) {
  const Along along("log_softmax", x, nullptr, dim, dtype);
  const Quantity distance = along.shifted(x), total = sum_over(apply(PointwiseOp::exp, {distance}), along.axis);
  return stored(distance - apply(PointwiseOp::log, {total}), along.result);
}

TensorView* log_softmax_backward(TensorView* grad, TensorView* y, int64_t dim, DataType dtype) {
  const Along along("log_softmax_backward", grad, y, dim, dtype);
  const Quantity g = widened(grad, along.type);
  return stored(g - apply(PointwiseOp::exp, {widened(y, along.type)}) * sum_over(g, along.axis), along.result);
}

}  // namespace nvfuser
