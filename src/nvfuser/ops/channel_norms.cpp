// SPDX-License-Identifier: Apache-2.0
// Normalisations of channels (axis 1), one by one or in groups: see norms.h.
#include "nvfuser/ops/extent.h"
#include "nvfuser/ops/norm_parts.h"
#include "nvfuser/ops/norms.h"
#include "nvfuser/ops/result.h"
#include "nvfuser/ops/shape.h"

namespace nvfuser {
namespace {

constexpr std::string_view kBatchNorm = "batch_norm";
constexpr double kMomentum = 0.1;

void check_channels(std::string_view op, const TensorView* x) {
  check(x->rank() >= 2, ErrorKind::shape, op, " takes tensors with channels on axis 1, but got ", describe(x));
}

/// One value a channel beside x.
Quantity per_channel(std::string_view op, std::string_view name, const TensorView* x, TensorView* vector,
                     DataType type) {
  fusion_of(op, vector);
  const bool flat = vector->rank() == 1;
  const auto size = flat ? known_integer(extents_of(vector)[0]) : std::nullopt;
  const auto channels = known_integer(extents_of(x)[1]);
  check(flat && (!size || !channels || *size == *channels), ErrorKind::shape, op, ": ", name, " is ", describe(vector),
        ", but has to have one value for each channel (axis 1) of ", describe(x));
  return placed(widened(vector, type), {1}, x->rank());
}

Quantity scaled(std::string_view op, const TensorView* x, Quantity h, TensorView* weight, TensorView* bias,
                DataType type) {
  h = weight == nullptr ? h : h * per_channel(op, "weight", x, weight, type);
  return bias == nullptr ? h : h + per_channel(op, "bias", x, bias, type);
}

/// Only the given axes of a tensor whose others have one element.
TensorView* only(Quantity value, const std::vector<int64_t>& axes) {
  auto* tensor = static_cast<TensorView*>(value.val);
  return squeeze(tensor, other_axes(axes, tensor->rank()));
}

/// running = (1 - momentum) * running + momentum * now, into the input's memory.
void update(TensorView* running, Quantity now, Val* momentum, DataType type) {
  const Quantity share = scalar_or(kBatchNorm, "momentum", momentum, now, kMomentum);
  const Quantity next = (1.0 - share) * widened(running, type) + share * now;
  running->fusion()->add_output(stored(next, running->dtype()), running);
}

/// Statistics that calls keep: none or both, of one value a channel, inputs where they are written.
void check_running(const RunningStatistics& running, const TensorView* x, bool training, DataType type) {
  check((running.mean == nullptr) == (running.var == nullptr), ErrorKind::definition, kBatchNorm,
        ": running_mean and running_var are given together or not at all");
  check(training || running.mean != nullptr, ErrorKind::definition, kBatchNorm,
        ": running_mean and running_var are needed unless training");
  for (TensorView* const kept : {running.mean, running.var}) {
    if (kept != nullptr) {
      per_channel(kBatchNorm, kept == running.mean ? "running_mean" : "running_var", x, kept, type);
      check(!training || kept->is_fusion_input(), ErrorKind::definition, kBatchNorm,
            ": running statistics are updated in place and have to be inputs of the fusion, but one is ",
            describe(kept), AtLine{*kept});
    }
  }
}

/// Statistics of x, which update the running ones.
Moments trained(TensorView* x, Quantity wide, RunningStatistics running, Val* momentum, Val* eps, DataType type) {
  const std::vector<int64_t> axes = other_axes({1}, x->rank());
  const VarMean moments = var_mean(static_cast<TensorView*>(wide.val), axes, 0, true);
  if (running.mean != nullptr) {
    const Quantity count{count_along(x, axes)};
    const Quantity variance = Quantity{only({moments.var}, {1})} * (count / (count + number(count, -1.0)));
    update(running.mean, {only({moments.mean}, {1})}, momentum, type);
    update(running.var, variance, momentum, type);
  }
  return {{moments.mean}, reciprocal_root(kBatchNorm, {moments.var}, eps)};
}

/// x as [N, groups, C / groups, ...].
class Groups {
 public:
  Groups(std::string_view op, TensorView* x, int64_t count) : shape_(extents_of(x)) {
    check_channels(op, x);
    const auto channels = known_integer(shape_[1]);
    check(count > 0 && (!channels || *channels % count == 0), ErrorKind::shape, op, ": the channels of ", describe(x),
          " cannot be divided into ", count, " groups");
    Val* const groups = x->fusion()->index_constant(count);
    grouped_ = shape_;
    grouped_[1] = extent_quotient(shape_[1], groups);
    grouped_.insert(grouped_.begin() + 1, groups);
    axes_ = other_axes({0, 1}, rank());
  }

  int64_t rank() const { return static_cast<int64_t>(grouped_.size()); }
  /// The axes that a group's statistics are of.
  const std::vector<int64_t>& axes() const { return axes_; }
  Quantity split(Quantity value) const { return {reshape(static_cast<TensorView*>(value.val), grouped_)}; }
  Quantity joined(Quantity value) const { return {reshape(static_cast<TensorView*>(value.val), shape_)}; }
  Quantity statistic(std::string_view op, std::string_view name, TensorView* value, DataType type) const {
    fusion_of(op, value);
    check(value->rank() == 2, ErrorKind::shape, op, ": ", name, " is ", describe(value),
          ", but has to have one value for each sample and group");
    return placed(widened(value, type), {0, 1}, rank());
  }

 private:
  std::vector<Val*> shape_, grouped_;
  std::vector<int64_t> axes_;
};

}  // namespace

NormResult batch_norm(TensorView* x, RunningStatistics running, TensorView* weight, TensorView* bias, bool training,
                      Val* momentum, Val* eps, DataType dtype) {
  constexpr std::string_view kOp = kBatchNorm;
  const DataType result = result_type(kOp, x, dtype);
  const DataType type = computing_type(kOp, {x, running.mean, running.var, weight, bias}, result);
  check_channels(kOp, x);
  check_running(running, x, training, type);
  const Quantity wide = widened(x, type);
  const Moments moments =
      training ? trained(x, wide, running, momentum, eps, type)
               : Moments{per_channel(kOp, "running_mean", x, running.mean, type),
                         reciprocal_root(kOp, per_channel(kOp, "running_var", x, running.var, type), eps)};
  const Quantity y = scaled(kOp, x, (wide - moments.mean) * moments.rstd, weight, bias, type);
  return {stored(y, result), only(moments.mean, {1}), only(moments.rstd, {1})};
}

NormGradients batch_norm_backward(TensorView* grad, TensorView* x, TensorView* mean, TensorView* rstd,
                                  TensorView* weight, bool training, DataType dtype) {
  constexpr std::string_view kOp = "batch_norm_backward";
  const DataType result = result_type(kOp, x, dtype);
  const DataType type = computing_type(kOp, {grad, x, mean, rstd, weight}, result), vector = weight_type(x, weight);
  check_channels(kOp, x);
  const std::vector<int64_t> axes = other_axes({1}, x->rank());
  const Quantity dy = widened(grad, type), scale = per_channel(kOp, "rstd", x, rstd, type);
  const Quantity h = (widened(x, type) - per_channel(kOp, "mean", x, mean, type)) * scale;
  const Quantity g = scaled(kOp, x, dy, weight, nullptr, type);
  const Quantity dx = training ? normalized_gradient(g, h, scale, axes) : g * scale;
  return {stored(dx, result), gradient_over(dy * h, axes, vector), gradient_over(dy, axes, vector)};
}

NormResult group_norm(TensorView* x, int64_t num_groups, TensorView* weight, TensorView* bias, Val* eps,
                      DataType dtype) {
  constexpr std::string_view kOp = "group_norm";
  const DataType result = result_type(kOp, x, dtype), type = computing_type(kOp, {x, weight, bias}, result);
  const Groups groups(kOp, x, num_groups);
  const Quantity wide = groups.split(widened(x, type));
  const VarMean moments = var_mean(static_cast<TensorView*>(wide.val), groups.axes(), 0, true);
  const Quantity mean{moments.mean}, rstd = reciprocal_root(kOp, {moments.var}, eps);
  const Quantity y = scaled(kOp, x, groups.joined((wide - mean) * rstd), weight, bias, type);
  return {stored(y, result), only(mean, {0, 1}), only(rstd, {0, 1})};
}

NormGradients group_norm_backward(TensorView* grad, TensorView* x, TensorView* mean, TensorView* rstd,
                                  int64_t num_groups, TensorView* weight, DataType dtype) {
  constexpr std::string_view kOp = "group_norm_backward";
  const DataType result = result_type(kOp, x, dtype);
  const DataType type = computing_type(kOp, {grad, x, mean, rstd, weight}, result), vector = weight_type(x, weight);
  const Groups groups(kOp, x, num_groups);
  const std::vector<int64_t> axes = other_axes({1}, x->rank());
  const Quantity dy = widened(grad, type), scale = groups.statistic(kOp, "rstd", rstd, type);
  const Quantity h = (groups.split(widened(x, type)) - groups.statistic(kOp, "mean", mean, type)) * scale;
  const Quantity g = groups.split(scaled(kOp, x, dy, weight, nullptr, type));
  const Quantity dx = groups.joined(normalized_gradient(g, h, scale, groups.axes()));
  return {stored(dx, result), gradient_over(dy * groups.joined(h), axes, vector), gradient_over(dy, axes, vector)};
}

}  // namespace nvfuser
