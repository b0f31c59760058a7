// SPDX-License-Identifier: Apache-2.0
// Reshape: completes the shape, compares element counts as far as they are known, and keeps the memory order where
// groups of axes allow it.
#include <algorithm>
#include <utility>

#include "nvfuser/ops/extent.h"
#include "nvfuser/ops/factory.h"
#include "nvfuser/ops/operand.h"
#include "nvfuser/ops/result.h"
#include "nvfuser/ops/shape.h"

namespace nvfuser {
namespace {

/// A count of elements: a known factor and the extents that are not known.
struct Count {
  int64_t known = 1;
  std::vector<Val*> unknown;
};

Count count_of(const std::vector<Val*>& extents) {
  Count count;
  for (Val* extent : extents) {
    if (const auto size = known_integer(extent)) {
      const bool overflow = __builtin_mul_overflow(count.known, *size, &count.known);
      check(!overflow, ErrorKind::shape, "reshape: the number of elements exceeds 64 bits");
    } else {
      count.unknown.push_back(extent);
    }
  }
  return count;
}

/// Removes the unknown extents that both counts have.
void cancel(Count& a, Count& b) {
  std::erase_if(a.unknown, [&](Val* extent) {
    const auto twin = std::find(b.unknown.begin(), b.unknown.end(), extent);
    const bool found = twin != b.unknown.end();
    if (found) {
      b.unknown.erase(twin);
    }
    return found;
  });
}

Val* product(Fusion& fusion, const Count& count) {
  Val* result = fusion.index_constant(count.known);
  for (Val* extent : count.unknown) {
    result = extent_product(result, extent);
  }
  return result;
}

/// What stands for -1, so that `all` elements remain beside the `others`.
Val* missing_extent(Fusion& fusion, const TensorView* operand, Count all, Count others) {
  check(others.known != 0, ErrorKind::shape, "reshape: -1 is ambiguous beside an extent of 0 for ", describe(operand));
  cancel(all, others);
  if (all.known == 0) {
    return fusion.index_constant(0);
  }
  const bool divides = all.known % others.known == 0;
  check(divides || !all.unknown.empty() || !others.unknown.empty(), ErrorKind::shape, "reshape: the elements of ",
        describe(operand), " cannot be split into parts of ", others.known);
  if (divides) {
    all.known /= std::exchange(others.known, 1);
  }
  return extent_quotient(product(fusion, all), product(fusion, others));
}

/// The shape with its -1 replaced; element counts that are known have to agree.
std::vector<Val*> completed(Fusion& fusion, const TensorView* operand, std::vector<Val*> shape) {
  std::vector<Val*> others;
  size_t missing = shape.size();
  for (size_t k = 0; k < shape.size(); ++k) {
    const auto size = known_integer(shape[k]);
    check(!size || *size >= -1, ErrorKind::shape, "reshape: extent ", size.value_or(0), " of axis ", k, " is negative");
    if (size == -1) {
      check(missing == shape.size(), ErrorKind::shape, "reshape: only one extent can be -1");
      missing = k;
    } else {
      others.push_back(shape[k]);
    }
  }
  Count all = count_of(extents_of(operand)), rest = count_of(others);
  if (missing < shape.size()) {
    shape[missing] = missing_extent(fusion, operand, std::move(all), std::move(rest));
    return shape;
  }
  cancel(all, rest);
  const bool comparable = all.unknown.empty() && rest.unknown.empty();
  check(!comparable || all.known == rest.known, ErrorKind::shape, "reshape: ", describe(operand),
        " has another number of elements than the shape, ", all.known, " against ", rest.known);
  return shape;
}

/// Neighbouring axes of the operand that become neighbouring axes of the result, from (old, fresh) on.
struct Group {
  size_t old_begin, old_end, new_begin, new_end;
};

/// Grows the group until both sides hold equally many elements; false when that is not known.
bool close_group(Group& group, const std::vector<Val*>& old, const std::vector<Val*>& fresh) {
  if (same_scalar(old[group.old_begin], fresh[group.new_begin])) {
    return true;
  }
  std::optional<int64_t> before = known_integer(old[group.old_begin]), after = known_integer(fresh[group.new_begin]);
  while (before && after && *before != *after) {
    const bool grow_old = *before < *after;
    size_t& end = grow_old ? group.old_end : group.new_end;
    const std::vector<Val*>& extents = grow_old ? old : fresh;
    const auto next = end < extents.size() ? known_integer(extents[end]) : std::nullopt;
    if (!next) {
      return false;
    }
    (grow_old ? *before : *after) *= *next;
    ++end;
  }
  return before && after;
}

/// Empty when the groups are not known.
std::vector<Group> groups_of(const std::vector<Val*>& old, const std::vector<Val*>& fresh) {
  std::vector<Group> groups;
  size_t i = 0, j = 0;
  while (i < old.size() && j < fresh.size()) {
    Group group{i, i + 1, j, j + 1};
    if (!close_group(group, old, fresh)) {
      return {};
    }
    i = group.old_end;
    j = group.new_end;
    groups.push_back(group);
  }
  if (!groups.empty()) {  // extents of 1 at the end
    groups.back().old_end = old.size();
    groups.back().new_end = fresh.size();
  }
  return groups;
}

/// A group that merges axes can keep its place only when they are neighbours in memory too, in the same order.
bool is_run(const Group& group, const AllocationOrder& order) {
  const auto at = std::find(order.begin(), order.end(), static_cast<int64_t>(group.old_begin));
  for (size_t k = 0; k < group.old_end - group.old_begin; ++k) {
    if (at + static_cast<int64_t>(k) >= order.end() || at[k] != static_cast<int64_t>(group.old_begin + k)) {
      return false;
    }
  }
  return true;
}

AllocationOrder reshaped_order(const TensorView* operand, const std::vector<Val*>& fresh) {
  const AllocationOrder old_order = allocation_order(operand);
  if (old_order == row_major(old_order.size())) {
    return row_major(fresh.size());
  }
  const std::vector<Group> groups = groups_of(extents_of(operand), fresh);
  AllocationOrder order;
  for (const int64_t axis : old_order) {
    for (const Group& group : groups) {
      if (static_cast<int64_t>(group.old_begin) != axis) {
        continue;
      }
      if (!is_run(group, old_order)) {
        return row_major(fresh.size());
      }
      for (size_t k = group.new_begin; k < group.new_end; ++k) {
        order.push_back(static_cast<int64_t>(k));
      }
    }
  }
  return order.size() == fresh.size() ? order : row_major(fresh.size());
}

bool is_empty(const std::vector<Val*>& extents) {
  return std::any_of(extents.begin(), extents.end(),
                     [](const Val* v) { return known_integer(v) == std::optional<int64_t>(0); });
}

}  // namespace

TensorView* reshape(TensorView* operand, const std::vector<Val*>& shape) {
  Fusion& fusion = fusion_of("reshape", operand);
  const std::vector<Val*> old = extents_of(operand);
  const std::vector<Val*> extents = completed(fusion, operand, integer_scalars("reshape", "the shape", fusion, shape));
  if (old.size() == extents.size() && std::equal(old.begin(), old.end(), extents.begin(), same_scalar)) {
    return set(operand);
  }
  if (is_empty(old) || is_empty(extents)) {
    return full(extents, fusion.constant(0.0, DataType::Double), operand->dtype());
  }
  std::vector<IterDomain*> axes;
  std::vector<Val*> operands{operand};
  for (Val* extent : extents) {
    axes.push_back(make_axis(fusion, extent));
    operands.push_back(extent);
  }
  TensorView* result = make_tensor(fusion, std::move(axes), operand->dtype(), reshaped_order(operand, extents));
  fusion.expr(ExprKind::reshape, std::move(operands), {result});
  return result;
}

}  // namespace nvfuser
