// SPDX-License-Identifier: Apache-2.0
// Joins over the blocks of a cluster: every member of every block ends with the combination of all, in the order of the
// blocks' ranks, and all with equal bits.  Part of cluster.h.
#pragma once

namespace rt::inner {

/// Bytes of one member's slots: a tuple a block, of each accumulator.
template <int Blocks, class Row, int N>
inline constexpr int kPeerBytes = (N * Blocks * int(sizeof(typename Row::Tuple)) + 15) & ~15;

RT_FN Turn half_of(const Peers& peers) { return {peers.at + (peers.round & 1) * peers.half, peers.half}; }
template <int Blocks, class Row, int N>
RT_FN Shared<typename Row::Tuple> peer_slots(Turn& turn) {
  constexpr int kBytes = kPeerBytes<Blocks, Row, N>;
  check_slots(kBytes, turn.left);
  const auto slots = shared<typename Row::Tuple>(turn.at, N * Blocks, "the cluster's slots");
  turn.at += kBytes;
  turn.left -= kBytes;
  return slots;
}
/// Thread r of the block tells block r.
template <int Blocks, class Team, class Row, int N, class Acc>
RT_FN void give_peers(const Team& team, const Peers& peers, Turn& turn, const Member<Row, N, Acc>& m) {
  const auto slots = peer_slots<Blocks, Row, N>(turn);
  if (team.rank < Blocks) {
    const auto theirs = peer(peers, slots, team.rank);
    const int mine = cluster_rank();
    repeat<N>([&](int n) { theirs.set(n * Blocks + mine, m.acc[n]); });
  }
}
/// As take_warps: rows whose combination costs more than a few sums take shuffles.
template <int Blocks, class Team, class Row, int N, class Acc>
RT_FN void take_peers(const Team& team, Turn& turn, const Member<Row, N, Acc>& m) {
  const auto slots = peer_slots<Blocks, Row, N>(turn);
  constexpr int kWidth = power_above(Blocks);
  if constexpr (kStaged<Row> && kWidth > 2 && Team::kLanes && Team::kSize % 32 == 0) {
    const int part = team.rank & (kWidth - 1);
    repeat<N>([&](int n) {
      m.acc.set(n, kWidth == Blocks || part < Blocks ? typename Row::Tuple(slots[n * Blocks + part]) : Row::neutral());
    });
    join_lanes<kWidth>(team, m);
  } else {
    repeat<N>([&](int n) {
      m.acc.set(n, chain_of<Row, Blocks>([&](int k) { return typename Row::Tuple(slots[n * Blocks + k]); }));
    });
  }
}

}  // namespace rt::inner

namespace rt {

/// In place, for a team that is a whole block of at least `Blocks` threads.  `peers`: slots of their own, as another
/// block may still read what it was told before.  One barrier of the block, and a wait for what the others tell.
template <int Blocks, class Team, class Row, int N, class Acc, class... M>
RT_FN void join_cluster(const Team& team, Slots& slots, Peers& peers, const Member<Row, N, Acc>& first, const M&... m) {
  static_assert(Team::kCount == 1 && Team::kSize >= Blocks, "a team is a block");
  join(team, slots, first, m...);
  inner::wait_for_start(peers);
  inner::Turn give = inner::half_of(peers), take = give;
  inner::give_peers<Blocks>(team, peers, give, first);
  (inner::give_peers<Blocks>(team, peers, give, m), ...);
  inner::meet_peers(peers, Blocks * (inner::kTold<Member<Row, N, Acc>> + ... + inner::kTold<M>), first.line);
  inner::take_peers<Blocks>(team, take, first);
  (inner::take_peers<Blocks>(team, take, m), ...);
  ++peers.round;
}

}  // namespace rt
