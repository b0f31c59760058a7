// SPDX-License-Identifier: Apache-2.0
// Vector moves.  A width is legal when the lane is the last term of both addresses, everything else is divisible by the
// width, the buffer is aligned, and no test depends on the lane (guard first lane = guard all).  Whole 16 bytes of an
// input may start at any element.
#include "nvfuser/lower/vector_moves.h"

#include <algorithm>
#include <optional>

#include "nvfuser/lower/predicates.h"

namespace nvfuser {

namespace {

constexpr int64_t kWidestAccess = 16;  ///< bytes; wider moves are several accesses
constexpr int64_t kWidestMove = 128;   ///< elements

/// The largest power of two that divides n, within the bound.
int64_t widest(int64_t n) {
  int64_t width = 1;
  while (n % (width * 2) == 0 && width * 2 <= kWidestMove) {
    width *= 2;
  }
  return width;
}

class Moves {
 public:
  explicit Moves(Lowering& state) : state_(state) {}

  void walk(std::vector<Item>& body) {
    for (Item& item : body) {
      if (item.kind != Item::Kind::loop || !try_loop(item)) {
        walk(item.body);
        walk(item.otherwise);
      }
    }
  }

  std::optional<Item> within(const Item& loop, const Within& row) const {
    const Assign* assign = moved(loop);
    const int64_t extent = loop.extent->constant();
    const auto is_local = [](const Place& place) { return place.tensor->memory == MemoryType::local; };
    if (assign == nullptr || is_local(assign->reads[0]) == is_local(assign->to) || extent < 2 ||
        widest(extent) != extent) {
      return std::nullopt;
    }
    std::optional<Item> step = move(loop, extent);
    step = step ? std::move(step) : unaligned(loop);
    if (step) {
      std::get<Move>(step->action).within = row;
      step->tests = tidy_tests(state_.algebra, std::move(step->tests));
    }
    return step;
  }

 private:
  /// What the loop's only statement moves, lane by lane; null where it does more.
  static const Assign* moved(const Item& loop) {
    const bool lanes = loop.parallel == ParallelType::vectorize || loop.parallel == ParallelType::unroll;
    if (!lanes || !loop.extent->is_constant() || loop.body.size() != 1 || loop.body[0].kind != Item::Kind::step) {
      return nullptr;
    }
    const auto* assign = std::get_if<Assign>(&loop.body[0].action);
    const bool moves = assign != nullptr && (assign->what->op == TensorOp::load ||
                                             assign->what->op == TensorOp::store || assign->what->op == TensorOp::copy);
    return moves && assign->reads[0].tensor->dtype == assign->to.tensor->dtype && bytes_of(assign->to.tensor->dtype) > 0
               ? assign
               : nullptr;
  }

  bool try_loop(Item& loop) {
    const Assign* assign = moved(loop);
    if (assign == nullptr) {
      return false;
    }
    const int64_t extent = loop.extent->constant(), bytes = bytes_of(assign->to.tensor->dtype);
    for (int64_t width = widest(extent); width > 1; width /= 2) {
      if (width * bytes < kWidestAccess && width * bytes * 2 >= kWidestAccess) {
        if (std::optional<Item> step = unaligned(loop)) {
          replace(loop, std::move(*step), 1);
          return true;
        }
      }
      if (std::optional<Item> step = move(loop, width)) {
        replace(loop, std::move(*step), extent / width);
        return true;
      }
    }
    return false;
  }

  /// The loop's statement for `width` lanes at once, over the variable of a loop of extent / width.
  std::optional<Item> move(const Item& loop, int64_t width) const {
    Item step = loop.body[0];
    const Assign& assign = std::get<Assign>(step.action);
    const Index run = run_variable(loop, width);
    const std::optional<Place> to = straight(assign.to, loop, run, width),
                               from = straight(assign.reads[0], loop, run, width);
    if (!to || !from) {
      return std::nullopt;
    }
    for (Test& test : step.tests) {
      if (!depends_on(test, loop.variable->as_atom())) {
        continue;
      }
      const std::optional<Linear> parts = linear_in(state_.pool(), test.index, loop.variable->as_atom());
      const bool aligned = parts && parts->coefficient == 1 && test.kind != Test::Kind::eq &&
                           divides(width, parts->rest) && (test.bound == nullptr || divides(width, test.bound));
      if (!aligned) {
        return std::nullopt;
      }
      test.index = state_.pool().add(parts->rest, state_.pool().scale(run, width));
    }
    step.action = Move{assign.what, *to, *from, static_cast<int>(width)};
    return step;
  }

  /// The whole loop's statement, where it loads some 16 bytes of an input, from wherever they start.
  std::optional<Item> unaligned(const Item& loop) const {
    Item step = loop.body[0];
    const Assign& assign = std::get<Assign>(step.action);
    const int64_t extent = loop.extent->constant();
    const bool tested = std::any_of(step.tests.begin(), step.tests.end(),
                                    [&](const Test& test) { return depends_on(test, loop.variable->as_atom()); });
    if (tested || !is_read_only(assign) || extent * bytes_of(assign.to.tensor->dtype) % kWidestAccess != 0) {
      return std::nullopt;
    }
    const std::optional<Place> to = straight(assign.to, loop, state_.constant(0), extent);
    const std::optional<Linear> parts = linear_in(state_.pool(), assign.reads[0].offset, loop.variable->as_atom());
    if (!to || !parts || parts->coefficient != 1) {
      return std::nullopt;
    }
    const Index from = parts->rest;
    step.action =
        Move{assign.what, *to, {assign.reads[0].tensor, from}, static_cast<int>(extent), {}, remainder(from, extent)};
    return step;
  }

  /// p without terms that are multiples of the width: where turns of a loop add only such terms, they share it.
  Index remainder(Index p, int64_t width) const {
    std::vector<Term> terms = p->terms;
    std::erase_if(terms, [&](const Term& term) { return divides(width, state_.pool().from_terms({term})); });
    return state_.pool().from_terms(std::move(terms));
  }

  /// Is it the load of an input that nothing in the kernel writes?
  bool is_read_only(const Assign& assign) const {
    const std::vector<Tensor*>& inputs = state_.kernel.inputs;
    const auto at = std::find(inputs.begin(), inputs.end(), assign.reads[0].tensor);
    const auto position = static_cast<int>(at - inputs.begin());
    return state_.request.target == Target::gpu && assign.what->op == TensorOp::load && at != inputs.end() &&
           std::none_of(state_.request.aliases.begin(), state_.request.aliases.end(),
                        [&](const auto& alias) { return alias.first == position; });
  }

  /// The place of the first lane, when lanes are consecutive and the first is a multiple of the width.
  std::optional<Place> straight(const Place& place, const Item& loop, Index run, int64_t width) const {
    const std::optional<Linear> parts = linear_in(state_.pool(), place.offset, loop.variable->as_atom());
    if (!parts || parts->coefficient != 1 || !divides(width, parts->rest)) {
      return std::nullopt;
    }
    const std::vector<Tensor*>& own = state_.kernel.workspaces;  // start at multiples of every width
    if (place.tensor->memory == MemoryType::global && std::find(own.begin(), own.end(), place.tensor) == own.end()) {
      const auto known = state_.request.facts.alignment.find(place.tensor->name);
      const int64_t alignment = known == state_.request.facts.alignment.end() ? 1 : known->second;
      if (alignment % std::min(width * bytes_of(place.tensor->dtype), kWidestAccess) != 0) {
        return std::nullopt;
      }
    }
    return Place{place.tensor, state_.pool().add(parts->rest, state_.pool().scale(run, width))};
  }

  bool divides(int64_t width, Index p) const { return state_.algebra.known_divisor(p) % width == 0; }

  Index run_variable(const Item& loop, int64_t width) const {
    const int64_t count = loop.extent->constant() / width;
    return count == 1 ? state_.constant(0) : state_.pool().var(loop.name, state_.constant(count));
  }

  void replace(Item& loop, Item step, int64_t count) const {
    step.tests = tidy_tests(state_.algebra, std::move(step.tests));
    if (count == 1) {
      loop = std::move(step);
      return;
    }
    loop.variable = state_.pool().var(loop.name, state_.constant(count));
    loop.extent = state_.constant(count);
    loop.parallel = ParallelType::unroll;
    loop.body.clear();
    loop.body.push_back(std::move(step));
  }

  Lowering& state_;
};

}  // namespace

void form_moves(Lowering& state) { Moves(state).walk(state.body); }

std::optional<Item> move_within(Lowering& state, const Item& loop, const Within& row) {
  return Moves(state).within(loop, row);
}

}  // namespace nvfuser
