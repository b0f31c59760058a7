// SPDX-License-Identifier: Apache-2.0
// Composites as they are written on paper: arithmetic on tensors and numbers of one fusion, the type in which a
// composite computes, and its result in the type that is stored.
#pragma once

#include <initializer_list>
#include <string_view>
#include <vector>

#include "nvfuser/ops/operand.h"
#include "nvfuser/ops/pointwise_builder.h"

namespace nvfuser {

/// A tensor or scalar in a formula.
struct Quantity {
  Val* val;
};

inline Quantity apply(PointwiseOp op, std::initializer_list<Quantity> operands) {
  std::vector<Val*> vals;
  for (const Quantity operand : operands) {
    vals.push_back(operand.val);
  }
  return {pointwise(op, std::move(vals))};
}
/// A number beside a term.
inline Quantity number(Quantity beside, double value) { return {make_constant(*beside.val->fusion(), value)}; }

inline Quantity operator+(Quantity a, Quantity b) { return apply(PointwiseOp::add, {a, b}); }
inline Quantity operator-(Quantity a, Quantity b) { return apply(PointwiseOp::sub, {a, b}); }
inline Quantity operator*(Quantity a, Quantity b) { return apply(PointwiseOp::mul, {a, b}); }
inline Quantity operator/(Quantity a, Quantity b) { return apply(PointwiseOp::truediv, {a, b}); }
inline Quantity operator+(Quantity a, double b) { return a + number(a, b); }
inline Quantity operator*(Quantity a, double b) { return a * number(a, b); }
inline Quantity operator-(double a, Quantity b) { return number(b, a) - b; }

/// The type in which a composite computes: Float, or Double where an operand or the result is Double.  Null operands
/// are skipped.  ErrorKind::dtype for one that is no real floating tensor.
DataType computing_type(std::string_view op, std::initializer_list<const TensorView*> operands, DataType result);
/// The type of a composite's result: as given, which has to be floating, or that of `x`.
DataType result_type(std::string_view op, const TensorView* x, DataType given);

/// The tensor in the type of a computation.
Quantity widened(TensorView* tensor, DataType type);
/// The value as a tensor of the type that is stored.
TensorView* stored(Quantity value, DataType type);

/// sum(value, axes) as axes of extent 1.
Quantity sum_over(Quantity value, const std::vector<int64_t>& axes);
Quantity mean_over(Quantity value, const std::vector<int64_t>& axes);
/// A tensor whose axes are the given ones (ascending) of a tensor of `rank` axes.
Quantity placed(Quantity value, const std::vector<int64_t>& axes, int64_t rank);

/// Number of elements along axes.
Val* count_along(const TensorView* tensor, const std::vector<int64_t>& axes);
/// 0 .. rank-1 without the given ones.
std::vector<int64_t> other_axes(const std::vector<int64_t>& axes, int64_t rank);

}  // namespace nvfuser
