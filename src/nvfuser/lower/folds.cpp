// SPDX-License-Identifier: Apache-2.0
// Folds.  A loop may become one when the accumulator stays the same, every operand is read from local memory at the
// loop's index and more, and no test but (on the CPU) a bound depends on that index.  There a fold reads what is loaded
// for it alone where it lies.
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
    bool folded = false;
    for (Item& item : body) {
      if (item.kind != Item::Kind::loop) {
        walk(item.body);
        walk(item.otherwise);
        continue;
      }
      if (std::optional<Item> step = fold(item)) {
        item = std::move(*step);
        folded = folded || on_cpu();
        continue;
      }
      if (on_cpu() && carries(item)) {
        item.parallel = ParallelType::serial;
      }
      walk(item.body);
    }
    if (folded) {
      read_through(body);
    }
  }

  std::optional<Item> within(const Item& loop, const Within& row) const {
    std::optional<Item> step = fold(loop);
    if (step) {
      std::get<Accumulate>(step->action).within = row;
    }
    return step;
  }

 private:
  /// Elements that a fold alone reads come straight from where they are loaded.
  void read_through(std::vector<Item>& body) const {
    std::vector<const Tensor*> unread;
    for (size_t k = 0; k < body.size(); ++k) {
      auto* accumulate = std::get_if<Accumulate>(&body[k].action);
      if (accumulate == nullptr || accumulate->width == 1) {
        continue;
      }
      for (Place& place : accumulate->reads) {
        const auto load = std::find_if(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(k),
                                       [&](const Item& item) { return loads_for(item, place, *accumulate); });
        if (load != body.begin() + static_cast<std::ptrdiff_t>(k)) {
          unread.push_back(place.tensor);
          place = *first_element(*load);
          load->body.clear();
        }
      }
    }
    std::erase_if(body, [&](const Item& item) {
      const auto* allocate = std::get_if<Allocate>(&item.action);
      return (item.kind == Item::Kind::loop && item.body.empty()) ||
             (allocate != nullptr && std::find(unread.begin(), unread.end(), allocate->tensor) != unread.end());
    });
  }

  /// Does the loop load what the fold reads at that place, all of it and for nobody else?
  bool loads_for(const Item& loop, const Place& place, const Accumulate& fold) const {
    const bool one =
        loop.kind == Item::Kind::loop && loop.body.size() == 1 && loop.extent->is(fold.width) && place.offset->is(0);
    const auto* assign = one ? std::get_if<Assign>(&loop.body[0].action) : nullptr;
    if (assign == nullptr || assign->what != place.tensor || assign->what->op != TensorOp::load) {
      return false;
    }
    const std::vector<Tensor*>& readers = state_.consumers.at(assign->what);
    return first_element(loop).has_value() && std::all_of(readers.begin(), readers.end(), [&](const Tensor* reader) {
             return reader->reduction == fold.reduce->reduction;
           });
  }

  /// Where the loop's elements lie side by side, the first of them.
  std::optional<Place> first_element(const Item& loop) const {
    const Place& from = std::get<Assign>(loop.body[0].action).reads[0];
    const std::optional<Linear> parts = linear_in(state_.pool(), from.offset, loop.variable->as_atom());
    return parts && parts->coefficient == 1 ? std::optional<Place>({from.tensor, parts->rest}) : std::nullopt;
  }

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

std::optional<Item> fold_within(Lowering& state, const Item& loop, const Within& row) {
  return Folds(state).within(loop, row);
}

}  // namespace nvfuser
