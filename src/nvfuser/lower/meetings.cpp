// SPDX-License-Identifier: Apache-2.0
// Meetings.  Of the blocks that share a semaphore those dimensions of the grid differ which the phase in front spreads
// its states over and the phase behind does not know; the others number the semaphores.
#include "nvfuser/lower/meetings.h"

#include <algorithm>

namespace nvfuser {

namespace {

using Bound = std::array<const Id*, 3>;

void add_bound(const std::vector<Id*>& loops, Bound& bound) {
  for (const Id* loop : loops) {
    if (loop != nullptr && is_block(loop->parallel)) {
      bound[block_dimension(loop->parallel)] = loop;
    }
  }
}

/// Loops that are bound to the grid where states are stored, and where they are combined.
std::pair<Bound, Bound> bound_loops(const Lowering& state) {
  Bound spread{}, kept{};
  for (const Tensor* t : state.tensors) {
    if (t->op == TensorOp::store && t->workspace != nullptr) {
      add_bound(t->loop, spread);
    } else if (t->op == TensorOp::reduce && t->reduction->merges) {
      add_bound(t->kept_loop, kept);
    }
  }
  return {spread, kept};
}

/// One block does all that stands behind the meeting.
void check_behind(const Lowering& state) {
  for (const Tensor* t : state.tensors) {
    for (const Id* loop : t->phase > 0 ? t->loop : std::vector<Id*>{}) {
      check(loop == nullptr || !is_block(loop->parallel) || !state.arrives[block_dimension(loop->parallel)],
            ErrorKind::schedule, t->name, " is spread over blocks of which one is left");
    }
  }
}

void set_arrivals(Lowering& state) {
  const auto [spread, kept] = bound_loops(state);
  Index words = state.constant(1);
  state.arrival = {state.constant(0), state.constant(1)};
  for (int d = 0; d < 3; ++d) {
    if (spread[d] == nullptr) {
      continue;
    }
    const Index extent = state.algebra.tidy(spread[d]->extent);
    if (kept[d] == nullptr) {
      state.arrives[d] = true;
      state.arrival.count = state.pool().mul(state.arrival.count, extent);
      continue;
    }
    check(state.algebra.tidy(kept[d]->extent) == extent, ErrorKind::schedule, "blocks of ", kept[d]->name,
          " would combine states of ", spread[d]->name);
    state.arrival.at =
        state.pool().add(state.arrival.at, state.pool().mul(state.pool().var(kBlockNames[d], extent), words));
    words = state.pool().mul(words, extent);
  }
  state.program.semaphores = state.pool().add(words, state.constant(1));
  check_behind(state);
}

}  // namespace

void set_meetings(Lowering& state) {
  const auto [first, last] = std::minmax_element(state.tensors.begin(), state.tensors.end(),
                                                 [](const Tensor* a, const Tensor* b) { return a->phase < b->phase; });
  if (state.tensors.empty() || (*first)->phase == (*last)->phase) {
    return;
  }
  check(state.request.target == Target::gpu, ErrorKind::schedule, "tasks do not meet");
  if (state.request.finish == GridFinish::last) {
    check((*last)->phase == (*first)->phase + 1, ErrorKind::schedule, "a block can be last once");
    set_arrivals(state);
  } else {
    check(state.request.finish == GridFinish::barrier, ErrorKind::schedule, "phases of one program need a meeting");
    state.program.semaphores = state.constant(2);
    state.program.cooperative = true;
  }
}

Action meeting_of(const Lowering& state) {
  return state.request.finish == GridFinish::last ? Action(state.arrival) : Action(GridSync{});
}

}  // namespace nvfuser
