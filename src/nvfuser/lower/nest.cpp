// SPDX-License-Identifier: Apache-2.0
// The loop nest.  Only real serial loops cluster: clustering by thread loops or vanished loops as well gives cycles
// that are none.
#include "nvfuser/lower/nest.h"

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <unordered_set>

#include "nvfuser/lower/ring.h"
#include "nvfuser/lower/teams.h"
#include "nvfuser/transform/passes.h"

namespace nvfuser {

namespace {

/// Is this group a loop in the text?  An unswitch loop stays even with one point: it marks where tests are split off.
bool is_real(const LoopGroup& group) {
  return group.loop != nullptr && !is_bound(group.loop->parallel) &&
         (!group.loop->extent->is(1) || group.loop->parallel == ParallelType::unswitch);
}

std::vector<int> path_of(const Lowering& state, const Tensor& t, size_t depth, Role role = Role::main) {
  std::vector<int> path;
  const std::vector<int>& groups = state.groups_at(t, role);
  for (size_t k = 0; k < depth; ++k) {
    if (is_real(state.groups[groups[k]])) {
      path.push_back(groups[k]);
    }
  }
  return path;
}

/// Operations of one place of the nest, clustered by their loop at `depth`.
class Nest {
 public:
  explicit Nest(const Lowering& state) : state_(state) {}

  std::vector<Item> build(const std::vector<int>& operations, size_t depth) const {
    std::vector<Cluster> clusters = cluster(operations, depth);
    std::vector<Item> body;
    for (int c : ordered(clusters)) {
      Item item;
      if (clusters[c].group < 0) {
        item.kind = Item::Kind::step;
        item.operation = clusters[c].operations[0];
      } else {
        const LoopGroup& group = state_.groups[clusters[c].group];
        item.kind = Item::Kind::loop;
        item.name = group.name;
        item.variable = state_.pool().var(group.name, group.loop->extent);
        item.extent = state_.algebra.tidy(group.loop->extent);
        item.parallel = group.loop->parallel;
        item.body = build(clusters[c].operations, depth + 1);
      }
      body.push_back(std::move(item));
    }
    return body;
  }

 private:
  struct Cluster {
    int group = -1;  ///< -1: a single operation that ends here
    std::vector<int> operations;
  };

  std::vector<Cluster> cluster(const std::vector<int>& operations, size_t depth) const {
    std::vector<Cluster> clusters;
    std::unordered_map<int, size_t> of_group;
    for (int o : operations) {
      const std::vector<int>& path = state_.operations[o].path;
      if (path.size() <= depth) {
        clusters.push_back({-1, {o}});
        continue;
      }
      const auto [at, fresh] = of_group.try_emplace(path[depth], clusters.size());
      if (fresh) {
        clusters.push_back({path[depth], {}});
      }
      clusters[at->second].operations.push_back(o);
    }
    return clusters;
  }

  /// Dependency order, first come first; joins when nothing else can be done, so that several meet.
  std::vector<int> ordered(const std::vector<Cluster>& clusters) const {
    std::unordered_map<int, int> home;
    for (size_t c = 0; c < clusters.size(); ++c) {
      for (int o : clusters[c].operations) {
        home[o] = static_cast<int>(c);
      }
    }
    std::vector<std::set<int>> next(clusters.size());
    std::vector<int> waits(clusters.size(), 0);
    for (const auto& [o, c] : home) {
      for (int before : state_.operations[o].after) {
        const auto at = home.find(before);
        if (at != home.end() && at->second != c && next[at->second].insert(c).second) {
          ++waits[c];
        }
      }
    }
    std::set<std::pair<bool, int>> ready;
    const auto add = [&](int c) { ready.emplace(is_join(clusters[c]), c); };
    for (size_t c = 0; c < clusters.size(); ++c) {
      if (waits[c] == 0) {
        add(static_cast<int>(c));
      }
    }
    std::vector<int> order;
    while (!ready.empty()) {
      const int c = ready.begin()->second;
      ready.erase(ready.begin());
      order.push_back(c);
      for (int n : next[c]) {
        if (--waits[n] == 0) {
          add(n);
        }
      }
    }
    check(order.size() == clusters.size(), ErrorKind::schedule, "inlining inconsistent among ", stuck(clusters, waits));
    return order;
  }

  bool is_join(const Cluster& cluster) const {
    return cluster.group < 0 && state_.operations[cluster.operations[0]].role == Role::join;
  }

  std::string stuck(const std::vector<Cluster>& clusters, const std::vector<int>& waits) const {
    std::set<std::string> names;
    for (size_t c = 0; c < clusters.size(); ++c) {
      for (int o : clusters[c].operations) {
        if (waits[c] > 0) {
          names.insert(state_.operations[o].tensor->name);
        }
      }
    }
    std::string text;
    for (const std::string& name : names) {
      text += (text.empty() ? "" : ", ") + name;
    }
    return text;
  }

  const Lowering& state_;
};

}  // namespace

namespace {

/// Lists operations, each after those that it depends on.
class Operations {
 public:
  explicit Operations(Lowering& state) : state_(state) {}

  void run() {
    find_refill();
    for (Tensor* t : state_.tensors) {
      if (t->op == TensorOp::reduce) {
        is_later_part(*t) ? void() : add_reduction(*t);
      } else if (t->stages > 0) {
        worker_.contains(t) ? void() : add_ring();
      } else {
        add_plain(*t);
      }
      add_refills(*t);
    }
    order_aliases();
    add_meetings();
  }

 private:
  int add(Tensor& t, Role role, std::vector<int> path, std::vector<int> after) {
    state_.operations.push_back({&t, role, std::move(path), std::move(after)});
    return static_cast<int>(state_.operations.size()) - 1;
  }

  int add_main(Tensor& t, std::vector<int> after) {
    for (const Operand& operand : t.operands) {
      if (operand.tensor != nullptr) {
        after.push_back(ready_.at(operand.tensor));
      }
    }
    return add(t, Role::main, path_of(state_, t, t.loop.size()), std::move(after));
  }

  void add_plain(Tensor& t) {
    std::vector<int> after;
    if (t.op != TensorOp::store && t.memory == MemoryType::local) {
      after.push_back(add(t, Role::alloc, path_of(state_, t, *t.inline_at), {}));
    }
    worker_[&t] = ready_[&t] = add_main(t, std::move(after));
  }

  /// A stage may be filled again once all have read it; best behind the exchanges of the first statistics, which hold
  /// barriers.
  void find_refill() {
    if (state_.ring.loads.empty()) {
      return;
    }
    const std::unordered_map<const Tensor*, int> levels = levels_of(state_.kernel);
    int first = std::numeric_limits<int>::max();
    const auto joins_in_turn = [&](const Tensor& t) {
      const std::vector<const Id*> loops = t.op == TensorOp::reduce ? reduced_loops(t) : std::vector<const Id*>{};
      const bool over_turns = std::find(loops.begin(), loops.end(), state_.ring.loop) != loops.end();
      return t.op == TensorOp::reduce && crosses_threads(t) && !over_turns;
    };
    for (const Tensor* t : state_.tensors) {
      first = joins_in_turn(*t) ? std::min(first, levels.at(t)) : first;
    }
    for (const Tensor* t : state_.tensors) {
      const bool joins = joins_in_turn(*t) && levels.at(t) == first;
      const bool reads = std::any_of(t->operands.begin(), t->operands.end(),
                                     [](const Operand& o) { return o.tensor != nullptr && o.tensor->stages > 0; });
      if (joins) {
        joining_.insert(t);
      }
      refill_behind_ = joins || reads ? t : refill_behind_;
    }
  }

  /// Filled before the turns, waited for in each.
  void add_ring() {
    const std::vector<Tensor*>& loads = state_.ring.loads;
    const std::vector<int> turn = path_of(state_, *loads[0], *loads[0]->inline_at);
    std::vector<int> fills;
    for (int k = 0; k < loads[0]->stages; ++k) {
      add_fills({turn.begin(), turn.end() - 1}, {}, k, false);
      fills.push_back(static_cast<int>(state_.operations.size()) - 1);
    }
    const int wait = add(*loads[0], Role::main, turn, std::move(fills));
    for (const Tensor* load : loads) {
      worker_[load] = ready_[load] = wait;
    }
  }

  void add_refills(const Tensor& last) {
    if (&last != refill_behind_) {
      return;
    }
    std::vector<int> after = joins_;
    for (const Tensor* load : state_.ring.loads) {
      for (const Tensor* reader : state_.consumers[load]) {
        after.push_back(worker_.at(reader));
      }
    }
    Tensor& first = *state_.ring.loads[0];
    const std::vector<int> turn = path_of(state_, first, *first.inline_at);
    if (state_.ring.row != nullptr) {
      after = {add(first, Role::claim, turn, after)};
    }
    add_fills(turn, after, first.stages, true);
  }

  /// The row's number, where rows are claimed, and its copies, one behind the other.
  void add_fills(const std::vector<int>& path, std::vector<int> after, int turn, bool ahead) {
    const auto next = [&](Tensor* load, Role role) {
      after = {add(*load, role, path, after)};
      state_.operations.back().turn = turn;
      state_.operations.back().ahead = ahead;
    };
    if (state_.ring.row != nullptr) {
      next(state_.ring.loads[0], Role::post);
    }
    for (Tensor* load : state_.ring.loads) {
      for (int piece = 0; piece < pieces_of(*load); ++piece) {
        next(load, Role::fill);
        state_.operations.back().piece = piece;
      }
    }
  }

  void add_reduction(Tensor& t) {
    const size_t depth = t.loop.size();
    const std::vector<int> outside = path_of(state_, t, *t.inline_at);
    std::vector<int> values;
    for (Tensor* part : t.reduction->parts) {
      if (is_read(*part)) {
        values.push_back(add(*part, Role::alloc, outside, {}));
      }
    }
    const int states = add(t, Role::state, outside, {});
    const int begin = add(t, Role::begin, path_of(state_, t, depth, Role::begin), {states});
    int last = worker_[&t] = add_main(t, {begin});
    if (crosses_threads(t)) {
      last = add(t, Role::join, outside, {last});
      if (joining_.contains(&t)) {
        joins_.push_back(last);
      }
    }
    values.push_back(last);
    const int finish = add(t, Role::finish, path_of(state_, t, depth, Role::finish), std::move(values));
    for (const Tensor* part : t.reduction->parts) {
      ready_[part] = finish;
    }
  }

  bool is_read(const Tensor& part) const {
    return std::any_of(state_.tensors.begin(), state_.tensors.end(), [&](const Tensor* c) {
      return std::any_of(c->operands.begin(), c->operands.end(), [&](const Operand& o) { return o.tensor == &part; });
    });
  }

  /// Every read of a buffer comes before the store in place of it.
  void order_aliases() {
    for (const auto& [input, output] : state_.request.aliases) {
      const auto known = worker_.find(state_.kernel.outputs[output]);
      if (known == worker_.end()) {
        continue;  // of another phase
      }
      Operation& store = state_.operations[known->second];
      for (const Tensor* t : state_.tensors) {
        if (t->op == TensorOp::load && state_.kernel.buffer_of(t) == state_.kernel.inputs[input]) {
          store.after.push_back(worker_.at(t));
        }
      }
    }
  }

  /// Between two phases: after all that the first does, before all of the second, in the loops around both.
  void add_meetings() {
    std::map<int, std::vector<int>> phases;
    for (size_t k = 0; k < state_.operations.size(); ++k) {
      phases[state_.operations[k].tensor->phase].push_back(static_cast<int>(k));
    }
    if (phases.size() < 2) {
      return;
    }
    const std::vector<int> around = path_around(phases);
    int count = 0;
    for (auto next = phases.begin(), phase = next++; next != phases.end(); phase = next++) {
      const int meeting = add(*state_.operations[phase->second.back()].tensor, Role::meet, around, phase->second);
      state_.operations[meeting].turn = count++;
      for (int later : next->second) {
        state_.operations[later].after.push_back(meeting);
      }
    }
    std::vector<int> all(state_.operations.size());
    std::iota(all.begin(), all.end(), 0);
    if (state_.request.finish == GridFinish::barrier) {
      add(*state_.operations.front().tensor, Role::leave, {}, std::move(all));
    }
  }

  /// The loops that states are stored in in one phase and loaded in in the next.
  std::vector<int> path_around(const std::map<int, std::vector<int>>& phases) const {
    std::optional<std::vector<int>> common;
    for (const auto& [phase, operations] : phases) {
      for (int o : operations) {
        if (state_.operations[o].role != Role::main || state_.operations[o].tensor->workspace == nullptr) {
          continue;
        }
        const std::vector<int>& path = state_.operations[o].path;
        common = common.value_or(path);
        const auto [end, other] = std::mismatch(common->begin(), common->end(), path.begin(), path.end());
        common->erase(end, common->end());
      }
    }
    return common.value_or(std::vector<int>{});
  }

  Lowering& state_;
  std::unordered_map<const Tensor*, int> worker_, ready_;  ///< does the work; leaves the result
  std::unordered_set<const Tensor*> joining_;              ///< the first statistics of a kernel with a ring
  std::vector<int> joins_;                                 ///< their exchanges
  const Tensor* refill_behind_ = nullptr;                  ///< the last of these and of the ring's readers
};

}  // namespace

bool crosses_threads(const Tensor& reduce) {
  const std::vector<const Id*> loops = reduced_loops(reduce);
  return std::any_of(loops.begin(), loops.end(), [](const Id* loop) {
    return !loop->extent->is(1) && (is_thread(loop->parallel) || loop->cluster);
  });
}

void list_operations(Lowering& state) { Operations(state).run(); }

void build_nest(Lowering& state) {
  std::vector<int> all(state.operations.size());
  for (size_t k = 0; k < all.size(); ++k) {
    all[k] = static_cast<int>(k);
  }
  state.body = Nest(state).build(all, 0);
}

}  // namespace nvfuser
