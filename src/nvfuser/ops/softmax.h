// SPDX-License-Identifier: Apache-2.0
// Softmax and its logarithm along one axis.  Computed in Float, or Double where an operand or the result is Double;
// results have the type of the first operand unless another floating one is given.
#pragma once

#include "nvfuser/ir/fusion.h"

namespace nvfuser {

/// y = exp(x - max x) / sum(exp(x - max x)).
TensorView* softmax(TensorView* x, int64_t dim, DataType dtype = DataType::Null);
/// dx = y * (grad - sum(grad * y)), y the result of softmax.
TensorView* softmax_backward(TensorView* grad, TensorView* y, int64_t dim, DataType dtype = DataType::Null);

/// y = x - max x - log(sum(exp(x - max x))).
TensorView* log_softmax(TensorView* x, int64_t dim, DataType dtype = DataType::Null);
/// dx = grad - exp(y) * sum(grad), y the result of log_softmax.
TensorView* log_softmax_backward(TensorView* grad, TensorView* y, int64_t dim, DataType dtype = DataType::Null);

}  // namespace nvfuser
