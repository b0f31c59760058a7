// SPDX-License-Identifier: Apache-2.0
// Builders of reductions.  Axes may be negative, counted from the end; none given means all of them.  Narrow floats
// accumulate in Float and are rounded once.
#pragma once

#include <optional>
#include <vector>

#include "nvfuser/ir/fusion.h"
#include "nvfuser/ir/reduction.h"

namespace nvfuser {

/// Axes to reduce; absent: all.  An empty list is an error.
using ReducedAxes = std::optional<std::vector<int64_t>>;

/// The expression itself: a result for each part of the row; axis k is reduced where reduced[k].
std::vector<TensorView*> reduce(ReductionOp op, const std::vector<TensorView*>& operands,
                                const std::vector<bool>& reduced);

/// Rows of the forms typed, kept and place.  `keepdim` leaves reduced axes as axes of size 1.  `dtype`: of typed rows,
/// what the operand is cast to first; Null: Int for Bool and integers, else the operand's type.
TensorView* reduce(ReductionOp op, TensorView* operand, const ReducedAxes& dims = {}, bool keepdim = false,
                   DataType dtype = DataType::Null);

TensorView* sum(TensorView* operand, const ReducedAxes& dims = {}, bool keepdim = false,
                DataType dtype = DataType::Null);
TensorView* prod(TensorView* operand, const ReducedAxes& dims = {}, bool keepdim = false,
                 DataType dtype = DataType::Null);
TensorView* max(TensorView* operand, const ReducedAxes& dims = {}, bool keepdim = false);
TensorView* min(TensorView* operand, const ReducedAxes& dims = {}, bool keepdim = false);
TensorView* any(TensorView* operand, const ReducedAxes& dims = {}, bool keepdim = false);
TensorView* all(TensorView* operand, const ReducedAxes& dims = {}, bool keepdim = false);
/// Positions in row-major order of the reduced axes, as Int.
TensorView* argmax(TensorView* operand, const ReducedAxes& dims = {}, bool keepdim = false);
TensorView* argmin(TensorView* operand, const ReducedAxes& dims = {}, bool keepdim = false);

/// Of Float, Double and complex operands.
struct WelfordResult {
  TensorView* average;
  TensorView* squares;  ///< sum of squared distances from the average, real
  TensorView* count;    ///< Index
};
WelfordResult welford(TensorView* operand, const std::vector<int64_t>& dims);

struct VarMean {
  TensorView* var;  ///< real
  TensorView* mean;
};
/// Squared distances from the mean over max(n - correction, 0).
VarMean var_mean(TensorView* operand, const std::vector<int64_t>& dims, int64_t correction = 1, bool keepdim = false);
TensorView* var(TensorView* operand, const std::vector<int64_t>& dims, int64_t correction = 1, bool keepdim = false);

}  // namespace nvfuser
