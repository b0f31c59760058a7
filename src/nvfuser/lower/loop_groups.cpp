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

/// Keys of one tensor, a key for each loop of its reference.
struct Keys {
  std::vector<int> main;
  OfResult<std::vector<int>> result;  ///< of reductions
};

std::string base_name(const Id& loop, int& unnamed) {
  return loop.name.empty() ? "l" + std::to_string(unnamed++) : loop.name;
}

class Grouping {
 public:
  explicit Grouping(Lowering& state) : state_(state) {}

  void run() {
    for (const Tensor* t : state_.tensors) {
      ensure(t->loop.size() == t->reference->loops.size(), "loops of ", t->name, " are not assigned");
      make_keys(*t);
    }
    for (const Tensor* t : state_.tensors) {
      join_inlined(*t);
      join_workspace(*t);
    }
    for (const Tensor* t : state_.tensors) {
      number(*t, keys_[t].main, t->loop, state_.group_of[t]);
      if (t->op == TensorOp::reduce) {
        for (const Role role : {Role::begin, Role::finish}) {
          number(*t, keys_[t].result.at(role), t->kept_loop, state_.result_groups.at(role)[t]);
        }
      }
    }
  }

 private:
  /// Later parts have the leader's keys.
  void make_keys(const Tensor& t) {
    if (is_later_part(t)) {
      keys_[&t] = keys_.at(t.reduction->parts[0]);
      return;
    }
    Keys& mine = keys_[&t];
    for (size_t k = 0; k < t.loop.size(); ++k) {
      mine.main.push_back(union_.add());
      if (t.op == TensorOp::reduce) {
        mine.result.begin.push_back(union_.add());
        mine.result.finish.push_back(union_.add());
      }
    }
  }

  void join_inlined(const Tensor& t) {
    for (int k = 0; k < *t.inline_at; ++k) {
      if (t.op == TensorOp::reduce) {
        union_.join(keys_[&t].result.begin[k], keys_[&t].main[k]);
        union_.join(keys_[&t].result.finish[k], keys_[&t].main[k]);
      }
      for (const Tensor* c : state_.consumers[&t]) {
        union_.join(keys_[&t].main[k], keys_[c].main[k]);
      }
    }
  }

  /// States are loaded inside the loops that they are stored in, as far as both stand in the same ones.
  void join_workspace(const Tensor& store) {
    if (store.op != TensorOp::store || store.workspace == nullptr) {
      return;
    }
    for (const Tensor* load : state_.tensors) {
      if (load->op != TensorOp::load || load->workspace != store.workspace) {
        continue;
      }
      const size_t most = std::min(store.loop.size(), load->loop.size());
      for (size_t k = 0; k < most && store.loop[k] != nullptr && store.loop[k] == load->loop[k]; ++k) {
        union_.join(keys_[&store].main[k], keys_[load].main[k]);
      }
    }
  }

  void number(const Tensor& t, const std::vector<int>& keys, const std::vector<Id*>& loops, std::vector<int>& mine) {
    for (size_t k = 0; k < keys.size(); ++k) {
      const auto [at, fresh] = number_.try_emplace(union_.find(keys[k]), static_cast<int>(state_.groups.size()));
      if (fresh) {
        state_.groups.emplace_back();
      }
      mine.push_back(at->second);
      LoopGroup& group = state_.groups[at->second];
      if (loops[k] != nullptr) {
        check(group.loop == nullptr || group.loop == loops[k], ErrorKind::schedule, "loop ", k, " of ", t.name,
              " has two forms");
        group.loop = loops[k];
      }
    }
  }

  Lowering& state_;
  Union union_;
  std::unordered_map<const Tensor*, Keys> keys_;
  std::unordered_map<int, int> number_;
};

/// A reduction may not accumulate inside a loop that it does not own and that does not enclose its beginning.
void check_accumulation(const Lowering& state) {
  for (const Tensor* t : state.tensors) {
    if (t->op != TensorOp::reduce) {
      continue;
    }
    for (size_t k = *t->inline_at; k < t->loop.size(); ++k) {
      const LoopGroup& group = state.groups[state.group_of.at(t)[k]];
      check(t->loop[k] != nullptr || !is_foreign_loop(group), ErrorKind::schedule, t->name,
            " would be accumulated once for each point of the foreign loop ", group.loop ? group.loop->name : "");
    }
  }
}

}  // namespace

void group_loops(Lowering& state) {
  Grouping(state).run();
  check_accumulation(state);
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
