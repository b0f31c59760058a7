// SPDX-License-Identifier: Apache-2.0
// What normalisations have in common, whatever axes their statistics are of: see norms.h.
#pragma once

#include <vector>

#include "nvfuser/ops/formula.h"
#include "nvfuser/ops/reduce.h"

namespace nvfuser {

constexpr double kNormEpsilon = 1e-5;

struct Moments {
  Quantity mean, rstd;
};

/// A real scalar that the user gave, or the number where there is none.
inline Quantity scalar_or(std::string_view op, std::string_view name, Val* given, Quantity beside, double otherwise) {
  if (given == nullptr) {
    return number(beside, otherwise);
  }
  check_operand(op, beside.val->fusion(), given);
  check(given->is_scalar() && !is_complex(given->dtype()) && !is_boolean(given->dtype()), ErrorKind::dtype, op, ": ",
        name, " has to be a real scalar, but is ", describe(given));
  return {given};
}

/// 1 / sqrt(variance + eps).
inline Quantity reciprocal_root(std::string_view op, Quantity variance, Val* eps, double otherwise = kNormEpsilon) {
  return apply(PointwiseOp::rsqrt, {variance + scalar_or(op, "eps", eps, variance, otherwise)});
}

/// Gradient of (x - mean) * rstd, which is `h`, for statistics of `axes`.
inline Quantity normalized_gradient(Quantity g, Quantity h, Quantity rstd, const std::vector<int64_t>& axes) {
  return (g - mean_over(g, axes) - h * mean_over(g * h, axes)) * rstd;
}

/// Type of the gradients of weight and bias.
inline DataType weight_type(const TensorView* x, const TensorView* weight) {
  return weight == nullptr ? x->dtype() : weight->dtype();
}

/// The sum over `axes` without them.
inline TensorView* gradient_over(Quantity value, const std::vector<int64_t>& axes, DataType type) {
  auto* tensor = static_cast<TensorView*>(value.val);
  return stored({axes.empty() ? tensor : sum(tensor, axes)}, type);
}

}  // namespace nvfuser
