// SPDX-License-Identifier: Apache-2.0
// Shape operations but reshape: see shape.h.
#include "nvfuser/ops/shape.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "nvfuser/ops/extent.h"
#include "nvfuser/ops/operand.h"
#include "nvfuser/ops/result.h"

namespace nvfuser {
namespace {

constexpr int64_t kGone = -1;

std::vector<IterDomain*> copied_axes(const TensorView* operand) {
  std::vector<IterDomain*> axes;
  for (const IterDomain* axis : axes_of(operand)) {
    axes.push_back(copy_axis(axis));
  }
  return axes;
}

TensorView* copy(TensorView* operand, const AllocationOrder& order, bool segment) {
  Fusion& fusion = *operand->fusion();
  TensorView* result = make_tensor(fusion, copied_axes(operand), operand->dtype(), order);
  fusion.expr(ExprKind::set, {operand}, {result}, {int64_t{segment}});
  return result;
}

/// The operand's memory order in the axes of a result: new_position[k] is where axis k goes, or kGone.
AllocationOrder moved_order(const TensorView* operand, const std::vector<int64_t>& new_position) {
  AllocationOrder order;
  for (const int64_t axis : allocation_order(operand)) {
    if (new_position[axis] != kGone) {
      order.push_back(new_position[axis]);
    }
  }
  return order;
}

/// A new axis stands in memory right outside of the old axis that follows it in the shape, so row-major stays
/// row-major.
AllocationOrder order_with_new_axes(const TensorView* operand, const std::vector<bool>& is_new) {
  std::vector<std::vector<int64_t>> runs;  // of an old axis: the new axes before it, and its own place
  std::vector<int64_t> run;
  for (size_t k = 0; k < is_new.size(); ++k) {
    run.push_back(static_cast<int64_t>(k));
    if (!is_new[k]) {
      runs.push_back(std::exchange(run, {}));
    }
  }
  AllocationOrder order;
  for (const int64_t axis : allocation_order(operand)) {
    order.insert(order.end(), runs[axis].begin(), runs[axis].end());
  }
  order.insert(order.end(), run.begin(), run.end());
  return order;
}

/// Distinct positions of axes of a tensor.
std::vector<int64_t> distinct_axes(std::string_view op, const std::vector<int64_t>& dims, int64_t rank) {
  std::vector<int64_t> result;
  for (const int64_t dim : dims) {
    const int64_t axis = wrapped_axis(op, dim, rank);
    check(std::find(result.begin(), result.end(), axis) == result.end(), ErrorKind::shape, op, ": axis ", dim,
          " is given twice");
    result.push_back(axis);
  }
  return result;
}

struct Grown {
  std::vector<IterDomain*> axes;
  std::vector<Val*> extents;  ///< as asked for; those that are not known here are compared when sizes are
  bool changed = false;
};

IterDomain* grown_axis(std::string_view op, const TensorView* operand, size_t k, Val* given) {
  IterDomain* axis = axes_of(operand)[k];
  const auto wanted = known_integer(given);
  if (wanted == -1) {
    return axis;
  }
  check(!wanted || *wanted >= 0, ErrorKind::shape, op, ": extent ", *wanted, " of axis ", k, " is negative");
  const bool plain_broadcast = axis->is_broadcast() && axis->expanded_extent() == nullptr;
  if (plain_broadcast) {
    return wanted == 1 ? axis : make_broadcast_axis(*operand->fusion(), given);
  }
  const auto known = known_integer(axis->visible_extent());
  check(!wanted || !known || *wanted == *known, ErrorKind::shape, op, ": axis ", k, " of ", describe(operand),
        " cannot be expanded to ", wanted.value_or(0));
  if (!wanted || known) {
    return axis;
  }
  return axis->is_broadcast() ? make_broadcast_axis(*operand->fusion(), given) : operand->fusion()->axis(given);
}

/// The operand's axes brought to a shape; untouched axes are the operand's own.
Grown grown_axes(std::string_view op, const TensorView* operand, const std::vector<Val*>& shape) {
  Grown grown;
  for (size_t k = 0; k < shape.size(); ++k) {
    const IterDomain* old = axes_of(operand)[k];
    const bool kept = known_integer(shape[k]) == std::optional<int64_t>(-1);
    grown.axes.push_back(grown_axis(op, operand, k, shape[k]));
    grown.extents.push_back(kept ? old->visible_extent() : shape[k]);
    grown.changed =
        grown.changed || grown.axes.back() != old || !same_integer(grown.extents.back(), old->visible_extent());
  }
  return grown;
}

TensorView* expand_to(TensorView* operand, Grown grown) {
  const std::vector<IterDomain*> old = axes_of(operand);
  std::vector<Val*> operands{operand};
  for (size_t k = 0; k < old.size(); ++k) {
    grown.axes[k] = grown.axes[k] == old[k] ? copy_axis(old[k]) : grown.axes[k];
    operands.push_back(grown.extents[k]);
  }
  Fusion& fusion = *operand->fusion();
  TensorView* result = make_tensor(fusion, std::move(grown.axes), operand->dtype(), allocation_order(operand));
  fusion.expr(ExprKind::expand, std::move(operands), {result});
  return result;
}

}  // namespace

TensorView* set(TensorView* operand) {
  fusion_of("set", operand);
  return copy(operand, allocation_order(operand), false);
}

TensorView* segment_set(TensorView* operand) {
  fusion_of("segment_set", operand);
  return copy(operand, allocation_order(operand), true);
}

TensorView* stride_order(TensorView* operand, const std::vector<int64_t>& order) {
  fusion_of("stride_order", operand);
  if (order.empty()) {
    return set(operand);
  }
  const int64_t rank = operand->rank();
  check(static_cast<int64_t>(order.size()) == rank, ErrorKind::shape, "stride_order: ", order.size(), " entries for ",
        describe(operand));
  const std::vector<int64_t> ranks = distinct_axes("stride_order", order, rank);
  AllocationOrder allocation(rank);
  for (int64_t axis = 0; axis < rank; ++axis) {
    allocation[rank - 1 - ranks[axis]] = axis;
  }
  return copy(operand, allocation, false);
}

TensorView* broadcast(TensorView* operand, const std::vector<bool>& is_new) {
  Fusion& fusion = fusion_of("broadcast", operand);
  const std::vector<IterDomain*> old = axes_of(operand);
  const auto kept = std::count(is_new.begin(), is_new.end(), false);
  check(kept == static_cast<int64_t>(old.size()), ErrorKind::shape, "broadcast: the flags keep ", kept,
        " axes, but the operand is ", describe(operand));
  if (kept == static_cast<int64_t>(is_new.size())) {
    return operand;
  }
  std::vector<IterDomain*> axes;
  auto next = old.begin();
  for (const bool fresh : is_new) {
    axes.push_back(fresh ? make_broadcast_axis(fusion) : copy_axis(*next++));
  }
  TensorView* result = make_tensor(fusion, std::move(axes), operand->dtype(), order_with_new_axes(operand, is_new));
  fusion.expr(ExprKind::broadcast, {operand}, {result}, {is_new});
  return result;
}

TensorView* broadcast_in_dim(TensorView* operand, const std::vector<Val*>& shape, const std::vector<int64_t>& dims) {
  constexpr std::string_view kOp = "broadcast_in_dim";
  Fusion& fusion = fusion_of(kOp, operand);
  const std::vector<Val*> extents = integer_scalars(kOp, "the shape", fusion, shape);
  const int64_t rank = operand->rank(), new_rank = static_cast<int64_t>(extents.size());
  check(static_cast<int64_t>(dims.size()) == rank, ErrorKind::shape, kOp, ": ", dims.size(),
        " axes are placed, but the operand is ", describe(operand));
  check(new_rank >= rank, ErrorKind::shape, kOp, ": a shape of ", new_rank, " axes is too short for ",
        describe(operand));
  std::vector<bool> is_new(extents.size(), true);
  int64_t last = -1;
  for (const int64_t dim : dims) {
    const int64_t axis = wrapped_axis(kOp, dim, new_rank);
    check(axis > last, ErrorKind::shape, kOp, ": the placed axes have to ascend, but axis ", axis, " follows axis ",
          last);
    is_new[axis] = false;
    last = axis;
  }
  TensorView* placed = broadcast(operand, is_new);
  Grown grown = grown_axes(kOp, placed, extents);
  return grown.changed ? expand_to(placed, std::move(grown)) : placed;
}

TensorView* expand(TensorView* operand, const std::vector<Val*>& shape) {
  Fusion& fusion = fusion_of("expand", operand);
  const std::vector<Val*> extents = integer_scalars("expand", "the shape", fusion, shape);
  check(static_cast<int>(extents.size()) == operand->rank(), ErrorKind::shape, "expand: a shape of ", extents.size(),
        " axes for ", describe(operand));
  Grown grown = grown_axes("expand", operand, extents);
  return grown.changed ? expand_to(operand, std::move(grown)) : set(operand);
}

TensorView* squeeze(TensorView* operand, const std::vector<int64_t>& dims, bool squeeze_expanded) {
  Fusion& fusion = fusion_of("squeeze", operand);
  const std::vector<IterDomain*> old = axes_of(operand);
  if (dims.empty()) {
    return set(operand);
  }
  std::vector<bool> removed(old.size(), false);
  for (const int64_t axis : distinct_axes("squeeze", dims, operand->rank())) {
    check(old[axis]->is_broadcast(), ErrorKind::shape, "squeeze: axis ", axis, " of ", describe(operand),
          " is no broadcast axis");
    check(squeeze_expanded || old[axis]->expanded_extent() == nullptr, ErrorKind::shape, "squeeze: axis ", axis, " of ",
          describe(operand), " is expanded; squeeze_expanded=True removes it");
    removed[axis] = true;
  }
  std::vector<IterDomain*> axes;
  std::vector<int64_t> new_position;
  for (size_t k = 0; k < old.size(); ++k) {
    new_position.push_back(removed[k] ? kGone : static_cast<int64_t>(axes.size()));
    if (!removed[k]) {
      axes.push_back(copy_axis(old[k]));
    }
  }
  TensorView* result = make_tensor(fusion, std::move(axes), operand->dtype(), moved_order(operand, new_position));
  fusion.expr(ExprKind::squeeze, {operand}, {result}, {removed});
  return result;
}

TensorView* permute(TensorView* operand, const std::vector<int64_t>& dims) {
  Fusion& fusion = fusion_of("permute", operand);
  const int64_t rank = operand->rank();
  check(static_cast<int64_t>(dims.size()) == rank, ErrorKind::shape, "permute: ", dims.size(),
        " axes are named, but the operand is ", describe(operand));
  const std::vector<int64_t> order = distinct_axes("permute", dims, rank);
  if (std::is_sorted(order.begin(), order.end())) {
    return set(operand);
  }
  const std::vector<IterDomain*> old = axes_of(operand);
  std::vector<IterDomain*> axes;
  std::vector<int64_t> new_position(rank);
  for (int64_t k = 0; k < rank; ++k) {
    axes.push_back(copy_axis(old[order[k]]));
    new_position[order[k]] = k;
  }
  TensorView* result = make_tensor(fusion, std::move(axes), operand->dtype(), moved_order(operand, new_position));
  fusion.expr(ExprKind::permute, {operand}, {result}, {order});
  return result;
}

Val* size(const TensorView* operand, int64_t dim) {
  fusion_of("size", operand);
  return extents_of(operand)[wrapped_axis("size", dim, operand->rank())];
}

std::vector<Val*> shape(const TensorView* operand) {
  fusion_of("shape", operand);
  return extents_of(operand);
}

}  // namespace nvfuser
