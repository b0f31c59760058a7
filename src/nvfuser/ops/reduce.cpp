// SPDX-License-Identifier: Apache-2.0
// Reductions: see reduce.h.
#include "nvfuser/ops/reduce.h"

#include <algorithm>

#include "nvfuser/ops/cast.h"
#include "nvfuser/ops/factory.h"
#include "nvfuser/ops/operand.h"
#include "nvfuser/ops/pointwise_builder.h"
#include "nvfuser/ops/result.h"
#include "nvfuser/ops/shape.h"

namespace nvfuser {
namespace {

/// A flag for each axis of the operand.
std::vector<bool> reduced_axes(std::string_view op, const TensorView* operand, const ReducedAxes& dims) {
  const int64_t rank = operand->rank();
  if (!dims) {
    return std::vector<bool>(rank, true);
  }
  check(!dims->empty(), ErrorKind::shape, op, ": no axes are given for ", describe(operand),
        "; leave them out to reduce all");
  std::vector<bool> reduced(rank, false);
  for (const int64_t dim : *dims) {
    const int64_t axis = wrapped_axis(op, dim, rank);
    check(!reduced[axis], ErrorKind::shape, op, ": axis ", dim, " is given twice");
    reduced[axis] = true;
  }
  return reduced;
}

/// The axes that parts share.  Memory order is the operand's.
TensorDomain* reduced_domain(const TensorView* operand, const std::vector<bool>& reduced) {
  Fusion& fusion = *operand->fusion();
  const std::vector<IterDomain*> from = axes_of(operand);
  std::vector<IterDomain*> axes;
  for (size_t k = 0; k < from.size(); ++k) {
    axes.push_back(reduced[k] ? fusion.axis(from[k]->visible_extent(), IterType::reduction) : copy_axis(from[k]));
  }
  TensorDomain* domain = fusion.domain(axes);
  std::vector<IterDomain*> allocation;
  std::vector<std::optional<bool>> contiguity;
  for (const int64_t position : allocation_order(operand)) {
    allocation.push_back(axes[position]);
    const bool in_memory = !axes[position]->is_broadcast() && !axes[position]->is_reduction();
    contiguity.push_back(in_memory ? std::optional(true) : std::nullopt);
  }
  domain->set_allocation(std::move(allocation), std::move(contiguity));
  return domain;
}

/// The axes that are gone come back with size 1.
TensorView* with_kept_axes(TensorView* result, const std::vector<bool>& reduced, bool keepdim) {
  return keepdim ? broadcast(result, reduced) : result;
}

std::vector<int64_t> positions_of(const std::vector<bool>& flags) {
  std::vector<int64_t> positions;
  for (size_t k = 0; k < flags.size(); ++k) {
    if (flags[k]) {
      positions.push_back(static_cast<int64_t>(k));
    }
  }
  return positions;
}

/// Position of each element among those that are reduced with it, as a tensor of the operand's rank.
TensorView* positions_in(const TensorView* operand, const std::vector<bool>& reduced) {
  Fusion& fusion = *operand->fusion();
  const std::vector<Val*> extents = extents_of(operand);
  Val *inner = make_constant(fusion, int64_t{1}), *total = nullptr;
  for (size_t k = reduced.size(); k-- > 0;) {
    if (!reduced[k]) {
      continue;
    }
    std::vector<bool> fresh(reduced.size(), true);
    fresh[k] = false;
    TensorView* mine = broadcast(iota(extents[k], nullptr, inner, DataType::Int), fresh);
    total = total == nullptr ? mine : pointwise(PointwiseOp::add, {mine, total});
    inner = pointwise(PointwiseOp::mul, {inner, extents[k]});
  }
  if (total == nullptr) {
    return full(extents, make_constant(fusion, int64_t{0}), DataType::Int);
  }
  return static_cast<TensorView*>(total);
}

/// What the operand is cast to before a typed reduction.
DataType wanted_type(const ReductionInfo& row, const TensorView* operand, DataType dtype) {
  check(dtype == DataType::Null || row.form == ReductionForm::typed, ErrorKind::dtype, row.name,
        " takes no dtype; cast the operand or the result");
  if (dtype != DataType::Null || row.form != ReductionForm::typed) {
    return dtype == DataType::Null ? operand->dtype() : dtype;
  }
  const bool whole = is_boolean(operand->dtype()) || is_integral(operand->dtype());
  return whole ? DataType::Int : operand->dtype();
}

/// One element an axis, and it is the result.
bool is_squeeze(const ReductionInfo& row, const TensorView* operand, const std::vector<bool>& reduced) {
  const std::vector<IterDomain*> axes = axes_of(operand);
  bool single = row.parts.types[0] == PartType::operand;
  for (size_t k = 0; k < reduced.size(); ++k) {
    single = single && (!reduced[k] || (axes[k]->is_broadcast() && axes[k]->expanded_extent() == nullptr));
  }
  return single;
}

/// Moments exist of what has fractions and is not rounded on the way.
void check_moments(std::string_view op, const TensorView* operand) {
  const DataType dtype = operand->dtype();
  const bool exact = is_complex(dtype) || (is_floating(dtype) && !is_narrow_float(dtype));
  check(exact, ErrorKind::dtype, op, " takes Float, Double and complex operands, but got ", describe(operand),
        "; cast to Float first");
}

/// Of an operand without axes: itself, and distances of 0, which are NaN where it is not finite.
VarMean single_moments(TensorView* operand, Val* divisor) {
  Val* distance = pointwise(PointwiseOp::abs, {pointwise(PointwiseOp::sub, {operand, operand})});
  Val* square = pointwise(PointwiseOp::mul, {distance, distance});
  return {static_cast<TensorView*>(pointwise(PointwiseOp::truediv, {square, divisor})), set(operand)};
}

VarMean moments(std::string_view op, TensorView* operand, const std::vector<int64_t>& dims, int64_t correction,
                bool keepdim) {
  Fusion& fusion = fusion_of(op, operand);
  check_moments(op, operand);
  check(correction >= 0, ErrorKind::definition, op, ": the correction is ", correction, "; it cannot be negative");
  const auto divisor = [&](Val* count) {
    Val* rest = pointwise(PointwiseOp::sub, {count, make_constant(fusion, correction)});
    return pointwise(PointwiseOp::maximum, {rest, make_constant(fusion, int64_t{0})});
  };
  if (operand->rank() == 0 && dims.empty()) {
    return single_moments(operand, divisor(make_constant(fusion, int64_t{1})));
  }
  const std::vector<bool> reduced = reduced_axes(op, operand, dims);
  Val* count = make_constant(fusion, int64_t{1});
  for (const int64_t axis : positions_of(reduced)) {
    count = pointwise(PointwiseOp::mul, {count, extents_of(operand)[axis]});
  }
  const std::vector<TensorView*> parts = reduce(ReductionOp::welford, {operand}, reduced);
  Val* variance = pointwise(PointwiseOp::truediv, {parts[1], divisor(count)});
  return {with_kept_axes(static_cast<TensorView*>(variance), reduced, keepdim),
          with_kept_axes(parts[0], reduced, keepdim)};
}

}  // namespace

std::vector<TensorView*> reduce(ReductionOp op, const std::vector<TensorView*>& operands,
                                const std::vector<bool>& reduced) {
  const ReductionInfo& row = info(op);
  check(static_cast<int>(operands.size()) == row.operands, ErrorKind::definition, row.name, " takes ", row.operands,
        " operands, but got ", operands.size());
  Fusion& fusion = fusion_of(row.name, operands[0]);
  for (const TensorView* operand : operands) {
    check_operand(row.name, &fusion, operand);
    check(operand->rank() == static_cast<int>(reduced.size()), ErrorKind::shape, row.name, ": ", reduced.size(),
          " flags for ", describe(operand));
  }
  const DataType dtype = operands[0]->dtype();
  check(is_supported(op, dtype), ErrorKind::dtype, row.name, " has no meaning for ", name_of(dtype), ": ",
        describe(operands[0]));
  check(row.operands == 1 || operands[1]->dtype() == DataType::Int, ErrorKind::dtype, row.name,
        ": positions have to be Int, but are ", describe(operands.back()));
  TensorDomain* domain = reduced_domain(operands[0], reduced);
  std::vector<TensorView*> parts;
  for (int part = 0; part < row.parts.count; ++part) {
    parts.push_back(fusion.tensor(domain, part_type(op, part, dtype)));
  }
  fusion.expr(ExprKind::reduce, {operands.begin(), operands.end()}, {parts.begin(), parts.end()}, {op, reduced});
  return parts;
}

TensorView* reduce(ReductionOp op, TensorView* operand, const ReducedAxes& dims, bool keepdim, DataType dtype) {
  const ReductionInfo& row = info(op);
  fusion_of(row.name, operand);
  check(row.parts.count == 1, ErrorKind::definition, row.name, " has ", row.parts.count, " results");
  const std::vector<bool> reduced = reduced_axes(row.name, operand, dims);
  const DataType wanted = wanted_type(row, operand, dtype);
  check(is_supported(op, wanted), ErrorKind::dtype, row.name, " has no meaning for ", name_of(wanted), ": ",
        describe(operand));
  if (wanted != operand->dtype()) {
    operand = static_cast<TensorView*>(cast(operand, wanted));
  }
  if (is_squeeze(row, operand, reduced)) {
    return keepdim ? set(operand) : squeeze(operand, positions_of(reduced));
  }
  std::vector<TensorView*> operands{operand};
  if (row.form == ReductionForm::place) {
    operands.push_back(positions_in(operand, reduced));
  }
  return with_kept_axes(reduce(op, operands, reduced)[0], reduced, keepdim);
}

TensorView* sum(TensorView* operand, const ReducedAxes& dims, bool keepdim, DataType dtype) {
  return reduce(ReductionOp::sum, operand, dims, keepdim, dtype);
}
TensorView* prod(TensorView* operand, const ReducedAxes& dims, bool keepdim, DataType dtype) {
  return reduce(ReductionOp::prod, operand, dims, keepdim, dtype);
}
TensorView* max(TensorView* operand, const ReducedAxes& dims, bool keepdim) {
  return reduce(ReductionOp::max, operand, dims, keepdim);
}
TensorView* min(TensorView* operand, const ReducedAxes& dims, bool keepdim) {
  return reduce(ReductionOp::min, operand, dims, keepdim);
}
TensorView* any(TensorView* operand, const ReducedAxes& dims, bool keepdim) {
  return reduce(ReductionOp::any, operand, dims, keepdim);
}
TensorView* all(TensorView* operand, const ReducedAxes& dims, bool keepdim) {
  return reduce(ReductionOp::all, operand, dims, keepdim);
}
TensorView* argmax(TensorView* operand, const ReducedAxes& dims, bool keepdim) {
  return reduce(ReductionOp::argmax, operand, dims, keepdim);
}
TensorView* argmin(TensorView* operand, const ReducedAxes& dims, bool keepdim) {
  return reduce(ReductionOp::argmin, operand, dims, keepdim);
}

WelfordResult welford(TensorView* operand, const std::vector<int64_t>& dims) {
  fusion_of("welford", operand);
  check_moments("welford", operand);
  const std::vector<TensorView*> parts =
      reduce(ReductionOp::welford, {operand}, reduced_axes("welford", operand, dims));
  return {parts[0], parts[1], parts[2]};
}

VarMean var_mean(TensorView* operand, const std::vector<int64_t>& dims, int64_t correction, bool keepdim) {
  return moments("var_mean", operand, dims, correction, keepdim);
}

TensorView* var(TensorView* operand, const std::vector<int64_t>& dims, int64_t correction, bool keepdim) {
  return moments("var", operand, dims, correction, keepdim).var;
}

}  // namespace nvfuser
