// SPDX-License-Identifier: Apache-2.0
// Cross-entropy from sums over the classes: see losses.h.
#include "nvfuser/ops/losses.h"

#include <limits>

#include "nvfuser/ops/factory.h"
#include "nvfuser/ops/formula.h"
#include "nvfuser/ops/reduce.h"
#include "nvfuser/ops/result.h"
#include "nvfuser/ops/shape.h"
#include "nvfuser/ops/take.h"

namespace nvfuser {
namespace {

Quantity whole(Quantity beside, int64_t value) { return {make_constant(*beside.val->fusion(), value)}; }

/// Rows of logits and their classes; terms have the logits' rank, rows with 1 for the classes.
class Rows {
 public:
  Rows(std::string_view op, TensorView* x, TensorView* target, const CrossEntropyOptions& options)
      : options_(options), rank_(x->rank()), axis_(x->rank() == 1 ? 0 : 1) {
    fusion_of(op, target);
    check(is_integral(target->dtype()), ErrorKind::dtype, op, ": the target has to be classes of an integer type, but ",
          "is ", describe(target));
    check(rank_ > 0 && target->rank() == rank_ - 1, ErrorKind::shape, op, ": the target is ", describe(target),
          ", but has to have the axes of ", describe(x), " without that of the classes, axis ", axis_);
    check(options.label_smoothing >= 0.0 && options.label_smoothing <= 1.0, ErrorKind::definition, op,
          ": label_smoothing is ", options.label_smoothing, "; it has to lie between 0 and 1");
    others_ = other_axes({axis_}, rank_);
    count_ = {extents_of(x)[axis_]};
    target_ = placed({target}, others_, rank_);
  }

  std::vector<int64_t> axis() const { return {axis_}; }
  Quantity placed_row(TensorView* value, DataType type) const { return placed(widened(value, type), others_, rank_); }
  TensorView* only_rows(Quantity value) const { return squeeze(static_cast<TensorView*>(value.val), {axis_}); }
  /// The element of the row's class; any one where the row has none.
  Quantity chosen(Quantity x) const {
    const Quantity inside = apply(PointwiseOp::clamp, {target_, whole(target_, 0), count_ - whole(target_, 1)});
    return {take_along_axis(static_cast<TensorView*>(x.val), static_cast<TensorView*>(inside.val), axis_)};
  }
  /// Is this the element of the row's class?
  Quantity is_class() const {
    const Quantity classes = placed({iota(count_.val)}, {axis_}, rank_);
    return apply(PointwiseOp::eq, {classes, target_});
  }
  Quantity counts() const { return apply(PointwiseOp::ne, {target_, whole(target_, options_.ignore_index)}); }
  /// The value of a row: 0 where it is ignored, NaN where its class is out of range.
  Quantity guarded(Quantity value) const {
    const Quantity inside = apply(PointwiseOp::logical_and, {apply(PointwiseOp::ge, {target_, whole(target_, 0)}),
                                                             apply(PointwiseOp::lt, {target_, count_})});
    const Quantity nan = number(value, std::numeric_limits<double>::quiet_NaN());
    return apply(PointwiseOp::where, {counts(), apply(PointwiseOp::where, {inside, value, nan}), number(value, 0.0)});
  }
  /// Number of rows that count, a tensor without axes.
  Quantity total() const { return {sum(static_cast<TensorView*>(counts().val), std::nullopt)}; }
  double smoothing() const { return options_.label_smoothing; }
  Quantity classes() const { return count_; }

 private:
  CrossEntropyOptions options_;
  int64_t rank_, axis_;
  std::vector<int64_t> others_;
  Quantity count_{}, target_{};
};

}  // namespace

CrossEntropyResult cross_entropy(TensorView* x, TensorView* target, const CrossEntropyOptions& options,
                                 DataType dtype) {
  constexpr std::string_view kOp = "cross_entropy";
  const DataType result = result_type(kOp, x, dtype), type = computing_type(kOp, {x}, result);
  const Rows rows(kOp, x, target, options);
  const Quantity wide = widened(x, type), most{max(static_cast<TensorView*>(wide.val), rows.axis(), true)};
  const Quantity log_sum = apply(PointwiseOp::log, {sum_over(apply(PointwiseOp::exp, {wide - most}), rows.axis())});
  Quantity loss = log_sum - (rows.chosen(wide) - most);
  if (rows.smoothing() != 0.0) {
    const Quantity spread = log_sum - (mean_over(wide, rows.axis()) - most);
    loss = loss * (1.0 - rows.smoothing()) + spread * rows.smoothing();
  }
  Quantity value{rows.only_rows(rows.guarded(loss))};
  if (options.reduction != LossReduction::none) {
    value = {sum(static_cast<TensorView*>(value.val), std::nullopt)};
    value = options.reduction == LossReduction::mean ? value / rows.total() : value;
  }
  return {stored(value, result), rows.only_rows(log_sum + most)};
}

TensorView* cross_entropy_backward(TensorView* grad, TensorView* x, TensorView* target, TensorView* log_sum,
                                   const CrossEntropyOptions& options, DataType dtype) {
  constexpr std::string_view kOp = "cross_entropy_backward";
  const DataType result = result_type(kOp, x, dtype), type = computing_type(kOp, {grad, x, log_sum}, result);
  const Rows rows(kOp, x, target, options);
  const bool each = options.reduction == LossReduction::none;
  check(grad->rank() == (each ? x->rank() - 1 : 0), ErrorKind::shape, kOp, ": grad is ", describe(grad),
        ", but the loss has ", each ? "an element a row" : "no axes");
  check(log_sum->rank() == x->rank() - 1, ErrorKind::shape, kOp, ": log_sum is ", describe(log_sum),
        ", but has to have a value for each row of ", describe(x));
  Quantity g = each ? rows.placed_row(grad, type) : placed(widened(grad, type), {}, x->rank());
  if (options.reduction == LossReduction::mean) {
    g = g / placed(rows.total(), {}, x->rank());
  }
  const Quantity wide = widened(x, type);
  const Quantity hit =
      apply(PointwiseOp::where, {rows.is_class(), number(wide, 1.0 - rows.smoothing()), number(wide, 0.0)});
  Quantity slope = apply(PointwiseOp::exp, {wide - rows.placed_row(log_sum, type)}) - hit;
  if (rows.smoothing() != 0.0) {
    slope = slope - number(slope, rows.smoothing()) / rows.classes();
  }
  return stored(rows.guarded(slope * g), result);
}

}  // namespace nvfuser
