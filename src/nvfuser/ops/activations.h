// SPDX-License-Identifier: Apache-2.0
// Activations of more than one row of pointwise.def, and gradients.  Computed in Float, or Double where an operand or
// the result is Double; results have the type of the first operand unless another floating one is given.
#pragma once

#include "nvfuser/ir/fusion.h"

namespace nvfuser {

enum class GeluForm : uint8_t {
  exact,       ///< by the error function
  hyperbolic,  ///< by tanh
};

/// exact: x/2 * (1 + erf(x / sqrt 2)).  hyperbolic: x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3))).
TensorView* gelu(TensorView* x, GeluForm form = GeluForm::exact, DataType dtype = DataType::Null);
TensorView* gelu_backward(TensorView* grad, TensorView* x, GeluForm form = GeluForm::exact,
                          DataType dtype = DataType::Null);

/// x * s, s = 1 / (1 + exp(-x)); its gradient is grad * s * (1 + x * (1 - s)).
TensorView* silu_backward(TensorView* grad, TensorView* x, DataType dtype = DataType::Null);

}  // namespace nvfuser
