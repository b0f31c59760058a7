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

namespace {

/// In the order of the reference's roots.
std::vector<Id*> in_order(const Kernel& kernel, const std::set<Id*>& some) {
  std::vector<Id*> found;
  std::copy_if(kernel.references.front().roots.begin(), kernel.references.front().roots.end(),
               std::back_inserter(found), [&](Id* root) { return some.contains(root); });
  return found;
}

}  // namespace

std::optional<MixedRoots> mixed_roots(const Kernel& kernel) {
  std::set<std::set<Id*>> signatures;
  for (const Tensor* t : kernel.tensors) {
    if (t->op == TensorOp::reduce) {
      signatures.emplace(t->reduction->axes.begin(), t->reduction->axes.end());
    }
  }
  if (signatures.size() < 2) {
    return std::nullopt;
  }
  const std::vector<Id*>& roots = kernel.references.front().roots;
  const std::set<Id*>&first = *signatures.begin(), &second = *std::next(signatures.begin());
  const bool part_all =
      signatures.size() == 2 && !first.empty() && !second.empty() && first.size() + second.size() == roots.size() &&
      std::all_of(roots.begin(), roots.end(), [&](Id* root) { return first.contains(root) != second.contains(root); });
  check(part_all, ErrorKind::schedule, "reductions over different axes in one kernel");
  const bool along = first.contains(roots.back());
  return MixedRoots{in_order(kernel, along ? first : second), in_order(kernel, along ? second : first)};
}

bool is_across(const Tensor& t, const MixedRoots& roots) {
  return t.op == TensorOp::reduce && !roots.rows.empty() &&
         std::find(t.reduction->axes.begin(), t.reduction->axes.end(), roots.rows[0]) != t.reduction->axes.end();
}

std::vector<Tensor*> reductions_across(const Kernel& kernel, const MixedRoots& roots) {
  std::vector<Tensor*> found;
  std::copy_if(kernel.tensors.begin(), kernel.tensors.end(), std::back_inserter(found),
               [&](const Tensor* t) { return is_across(*t, roots) && !is_later_part(*t); });
  return found;
}

std::unordered_set<const Tensor*> behind_columns(const Kernel& kernel, const MixedRoots& roots) {
  std::unordered_set<const Tensor*> found;
  for (const Tensor* t : kernel.tensors) {
    const bool reads = std::any_of(t->operands.begin(), t->operands.end(),
                                   [&](const Operand& o) { return o.tensor != nullptr && found.contains(o.tensor); });
    if (reads || is_across(*t, roots)) {
      found.insert(t);
    }
  }
  return found;
}

bool varies_along(const Tensor& t, const std::vector<Id*>& axes) {
  const std::vector<Id*> mine = needs(t);
  return std::any_of(mine.begin(), mine.end(),
                     [&](const Id* id) { return std::find(axes.begin(), axes.end(), id) != axes.end(); });
}

namespace {

/// What a tensor reads: of the second of a chain, what the first does.
const std::vector<Operand>& operands_of(const Tensor& t, const std::vector<Chain>& joined) {
  const auto chain = std::find_if(joined.begin(), joined.end(), [&](const Chain& c) { return c.second == &t; });
  return chain != joined.end() ? chain->first->operands : t.operands;
}

/// The pass in which a tensor of that level reads its operands along the row.
int reading_pass(const Tensor& t, int level) { return t.op == TensorOp::reduce ? level - 1 : level; }

}  // namespace

std::unordered_map<const Tensor*, int> levels_of(const Kernel& kernel, const std::vector<Chain>& joined) {
  std::unordered_map<const Tensor*, int> levels;
  for (const Tensor* t : kernel.tensors) {
    int level = 0;
    for (const Operand& operand : operands_of(*t, joined)) {
      level = operand.tensor != nullptr ? std::max(level, levels.at(operand.tensor)) : level;
    }
    levels[t] = level + (t->op == TensorOp::reduce ? 1 : 0);
  }
  return levels;
}

std::unordered_map<const Tensor*, std::set<int>> passes_of(const Kernel& kernel, const std::vector<Id*>& row,
                                                           const std::vector<Chain>& joined) {
  const std::unordered_map<const Tensor*, int> levels = levels_of(kernel, joined);
  std::unordered_map<const Tensor*, std::set<int>> passes;
  for (size_t k = kernel.tensors.size(); k-- > 0;) {
    const Tensor& t = *kernel.tensors[k];
    const bool many = t.op != TensorOp::store && t.op != TensorOp::reduce && varies_along(t, row);
    std::set<int>& mine = passes[&t];
    if (!many) {
      mine = {reading_pass(t, levels.at(&t))};
    }
    for (const Operand& operand : operands_of(t, joined)) {
      if (operand.tensor != nullptr) {
        passes[operand.tensor].insert(mine.begin(), mine.end());
      }
    }
  }
  return passes;
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
    const auto known = passes_.find(&t);
    return known != passes_.end() ? known->second : reading_pass(t, levels_.at(&t));
  }

  std::unordered_map<const Tensor*, int> levels_, passes_;
};

bool has_passes(const Tensor& t, const std::vector<Id*>& row) {
  return t.op != TensorOp::store && t.op != TensorOp::reduce && varies_along(t, row);
}

}  // namespace

std::unordered_set<const Tensor*> shared_values(const Kernel& kernel, const std::vector<Id*>& row,
                                                const std::unordered_set<const Tensor*>& behind) {
  PassOf passes(kernel);
  std::unordered_set<const Tensor*> shared;
  for (size_t k = kernel.tensors.size(); k-- > 0;) {
    const Tensor& t = *kernel.tensors[k];
    const auto readers = has_passes(t, row) ? passes.readers(kernel, t) : std::map<int, std::vector<Tensor*>>{};
    if (!readers.empty()) {
      passes.set(t, readers.begin()->first);
    }
    const std::vector<Tensor*> all = kernel.consumers(&t);
    if (readers.size() > 1 &&
        std::none_of(all.begin(), all.end(), [&](const Tensor* c) { return behind.contains(c); })) {
      shared.insert(&t);
    }
  }
  return shared;
}

void split_passes(Kernel& kernel, const std::vector<Id*>& row, const std::unordered_set<const Tensor*>& resident) {
  PassOf passes(kernel);
  const std::vector<Tensor*> all = kernel.tensors;
  for (size_t k = all.size(); k-- > 0;) {
    Tensor& t = *all[k];
    if (!has_passes(t, row)) {
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
