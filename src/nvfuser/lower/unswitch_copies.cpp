// SPDX-License-Identifier: Apache-2.0
// Copies of unswitch bodies: where all points exist, where some do.  Barriers stand already: which copy runs differs
// between threads, so none may be inside.
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
    std::vector<Test> all, largest, least;
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
      if (const std::optional<Range> range = range_of(test, loop)) {
        largest.push_back(range->strongest);
        least.push_back(range->weakest);
        drop_test(branch.body, test);
      }
    }
    branch.tests = tidy_tests(state_.algebra, std::move(largest));
    if (branch.tests.empty()) {
      return;
    }
    Item some;
    some.kind = Item::Kind::branch;
    some.tests = tidy_tests(state_.algebra, std::move(least));
    if (some.tests.empty()) {
      branch.otherwise = std::move(loop.body);
    } else {
      some.body = std::move(loop.body);
      branch.otherwise.push_back(std::move(some));
    }
    loop.body.clear();
    loop.body.push_back(std::move(branch));
  }

  /// A test over all points of the loops inside: what all pass where it holds, and what some pass.
  struct Range {
    Test strongest, weakest;
  };
  /// None when an index is not linear in them.
  std::optional<Range> range_of(const Test& test, const Item& item) const {
    std::vector<const Item*> loops;
    inner_loops(item.body, loops);
    Range range{test, test};
    for (const Item* loop : loops) {
      if (!depends_on(test, loop->variable->as_atom())) {
        continue;
      }
      if (test.kind == Test::Kind::eq || !to_ends(range, *loop)) {
        return std::nullopt;
      }
    }
    return range;
  }

  /// Takes the loop's variable out.
  bool to_ends(Range& range, const Item& loop) const {
    const bool rises = range.strongest.kind == Test::Kind::lt;
    for (Test* test : {&range.strongest, &range.weakest}) {
      const std::optional<Linear> parts = linear_in(state_.pool(), test->index, loop.variable->as_atom());
      if (!parts || parts->coefficient < 0) {
        return false;
      }
      const bool last = rises == (test == &range.strongest);
      const Index end = state_.pool().sub(loop.extent, state_.constant(1));
      test->index = last ? state_.pool().add(parts->rest, state_.pool().scale(end, parts->coefficient)) : parts->rest;
    }
    return true;
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
