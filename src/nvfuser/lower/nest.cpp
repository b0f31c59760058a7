// SPDX-License-Identifier: Apache-2.0
// The loop nest.  Only real serial loops cluster: clustering by thread loops or vanished loops as well gives cycles
// that are none.
#include "nvfuser/lower/nest.h"

#include <algorithm>
#include <set>

namespace nvfuser {

namespace {

/// Is this group a loop in the text?  An unswitch loop stays even with one point: it marks where tests are split off.
bool is_real(const LoopGroup& group) {
  return group.loop != nullptr && !is_bound(group.loop->parallel) &&
         (!group.loop->extent->is(1) || group.loop->parallel == ParallelType::unswitch);
}

std::vector<int> path_of(const Lowering& state, const Tensor& t, size_t depth) {
  std::vector<int> path;
  const std::vector<int>& groups = state.group_of.at(&t);
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

  /// Dependency order, first come first.
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
    std::set<int> ready;
    for (size_t c = 0; c < clusters.size(); ++c) {
      if (waits[c] == 0) {
        ready.insert(static_cast<int>(c));
      }
    }
    std::vector<int> order;
    while (!ready.empty()) {
      const int c = *ready.begin();
      ready.erase(ready.begin());
      order.push_back(c);
      for (int n : next[c]) {
        if (--waits[n] == 0) {
          ready.insert(n);
        }
      }
    }
    check(order.size() == clusters.size(), ErrorKind::schedule, "inlining inconsistent among ", stuck(clusters, waits));
    return order;
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

void list_operations(Lowering& state) {
  std::unordered_map<const Tensor*, int> worker;
  for (Tensor* t : state.kernel.tensors) {
    const bool local = t->op != TensorOp::store && t->memory == MemoryType::local;
    if (local) {
      state.operations.push_back({t, Role::alloc, path_of(state, *t, *t->inline_at), {}});
    }
    Operation main{t, Role::main, path_of(state, *t, t->loop.size()), {}};
    if (local) {
      main.after.push_back(static_cast<int>(state.operations.size()) - 1);
    }
    for (const Operand& operand : t->operands) {
      if (operand.tensor != nullptr) {
        main.after.push_back(worker.at(operand.tensor));
      }
    }
    worker[t] = static_cast<int>(state.operations.size());
    state.operations.push_back(std::move(main));
  }
  for (const auto& [input, output] : state.request.aliases) {
    Operation& store = state.operations[worker.at(state.kernel.outputs[output])];
    for (const Tensor* t : state.kernel.tensors) {
      if (t->op == TensorOp::load && state.kernel.buffer_of(t) == state.kernel.inputs[input]) {
        store.after.push_back(worker.at(t));
      }
    }
  }
}

void build_nest(Lowering& state) {
  std::vector<int> all(state.operations.size());
  for (size_t k = 0; k < all.size(); ++k) {
    all[k] = static_cast<int>(k);
  }
  state.body = Nest(state).build(all, 0);
}

}  // namespace nvfuser
