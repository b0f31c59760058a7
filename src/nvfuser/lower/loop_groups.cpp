// SPDX-License-Identifier: Apache-2.0
// Loop groups: left of its inline position a tensor shares its consumers' loops.
#include "nvfuser/lower/loop_groups.h"

#include <numeric>

namespace nvfuser {

namespace {

class Union {
 public:
  int add() {
    parent_.push_back(static_cast<int>(parent_.size()));
    return parent_.back();
  }
  int find(int key) {
    while (parent_[key] != key) {
      key = parent_[key] = parent_[parent_[key]];
    }
    return key;
  }
  void join(int a, int b) { parent_[find(a)] = find(b); }

 private:
  std::vector<int> parent_;
};

std::string base_name(const Id& loop, int& unnamed) {
  return loop.name.empty() ? "l" + std::to_string(unnamed++) : loop.name;
}

}  // namespace

void group_loops(Lowering& state) {
  Union keys;
  std::unordered_map<const Tensor*, std::vector<int>> key_of;
  for (const Tensor* t : state.kernel.tensors) {
    ensure(t->loop.size() == t->reference->loops.size(), "loops of ", t->name, " are not assigned");
    for (size_t k = 0; k < t->loop.size(); ++k) {
      key_of[t].push_back(keys.add());
    }
  }
  for (const Tensor* t : state.kernel.tensors) {
    for (const Tensor* c : state.consumers[t]) {
      for (int k = 0; k < *t->inline_at; ++k) {
        keys.join(key_of[t][k], key_of[c][k]);
      }
    }
  }
  std::unordered_map<int, int> number;
  for (const Tensor* t : state.kernel.tensors) {
    std::vector<int>& mine = state.group_of[t];
    for (size_t k = 0; k < t->loop.size(); ++k) {
      const auto [at, fresh] = number.try_emplace(keys.find(key_of[t][k]), static_cast<int>(state.groups.size()));
      if (fresh) {
        state.groups.emplace_back();
      }
      mine.push_back(at->second);
      LoopGroup& group = state.groups[at->second];
      if (t->loop[k] != nullptr) {
        check(group.loop == nullptr || group.loop == t->loop[k], ErrorKind::schedule, "loop ", k, " of ", t->name,
              " has two forms");
        group.loop = t->loop[k];
      }
    }
  }
  std::map<std::string, int> used;
  int unnamed = 0;
  for (LoopGroup& group : state.groups) {
    if (group.loop != nullptr) {
      const std::string base = base_name(*group.loop, unnamed);
      const int count = ++used[base];
      group.name = count == 1 ? base : base + std::to_string(count);
    }
  }
}

}  // namespace nvfuser
