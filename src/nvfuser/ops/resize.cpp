// SPDX-License-Identifier: Apache-2.0
// Slice, pad and cat: see resize.h.
#include "nvfuser/ops/resize.h"

#include <algorithm>
#include <string_view>

#include "nvfuser/ops/cast.h"
#include "nvfuser/ops/extent.h"
#include "nvfuser/ops/operand.h"
#include "nvfuser/ops/result.h"
#include "nvfuser/ops/shape.h"

namespace nvfuser {
namespace {

bool is_known(const Val* value, int64_t expected) { return known_integer(value) == std::optional(expected); }

struct Cut {
  Val* start;
  Val* extent;
};

void check_bounds(const TensorView* operand, size_t axis, const Val* start, const Val* end) {
  const auto from = known_integer(start), to = known_integer(end);
  check(!from || *from >= 0, ErrorKind::shape,
        "Slice operation start_indices must be greater than or equal to 0: axis ", axis, " of ", describe(operand),
        " starts at ", from.value_or(0));
  check(!to || *to >= from.value_or(0), ErrorKind::shape,
        "Slice operation end_indices must be greater than or equal to start_indices: axis ", axis, " of ",
        describe(operand), " goes from ", from.value_or(0), " to ", to.value_or(0));
}

Cut normalized_cut(const TensorView* operand, size_t axis, Val* start, Val* end, bool manual) {
  check_bounds(operand, axis, start, end);
  Val* size = extents_of(operand)[axis];
  if (!manual) {
    end = extent_minimum(end, size);
    start = is_known(start, 0) ? start : extent_minimum(start, end);
  }
  const auto to = known_integer(end), most = known_integer(size);
  check(!to || !most || *to <= *most, ErrorKind::shape, "slice: the end ", to.value_or(0), " of axis ", axis,
        " is beyond ", describe(operand));
  return {start, extent_difference(end, start)};
}

IterDomain* cut_axis(IterDomain* axis, const Cut& cut) {
  Fusion& fusion = *axis->fusion();
  if (is_known(cut.start, 0) && same_scalar(cut.extent, axis->visible_extent())) {
    return copy_axis(axis);
  }
  return axis->expanded_extent() ? make_broadcast_axis(fusion, cut.extent) : make_axis(fusion, cut.extent);
}

void check_slice_arguments(const TensorView* operand, size_t starts, size_t ends, const std::vector<Val*>& strides) {
  check(starts == ends, ErrorKind::shape, "Slice indexing attribute dimensions don't match: ", starts,
        " start_indices and ", ends, " end_indices");
  check(strides.empty() || strides.size() == starts, ErrorKind::shape,
        "Slice start_indices and strides don't match: ", starts, " start_indices and ", strides.size(), " strides");
  check(static_cast<int>(starts) == operand->rank(), ErrorKind::shape,
        "Number of tensor dimensions does not match slice dimensions: ", starts, " start_indices for ",
        describe(operand));
  for (const Val* stride : strides) {
    check(stride != nullptr && is_known(stride, 1), ErrorKind::shape,
          "nvFuser Limitation: All slice operation strides must be of const size 1, but one is ",
          stride ? describe(stride) : "missing");
  }
}

Val* zero_of(Fusion& fusion, DataType dtype) { return fusion.constant(convert_scalar(int64_t{0}, dtype), dtype); }

/// Low and high width of each axis, outermost axis first.
std::vector<Val*> widths_by_axis(Fusion& fusion, const TensorView* operand, const std::vector<Val*>& given) {
  const size_t rank = operand->rank();
  check(given.size() % 2 == 0, ErrorKind::shape, "pad: widths come in pairs, but ", given.size(), " are given");
  check(given.size() <= 2 * rank, ErrorKind::shape, "pad: ", given.size(), " widths are too many for ",
        describe(operand));
  std::vector<Val*> widths(2 * rank, fusion.index_constant(0));
  for (size_t k = 0; k < given.size() / 2; ++k) {
    const size_t axis = rank - 1 - k;
    widths[2 * axis] = given[2 * k];
    widths[2 * axis + 1] = given[2 * k + 1];
  }
  return widths;
}

IterDomain* padded_axis(const TensorView* operand, size_t k, Val* low, Val* high) {
  IterDomain* axis = axes_of(operand)[k];
  if (is_known(low, 0) && is_known(high, 0)) {
    return copy_axis(axis);
  }
  Val* extent = extent_sum(extent_sum(axis->visible_extent(), low), high);
  const auto known = known_integer(extent);
  check(!known || *known >= 0, ErrorKind::shape, "pad: axis ", k, " of ", describe(operand), " would have the extent ",
        known.value_or(0));
  return make_axis(*operand->fusion(), extent);
}

std::vector<Val*> as_vals(const std::vector<TensorView*>& tensors) { return {tensors.begin(), tensors.end()}; }

/// The axis of a result of cat where the operands are not joined.
IterDomain* common_axis(const std::vector<TensorView*>& operands, size_t k) {
  Val* extent = nullptr;
  bool all_broadcast = true;
  for (const TensorView* operand : operands) {
    const IterDomain* axis = axes_of(operand)[k];
    Val* mine = axis->visible_extent();
    check(extent == nullptr || !extent->is_constant() || !mine->is_constant() || same_scalar(extent, mine),
          ErrorKind::shape, "cat: the operands differ at axis ", k, ": ", describe(as_vals(operands)));
    extent = extent == nullptr ? mine : better_extent(extent, mine);
    all_broadcast = all_broadcast && axis->is_broadcast();
  }
  Fusion& fusion = *operands.front()->fusion();
  return all_broadcast ? make_broadcast_axis(fusion, extent) : make_axis(fusion, extent);
}

IterDomain* joined_axis(const std::vector<TensorView*>& operands, size_t k) {
  Val* extent = nullptr;
  for (const TensorView* operand : operands) {
    Val* mine = axes_of(operand)[k]->visible_extent();
    extent = extent == nullptr ? mine : extent_sum(extent, mine);
  }
  return make_axis(*operands.front()->fusion(), extent);
}

/// What a result of pad along `axis` alone was made from.
TensorView* unpadded(const TensorView* operand, size_t axis) {
  const Expr* definition = operand->definition();
  bool alone = definition != nullptr && definition->kind() == ExprKind::pad;
  for (size_t k = 2; alone && k < definition->inputs().size(); ++k) {
    alone = (k - 2) / 2 == axis || is_known(definition->inputs()[k], 0);
  }
  check(alone, ErrorKind::definition,
        "cat: with manual_padding every operand has to be the result of a pad along axis ", axis, ", but got ",
        describe(operand));
  return static_cast<TensorView*>(definition->input(0));
}

}  // namespace

TensorView* slice(TensorView* operand, const std::vector<Val*>& starts, const std::vector<Val*>& ends,
                  const std::vector<Val*>& strides, bool manual_normalization) {
  Fusion& fusion = fusion_of("slice", operand);
  check_slice_arguments(operand, starts.size(), ends.size(), strides);
  const std::vector<Val*> from = integer_scalars("slice", "start_indices", fusion, starts);
  const std::vector<Val*> to = integer_scalars("slice", "end_indices", fusion, ends);
  const std::vector<IterDomain*> old = axes_of(operand);
  std::vector<Val*> operands{operand}, extents;
  std::vector<IterDomain*> axes;
  bool changed = false;
  for (size_t k = 0; k < old.size(); ++k) {
    const Cut cut = normalized_cut(operand, k, from[k], to[k], manual_normalization);
    axes.push_back(cut_axis(old[k], cut));
    operands.push_back(cut.start);
    extents.push_back(cut.extent);
    changed = changed || !is_known(cut.start, 0) || !same_scalar(cut.extent, old[k]->visible_extent());
  }
  if (!changed) {
    return set(operand);
  }
  operands.insert(operands.end(), extents.begin(), extents.end());
  TensorView* result = make_tensor(fusion, std::move(axes), operand->dtype(), allocation_order(operand));
  fusion.expr(ExprKind::slice, std::move(operands), {result});
  return result;
}

TensorView* pad(TensorView* operand, const std::vector<Val*>& widths, Val* value) {
  Fusion& fusion = fusion_of("pad", operand);
  const DataType dtype = operand->dtype();
  value = value == nullptr ? zero_of(fusion, dtype) : value;
  check_operand("pad", &fusion, value);
  check(value->is_scalar() && kind_of(value->dtype()) == kind_of(dtype), ErrorKind::dtype, "pad: the value for ",
        describe(operand), " has to be a scalar of its kind, but got ", describe(value));
  const std::vector<Val*> by_axis =
      widths_by_axis(fusion, operand, integer_scalars("pad", "pad_widths", fusion, widths));
  if (std::all_of(by_axis.begin(), by_axis.end(), [](const Val* width) { return is_known(width, 0); })) {
    return set(operand);
  }
  std::vector<Val*> operands{operand, cast(value, dtype)};
  std::vector<IterDomain*> axes;
  for (int k = 0; k < operand->rank(); ++k) {
    Val* low = by_axis[2 * k];
    Val* high = by_axis[2 * k + 1];
    axes.push_back(padded_axis(operand, k, low, high));
    operands.insert(operands.end(), {low, high});
  }
  TensorView* result = make_tensor(fusion, std::move(axes), dtype, allocation_order(operand));
  fusion.expr(ExprKind::pad, std::move(operands), {result});
  return result;
}

TensorView* cat(const std::vector<TensorView*>& operands, int64_t dim, bool manual_padding) {
  check(!operands.empty(), ErrorKind::definition, "cat: the list of tensors is empty");
  Fusion& fusion = fusion_of("cat", operands.front());
  const TensorView* first = operands.front();
  for (const TensorView* operand : operands) {
    check_operand("cat", &fusion, operand);
    check(operand->dtype() == first->dtype(), ErrorKind::dtype,
          "cat: the operands differ in type: ", describe(as_vals(operands)));
    check(operand->rank() == first->rank(), ErrorKind::shape,
          "cat: the operands differ in rank: ", describe(as_vals(operands)));
  }
  const size_t axis = wrapped_axis("cat", dim, first->rank());
  if (manual_padding) {
    std::vector<TensorView*> parts;
    std::transform(operands.begin(), operands.end(), std::back_inserter(parts),
                   [&](const TensorView* t) { return unpadded(t, axis); });
    return cat(parts, static_cast<int64_t>(axis));
  }
  if (operands.size() == 1) {
    return set(operands.front());
  }
  std::vector<IterDomain*> axes;
  for (size_t k = 0; k < static_cast<size_t>(first->rank()); ++k) {
    axes.push_back(k == axis ? joined_axis(operands, k) : common_axis(operands, k));
  }
  TensorView* result = make_tensor(fusion, std::move(axes), first->dtype(), followed_order(operands));
  fusion.expr(ExprKind::cat, as_vals(operands), {result}, {static_cast<int64_t>(axis)});
  return result;
}

}  // namespace nvfuser
