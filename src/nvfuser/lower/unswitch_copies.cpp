// SPDX-License-Identifier: Apache-2.0
// Copies of unswitch bodies.  Barriers stand already: which copy runs differs between threads, so none may be inside.
#include "nvfuser/lower/unswitch_copies.h"

#include <optional>

#include "nvfuser/lower/nest_tests.h"
#include "nvfuser/lower/predicates.h"

namespace nvfuser {

namespace {

class Copies {
 public:
  explicit Copies(Lowering& state) : state_(state) {}

  /// Outermost first: what an outer copy is free of needs no test inside.
  void walk(std::vector<Item>& body) const {
    for (Item& item : body) {
      if (item.kind == Item::Kind::loop && item.parallel == ParallelType::unswitch && !holds_sync(item.body)) {
        split(item);
      }
      walk(item.body);
      walk(item.otherwise);
    }
  }

 private:
  void split(Item& loop) const {
    std::vector<Test> all, largest;
    collect_tests(loop.body, all);
    for (const Test& test : shared_tests(loop.body)) {
      if (!names_inside(test, loop)) {
        std::erase(all, test);  // stands around the loop
      }
    }
    Item branch;
    branch.kind = Item::Kind::branch;
    branch.body = loop.body;
    for (const Test& test : tidy_tests(state_.algebra, std::move(all))) {
      if (const std::optional<Test> most = maximised(test, loop)) {
        largest.push_back(*most);
        drop_test(branch.body, test);
      }
    }
    branch.tests = tidy_tests(state_.algebra, std::move(largest));
    if (branch.tests.empty()) {
      return;
    }
    branch.otherwise = std::move(loop.body);
    loop.body.clear();
    loop.body.push_back(std::move(branch));
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

  Lowering& state_;
};

}  // namespace

void copy_unswitched(Lowering& state) {
  if (state.request.target == Target::gpu) {
    Copies(state).walk(state.body);
  }
}

}  // namespace nvfuser
