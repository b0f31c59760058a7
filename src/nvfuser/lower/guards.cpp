// SPDX-License-Identifier: Apache-2.0
// Guards.  Barriers stand already: nothing that holds one is put under a guard, since all threads must reach it.
#include "nvfuser/lower/guards.h"

#include <algorithm>

#include "nvfuser/lower/predicates.h"

namespace nvfuser {

namespace {

/// A finished node and the tests under which it runs.
struct Guarded {
  Node node;
  std::vector<Test> tests;
};

bool holds_sync(const std::vector<Item>& body) {
  return std::any_of(body.begin(), body.end(), [](const Item& item) {
    return item.kind == Item::Kind::sync || (item.kind == Item::Kind::loop && holds_sync(item.body));
  });
}

bool is_allocation(const Item& item) {
  return item.kind == Item::Kind::step && std::holds_alternative<Allocate>(item.action);
}

Node node_of(const Action& action) {
  return std::visit(
      [](const auto& what) -> Node {
        if constexpr (std::is_same_v<std::decay_t<decltype(what)>, std::monostate>) {
          ensure(false, "a step without an action");
          return Sync{};
        } else {
          return what;
        }
      },
      action);
}

/// Tests that every statement of the body runs under; none when a barrier stands inside.
std::vector<Test> shared_tests(const std::vector<Item>& body) {
  if (holds_sync(body)) {
    return {};
  }
  bool first = true;
  std::vector<Test> common;
  for (const Item& item : body) {
    if (is_allocation(item)) {
      continue;
    }
    const std::vector<Test> mine = item.kind == Item::Kind::loop ? shared_tests(item.body) : item.tests;
    if (first) {
      common = mine;
      first = false;
    } else {
      common.erase(std::remove_if(common.begin(), common.end(),
                                  [&](const Test& t) { return std::find(mine.begin(), mine.end(), t) == mine.end(); }),
                   common.end());
    }
  }
  return common;
}

void drop_test(std::vector<Item>& body, const Test& test) {
  for (Item& item : body) {
    item.tests.erase(std::remove(item.tests.begin(), item.tests.end(), test), item.tests.end());
    drop_test(item.body, test);
  }
}

void collect_tests(const std::vector<Item>& body, std::vector<Test>& tests) {
  for (const Item& item : body) {
    tests.insert(tests.end(), item.tests.begin(), item.tests.end());
    collect_tests(item.body, tests);
  }
}

/// The variables of all loops inside a body.
void inner_loops(const std::vector<Item>& body, std::vector<const Item*>& loops) {
  for (const Item& item : body) {
    if (item.kind == Item::Kind::loop) {
      loops.push_back(&item);
      inner_loops(item.body, loops);
    }
  }
}

class Guards {
 public:
  explicit Guards(Lowering& state) : state_(state) {}

  Block block(std::vector<Item>& body) const {
    // Allocations first: they depend on nothing, and would part statements that share a guard.
    std::stable_partition(body.begin(), body.end(), is_allocation);
    std::vector<Guarded> nodes;
    for (Item& item : body) {
      if (item.kind == Item::Kind::sync) {
        nodes.push_back({Sync{}, {}});
      } else if (item.kind == Item::Kind::step) {
        nodes.push_back({node_of(item.action), std::move(item.tests)});
      } else {
        add_loop(item, nodes);
      }
    }
    return grouped(std::move(nodes));
  }

 private:
  void add_loop(Item& item, std::vector<Guarded>& nodes) const {
    Loop loop{item.name, item.variable, item.extent, nullptr, item.parallel, nullptr};
    std::vector<Test> outer;
    for (const Test& test : shared_tests(item.body)) {
      if (!names_inside(test, item)) {
        outer.push_back(test);
        drop_test(item.body, test);
      } else if (state_.request.target == Target::cpu && loop.limit == nullptr) {
        loop.limit = limit_of(test, item);
        if (loop.limit != nullptr) {
          drop_test(item.body, test);
        }
      }
    }
    Block body = item.parallel == ParallelType::unswitch && state_.request.target == Target::gpu ? both_copies(item)
                                                                                                 : block(item.body);
    if (item.extent->is(1)) {
      append(std::move(body), outer, nodes);
      return;
    }
    loop.body = std::make_unique<Block>(std::move(body));
    nodes.push_back({std::move(loop), std::move(outer)});
  }

  /// A loop of one point is only its body.  Its allocations keep their scope by the guard; without one they join ours.
  static void append(Block body, const std::vector<Test>& tests, std::vector<Guarded>& nodes) {
    for (Node& node : body.nodes) {
      const bool allocation = std::holds_alternative<Allocate>(node);
      nodes.push_back({std::move(node), allocation ? std::vector<Test>{} : tests});
    }
  }

  /// Does the test name the loop, or a loop inside it?
  static bool names_inside(const Test& test, const Item& item) {
    std::vector<const Item*> loops{&item};
    inner_loops(item.body, loops);
    return std::any_of(loops.begin(), loops.end(),
                       [&](const Item* l) { return depends_on(test, l->variable->as_atom()); });
  }

  /// rest + c * loop < bound  is  loop < ceil((bound - rest) / c); null when the test is of another form.
  Index limit_of(const Test& test, const Item& item) const {
    std::vector<const Item*> loops;
    inner_loops(item.body, loops);
    const bool inner = std::any_of(loops.begin(), loops.end(),
                                   [&](const Item* l) { return depends_on(test, l->variable->as_atom()); });
    if (test.kind != Test::Kind::lt || inner) {
      return nullptr;
    }
    const std::optional<Linear> parts = linear_in(state_.pool(), test.index, item.variable->as_atom());
    if (!parts || parts->coefficient < 1) {
      return nullptr;
    }
    const Index room = state_.pool().sub(test.bound, parts->rest);
    return state_.algebra.tidy(state_.algebra.ceil_div(room, state_.constant(parts->coefficient)));
  }

  /// The body of an unswitch loop: without tests where all of them hold at their largest, else as it is.
  Block both_copies(Item& item) const {
    std::vector<Test> all, largest, left;
    collect_tests(item.body, all);
    all = tidy_tests(state_.algebra, std::move(all));
    std::vector<Item> full = item.body;
    for (const Test& test : all) {
      if (const std::optional<Test> most = maximised(test, item)) {
        largest.push_back(*most);
        drop_test(full, test);
      }
    }
    largest = tidy_tests(state_.algebra, std::move(largest));
    if (largest.empty() || holds_sync(item.body)) {
      return block(item.body);
    }
    Guard guard{largest, std::make_unique<Block>(block(full)), std::make_unique<Block>(block(item.body))};
    Block made;
    made.nodes.push_back(std::move(guard));
    return made;
  }

  /// The strongest form of a test over all points of the loops inside; none when an index is not linear in them.
  std::optional<Test> maximised(Test test, const Item& item) const {
    std::vector<const Item*> loops;
    inner_loops(item.body, loops);
    for (const Item* loop : loops) {
      if (!depends_on(test, loop->variable->as_atom())) {
        continue;
      }
      const std::optional<Linear> parts = linear_in(state_.pool(), test.index, loop->variable->as_atom());
      if (!parts || parts->coefficient < 0 || test.kind == Test::Kind::eq) {
        return std::nullopt;
      }
      const Index last = state_.pool().sub(loop->extent, state_.constant(1));
      const Index most =
          test.kind == Test::Kind::ge ? state_.constant(0) : state_.pool().scale(last, parts->coefficient);
      test.index = state_.pool().add(parts->rest, most);
    }
    return test;
  }

  static Block grouped(std::vector<Guarded> nodes) {
    Block made;
    const std::vector<Test>* open = nullptr;
    for (Guarded& g : nodes) {
      if (g.tests.empty()) {
        made.nodes.push_back(std::move(g.node));
        open = nullptr;
        continue;
      }
      if (open == nullptr || !same_tests(*open, g.tests)) {
        made.nodes.push_back(Guard{g.tests, std::make_unique<Block>(), nullptr});
        open = &g.tests;
      }
      std::get<Guard>(made.nodes.back()).body->nodes.push_back(std::move(g.node));
    }
    return made;
  }

  Lowering& state_;
};

}  // namespace

void form_guards(Lowering& state) { state.program.body = Guards(state).block(state.body); }

}  // namespace nvfuser
