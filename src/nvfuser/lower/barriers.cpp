// SPDX-License-Identifier: Apache-2.0
// Barriers.  State: accesses since the last barrier on some path.  Two accesses of one tensor cross when one writes and
// some thread index in use stands for different loops, or for none, in them.  A barrier goes before the outermost
// statement whose accesses (up to its first barrier) cross the state; a loop's body is walked until the state at its
// head is stable, which shows pairs that the loop carries.  What bulk copies write is ordered by the wait for them.
#include "nvfuser/lower/barriers.h"

#include <algorithm>
#include <set>

namespace nvfuser {

namespace {

using State = std::set<Access>;

class Barriers {
 public:
  explicit Barriers(const std::array<bool, 3>& threads) : threads_(threads) {}

  State walk(std::vector<Item>& body, State state) {
    for (size_t k = 0; k < body.size(); ++k) {
      if (crosses(state, first_accesses(body[k]).first)) {
        body.insert(body.begin() + static_cast<std::ptrdiff_t>(k), Item{});
        state.clear();
        any_ = true;
        continue;
      }
      Item& item = body[k];
      if (item.kind == Item::Kind::sync || item.barrier) {
        state.clear();
        any_ = true;
      } else if (item.kind == Item::Kind::step) {
        std::erase_if(state, [&](const Access& a) { return a.write && arrives(item, a.tensor); });
        state.insert(item.accesses.begin(), item.accesses.end());
      } else {
        state = walk_loop(item, std::move(state));
      }
    }
    return state;
  }

  bool any() const { return any_; }

 private:
  State walk_loop(Item& loop, State head) {
    while (true) {
      const State tail = walk(loop.body, head);
      if (std::includes(head.begin(), head.end(), tail.begin(), tail.end())) {
        return head;  // the loop may run zero times: what stood before it stays
      }
      head.insert(tail.begin(), tail.end());
    }
  }

  /// Accesses that may happen before any barrier inside; and whether every path meets a barrier.
  std::pair<State, bool> first_accesses(const Item& item) const {
    if (item.kind != Item::Kind::loop) {
      return {State(item.accesses.begin(), item.accesses.end()), item.kind == Item::Kind::sync || item.barrier};
    }
    State found;
    std::vector<const Tensor*> there;
    for (const Item& inner : item.body) {
      there.insert(there.end(), inner.arrives.begin(), inner.arrives.end());
      auto [more, closed] = first_accesses(inner);
      std::erase_if(more, [&](const Access& a) {
        return !a.write && std::find(there.begin(), there.end(), a.tensor) != there.end();
      });
      found.merge(more);
      if (closed) {
        break;
      }
    }
    return {std::move(found), false};
  }

  static bool arrives(const Item& item, const Tensor* tensor) {
    return std::find(item.arrives.begin(), item.arrives.end(), tensor) != item.arrives.end();
  }

  bool crosses(const State& before, const State& now) const {
    return std::any_of(before.begin(), before.end(), [&](const Access& a) {
      return std::any_of(now.begin(), now.end(), [&](const Access& b) { return pair_crosses(a, b); });
    });
  }

  bool pair_crosses(const Access& a, const Access& b) const {
    if (a.tensor != b.tensor || (!a.write && !b.write) || (a.first_thread && b.first_thread)) {
      return false;
    }
    for (int d = 0; d < 3; ++d) {
      if (threads_[d] && (a.binding[d] == nullptr || a.binding[d] != b.binding[d])) {
        return true;
      }
    }
    return false;
  }

  std::array<bool, 3> threads_;
  bool any_ = false;
};

}  // namespace

bool insert_barriers(std::vector<Item>& body, const std::array<bool, 3>& threads) {
  Barriers pass(threads);
  pass.walk(body, {});
  return pass.any();
}

void insert_barriers(Lowering& state) {
  std::array<bool, 3> threads;
  std::transform(state.program.block.begin(), state.program.block.end(), threads.begin(),
                 [](int64_t n) { return n > 1; });
  const bool waits = insert_barriers(state.body, threads);
  state.program.has_barrier =
      waits || !state.program.teams.empty() || state.program.ring.stages > 0 || state.program.semaphores != nullptr;
}

}  // namespace nvfuser
