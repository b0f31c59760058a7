// SPDX-License-Identifier: Apache-2.0
// See lane_masks.h.  Operations are defined for all operands, so values may be computed of whatever lies beside a row;
// indices need not be, outside of what tests allow.
#include "nvfuser/lower/lane_masks.h"

#include <algorithm>
#include <unordered_set>

#include "nvfuser/lower/folds.h"
#include "nvfuser/lower/nest_tests.h"
#include "nvfuser/lower/predicates.h"
#include "nvfuser/lower/vector_moves.h"

namespace nvfuser {

namespace {

bool is_lanes(const Item& item) {
  return item.kind == Item::Kind::loop && item.extent->is_constant() &&
         std::all_of(item.body.begin(), item.body.end(),
                     [](const Item& inner) { return inner.kind == Item::Kind::step; });
}

bool names_lane(const Item& step, const Item& lanes) {
  return std::any_of(step.tests.begin(), step.tests.end(),
                     [&](const Test& test) { return depends_on(test, lanes.variable->as_atom()); });
}

/// The loops of lanes inside a body.
void find_lanes(std::vector<Item>& body, std::vector<Item*>& found) {
  for (Item& item : body) {
    is_lanes(item) ? found.push_back(&item) : find_lanes(item.body, found);
  }
}

/// Over the nest in its order: what one loop leaves undefined in some lanes, later ones may not use.
class LaneMasks {
 public:
  explicit LaneMasks(Lowering& state) : state_(state) {}

  void walk(std::vector<Item>& body);

 private:
  bool mask(Item& loop);
  void mask_lanes(Item& lanes);
  void note(const Item& loop);
  std::optional<Within> row_of(const Item& lanes) const;
  std::optional<Within> row_of(const Item& step, const Atom* lane) const;
  void weaken(Item& step, const Item& lanes) const;
  bool is_defined(const Place& place, const Atom* lane) const;
  bool runs_anywhere(const Item& step, const Item& lanes) const;

  Lowering& state_;
  std::unordered_set<const Tensor*> partial_;  ///< not defined in all lanes
  std::unordered_set<const Tensor*> tested_;   ///< not defined in all turns of a loop that stays
};

std::optional<Within> LaneMasks::row_of(const Item& step, const Atom* lane) const {
  Index first = nullptr, column = nullptr, bound = nullptr;
  for (const Test& test : step.tests) {
    if (!depends_on(test, lane)) {
      continue;
    }
    const std::optional<Linear> parts = linear_in(state_.pool(), test.index, lane);
    Index& mine = test.kind == Test::Kind::ge ? column : first;
    if (test.kind == Test::Kind::eq || !parts || parts->coefficient != 1 || mine != nullptr) {
      return std::nullopt;
    }
    mine = parts->rest;
    bound = test.kind == Test::Kind::lt ? test.bound : bound;
  }
  if (column == nullptr || first == nullptr) {
    return std::nullopt;
  }
  IndexPool& pool = state_.pool();
  return Within{column, state_.algebra.tidy(pool.add(bound, pool.sub(column, first)))};
}

/// Null without columns: no lane is tested.
std::optional<Within> LaneMasks::row_of(const Item& lanes) const {
  Within all;
  for (const Item& step : lanes.body) {
    if (!names_lane(step, lanes)) {
      continue;
    }
    const std::optional<Within> mine = row_of(step, lanes.variable->as_atom());
    if (!mine || (all && (all.column != mine->column || all.columns != mine->columns))) {
      return std::nullopt;
    }
    all = *mine;
  }
  return all;
}

/// Tests that some lane passes, in place of those for each.
void LaneMasks::weaken(Item& step, const Item& lanes) const {
  IndexPool& pool = state_.pool();
  std::vector<Test> tests;
  for (Test test : step.tests) {
    if (depends_on(test, lanes.variable->as_atom())) {
      const Index rest = linear_in(pool, test.index, lanes.variable->as_atom())->rest;
      const bool first = test.kind == Test::Kind::ge;
      test.index = first ? pool.add(rest, pool.sub(lanes.extent, pool.constant(1))) : rest;
      if (first && state_.algebra.nonnegative(test.index)) {
        continue;
      }
    }
    tests.push_back(test);
  }
  step.tests = tidy_tests(state_.algebra, std::move(tests));
}

/// What is tested by turns is read under the same test of the turn, which stays: only lanes of such a loop may be
/// undefined.
bool LaneMasks::is_defined(const Place& place, const Atom* lane) const {
  if (place.tensor == nullptr) {
    return true;
  }
  const std::optional<Linear> at = place.offset == nullptr ? Linear{} : linear_in(state_.pool(), place.offset, lane);
  const bool stepped = !at || at->coefficient != 0;
  return place.tensor->memory == MemoryType::local && !partial_.contains(place.tensor) &&
         !(stepped && tested_.contains(place.tensor));
}

/// May the step run in lanes beyond the row?
bool LaneMasks::runs_anywhere(const Item& step, const Item& lanes) const {
  const Atom* lane = lanes.variable->as_atom();
  const auto is_plain = [&](Index p) { return p == nullptr || linear_in(state_.pool(), p, lane).has_value(); };
  const auto is_read = [&](const Place& place) { return is_defined(place, lane) && is_plain(place.offset); };
  if (const auto* accumulate = std::get_if<Accumulate>(&step.action)) {
    // Each lane has an accumulator: nobody asks for those beyond.
    const std::optional<Linear> at = linear_in(state_.pool(), accumulate->at, lane);
    return at && at->coefficient == 1 && std::all_of(accumulate->reads.begin(), accumulate->reads.end(), is_read);
  }
  const auto* assign = std::get_if<Assign>(&step.action);
  return assign != nullptr && assign->to.tensor->memory == MemoryType::local && is_plain(assign->to.offset) &&
         is_plain(assign->index) && std::all_of(assign->reads.begin(), assign->reads.end(), is_read) &&
         std::all_of(assign->conditions.begin(), assign->conditions.end(), [&](const std::vector<Test>& tests) {
           return std::all_of(tests.begin(), tests.end(), [&](const Test& test) { return is_plain(test.index); });
         });
}

void LaneMasks::mask_lanes(Item& lanes) {
  const Within row = row_of(lanes).value();
  if (!row) {
    return;
  }
  Item bare = lanes;
  for (Item& step : bare.body) {
    weaken(step, lanes);
  }
  const Action& only = lanes.body.front().action;
  const auto* accumulate = std::get_if<Accumulate>(&only);
  std::optional<Item> masked;
  if (lanes.body.size() == 1 && accumulate != nullptr) {
    const bool defined = std::all_of(accumulate->reads.begin(), accumulate->reads.end(),
                                     [&](const Place& place) { return is_defined(place, lanes.variable->as_atom()); });
    masked = defined ? fold_within(state_, bare, row) : std::nullopt;
  } else if (lanes.body.size() == 1) {
    masked = move_within(state_, bare, row);
  }
  if (masked) {
    lanes = std::move(*masked);
    return;
  }
  for (size_t k = 0; k < lanes.body.size(); ++k) {
    Item& step = lanes.body[k];
    std::vector<Test>& some = bare.body[k].tests;
    if (!runs_anywhere(step, lanes)) {
      const auto* assign = std::get_if<Assign>(&step.action);
      assign != nullptr ? void(partial_.insert(assign->to.tensor)) : void();
      some.insert(some.end(), step.tests.begin(), step.tests.end());
    }
    step.tests = tidy_tests(state_.algebra, std::move(some));
  }
}

bool LaneMasks::mask(Item& loop) {
  std::vector<Item*> lanes;
  find_lanes(loop.body, lanes);
  const bool fits = std::all_of(lanes.begin(), lanes.end(), [&](const Item* l) { return row_of(*l).has_value(); }) &&
                    std::any_of(lanes.begin(), lanes.end(), [&](const Item* l) { return bool(*row_of(*l)); });
  if (!fits) {
    return false;
  }
  for (Item* l : lanes) {
    mask_lanes(*l);
  }
  return true;
}

/// What runs as it stands.
void LaneMasks::note(const Item& loop) {
  for (const Item& step : loop.body) {
    const auto* assign = std::get_if<Assign>(&step.action);
    if (assign != nullptr && names_lane(step, loop)) {
      tested_.insert(assign->to.tensor);
    }
  }
}

void LaneMasks::walk(std::vector<Item>& body) {
  for (Item& item : body) {
    if (item.kind == Item::Kind::loop && item.parallel == ParallelType::unswitch && mask(item)) {
      item.parallel = ParallelType::unroll;
    } else if (item.kind == Item::Kind::loop) {
      note(item);
      walk(item.body);
    }
  }
}

}  // namespace

void mask_lanes(Lowering& state) {
  if (state.request.target == Target::gpu) {
    LaneMasks(state).walk(state.body);
  }
}

}  // namespace nvfuser
