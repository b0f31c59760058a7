// SPDX-License-Identifier: Apache-2.0
// See staged_stores.h.  Runs on guarded nodes: a lane loop without a guard around the store runs all its lanes.
#include "nvfuser/lower/staged_stores.h"

#include <algorithm>

namespace nvfuser {
namespace {

/// Lanes of one staging array: 2 KB of floats stay in the first-level cache beside the inputs.
constexpr int64_t kLanes = 512;

class Staging {
 public:
  explicit Staging(Lowering& state) : state_(state) {}

  void visit(Block& block) {
    for (Node& node : block.nodes) {
      if (auto* loop = std::get_if<Loop>(&node)) {
        if (loop->parallel == ParallelType::vectorize && splits(*loop) && stages(*loop)) {
          node = staged(std::move(*loop));
        } else {
          visit(*loop->body);
        }
      } else if (auto* guard = std::get_if<Guard>(&node)) {
        visit(*guard->body);
        if (guard->otherwise) {
          visit(*guard->otherwise);
        }
      }
    }
  }

 private:
  /// Either the extent alone ends the lanes, or it is a whole number of arrays.
  static bool splits(const Loop& loop) {
    const bool whole = loop.extent->is_constant() && loop.extent->constant() % kLanes == 0;
    return (whole || loop.limits.empty()) && !(loop.extent->is_constant() && loop.extent->constant() <= kLanes);
  }

  bool consecutive(const Loop& loop, const Assign& store) const {
    const Atom* lane = loop.variable->as_atom();
    const Index rest = state_.pool().sub(store.to.offset, loop.variable);
    const std::vector<const Atom*> atoms = atoms_of(rest);
    return std::find(atoms.begin(), atoms.end(), lane) == atoms.end();
  }

  bool is_streaming(const Loop& loop, const Node& node) const {
    const auto* assign = std::get_if<Assign>(&node);
    return assign && assign->what->op == TensorOp::store && assign->what->streaming && consecutive(loop, *assign);
  }

  bool stages(const Loop& loop) const {
    return std::any_of(loop.body->nodes.begin(), loop.body->nodes.end(),
                       [&](const Node& node) { return is_streaming(loop, node); });
  }

  Tensor* stage_of(const Tensor* store) {
    Tensor stage = *store;
    stage.op = TensorOp::copy;
    stage.memory = MemoryType::local;
    stage.name = "L" + std::to_string(count_++);
    state_.kernel.storage.push_back(std::move(stage));
    return &state_.kernel.storage.back();
  }

  Index put(Index index, const Loop& loop, Index value) const {
    const Atom* lane = loop.variable->as_atom();
    return index == nullptr
               ? nullptr
               : state_.algebra.substitute(index, [&](const Atom& atom) { return &atom == lane ? value : nullptr; });
  }

  void put(std::vector<Test>& tests, const Loop& loop, Index value) const {
    for (Test& test : tests) {
      test.index = put(test.index, loop, value);
      test.bound = put(test.bound, loop, value);
    }
  }

  void put(Block& block, const Loop& loop, Index value) const {
    for (Node& node : block.nodes) {
      if (auto* assign = std::get_if<Assign>(&node)) {
        assign->to.offset = put(assign->to.offset, loop, value);
        assign->index = put(assign->index, loop, value);
        for (Place& read : assign->reads) {
          read.offset = put(read.offset, loop, value);
        }
        for (std::vector<Test>& tests : assign->conditions) {
          put(tests, loop, value);
        }
      } else if (auto* accumulate = std::get_if<Accumulate>(&node)) {
        accumulate->at = put(accumulate->at, loop, value);
        for (Place& read : accumulate->reads) {
          read.offset = put(read.offset, loop, value);
        }
      } else if (auto* move = std::get_if<Move>(&node)) {
        move->to.offset = put(move->to.offset, loop, value);
        move->from.offset = put(move->from.offset, loop, value);
      } else if (auto* guard = std::get_if<Guard>(&node)) {
        put(guard->tests, loop, value);
        put(*guard->body, loop, value);
        if (guard->otherwise) {
          put(*guard->otherwise, loop, value);
        }
      }
    }
  }

  Loop staged(Loop loop) {
    const Index lanes = state_.constant(kLanes);
    Loop outer{loop.name + "b",          nullptr, state_.algebra.ceil_div(loop.extent, lanes), {}, ParallelType::serial,
               std::make_unique<Block>()};
    outer.variable = state_.pool().var(outer.name, outer.extent);
    const Index first = state_.pool().scale(outer.variable, kLanes);
    std::vector<Index> rests;
    for (Index limit : loop.limits) {
      outer.limits.push_back(state_.algebra.ceil_div(limit, lanes));
      rests.push_back(state_.pool().sub(limit, first));
    }
    if (rests.empty()) {
      rests.push_back(state_.pool().sub(loop.extent, first));
    }
    Loop inner{loop.name,           state_.pool().var(loop.name, lanes), lanes, rests, ParallelType::vectorize,
               std::move(loop.body)};
    std::vector<Node> moves;
    for (Node& node : inner.body->nodes) {
      if (is_streaming(loop, node)) {
        Assign& store = std::get<Assign>(node);
        Tensor* stage = stage_of(store.what);
        outer.body->nodes.push_back(Allocate{stage, kLanes});
        moves.push_back(Move{store.what,
                             {store.what, put(store.to.offset, loop, first)},
                             {stage, state_.constant(0)},
                             static_cast<int>(kLanes),
                             inner.limits});
        store.what = stage;
        store.to = {stage, loop.variable};
      }
    }
    const Index lane = state_.pool().add(first, inner.variable);
    for (Node& node : inner.body->nodes) {
      auto* assign = std::get_if<Assign>(&node);
      const bool to_stage =
          assign && assign->to.offset == loop.variable && assign->what->op == TensorOp::copy && assign->what->streaming;
      Block one;
      one.nodes.push_back(std::move(node));
      put(one, loop, lane);
      node = std::move(one.nodes.front());
      if (to_stage) {
        std::get<Assign>(node).to.offset = inner.variable;
      }
    }
    outer.body->nodes.push_back(std::move(inner));
    std::move(moves.begin(), moves.end(), std::back_inserter(outer.body->nodes));
    return outer;
  }

  Lowering& state_;
  int count_ = 0;
};

}  // namespace

void stage_stores(Lowering& state) {
  if (state.request.target == Target::cpu) {
    Staging(state).visit(state.program.body);
  }
}

}  // namespace nvfuser
