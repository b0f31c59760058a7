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
    if (state.program.grid_var[d] != nullptr) {
      state.arrival.at = state.pool().add(state.arrival.at, state.pool().mul(state.program.grid_var[d], words));
    }
    words = state.pool().mul(words, extent);
  }
  state.program.semaphores = state.pool().add(words, state.constant(1));
}

/// How often the blocks meet in one turn of the loops around.
int64_t meetings_a_turn(const Lowering& state) {
  return std::count_if(state.operations.begin(), state.operations.end(),
                       [](const Operation& operation) { return operation.role == Role::meet; });
}

}  // namespace

void set_meetings(Lowering& state) {
  const auto [first, last] = std::minmax_element(state.tensors.begin(), state.tensors.end(),
                                                 [](const Tensor* a, const Tensor* b) { return a->phase < b->phase; });
  if (state.tensors.empty() || (*first)->phase == (*last)->phase) {
    return;
  }
  check(state.request.target == Target::gpu, ErrorKind::schedule, "tasks do not meet");
  set_arrivals(state);
  if (state.request.finish == GridFinish::last) {
    check((*last)->phase == (*first)->phase + 1, ErrorKind::schedule, "a block can be last once");
    check_behind(state);
  } else {
    check(state.request.finish == GridFinish::barrier, ErrorKind::schedule, "phases of one program need a meeting");
    state.program.cooperative = true;
  }
}

Action meeting_of(const Lowering& state, const Operation& meeting) {
  if (state.request.finish == GridFinish::last) {
    return state.arrival;
  }
  IndexPool& pool = state.pool();
  Index turn = state.constant(0);
  for (int group : meeting.path) {
    const Index extent = state.algebra.tidy(state.groups[group].loop->extent);
    turn = pool.add(pool.mul(turn, extent), pool.var(state.groups[group].name, state.groups[group].loop->extent));
  }
  const Index before = pool.scale(turn, meetings_a_turn(state));
  return GridSync{state.arrival.at, pool.mul(pool.add(before, state.constant(meeting.turn + 1)), state.arrival.count)};
}

Action leave_of(const Lowering& state) {
  IndexPool& pool = state.pool();
  Index meetings = state.constant(meetings_a_turn(state));
  const auto meeting = std::find_if(state.operations.begin(), state.operations.end(),
                                    [](const Operation& operation) { return operation.role == Role::meet; });
  for (int group : meeting->path) {
    meetings = pool.mul(meetings, state.algebra.tidy(state.groups[group].loop->extent));
  }
  return GridLeave{state.arrival.at, pool.mul(pool.add(meetings, state.constant(1)), state.arrival.count)};
}

}  // namespace nvfuser
