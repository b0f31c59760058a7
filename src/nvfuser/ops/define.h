// SPDX-License-Identifier: Apache-2.0
// Values that come from outside: tensors by shape and layout, scalars.  Nothing here is registered as an input; that is
// Fusion::add_input.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "nvfuser/ir/fusion.h"

namespace nvfuser {

/// Contiguity in memory order (absent for axes of extent 1 and expanded ones), and the rank of each axis' stride with 0
/// for the fastest.
struct TensorDescriptor {
  std::vector<std::optional<bool>> contiguity;
  std::vector<int64_t> stride_order;
};

/// Classifies a strided layout.  Axes of stride 0 keep their place; the others are ordered by descending stride.
TensorDescriptor compute_tensor_descriptor(const std::vector<int64_t>& sizes, const std::vector<int64_t>& strides);

/// A tensor by shape: -1 is symbolic, 1 a broadcast axis, anything else static.  `contiguity` stands in memory order;
/// where it is absent and the extent is not 1, the axis is an expanded broadcast.  An empty stride order is row-major.
TensorView* define_tensor(Fusion& fusion, const std::vector<int64_t>& shape,
                          const std::vector<std::optional<bool>>& contiguity, DataType dtype = DataType::Float,
                          bool is_cpu = false, const std::vector<int64_t>& stride_order = {});

/// One flag for all axes of an extent other than 1.
TensorView* define_tensor(Fusion& fusion, const std::vector<int64_t>& shape, bool contiguity = false,
                          DataType dtype = DataType::Float, bool is_cpu = false,
                          const std::vector<int64_t>& stride_order = {});

/// A tensor like one of these sizes and strides.  Unless `static_sizes`, every size but 1 becomes symbolic.
TensorView* define_strided_tensor(Fusion& fusion, const std::vector<int64_t>& sizes,
                                  const std::vector<int64_t>& strides, DataType dtype = DataType::Float,
                                  bool static_sizes = false, bool is_cpu = false);

/// A scalar whose value comes with each call.
Val* define_scalar(Fusion& fusion, DataType dtype = DataType::Double);
/// A constant; without a dtype as make_constant.
Val* define_scalar(Fusion& fusion, ScalarValue value, std::optional<DataType> dtype = std::nullopt);

}  // namespace nvfuser
