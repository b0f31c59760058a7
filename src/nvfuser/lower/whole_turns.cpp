// SPDX-License-Identifier: Apache-2.0
// See whole_turns.h.  Vectors of a row that starts anywhere are tested at both ends of it, though most of them reach
// neither: of a thread's turns the first may begin before the row, the last ones may end behind it.
#include "nvfuser/lower/whole_turns.h"

#include <algorithm>

#include "nvfuser/lower/nest_tests.h"
#include "nvfuser/lower/predicates.h"

namespace nvfuser {

namespace {

/// Loops inside a body that would get a copy for vectors whose lanes all exist.
void find_vectors(const std::vector<Item>& body, std::vector<const Item*>& found) {
  for (const Item& item : body) {
    if (item.kind == Item::Kind::loop && item.parallel == ParallelType::unswitch) {
      found.push_back(&item);
    } else {
      find_vectors(item.body, found);
    }
  }
}

/// Tests of single lanes.
std::vector<Test> lane_tests(const Item& vector) {
  std::vector<Test> all, found;
  collect_tests(vector.body, all);
  std::copy_if(all.begin(), all.end(), std::back_inserter(found),
               [&](const Test& test) { return names_inside(test, vector); });
  return found;
}

class Turns {
 public:
  explicit Turns(Lowering& state) : state_(state) {}

  void walk(std::vector<Item>& body) const {
    std::vector<Item> made;
    for (Item& item : body) {
      const auto [first, last] = inside(item);
      if (first == last) {
        walk(item.body);
        made.push_back(std::move(item));
        continue;
      }
      add_part(item, 0, first, made);
      add_part(item, first, last, made);
      drop_proven(made.back().body);
      add_part(item, last, item.extent->constant(), made);
    }
    body = std::move(made);
  }

 private:
  struct Run {
    int64_t first = 0, last = 0;
  };

  /// The longest run of turns in which every lane exists; an empty one where nothing is gained.
  Run inside(const Item& loop) const {
    const bool unrolled = loop.kind == Item::Kind::loop && loop.parallel == ParallelType::unroll &&
                          loop.extent->is_constant() && !holds_sync(loop.body);
    std::vector<const Item*> vectors;
    if (unrolled) {
      find_vectors(loop.body, vectors);
    }
    std::vector<Test> tests;
    for (const Item* vector : vectors) {
      const std::vector<Test> mine = lane_tests(*vector);
      tests.insert(tests.end(), mine.begin(), mine.end());
    }
    Run best;
    for (int64_t k = 0, first = 0; !tests.empty() && k < loop.extent->constant(); ++k) {
      first = holds(tests, loop, k) ? first : k + 1;
      best = k + 1 - first > best.last - best.first ? Run{first, k + 1} : best;
    }
    return best;
  }

  bool holds(const std::vector<Test>& tests, const Item& loop, int64_t turn) const {
    return std::all_of(tests.begin(), tests.end(), [&](Test test) {
      put(test, loop, state_.constant(turn));
      return holds(test);
    });
  }

  bool holds(const Test& test) const {
    IndexPool& pool = state_.pool();
    const Index above = test.kind == Test::Kind::ge   ? test.index
                        : test.kind == Test::Kind::lt ? pool.sub(pool.sub(test.bound, state_.constant(1)), test.index)
                                                      : nullptr;
    return above != nullptr && state_.algebra.nonnegative(with_least_sizes(above));
  }

  /// What p is no less than, as sizes are no smaller than facts say.
  Index with_least_sizes(Index p) const {
    IndexPool& pool = state_.pool();
    Index low = pool.constant(0);
    for (const Term& term : p->terms) {
      const bool size = term.atoms.size() == 1 && term.atoms[0]->kind == AtomKind::size && term.coefficient > 0;
      const int64_t least = size ? state_.request.facts.least_of(pool.from_atom(term.atoms[0])) : 0;
      low = pool.add(low, least > 1 ? pool.constant(term.coefficient * least) : pool.from_terms({term}));
    }
    return low;
  }

  /// Turns first .. last - 1 of the loop.
  void add_part(const Item& loop, int64_t first, int64_t last, std::vector<Item>& made) const {
    if (first == last) {
      return;
    }
    Item& part = made.emplace_back(loop);
    part.extent = state_.constant(last - first);
    part.variable = state_.pool().var(loop.name, part.extent);
    part.scope = true;
    const Index turn =
        last - first == 1 ? state_.constant(first) : state_.pool().add(part.variable, state_.constant(first));
    for (Item& item : part.body) {
      put(item, loop, turn);
    }
  }

  /// No lane is tested any more: one copy is enough.
  void drop_proven(std::vector<Item>& body) const {
    for (Item& item : body) {
      std::erase_if(item.tests, [&](const Test& test) { return holds(test); });
      item.parallel = item.parallel == ParallelType::unswitch ? ParallelType::unroll : item.parallel;
      drop_proven(item.body);
    }
  }

  // ---- the turn in place of the loop's variable

  void put(Index& p, const Item& loop, Index turn) const {
    const Atom* variable = loop.variable->as_atom();
    p = p == nullptr
            ? nullptr
            : state_.algebra.substitute(p, [&](const Atom& atom) { return &atom == variable ? turn : nullptr; });
  }
  void put(Test& test, const Item& loop, Index turn) const {
    put(test.index, loop, turn);
    put(test.bound, loop, turn);
  }
  void put(std::vector<Test>& tests, const Item& loop, Index turn) const {
    std::for_each(tests.begin(), tests.end(), [&](Test& test) { put(test, loop, turn); });
  }
  void put(Item& item, const Item& loop, Index turn) const {
    put(item.tests, loop, turn);
    for (Item& inner : item.body) {
      put(inner, loop, turn);
    }
    if (auto* assign = std::get_if<Assign>(&item.action)) {
      put(assign->to.offset, loop, turn);
      std::for_each(assign->reads.begin(), assign->reads.end(), [&](Place& read) { put(read.offset, loop, turn); });
      std::for_each(assign->conditions.begin(), assign->conditions.end(),
                    [&](std::vector<Test>& tests) { put(tests, loop, turn); });
      put(assign->index, loop, turn);
    } else if (auto* accumulate = std::get_if<Accumulate>(&item.action)) {
      put(accumulate->at, loop, turn);
      std::for_each(accumulate->reads.begin(), accumulate->reads.end(),
                    [&](Place& read) { put(read.offset, loop, turn); });
    }
  }

  Lowering& state_;
};

}  // namespace

void part_turns(Lowering& state) {
  if (state.request.target == Target::gpu) {
    Turns(state).walk(state.body);
  }
}

}  // namespace nvfuser
