// SPDX-License-Identifier: Apache-2.0
// The pass: use counts, rules on drafts, and what stands for each value in the fresh fusion.
#include "nvfuser/fuse/rewriter.h"

#include <algorithm>

namespace nvfuser {

namespace {

/// More rules than this on one expression mean that two of them undo each other.
constexpr int kMostRules = 64;

}  // namespace

Rewriter::Rewriter(const Fusion& from) : from_(from), to_(Fusion::make()), copies_(*to_), hidden_(hidden_values(from)) {
  copies_.share_constants();
  for (const Expr* expr : from.live_exprs()) {
    for (const Val* operand : expr->inputs()) {
      ++old_uses_[operand];
    }
  }
  for (const Val* output : from.outputs()) {
    ++old_uses_[output];
    outputs_.insert(output);
  }
}

bool Rewriter::run() {
  for (const Val* input : from_.inputs()) {
    uses_[copies_(input)] = old_uses_[input];
  }
  const std::vector<Expr*> live = from_.live_exprs();
  changed_ = live.size() != from_.exprs().size();
  for (const Expr* expr : live) {
    if (expr->output(0)->is_tensor()) {
      rebuild(*expr);
    }
  }
  to_->locator = nullptr;
  copies_.copy_boundary(from_);
  return changed_;
}

/// Several results belong together: no rule looks at them.  They are made as they are, or equal ones stand for them.
void Rewriter::keep(const Expr& old) {
  const Draft draft{old.kind(), copies_.mapped<Val>(old.inputs()), old.attributes(),
                    copies_(static_cast<const TensorView*>(old.output(0)))};
  const bool stored = std::any_of(old.outputs().begin(), old.outputs().end(),
                                  [&](const Val* result) { return outputs_.contains(result); });
  const TensorView* const equal = stored ? nullptr : made_.find(draft);
  if (equal == nullptr) {
    copies_.copy(old);
    made_.add(draft);
  } else {
    changed_ = true;
    for (size_t k = 0; k < old.outputs().size(); ++k) {
      copies_.replace(old.outputs()[k], equal->definition()->output(static_cast<int>(k)));
    }
    release(draft.operands);
  }
  for (const Val* result : old.outputs()) {
    uses_[copies_(result)] += old_uses_[result];
  }
}

void Rewriter::rebuild(const Expr& old) {
  if (old.outputs().size() > 1) {
    return keep(old);
  }
  Draft draft{old.kind(), copies_.mapped<Val>(old.inputs()), old.attributes(),
              copies_(static_cast<const TensorView*>(old.output(0)))};
  current_ = old.output(0);
  to_->locator = [&old] { return old.location(); };
  for (int k = 0; apply_rules(draft); ++k) {
    ensure(k < kMostRules, "the rewrites of one expression come to an end: ", old);
    changed_ = true;
  }
  Val* const standing = settle(draft, outputs_.contains(old.output(0)));
  if (standing != draft.result) {
    changed_ = true;
    copies_.replace(old.output(0), standing);
  }
  uses_[standing] += old_uses_[old.output(0)];
}

bool Rewriter::apply_rules(Draft& draft) {
  for (const auto rules : {cast_rules(), algebra_rules(), softmax_rules()}) {
    for (const RewriteRule& rule : rules) {
      const std::vector<Val*> before = draft.operands;
      if (rule.apply(*this, draft)) {
        retain(draft.operands);
        release(before);
        return true;
      }
    }
  }
  return false;
}

/// Outputs are made even where an equal value exists: they have memory of their own.
Val* Rewriter::settle(const Draft& draft, bool is_output) {
  Val* const standing = is_output ? nullptr : is_plain_copy(draft) ? draft.operands[0] : made_.find(draft);
  if (standing == nullptr) {
    define(draft);
    return draft.result;
  }
  release(draft.operands);
  return standing;
}

void Rewriter::define(const Draft& draft) {
  to_->expr(draft.kind, draft.operands, {draft.result}, draft.attributes);
  made_.add(draft);
}

Val* Rewriter::make(PointwiseOp op, std::vector<Val*> operands, const Val* like) {
  const Draft draft{ExprKind::pointwise, std::move(operands), {op}, tensor_like(static_cast<const TensorView&>(*like))};
  if (TensorView* const equal = made_.find(draft)) {
    return equal;
  }
  retain(draft.operands);
  define(draft);
  return draft.result;
}

TensorView* Rewriter::tensor_like(const TensorView& like) {
  std::unordered_map<const IterDomain*, IterDomain*> axes;
  std::vector<IterDomain*> logical, allocation;
  for (const IterDomain* axis : like.domain()->no_reductions()) {
    logical.push_back(axes[axis] = to_->axis(axis->extent(), axis->iter_type(), axis->expanded_extent()));
  }
  std::vector<std::optional<bool>> contiguity;
  for (size_t k = 0; k < like.domain()->allocation().size(); ++k) {
    if (const auto found = axes.find(like.domain()->allocation()[k]); found != axes.end()) {
      allocation.push_back(found->second);
      contiguity.push_back(like.domain()->contiguity()[k]);
    }
  }
  TensorDomain* const domain = to_->domain(std::move(logical));
  domain->set_allocation(std::move(allocation), std::move(contiguity));
  return to_->tensor(domain, like.dtype());
}

bool Rewriter::used_once(const Val* val) const {
  const auto found = uses_.find(val);
  return found != uses_.end() && found->second == 1;
}

void Rewriter::retain(const std::vector<Val*>& operands) {
  for (const Val* operand : operands) {
    ++uses_[operand];
  }
}

/// What nothing reads any more does not read its operands either.
void Rewriter::release(const std::vector<Val*>& operands) {
  std::vector<const Val*> work(operands.begin(), operands.end());
  while (!work.empty()) {
    const Val* const operand = work.back();
    work.pop_back();
    if (--uses_[operand] == 0 && operand->is_tensor() && operand->definition() != nullptr) {
      const std::vector<Val*>& next = operand->definition()->inputs();
      work.insert(work.end(), next.begin(), next.end());
    }
  }
}

}  // namespace nvfuser
