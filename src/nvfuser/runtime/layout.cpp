// SPDX-License-Identifier: Apache-2.0
// Layout classes of strided memory.
#include "nvfuser/runtime/layout.h"

#include <algorithm>
#include <numeric>

namespace nvfuser {

Layout layout_of(const TensorView& view, const std::vector<int64_t>& sizes, const std::vector<int64_t>& strides,
                 BufferUse use) {
  const int rank = static_cast<int>(sizes.size());
  const std::vector<IterDomain*> axes = view.domain()->no_reductions();
  auto one_element = [&](int axis) {
    return axes[axis]->is_broadcast() && (use == BufferUse::read || sizes[axis] == 1);
  };
  auto ordered = [&](int axis) { return sizes[axis] > 1 && strides[axis] != 0 && !one_element(axis); };
  std::vector<int> places;
  for (int axis = 0; axis < rank; ++axis) {
    if (ordered(axis)) {
      places.push_back(axis);
    }
  }
  // Axes of size 1 and expanded axes stay where they are; the others are sorted into the places that are left.
  std::vector<int> sorted = places;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](int a, int b) { return std::abs(strides[a]) > std::abs(strides[b]); });
  Layout layout;
  layout.order.resize(rank);
  std::iota(layout.order.begin(), layout.order.end(), 0);
  for (size_t k = 0; k < places.size(); ++k) {
    layout.order[places[k]] = sorted[k];
  }
  layout.strides.assign(rank, Layout::Stride::dense);
  int64_t expected = 1;
  for (int k = rank - 1; k >= 0; --k) {
    const int axis = layout.order[k];
    if (one_element(axis) || (strides[axis] == 0 && sizes[axis] > 1)) {
      layout.strides[axis] = Layout::Stride::zero;
      continue;
    }
    const bool dense = sizes[axis] <= 1 || strides[axis] == expected;
    if (!dense) {
      layout.strides[axis] = Layout::Stride::free;
    }
    expected = (dense ? expected : strides[axis]) * std::max<int64_t>(sizes[axis], 1);
  }
  return layout;
}

Layout allocation_layout(const TensorView& view) {
  const std::vector<IterDomain*> axes = view.domain()->no_reductions();
  Layout layout;
  for (const IterDomain* axis : view.domain()->allocation()) {
    auto place = std::find(axes.begin(), axes.end(), axis);
    if (place != axes.end()) {
      layout.order.push_back(static_cast<int>(place - axes.begin()));
    }
  }
  for (const IterDomain* axis : axes) {
    layout.strides.push_back(axis->is_broadcast() ? Layout::Stride::zero : Layout::Stride::dense);
  }
  return layout;
}

std::vector<int64_t> dense_strides(const Layout& layout, const std::vector<int64_t>& sizes) {
  std::vector<int64_t> strides(sizes.size(), 0);
  int64_t step = 1;
  for (size_t k = sizes.size(); k-- > 0;) {
    const int axis = layout.order[k];
    if (layout.strides[axis] == Layout::Stride::dense) {
      strides[axis] = step;
      step *= std::max<int64_t>(sizes[axis], 1);
    } else if (sizes[axis] == 1) {
      strides[axis] = step;  // as frameworks print a broadcast axis of size 1; no element depends on it
    }
  }
  return strides;
}

std::pair<int, int> overlapping_axes(std::span<const int64_t> sizes, std::span<const int64_t> strides) {
  const int rank = static_cast<int>(sizes.size());
  for (int a = 0; a < rank; ++a) {
    for (int b = a + 1; b < rank; ++b) {
      // i steps along a are j steps along b for i = |stride b| / divisor and j = |stride a| / divisor at the least.
      const int64_t divisor = std::gcd(strides[a], strides[b]);
      if (divisor != 0 && std::abs(strides[b]) / divisor < sizes[a] && std::abs(strides[a]) / divisor < sizes[b]) {
        return {a, b};
      }
    }
  }
  return {-1, -1};
}

int64_t alignment_of(const void* pointer) {
  const auto address = reinterpret_cast<uintptr_t>(pointer) | 16;
  return static_cast<int64_t>(address & -address);
}

std::string to_string(const Layout& layout) {
  std::string text;
  for (int axis : layout.order) {
    text += std::to_string(axis);
    text += "dzf"[static_cast<int>(layout.strides[axis])];
  }
  return text.empty() ? "scalar" : text;
}

}  // namespace nvfuser
