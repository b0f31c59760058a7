// SPDX-License-Identifier: Apache-2.0
// Guards.  Barriers stand already: nothing that holds one is put under a guard, since all threads must reach it.
#include "nvfuser/lower/guards.h"

#include <algorithm>
#include <unordered_set>

#include "nvfuser/lower/nest_tests.h"
#include "nvfuser/lower/predicates.h"

namespace nvfuser {

namespace {

/// A finished node and the tests under which it runs.
struct Guarded {
  Node node;
  std::vector<Test> tests;
};

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
      } else if (std::holds_alternative<Wait>(item.action) && state_.program.ring.claims) {
        continue;  // the loop over claimed rows waits for each
      } else if (item.kind == Item::Kind::step) {
        nodes.push_back({node_of(item.action), std::move(item.tests)});
      } else if (item.kind == Item::Kind::branch) {
        add_branch(item, nodes);
      } else {
        add_loop(item, nodes);
      }
    }
    return grouped(std::move(nodes));
  }

 private:
  void add_loop(Item& item, std::vector<Guarded>& nodes) const {
    Loop loop{item.name, item.variable, item.extent, {}, item.parallel, nullptr};
    std::vector<Test> outer;
    for (const Test& test : shared_tests(item.body)) {
      if (!names_inside(test, item)) {
        outer.push_back(test);
        drop_test(item.body, test);
      } else if (const Index limit = state_.request.target == Target::cpu ? limit_of(test, item) : nullptr) {
        loop.limits.push_back(limit);
        drop_test(item.body, test);
      }
    }
    if (const Index limit = state_.request.target == Target::gpu ? turn_limit(item) : nullptr) {
      loop.limits.push_back(limit);
    }
    Block body = block(item.body);
    if (item.extent->is(1) && item.scope) {
      nodes.push_back({Guard{outer, std::make_unique<Block>(std::move(body)), nullptr}, {}});
      return;
    }
    if (item.extent->is(1)) {
      append(std::move(body), outer, nodes);
      return;
    }
    loop.body = std::make_unique<Block>(std::move(body));
    loop.claims = state_.ring.row != nullptr && item.variable == state_.ring.row;
    nodes.push_back({std::move(loop), std::move(outer)});
  }

  /// What both copies are tested for stands around the choice between them.
  void add_branch(Item& item, std::vector<Guarded>& nodes) const {
    std::vector<Test> outer = shared_tests({item});
    std::erase_if(outer, [&](const Test& test) { return names_inside(test, item); });
    for (const Test& test : outer) {
      drop_test(item.body, test);
      drop_test(item.otherwise, test);
    }
    Guard guard{item.tests, std::make_unique<Block>(block(item.body)), nullptr};
    if (!item.otherwise.empty()) {
      guard.otherwise = std::make_unique<Block>(block(item.otherwise));
    }
    nodes.push_back({std::move(guard), outer});
  }

  /// A loop of one point is only its body.  Its allocations keep their scope by the guard; without one they join ours.
  static void append(Block body, const std::vector<Test>& tests, std::vector<Guarded>& nodes) {
    for (Node& node : body.nodes) {
      const bool allocation = std::holds_alternative<Allocate>(node);
      nodes.push_back({std::move(node), allocation ? std::vector<Test>{} : tests});
    }
  }

  /// Where a test that is the same for a whole block fails for all that a turn does, no turn is left: a number of turns
  /// takes its place, and barriers stay reached by all threads.  Null where there is no such test.
  Index turn_limit(Item& item) const {
    if (item.parallel != ParallelType::serial || item.extent->is_constant() || item.variable == state_.ring.row) {
      return nullptr;
    }
    std::vector<Test> tests;
    collect_tests(item.body, tests);
    std::unordered_set<const Tensor*> own;
    collect_allocated(item.body, own);
    for (const Test& test : tests) {
      if (const Index limit = is_of_turn(test, item) && covers(test, item.body, own) ? limit_of(test, item) : nullptr) {
        drop_test(item.body, test);
        return limit;
      }
    }
    return nullptr;
  }

  /// Is it the same for all threads of a block, in each turn of the loop?
  bool is_of_turn(const Test& test, const Item& loop) const {
    const std::vector<const Atom*> atoms = atoms_of(test.index);
    return test.kind == Test::Kind::lt && depends_on(test, loop.variable->as_atom()) &&
           std::all_of(atoms.begin(), atoms.end(), [&](const Atom* atom) {
             const auto is_block_index = [&](Index v) { return v != nullptr && v->as_atom() == atom; };
             const bool leaf =
                 atom->kind == AtomKind::var || atom->kind == AtomKind::axis || atom->kind == AtomKind::data;
             return !leaf || atom == loop.variable->as_atom() ||
                    std::any_of(state_.program.grid_var.begin(), state_.program.grid_var.end(), is_block_index);
           });
  }

  static void collect_allocated(const std::vector<Item>& body, std::unordered_set<const Tensor*>& found) {
    for (const Item& item : body) {
      if (const auto* allocate = std::get_if<Allocate>(&item.action)) {
        found.insert(allocate->tensor);
      }
      collect_allocated(item.body, found);
      collect_allocated(item.otherwise, found);
    }
  }

  /// Where it writes; null for what does not assign.
  static const Tensor* target_of(const Item& item) {
    const auto* assign = std::get_if<Assign>(&item.action);
    const auto* move = std::get_if<Move>(&item.action);
    return assign != nullptr ? assign->to.tensor : move != nullptr ? move->to.tensor : nullptr;
  }

  /// Does nothing come of the body where the test fails?  Accumulators that begin and are joined in it hold nothing
  /// then, and what is the body's `own` ends with it.
  bool covers(const Test& test, const std::vector<Item>& body, const std::unordered_set<const Tensor*>& own) const {
    const auto excludes = [&](const Test& other) {
      return other.kind == Test::Kind::lt && other.bound == test.bound &&
             state_.algebra.nonnegative(state_.pool().sub(other.index, test.index));
    };
    return std::all_of(body.begin(), body.end(), [&](const Item& item) {
      const bool tested =
          item.kind != Item::Kind::branch && std::any_of(item.tests.begin(), item.tests.end(), excludes);
      if (item.kind == Item::Kind::sync || tested) {
        return true;
      }
      if (item.kind == Item::Kind::step) {
        const auto* join = std::get_if<Join>(&item.action);
        return is_allocation(item) || own.contains(target_of(item)) || std::holds_alternative<Begin>(item.action) ||
               std::holds_alternative<Finish>(item.action) || (join != nullptr && !join->cluster);
      }
      return covers(test, item.body, own) && covers(test, item.otherwise, own);
    });
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
