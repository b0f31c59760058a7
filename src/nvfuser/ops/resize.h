// SPDX-License-Identifier: Apache-2.0
// Builders that cut, grow and join along axes.
#pragma once

#include <vector>

#include "nvfuser/ir/fusion.h"

namespace nvfuser {

/// Elements start <= i < end of each axis.  Unless `manual_normalization`, bounds beyond an extent are brought to it.
/// Strides, when given, are constants 1.
TensorView* slice(TensorView* operand, const std::vector<Val*>& starts, const std::vector<Val*>& ends,
                  const std::vector<Val*>& strides = {}, bool manual_normalization = false);
/// Widths as torch orders them: low and high of the innermost axis first; a negative width crops.  `value` is of the
/// tensor's kind and a zero when null.
TensorView* pad(TensorView* operand, const std::vector<Val*>& widths, Val* value = nullptr);
/// Tensors of one type and rank, one after the other along an axis.  `manual_padding`: the operands are results of pad
/// that already have the result's extent.
TensorView* cat(const std::vector<TensorView*>& operands, int64_t dim = 0, bool manual_padding = false);

}  // namespace nvfuser
