// SPDX-License-Identifier: Apache-2.0
// Folds.  A loop may become one when the accumulator stays the same, every operand is read from local memory at the
// loop's index and more, and no test but (on the CPU) a bound depends on that index.
#include "nvfuser/lower/folds.h"

#include <algorithm>
#include <optional>

#include "nvfuser/lower/predicates.h"

namespace nvfuser {

namespace {

bool contains_atom(Index p, const Atom* atom) {
  const std::vector<const Atom*> atoms = atoms_of(p);
  return std::find(atoms.begin(), atoms.end(), atom) != atoms.end();
}

class Folds {
 public:
  explicit Folds(Lowering& state) : state_(state) {}

  void walk(std::vector<Item>& body) {
    for (Item& item : body) {
      if (item.kind != Item::Kind::loop) {
        continue;
      }
      if (std::optional<Item> step = fold(item)) {
        item = std::move(*step);
        continue;
      }
      if (on_cpu() && carries(item)) {
        item.parallel = ParallelType::serial;
      }
      walk(item.body);
    }
  }

 private:
  bool on_cpu() const { return state_.request.target == Target::cpu; }

  /// Does one accumulator take an element in every round of the loop?
  static bool carries(const Item& loop) {
    const Atom* lane = loop.variable->as_atom();
    return std::any_of(loop.body.begin(), loop.body.end(), [&](const Item& inner) {
      const auto* accumulate = std::get_if<Accumulate>(&inner.action);
      return accumulate != nullptr && !contains_atom(accumulate->at, lane);
    });
  }

  std::optional<Item> fold(const Item& loop) const {
    const bool one = loop.extent->is_constant() && loop.extent->constant() > 1 && loop.body.size() == 1 &&
                     loop.body[0].kind == Item::Kind::step;
    const auto* accumulate = one ? std::get_if<Accumulate>(&loop.body[0].action) : nullptr;
    // Of two operands only the CPU's folds take blocks.
    if (accumulate == nullptr || accumulate->reduce->reduction->merges || (accumulate->reads.size() > 1 && !on_cpu())) {
      return std::nullopt;
    }
    Item step = loop.body[0];
    auto& made = std::get<Accumulate>(step.action);
    const Atom* lane = loop.variable->as_atom();
    if (contains_atom(made.at, lane) || !read_blocks(made, loop)) {
      return std::nullopt;
    }
    std::vector<Test> kept;
    for (const Test& test : step.tests) {
      if (!depends_on(test, lane)) {
        kept.push_back(test);
      } else if (const Index count = on_cpu() ? count_of(test, lane) : nullptr) {
        made.counts.push_back(count);
      } else {
        return std::nullopt;
      }
    }
    step.tests = std::move(kept);
    made.width = static_cast<int>(loop.extent->constant());
    return step;
  }

  /// Puts the first lane in for each operand; false where lanes are not consecutive.
  bool read_blocks(Accumulate& made, const Item& loop) const {
    for (Place& place : made.reads) {
      if (place.tensor == nullptr || place.tensor->memory != MemoryType::local) {
        return false;
      }
      const std::optional<Linear> parts = linear_in(state_.pool(), place.offset, loop.variable->as_atom());
      if (!parts || parts->coefficient != 1 ||
          state_.algebra.known_divisor(parts->rest) % loop.extent->constant() != 0) {
        return false;
      }
      place.offset = parts->rest;
    }
    return true;
  }

  /// rest + lane < bound  holds for the first bound - rest lanes; null for tests of another form.
  Index count_of(const Test& test, const Atom* lane) const {
    const std::optional<Linear> parts = linear_in(state_.pool(), test.index, lane);
    if (test.kind != Test::Kind::lt || !parts || parts->coefficient != 1) {
      return nullptr;
    }
    return state_.algebra.tidy(state_.pool().sub(test.bound, parts->rest));
  }

  Lowering& state_;
};

}  // namespace

void form_folds(Lowering& state) { Folds(state).walk(state.body); }

}  // namespace nvfuser
