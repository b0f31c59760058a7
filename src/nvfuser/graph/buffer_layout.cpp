// SPDX-License-Identifier: Apache-2.0
// Layouts of global buffers: dense strides are products of extents, others are sizes of the launch.
#include "nvfuser/graph/buffer_layout.h"

#include <algorithm>
#include <numeric>

namespace nvfuser {

Layout row_major(const TensorView& view) {
  const std::vector<IterDomain*> axes = view.domain()->no_reductions();
  Layout layout;
  layout.order.resize(axes.size());
  std::iota(layout.order.begin(), layout.order.end(), 0);
  for (const IterDomain* axis : axes) {
    layout.strides.push_back(axis->is_broadcast() ? Layout::Stride::zero : Layout::Stride::dense);
  }
  return layout;
}

Index buffer_extent(const IterDomain& axis, Layout::Stride stride, Extents& extents) {
  const bool spread = axis.expanded_extent() != nullptr && stride != Layout::Stride::zero;
  return spread ? extents.of(axis.expanded_extent()) : extents.of(&axis);
}

Allocation global_allocation(const TensorView& view, const Layout& layout, const std::string& name, Extents& extents,
                             IndexPool& pool) {
  const std::vector<IterDomain*> axes = view.domain()->no_reductions();
  std::vector<int> sorted = layout.order;
  std::sort(sorted.begin(), sorted.end());
  bool permutation = sorted.size() == axes.size() && layout.strides.size() == axes.size();
  for (size_t k = 0; permutation && k < sorted.size(); ++k) {
    permutation = sorted[k] == static_cast<int>(k);
  }
  ensure(permutation, "layout of ", name, " does not order its ", axes.size(), " axes");
  Allocation allocation;
  allocation.dims.resize(axes.size());
  Index dense = pool.constant(1);
  for (size_t k = axes.size(); k-- > 0;) {
    const int axis = layout.order[k];
    const Index extent = buffer_extent(*axes[axis], layout.strides[axis], extents);
    Index stride = pool.constant(0);
    if (layout.strides[axis] == Layout::Stride::dense) {
      stride = dense;
    } else if (layout.strides[axis] == Layout::Stride::free) {
      stride = pool.size(name + "_s" + std::to_string(axis));
    }
    allocation.dims[axis] = {nullptr, extent, stride};
    if (layout.strides[axis] != Layout::Stride::zero) {
      dense = pool.mul(extent, stride);
    }
  }
  return allocation;
}

}  // namespace nvfuser
