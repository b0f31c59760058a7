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
    std::vector<Test> all, around, largest;
    collect_tests(loop.body, all);
    for (const Test& test : shared_tests(loop.body)) {
      if (!names_inside(test, loop)) {
        std::erase(all, test);
        around.push_back(test);
      }
    }
    Item branch;
    branch.kind = Item::Kind::branch;
    branch.body = loop.body;
    for (const Test& test : tidy_tests(state_.algebra, std::move(all))) {
      if (const std::optional<Range> range = range_of(test, loop)) {
        largest.push_back(range->strongest);
        drop_test(branch.body, test);
      }
    }
    branch.tests = tidy_tests(state_.algebra, std::move(largest));
    if (branch.tests.empty()) {
      return;
    }
    Item some;
    some.kind = Item::Kind::branch;
    some.tests = some_pass(loop);
    std::erase_if(some.tests,
                  [&](const Test& test) { return std::find(around.begin(), around.end(), test) != around.end(); });
    if (some.tests.empty()) {
      branch.otherwise = std::move(loop.body);
    } else {
      some.body = std::move(loop.body);
      branch.otherwise.push_back(std::move(some));
    }
    loop.body.clear();
    loop.body.push_back(std::move(branch));
  }

  /// Tests without which no statement of the loop does anything.
  std::vector<Test> some_pass(const Item& loop) const {
    std::optional<std::vector<Test>> common;
    add_weakest(loop, loop.body, common);
    return tidy_tests(state_.algebra, common.value_or(std::vector<Test>{}));
  }

  void add_weakest(const Item& loop, const std::vector<Item>& body, std::optional<std::vector<Test>>& common) const {
    for (const Item& item : body) {
      if (item.kind != Item::Kind::step) {
        add_weakest(loop, item.body, common);
        add_weakest(loop, item.otherwise, common);
      } else if (!is_allocation(item)) {
        std::vector<Test> mine;
        for (const Test& test : item.tests) {
          if (const std::optional<Range> range = range_of(test, loop)) {
            mine.push_back(range->weakest);
          }
        }
        if (common) {
          std::erase_if(*common,
                        [&](const Test& test) { return std::find(mine.begin(), mine.end(), test) == mine.end(); });
        } else {
          common = std::move(mine);
        }
      }
    }
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
