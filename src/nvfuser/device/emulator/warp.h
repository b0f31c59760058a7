// SPDX-License-Identifier: Apache-2.0
// What the threads of a warp and of a block do together, emulated: shuffles and barriers are meetings of fibers, and
// all who meet must stand at one line.  Part of reduce.h; twin of cuda/warp.h.
#pragma once

#pragma GCC visibility push(hidden)
namespace rt::inner {

/// The tuple of the lane whose number differs in the bits of `distance`.
template <class Team, class Tuple>
Tuple shuffle_xor(const Tuple& t, int distance, int line) {
  Tuple other = t;
  machine->exchange(&other, &t, int(sizeof t), distance, line);
  return other;
}

/// No instruction does that here.
template <class Row>
inline constexpr bool kAcrossWarp = false;
template <class Row, class Tuple>
Tuple across_warp(const Tuple& t) {
  return t;
}

inline void meet(int line) { machine->wait_at_barrier(line); }

/// Ranks are those of the threads, where it matters.
template <class Team>
void check_team(const Team& team) {
  const int thread = machine->thread();
  if (team.rank < 0 || team.rank >= Team::kSize || team.index < 0 || team.index >= Team::kCount) {
    machine->fault("rank %d of team %d: there are %d teams of %d", team.rank, team.index, Team::kCount, Team::kSize);
  } else if (Team::kLanes && thread != team.index * Team::kSize + team.rank) {
    machine->fault("rank %d of team %d is thread %d: its members are not adjacent", team.rank, team.index, thread);
  }
}
inline void check_slots(int bytes, int left) {
  if (bytes > left) {
    machine->fault("the slots of a join: %d bytes more than the half", bytes - left);
  }
}

}  // namespace rt::inner
#pragma GCC visibility pop
