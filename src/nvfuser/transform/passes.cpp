// SPDX-License-Identifier: Apache-2.0
// Passes over a row.
#include "nvfuser/transform/passes.h"

#include <algorithm>
#include <map>

#include "nvfuser/transform/schedule.h"

namespace nvfuser {

std::vector<Id*> reduced_roots(const Kernel& kernel) {
  std::vector<Id*> found;
  for (const Tensor* t : kernel.tensors) {
    if (t->op != TensorOp::reduce) {
      continue;
    }
    std::vector<Id*> axes = t->reduction->axes;
    std::sort(axes.begin(), axes.end());
    check(found.empty() || found == axes, ErrorKind::schedule, "reductions over different axes in one kernel");
    found = std::move(axes);
  }
  std::vector<Id*> ordered;
  std::copy_if(kernel.references.front().roots.begin(), kernel.references.front().roots.end(),
               std::back_inserter(ordered),
               [&](Id* root) { return std::find(found.begin(), found.end(), root) != found.end(); });
  return ordered;
}

bool varies_along(const Tensor& t, const std::vector<Id*>& axes) {
  const std::vector<Id*> mine = needs(t);
  return std::any_of(mine.begin(), mine.end(),
                     [&](const Id* id) { return std::find(axes.begin(), axes.end(), id) != axes.end(); });
}

std::unordered_map<const Tensor*, int> levels_of(const Kernel& kernel) {
  std::unordered_map<const Tensor*, int> levels;
  for (const Tensor* t : kernel.tensors) {
    int level = 0;
    for (const Operand& operand : t->operands) {
      level = operand.tensor != nullptr ? std::max(level, levels.at(operand.tensor)) : level;
    }
    levels[t] = level + (t->op == TensorOp::reduce ? 1 : 0);
  }
  return levels;
}

namespace {

/// The pass in which a consumer reads its operands along the row.
class PassOf {
 public:
  explicit PassOf(const Kernel& kernel) : levels_(levels_of(kernel)) {}

  /// Consumers of t by the pass in which they read it.
  std::map<int, std::vector<Tensor*>> readers(const Kernel& kernel, const Tensor& t) const {
    std::map<int, std::vector<Tensor*>> found;
    for (Tensor* c : kernel.consumers(&t)) {
      found[pass(*c)].push_back(c);
    }
    return found;
  }
  void set(const Tensor& t, int pass) { passes_[&t] = pass; }
  void add(const Tensor& twin, const Tensor& t) { levels_[&twin] = levels_.at(&t); }

 private:
  int pass(const Tensor& t) const {
    if (t.op == TensorOp::reduce) {
      return levels_.at(&t) - 1;
    }
    const auto known = passes_.find(&t);
    return known != passes_.end() ? known->second : levels_.at(&t);
  }

  std::unordered_map<const Tensor*, int> levels_, passes_;
};

}  // namespace

void split_passes(Kernel& kernel, const std::vector<Id*>& row, const std::unordered_set<const Tensor*>& resident) {
  PassOf passes(kernel);
  const std::vector<Tensor*> all = kernel.tensors;
  for (size_t k = all.size(); k-- > 0;) {
    Tensor& t = *all[k];
    if (t.op == TensorOp::store || t.op == TensorOp::reduce || !varies_along(t, row)) {
      continue;
    }
    const std::map<int, std::vector<Tensor*>> readers = passes.readers(kernel, t);
    if (readers.empty()) {
      continue;
    }
    passes.set(t, readers.begin()->first);
    for (auto other = std::next(readers.begin()); other != readers.end() && !resident.contains(&t); ++other) {
      Tensor& twin = privatise(kernel, t, other->second);
      passes.add(twin, t);
      passes.set(twin, other->first);
    }
  }
}

}  // namespace nvfuser
