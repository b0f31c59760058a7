// SPDX-License-Identifier: Apache-2.0
// Results: see result.h.
#include "nvfuser/ops/result.h"

#include <algorithm>
#include <numeric>

#include "nvfuser/ops/operand.h"

namespace nvfuser {
namespace {

bool is_one(const Val* extent) { return known_integer(extent) == std::optional<int64_t>(1); }

/// True when axes that are no broadcasts stand in memory in another order than in the shape.
bool reorders(const TensorView* tensor, const AllocationOrder& order) {
  const std::vector<IterDomain*> axes = axes_of(tensor);
  int64_t last = -1;
  for (const int64_t position : order) {
    if (axes[position]->is_broadcast()) {
      continue;
    }
    if (position < last) {
      return true;
    }
    last = position;
  }
  return false;
}

int64_t full_axes(const TensorView* tensor) {
  const std::vector<IterDomain*> axes = axes_of(tensor);
  return std::count_if(axes.begin(), axes.end(), [](const IterDomain* axis) { return !axis->is_broadcast(); });
}

}  // namespace

std::vector<IterDomain*> axes_of(const TensorView* tensor) { return tensor->domain()->no_reductions(); }

std::vector<Val*> extents_of(const TensorView* tensor) {
  std::vector<Val*> extents;
  for (const IterDomain* axis : axes_of(tensor)) {
    extents.push_back(axis->visible_extent());
  }
  return extents;
}

IterDomain* make_axis(Fusion& fusion, Val* extent) {
  return is_one(extent) ? make_broadcast_axis(fusion) : fusion.axis(extent);
}

IterDomain* make_broadcast_axis(Fusion& fusion, Val* expanded) {
  if (expanded != nullptr && is_one(expanded)) {
    expanded = nullptr;
  }
  return fusion.axis(fusion.index_constant(1), IterType::broadcast, expanded);
}

IterDomain* copy_axis(const IterDomain* axis) {
  return axis->fusion()->axis(axis->extent(), axis->iter_type(), axis->expanded_extent());
}

AllocationOrder allocation_order(const TensorView* tensor) {
  const std::vector<IterDomain*> axes = axes_of(tensor);
  AllocationOrder order;
  for (const IterDomain* axis : tensor->domain()->allocation()) {
    const auto at = std::find(axes.begin(), axes.end(), axis);
    if (at != axes.end()) {
      order.push_back(at - axes.begin());
    }
  }
  ensure(order.size() == axes.size(), "the memory order of ", to_string(*tensor), " is no permutation of its axes");
  return order;
}

AllocationOrder row_major(size_t rank) {
  AllocationOrder order(rank);
  std::iota(order.begin(), order.end(), 0);
  return order;
}

AllocationOrder followed_order(const std::vector<TensorView*>& operands) {
  int64_t most = -1;
  int best_claim = -1;
  AllocationOrder best;
  for (const TensorView* operand : operands) {
    AllocationOrder order = allocation_order(operand);
    const int64_t count = full_axes(operand);
    const int claim = reorders(operand, order) ? 2 : order == row_major(order.size()) ? 0 : 1;
    if (count > most || (count == most && claim > best_claim)) {
      most = count;
      best_claim = claim;
      best = std::move(order);
    }
  }
  return best;
}

TensorView* make_tensor(Fusion& fusion, std::vector<IterDomain*> axes, DataType dtype, const AllocationOrder& order) {
  TensorDomain* domain = fusion.domain(axes);
  if (order != row_major(axes.size())) {
    std::vector<IterDomain*> allocation;
    std::vector<std::optional<bool>> contiguity;
    for (const int64_t position : order) {
      IterDomain* axis = axes.at(position);
      allocation.push_back(axis);
      contiguity.push_back(axis->is_broadcast() ? std::nullopt : std::optional(true));
    }
    domain->set_allocation(std::move(allocation), std::move(contiguity));
  }
  return fusion.tensor(domain, dtype);
}

}  // namespace nvfuser
