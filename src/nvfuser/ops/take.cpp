// SPDX-License-Identifier: Apache-2.0
// Taking elements along an axis: see take.h.
#include "nvfuser/ops/take.h"

#include <unordered_set>

#include "nvfuser/ops/extent.h"
#include "nvfuser/ops/operand.h"
#include "nvfuser/ops/resize.h"
#include "nvfuser/ops/result.h"
#include "nvfuser/ops/shape.h"

namespace nvfuser {
namespace {

/// Can the value be computed at any one point by itself: from inputs by operations on points, without a choice that
/// depends on where the point lies and without a reduction?
bool is_pointwise_of_memory(const Val* value) {
  std::vector<const Val*> work{value};
  std::unordered_set<const Val*> seen;
  while (!work.empty()) {
    const Val* next = work.back();
    work.pop_back();
    const Expr* definition = next->definition();
    const bool stored =
        definition != nullptr && definition->kind() == ExprKind::set && definition->attribute<int64_t>(0) == 1;
    if (!seen.insert(next).second || !next->is_tensor() || definition == nullptr || stored) {
      continue;
    }
    const ExprKind kind = definition->kind();
    if (kind == ExprKind::pad || kind == ExprKind::cat || kind == ExprKind::reduce) {
      return false;
    }
    work.insert(work.end(), definition->inputs().begin(), definition->inputs().end());
  }
  return true;
}

void check_taken(std::string_view op, TensorView* operand, TensorView* index) {
  Fusion& fusion = fusion_of(op, operand);
  check_operand(op, &fusion, index);
  check(is_integral(index->dtype()), ErrorKind::dtype, op, ": the index has to be an integer tensor, but is ",
        describe(index));
  check(index->rank() == operand->rank() && index->rank() > 0, ErrorKind::shape, op, ": the index is ", describe(index),
        ", but has to have as many axes as ", describe(operand), ", at least one");
}

/// Axis k of the result: that of the operand that is no broadcast.
IterDomain* common_axis(std::string_view op, const TensorView* operand, const TensorView* index, int64_t k) {
  IterDomain *const a = axes_of(operand)[k], *const b = axes_of(index)[k];
  const auto size = known_integer(a->visible_extent()), other = known_integer(b->visible_extent());
  check(!size || !other || *size == *other || size == 1 || other == 1, ErrorKind::shape, op,
        ": the operands differ at axis ", k, ": ", describe(operand), " and ", describe(index));
  return copy_axis(a->is_broadcast() && a->expanded_extent() == nullptr ? b : a);
}

}  // namespace

TensorView* take_along_axis(TensorView* operand, TensorView* index, int64_t dim) {
  constexpr std::string_view kOp = "take_along_axis";
  check_taken(kOp, operand, index);
  const int64_t rank = operand->rank(), taken = wrapped_axis(kOp, dim, rank);
  std::vector<IterDomain*> axes;
  for (int64_t k = 0; k < rank; ++k) {
    axes.push_back(k == taken ? copy_axis(axes_of(index)[k]) : common_axis(kOp, operand, index, k));
  }
  if (!is_pointwise_of_memory(operand)) {
    operand = segment_set(operand);
  }
  Fusion& fusion = *operand->fusion();
  TensorView* result = make_tensor(fusion, std::move(axes), operand->dtype(), followed_order({index, operand}));
  fusion.expr(ExprKind::take_along_axis, {operand, index}, {result}, {taken});
  return result;
}

TensorView* gather(TensorView* operand, TensorView* index, int64_t dim) {
  constexpr std::string_view kOp = "gather";
  check_taken(kOp, operand, index);
  const int64_t rank = operand->rank(), taken = wrapped_axis(kOp, dim, rank);
  const std::vector<Val*> from = extents_of(operand), to = extents_of(index);
  std::vector<Val*> starts(rank, operand->fusion()->index_constant(0)), ends = from;
  bool shorter = false;
  for (int64_t k = 0; k < rank; ++k) {
    if (k != taken && !same_integer(from[k], to[k])) {
      const auto most = known_integer(from[k]), wanted = known_integer(to[k]);
      check(!most || !wanted || *wanted <= *most, ErrorKind::shape, kOp, ": axis ", k, " of ", describe(index),
            " is longer than that of ", describe(operand));
      ends[k] = to[k];
      shorter = true;
    }
  }
  return take_along_axis(shorter ? slice(operand, starts, ends, {}, true) : operand, index, taken);
}

const TensorView* gathered(const Expr& take) {
  const Expr* part = take.input(0)->definition();
  const bool stored = part != nullptr && part->kind() == ExprKind::set && part->attribute<int64_t>(0) == 1;
  part = stored ? part->input(0)->definition() : part;
  if (part == nullptr || part->kind() != ExprKind::slice || stored == is_pointwise_of_memory(part->output(0))) {
    return nullptr;
  }
  const auto* operand = static_cast<const TensorView*>(part->input(0));
  const std::vector<Val*> whole = extents_of(operand), read = extents_of(static_cast<const TensorView*>(take.input(1)));
  const auto taken = static_cast<size_t>(take.attribute<int64_t>(0));
  for (size_t k = 0; k < whole.size(); ++k) {
    const Val *const start = part->input(1 + k), *const extent = part->input(1 + whole.size() + k);
    if (known_integer(start) != 0 || !same_integer(extent, k == taken ? whole[k] : read[k])) {
      return nullptr;
    }
  }
  return operand;
}

}  // namespace nvfuser
