// SPDX-License-Identifier: Apache-2.0
// Normalisations over the last axes: see norms.h.
#include <limits>

#include "nvfuser/ops/norm_parts.h"
#include "nvfuser/ops/norms.h"
#include "nvfuser/ops/result.h"
#include "nvfuser/ops/shape.h"

namespace nvfuser {
namespace {

/// The axes of a normalisation, and x with sizes that are held against the given ones.
struct Rows {
  TensorView* x;
  std::vector<int64_t> axes, leading;

  /// A vector of the normalized shape beside x.
  Quantity weight(std::string_view op, std::string_view name, TensorView* vector, DataType type) const {
    fusion_of(op, vector);
    const std::vector<Val*> mine = extents_of(vector), rows = extents_of(x);
    bool fits = mine.size() == axes.size();
    for (size_t k = 0; fits && k < axes.size(); ++k) {
      const auto size = known_integer(mine[k]), wanted = known_integer(rows[axes[k]]);
      fits = !size || !wanted || *size == *wanted;
    }
    check(fits, ErrorKind::shape, op, ": ", name, " is ", describe(vector), ", but has to have the shape of the last ",
          axes.size(), " axes of ", describe(x));
    return placed(widened(vector, type), axes, x->rank());
  }

  /// A statistic of each row, with or without the normalized axes.
  Quantity statistic(std::string_view op, std::string_view name, TensorView* value, DataType type) const {
    fusion_of(op, value);
    const auto rank = static_cast<size_t>(value->rank());
    check(rank == leading.size() || rank == leading.size() + axes.size(), ErrorKind::shape, op, ": ", name, " is ",
          describe(value), ", but has to have one value for each row of ", describe(x));
    const Quantity wide = widened(value, type);
    return rank == leading.size() && !axes.empty() ? placed(wide, leading, x->rank()) : wide;
  }
};

Rows rows_of(std::string_view op, TensorView* x, const std::vector<Val*>& normalized_shape) {
  Fusion& fusion = fusion_of(op, x);
  const std::vector<Val*> given = integer_scalars(op, "normalized_shape", fusion, normalized_shape);
  const auto rank = static_cast<size_t>(x->rank());
  check(!given.empty() && given.size() <= rank, ErrorKind::shape, op, ": normalized_shape has ", given.size(),
        " sizes for ", describe(x), "; it takes those of the last axes, at least one");
  Rows rows{x, {}, {}};
  std::vector<Val*> wanted(rank, fusion.index_constant(-1));
  bool asked = false;
  for (size_t axis = 0; axis < rank; ++axis) {
    if (axis < rank - given.size()) {
      rows.leading.push_back(static_cast<int64_t>(axis));
      continue;
    }
    rows.axes.push_back(static_cast<int64_t>(axis));
    Val* const size = given[axis - (rank - given.size())];
    const auto known = known_integer(extents_of(x)[axis]), number = known_integer(size);
    check(number == -1 || !known || !number || *known == *number, ErrorKind::shape, op, ": axis ", axis, " of ",
          describe(x), " is normalized, but normalized_shape says ", number.value_or(0));
    if (!known && number != -1) {
      wanted[axis] = size;
      asked = true;
    }
  }
  rows.x = asked ? expand(x, wanted) : x;
  return rows;
}

Quantity scaled(std::string_view op, const Rows& rows, Quantity h, TensorView* weight, TensorView* bias,
                DataType type) {
  h = weight == nullptr ? h : h * rows.weight(op, "weight", weight, type);
  return bias == nullptr ? h : h + rows.weight(op, "bias", bias, type);
}

}  // namespace

NormResult layer_norm(TensorView* x, const std::vector<Val*>& normalized_shape, TensorView* weight, TensorView* bias,
                      Val* eps, DataType dtype) {
  constexpr std::string_view kOp = "layer_norm";
  const DataType result = result_type(kOp, x, dtype), type = computing_type(kOp, {x, weight, bias}, result);
  const Rows rows = rows_of(kOp, x, normalized_shape);
  const Quantity wide = widened(rows.x, type);
  const VarMean moments = var_mean(static_cast<TensorView*>(wide.val), rows.axes, 0, true);
  const Quantity mean{moments.mean}, rstd = reciprocal_root(kOp, {moments.var}, eps);
  return {stored(scaled(kOp, rows, (wide - mean) * rstd, weight, bias, type), result), stored(mean, type),
          stored(rstd, type)};
}

NormGradients layer_norm_backward(TensorView* grad, TensorView* x, TensorView* mean, TensorView* rstd,
                                  const std::vector<Val*>& normalized_shape, TensorView* weight, DataType dtype) {
  constexpr std::string_view kOp = "layer_norm_backward";
  const DataType result = result_type(kOp, x, dtype);
  const DataType type = computing_type(kOp, {grad, x, mean, rstd, weight}, result), vector = weight_type(x, weight);
  const Rows rows = rows_of(kOp, x, normalized_shape);
  const Quantity dy = widened(grad, type), scale = rows.statistic(kOp, "rstd", rstd, type);
  const Quantity h = (widened(rows.x, type) - rows.statistic(kOp, "mean", mean, type)) * scale;
  const Quantity g = scaled(kOp, rows, dy, weight, nullptr, type);
  return {stored(normalized_gradient(g, h, scale, rows.axes), result), gradient_over(dy * h, rows.leading, vector),
          gradient_over(dy, rows.leading, vector)};
}

NormResult rms_norm(TensorView* x, const std::vector<Val*>& normalized_shape, TensorView* weight, Val* eps,
                    DataType dtype) {
  constexpr std::string_view kOp = "rms_norm";
  const DataType result = result_type(kOp, x, dtype), type = computing_type(kOp, {x, weight}, result);
  const Rows rows = rows_of(kOp, x, normalized_shape);
  const Quantity wide = widened(rows.x, type);
  const double step =
      type == DataType::Double ? std::numeric_limits<double>::epsilon() : double{std::numeric_limits<float>::epsilon()};
  const Quantity rstd = reciprocal_root(kOp, mean_over(wide * wide, rows.axes), eps, step);
  return {stored(scaled(kOp, rows, wide * rstd, weight, nullptr, type), result), nullptr, stored(rstd, type)};
}

NormGradients rms_norm_backward(TensorView* grad, TensorView* x, TensorView* rstd,
                                const std::vector<Val*>& normalized_shape, TensorView* weight, DataType dtype) {
  constexpr std::string_view kOp = "rms_norm_backward";
  const DataType result = result_type(kOp, x, dtype);
  const DataType type = computing_type(kOp, {grad, x, rstd, weight}, result);
  const Rows rows = rows_of(kOp, x, normalized_shape);
  const Quantity dy = widened(grad, type), scale = rows.statistic(kOp, "rstd", rstd, type);
  const Quantity h = widened(rows.x, type) * scale, g = scaled(kOp, rows, dy, weight, nullptr, type);
  const Quantity dx = (g - h * mean_over(g * h, rows.axes)) * scale;
  return {stored(dx, result), gradient_over(dy * h, rows.leading, weight_type(x, weight)), nullptr};
}

}  // namespace nvfuser
