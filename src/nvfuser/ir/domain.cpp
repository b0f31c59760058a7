// SPDX-License-Identifier: Apache-2.0
// The axis lists of a tensor: root, logical, allocation and loop, and the rules between them.
#include <algorithm>
#include <unordered_map>

#include "nvfuser/ir/fusion.h"

namespace nvfuser {

std::vector<IterDomain*> TensorDomain::no_reductions() const {
  std::vector<IterDomain*> axes;
  std::copy_if(logical_.begin(), logical_.end(), std::back_inserter(axes),
               [](const IterDomain* a) { return !a->is_reduction(); });
  return axes;
}

void TensorDomain::set_allocation(std::vector<IterDomain*> allocation, std::vector<std::optional<bool>> contiguity) {
  check(std::is_permutation(allocation.begin(), allocation.end(), logical_.begin(), logical_.end()), ErrorKind::shape,
        "an allocation domain must be a permutation of the ", logical_.size(), " logical axes ", *this, "; got ",
        allocation.size(), " axes that are not one");
  check(contiguity.size() == allocation.size(), ErrorKind::shape, "contiguity needs one flag for each of the ",
        allocation.size(), " allocation axes; got ", contiguity.size());
  for (size_t k = 0; k < allocation.size(); ++k) {
    check(!(allocation[k]->is_broadcast() && contiguity[k].has_value()), ErrorKind::shape, "broadcast axis ",
          *allocation[k], " at allocation position ", k, " takes no contiguity flag (None was expected)");
    check(allocation[k]->is_broadcast() || allocation[k]->is_reduction() || contiguity[k].has_value(), ErrorKind::shape,
          "axis ", *allocation[k], " at allocation position ", k, " needs a contiguity flag; got None");
  }
  allocation_ = std::move(allocation);
  contiguity_ = std::move(contiguity);
}

namespace {

/// How often each axis is a loop or goes into a transform, found from the loops backward.
class LoopUses {
 public:
  explicit LoopUses(const std::vector<IterDomain*>& loop) {
    for (const IterDomain* axis : loop) {
      use(axis);
    }
  }

  int of(const IterDomain* axis) const {
    const auto found = counts_.find(axis);
    return found == counts_.end() ? 0 : found->second;
  }
  /// Axes that no transform makes.
  const std::vector<const IterDomain*>& sources() const { return sources_; }
  const std::vector<const Expr*>& transforms() const { return transforms_; }

 private:
  void use(const IterDomain* axis) {
    if (counts_[axis]++ > 0) {
      return;
    }
    const Expr* made_by = axis->definition();
    if (made_by == nullptr) {
      sources_.push_back(axis);
    } else if (std::find(transforms_.begin(), transforms_.end(), made_by) == transforms_.end()) {
      transforms_.push_back(made_by);
      for (const Val* from : made_by->inputs()) {
        use(static_cast<const IterDomain*>(from));
      }
    }
  }

  std::unordered_map<const IterDomain*, int> counts_;
  std::vector<const IterDomain*> sources_;
  std::vector<const Expr*> transforms_;
};

bool contains(const std::vector<IterDomain*>& axes, const IterDomain* axis) {
  return std::find(axes.begin(), axes.end(), axis) != axes.end();
}

}  // namespace

std::string TensorDomain::loop_fault(const std::vector<IterDomain*>& loop) const {
  for (const IterDomain* axis : loop) {
    if (axis == nullptr || axis->fusion() != fusion()) {
      return "a loop axis is missing or belongs to another fusion";
    }
  }
  const LoopUses uses(loop);
  for (const IterDomain* source : uses.sources()) {
    if (!contains(root_, source) && !contains(logical_, source)) {
      return "a loop is made from " + to_string(*source) + ", which is none of the axes";
    }
  }
  std::vector<const IterDomain*> once(root_.begin(), root_.end());
  once.insert(once.end(), logical_.begin(), logical_.end());
  for (const Expr* transform : uses.transforms()) {
    for (const Val* made : transform->outputs()) {
      once.push_back(static_cast<const IterDomain*>(made));
    }
  }
  for (const IterDomain* axis : once) {
    if (uses.of(axis) != 1 && !(axis->is_broadcast() && uses.of(axis) == 0)) {
      return "axis " + to_string(*axis) + " has to be one loop or go into one transform, but it does so " +
             std::to_string(uses.of(axis)) + " times";
    }
  }
  return "";
}

void TensorDomain::set_loop(std::vector<IterDomain*> loop) {
  const std::string fault = loop_fault(loop);
  check(fault.empty(), ErrorKind::schedule, "loops of ", *this, ": ", fault);
  loop_ = std::move(loop);
}

}  // namespace nvfuser
