// SPDX-License-Identifier: Apache-2.0
// Normalisations and their gradients as formulas over primitives.  Computed in Float, or Double where an operand or the
// result is Double.  y and dx have the type of x unless another floating one is given; statistics have the type of the
// computation; gradients of weight and bias have the type of the weight, or of x where there is none.
#pragma once

#include <vector>

#include "nvfuser/ir/fusion.h"

namespace nvfuser {

/// The forward result and what the backward form reads.  Results that nobody uses cost nothing.
struct NormResult {
  TensorView* y;
  TensorView* mean;  ///< null for rms_norm
  TensorView* rstd;  ///< 1 / sqrt(variance + eps)
};

struct NormGradients {
  TensorView* x;
  TensorView* weight;
  TensorView* bias;  ///< null for rms_norm
};

/// y = (x - mean) * rstd * weight + bias over the last axes, which have the sizes `normalized_shape` (-1: any).  weight
/// and bias have that shape and may be null; eps null: 1e-5.  mean and rstd keep the normalized axes with size 1.
NormResult layer_norm(TensorView* x, const std::vector<Val*>& normalized_shape, TensorView* weight = nullptr,
                      TensorView* bias = nullptr, Val* eps = nullptr, DataType dtype = DataType::Null);
/// h = (x - mean) * rstd, g = grad * weight: dx = (g - mean(g) - h * mean(g * h)) * rstd; dweight = sum(grad * h) and
/// dbias = sum(grad) over the leading axes.  mean and rstd: with or without the normalized axes.
NormGradients layer_norm_backward(TensorView* grad, TensorView* x, TensorView* mean, TensorView* rstd,
                                  const std::vector<Val*>& normalized_shape, TensorView* weight = nullptr,
                                  DataType dtype = DataType::Null);

/// y = x * rstd * weight, rstd = 1 / sqrt(mean(x^2) + eps) over the last axes; eps null: the distance from 1 to the
/// next number of the type of the computation.
NormResult rms_norm(TensorView* x, const std::vector<Val*>& normalized_shape, TensorView* weight = nullptr,
                    Val* eps = nullptr, DataType dtype = DataType::Null);
/// h = x * rstd, g = grad * weight: dx = (g - h * mean(g * h)) * rstd; dweight = sum(grad * h) over the leading axes.
NormGradients rms_norm_backward(TensorView* grad, TensorView* x, TensorView* rstd,
                                const std::vector<Val*>& normalized_shape, TensorView* weight = nullptr,
                                DataType dtype = DataType::Null);

/// Statistics that batch_norm keeps over calls, each of one value a channel; none or both.
struct RunningStatistics {
  TensorView* mean = nullptr;
  TensorView* var = nullptr;
};

/// y = (x - mean) * rstd * weight + bias for each channel, which is axis 1.  Training: statistics of all other axes;
/// the running ones, where given, have to be inputs of the fusion and are updated in place: running = (1 - momentum) *
/// running + momentum * new, the new variance over n - 1.  Otherwise: the running ones.  momentum null: 0.1; eps null:
/// 1e-5.  mean and rstd have one value a channel.
NormResult batch_norm(TensorView* x, RunningStatistics running, TensorView* weight = nullptr,
                      TensorView* bias = nullptr, bool training = false, Val* momentum = nullptr, Val* eps = nullptr,
                      DataType dtype = DataType::Null);
/// As layer_norm_backward over all axes but axis 1; without training dx = grad * weight * rstd.
NormGradients batch_norm_backward(TensorView* grad, TensorView* x, TensorView* mean, TensorView* rstd,
                                  TensorView* weight = nullptr, bool training = true, DataType dtype = DataType::Null);

/// Channels (axis 1) in `num_groups` groups of neighbours: y = (x - mean) * rstd * weight + bias with statistics of a
/// group of one sample; weight and bias have one value a channel.  mean and rstd: [N, num_groups].
NormResult group_norm(TensorView* x, int64_t num_groups, TensorView* weight = nullptr, TensorView* bias = nullptr,
                      Val* eps = nullptr, DataType dtype = DataType::Null);
NormGradients group_norm_backward(TensorView* grad, TensorView* x, TensorView* mean, TensorView* rstd,
                                  int64_t num_groups, TensorView* weight = nullptr, DataType dtype = DataType::Null);

}  // namespace nvfuser
