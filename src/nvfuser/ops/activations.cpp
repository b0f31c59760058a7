// SPDX-License-Identifier: Apache-2.0
// Activations as formulas: see activations.h.
#include "nvfuser/ops/activations.h"

#include <numbers>

#include "nvfuser/ops/formula.h"

namespace nvfuser {
namespace {

constexpr double kCubic = 0.044715;
constexpr double kSqrtHalf = std::numbers::sqrt2 / 2;
constexpr double kSqrtTwoOverPi = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;

Quantity half_of_one_plus(Quantity value) { return value * 0.5 + 0.5; }

/// The tanh of the hyperbolic form.
Quantity bend(Quantity x) { return apply(PointwiseOp::tanh, {(x + x * x * x * kCubic) * kSqrtTwoOverPi}); }

Quantity exact_slope(Quantity x) {
  const Quantity below = half_of_one_plus(apply(PointwiseOp::erf, {x * kSqrtHalf}));
  const Quantity density = apply(PointwiseOp::exp, {x * x * -0.5}) * (0.5 * kSqrtTwoOverPi);
  return below + x * density;
}

/// (1 + tanh z) / 2 is s = sigmoid(2z), and (1 - tanh(z)^2) / 2 is 2 (s - s^2), which does not cancel where s nears 0.
Quantity hyperbolic_slope(Quantity x) {
  constexpr double kTwice = 2 * kSqrtTwoOverPi;
  const Quantity square = x * x, s = apply(PointwiseOp::sigmoid, {x * (square * (kCubic * kTwice) + kTwice)});
  return s + x * (s - s * s) * (square * (3 * kCubic * kTwice) + kTwice);
}

}  // namespace

TensorView* gelu(TensorView* x, GeluForm form, DataType dtype) {
  const DataType result = result_type("gelu", x, dtype), type = computing_type("gelu", {x}, result);
  const Quantity wide = widened(x, type);
  const Quantity bent = form == GeluForm::exact ? apply(PointwiseOp::erf, {wide * kSqrtHalf}) : bend(wide);
  return stored(wide * 0.5 * (bent + 1.0), result);
}

TensorView* gelu_backward(TensorView* grad, TensorView* x, GeluForm form, DataType dtype) {
  constexpr std::string_view kOp = "gelu_backward";
  const DataType result = result_type(kOp, grad, dtype), type = computing_type(kOp, {grad, x}, result);
  const Quantity wide = widened(x, type);
  return stored(widened(grad, type) * (form == GeluForm::exact ? exact_slope(wide) : hyperbolic_slope(wide)), result);
}

TensorView* silu_backward(TensorView* grad, TensorView* x, DataType dtype) {
  constexpr std::string_view kOp = "silu_backward";
  const DataType result = result_type(kOp, grad, dtype), type = computing_type(kOp, {grad, x}, result);
  const Quantity wide = widened(x, type), s = apply(PointwiseOp::sigmoid, {wide});
  return stored(widened(grad, type) * s * (wide * (1.0 - s) + 1.0), result);
}

}  // namespace nvfuser
