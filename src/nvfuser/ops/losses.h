// SPDX-License-Identifier: Apache-2.0
// Cross-entropy of rows of logits with classes.  Computed in Float, or Double where an operand or the result is Double.
#pragma once

#include "nvfuser/ir/fusion.h"

namespace nvfuser {

enum class LossReduction : uint8_t { mean, sum, none };

struct CrossEntropyOptions {
  int64_t ignore_index = -100;  ///< rows of this class have loss 0 and do not count
  LossReduction reduction = LossReduction::mean;
  double label_smoothing = 0.0;
};

struct CrossEntropyResult {
  TensorView* loss;
  TensorView* log_sum;  ///< log(sum(exp x)) of each row, what the backward form reads
};

/// Of a row x of logits, which lie along axis 1 (axis 0 of one row alone), and its class t: log(sum(exp x)) - x[t];
/// with label smoothing a, (1 - a) * that + a * (log(sum(exp x)) - mean x).  `target` has the logits' axes without that
/// of the classes.  A class that is neither ignore_index nor one of the row gives NaN.  mean: over rows that count, NaN
/// where there are none.
CrossEntropyResult cross_entropy(TensorView* x, TensorView* target, const CrossEntropyOptions& options = {},
                                 DataType dtype = DataType::Null);
/// dx = g * (exp(x - log_sum) - (1 - a) * [class = t] - a / classes), with g = grad, over the number of rows that count
/// for mean; 0 where the row is ignored, NaN where its class is none of the row.  grad: as the loss.
TensorView* cross_entropy_backward(TensorView* grad, TensorView* x, TensorView* target, TensorView* log_sum,
                                   const CrossEntropyOptions& options = {}, DataType dtype = DataType::Null);

}  // namespace nvfuser
