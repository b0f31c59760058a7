// SPDX-License-Identifier: Apache-2.0
// Rules for values whose error is hidden: all that is made of them is rounded to a narrow float.  They cost fewer
// instructions and lose about as many bits as a few operations of Float do, far below what the rounding drops.
#include <algorithm>

#include "nvfuser/fuse/rewriter.h"
#include "nvfuser/ir/reduction.h"

namespace nvfuser {
namespace {

constexpr double kLog2E = 1.4426950408889634;

bool is_pointwise(const Expr* expr, PointwiseOp op) {
  return expr != nullptr && expr->kind() == ExprKind::pointwise && expr->attribute<PointwiseOp>(0) == op;
}

bool makes(const Draft& draft, PointwiseOp op) {
  return draft.kind == ExprKind::pointwise && std::get<PointwiseOp>(draft.attributes[0]) == op &&
         draft.result->dtype() == DataType::Float;
}

/// The value behind casts.
const Val* uncast(const Val* val) {
  while (val->is_tensor() && val->definition() != nullptr && val->definition()->kind() == ExprKind::cast) {
    val = val->definition()->input(0);
  }
  return val;
}

/// The reduction of that row behind a broadcast and casts; null where there is another definition.
const Expr* reduction_behind(const Val* val, ReductionOp row) {
  val = uncast(val);
  const Expr* expr = val->definition();
  if (expr == nullptr || expr->kind() != ExprKind::broadcast) {
    return nullptr;
  }
  const Expr* reduce = uncast(expr->input(0))->definition();
  const bool matches =
      reduce != nullptr && reduce->kind() == ExprKind::reduce && reduce->attribute<ReductionOp>(0) == row;
  return matches ? reduce : nullptr;
}

/// The distance of which `val` is the exponential, in the form below or as the user wrote it; null for others.
const Expr* exponent_of(const Val* val) {
  const Expr* expr = val->definition();
  if (is_pointwise(expr, PointwiseOp::exp)) {
    return expr->input(0)->definition();
  }
  const Expr* product = is_pointwise(expr, PointwiseOp::exp2) ? expr->input(0)->definition() : nullptr;
  return is_pointwise(product, PointwiseOp::mul) ? product->input(0)->definition() : nullptr;
}

/// exp(x) = 2^(x log2 e): the product is rounded, which is |x| ulp of the result and not hidden from Float.
bool hidden_exponential(Rewriter& rewriter, Draft& draft) {
  if (!makes(draft, PointwiseOp::exp) || !rewriter.hides_error() || draft.operands[0]->dtype() != DataType::Float) {
    return false;
  }
  Val* const power = rewriter.make(PointwiseOp::mul, {draft.operands[0], rewriter.constant(kLog2E, DataType::Float)},
                                   draft.operands[0]);
  draft.operands = {power};
  draft.attributes = {PointwiseOp::exp2};
  return true;
}

/// exp(x - max x) / s = exp(x - max x) * (1 / s), s the sum of the exponentials over the axes of the maximum: one
/// reciprocal a row.  One of the terms is 1, so s is neither too small nor, for its count, too large to have one.
bool softmax_quotient(Rewriter& rewriter, Draft& draft) {
  if ((!makes(draft, PointwiseOp::truediv) && !makes(draft, PointwiseOp::div)) || !rewriter.hides_error()) {
    return false;
  }
  Val *const terms = draft.operands[0], *const divisor = draft.operands[1];
  const Expr* const sum =
      terms->is_tensor() && divisor->is_tensor() ? reduction_behind(divisor, ReductionOp::sum) : nullptr;
  const Expr* const distance = sum != nullptr && sum->input(0) == terms ? exponent_of(terms) : nullptr;
  const Expr* const most =
      is_pointwise(distance, PointwiseOp::sub) ? reduction_behind(distance->input(1), ReductionOp::max) : nullptr;
  const bool matches = most != nullptr && uncast(most->input(0)) == uncast(distance->input(0)) &&
                       most->attribute<std::vector<bool>>(1) == sum->attribute<std::vector<bool>>(1);
  if (!matches || divisor->dtype() != DataType::Float) {
    return false;
  }
  Val* const share = rewriter.make(PointwiseOp::reciprocal, {divisor}, divisor);
  draft.operands = {terms, share};
  draft.attributes = {PointwiseOp::mul};
  return true;
}

constexpr RewriteRule kRules[] = {
    {"hidden exponential", hidden_exponential},
    {"softmax quotient", softmax_quotient},
};

/// May an error of the operand be as large, relative to the result, as it is to the operand?
bool passes_error_on(const Expr& use, const Val* val) {
  switch (use.kind()) {
    case ExprKind::broadcast:
      return true;
    case ExprKind::pointwise:
      return is_pointwise(&use, PointwiseOp::mul) || is_pointwise(&use, PointwiseOp::truediv) ||
             is_pointwise(&use, PointwiseOp::div) || is_pointwise(&use, PointwiseOp::reciprocal);
    case ExprKind::reduce:
      // Terms of one sign do not cancel.
      return use.attribute<ReductionOp>(0) == ReductionOp::sum &&
             (is_pointwise(val->definition(), PointwiseOp::exp) || is_pointwise(val->definition(), PointwiseOp::exp2));
    default:
      return false;
  }
}

}  // namespace

std::span<const RewriteRule> softmax_rules() { return kRules; }

std::unordered_set<const Val*> hidden_values(const Fusion& fusion) {
  std::unordered_set<const Val*> shown(fusion.outputs().begin(), fusion.outputs().end()), hidden;
  const std::vector<Expr*> exprs = fusion.live_exprs();
  const std::unordered_set<const Expr*> live(exprs.begin(), exprs.end());
  for (size_t k = exprs.size(); k-- > 0;) {
    for (const Val* result : exprs[k]->outputs()) {
      const auto hides = [&](const Expr* use) {
        const Val* made = use->output(0);
        const bool rounds = use->kind() == ExprKind::cast && is_narrow_float(made->dtype());
        return !live.contains(use) || rounds || (passes_error_on(*use, result) && hidden.contains(made));
      };
      if (result->is_tensor() && result->dtype() == DataType::Float && !shown.contains(result) &&
          std::all_of(result->uses().begin(), result->uses().end(), hides)) {
        hidden.insert(result);
      }
    }
  }
  return hidden;
}

}  // namespace nvfuser
