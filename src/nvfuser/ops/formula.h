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
struct Term {
  Val* val;
};

inline Term apply(PointwiseOp op, std::initializer_list<Term> operands) {
  std::vector<Val*> vals;
  for (const Term operand : operands) {
    vals.push_back(operand.val);
  }
  return {pointwise(op, std::move(vals))};
}
/// A number beside a term.
inline Term number(Term beside, double value) { return {make_constant(*beside.val->fusion(), value)}; }

inline Term operator+(Term a, Term b) { return apply(PointwiseOp::add, {a, b}); }
inline Term operator-(Term a, Term b) { return apply(PointwiseOp::sub, {a, b}); }
inline Term operator*(Term a, Term b) { return apply(PointwiseOp::mul, {a, b}); }
inline Term operator/(Term a, Term b) { return apply(PointwiseOp::truediv, {a, b}); }
inline Term operator+(Term a, double b) { return a + number(a, b); }
inline Term operator*(Term a, double b) { return a * number(a, b); }
inline Term operator-(double a, Term b) { return number(b, a) - b; }

/// The type in which a composite computes: Float, or Double where an operand or the result is Double.  Null operands
/// are skipped.  ErrorKind::dtype for one that is no real floating tensor.
DataType computing_type(std::string_view op, std::initializer_list<const TensorView*> operands, DataType result);
/// The type of a composite's result: as given, which has to be floating, or that of `x`.
DataType result_type(std::string_view op, const TensorView* x, DataType given);

/// The tensor in the type of a computation.
Term widened(TensorView* tensor, DataType type);
/// The value as a tensor of the type that is stored.
TensorView* stored(Term value, DataType type);

/// sum(value, axes) as axes of extent 1.
Term sum_over(Term value, const std::vector<int64_t>& axes);
Term mean_over(Term value, const std::vector<int64_t>& axes);
/// A tensor whose axes are the given ones (ascending) of a tensor of `rank` axes.
Term placed(Term value, const std::vector<int64_t>& axes, int64_t rank);

/// Number of elements along axes.
Val* count_along(const TensorView* tensor, const std::vector<int64_t>& axes);
/// 0 .. rank-1 without the given ones.
std::vector<int64_t> other_axes(const std::vector<int64_t>& axes, int64_t rank);

}  // namespace nvfuser
