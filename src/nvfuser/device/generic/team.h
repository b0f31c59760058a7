// SPDX-License-Identifier: Apache-2.0
// Teams of threads that share a reduction: join() leaves every member with the combination of all members' tuples, in
// the order of their ranks, and all with equal bits.  Every thread of the block takes part, at one line.  Part of
// reduce.h.
#pragma once

namespace rt {

/// Size threads, Count such teams a block.  Lanes: members are adjacent threads, and Size is a power of two up to 32 or
/// a multiple of 32.
template <int Size, int Count, bool Lanes>
struct Team {
  static_assert(Size > 0 && Count > 0, "nobody");
  static_assert(!Lanes || Size % 32 == 0 || (Size < 32 && (Size & (Size - 1)) == 0), "whole warps or parts of one");
  static constexpr int kSize = Size, kCount = Count;
  static constexpr bool kLanes = Lanes;
  static constexpr int kWidth = Size < 32 ? Size : 32;  ///< members in a warp
  /// What meets in shared memory: a tuple a warp, or one a thread.  1: nothing does.
  static constexpr int kParts = Lanes ? (Size + 31) / 32 : Size;

  int rank, index;
  template <class R, class I>
  RT_MEMBER Team(R rank, I index) : rank(static_cast<int>(rank)), index(static_cast<int>(index)) {}
};

/// Shared memory of the joins of a kernel: two halves by turns, so that one barrier a join is enough.  Byte offset of
/// the first half, bytes of one, both multiples of 16; `phase` starts at 0.
struct Slots {
  int at, half, phase;
};

/// The N accumulators of one row that are to be joined.
template <class Row, int N, class Acc>
struct Member {
  Acc& acc;
  int line;
};
template <class Row, int N, class Acc>
RT_FN Member<Row, N, Acc> member(Acc& acc, int line = __builtin_LINE()) {
  return {acc, line};
}

}  // namespace rt

namespace rt::inner {

/// Bytes of a member's tuples, which a block tells others.
template <class M>
inline constexpr int kTold = 0;
template <class Row, int N, class Acc>
inline constexpr int kTold<Member<Row, N, Acc>> = N * int(sizeof(typename Row::Tuple));

/// Rows that give the same bits whichever operand comes first.
template <class Row>
inline constexpr bool kEither = false;
template <class T>
inline constexpr bool kEither<Sum<T>> = true;
template <class T>
inline constexpr bool kEither<Product<T>> = !kComplex<T>;
template <class T>
inline constexpr bool kEither<Max<T>> = true;
template <class T>
inline constexpr bool kEither<Min<T>> = true;
template <class T>
inline constexpr bool kEither<Any<T>> = true;
template <class T>
inline constexpr bool kEither<All<T>> = true;

/// Bytes of shared memory of one member, a multiple of 16.
template <class Team, class Row, int N>
inline constexpr int kSlotBytes =
    Team::kParts == 1 ? 0 : (N * Team::kParts * Team::kCount * int(sizeof(typename Row::Tuple)) + 15) & ~15;

/// The first power of two that is not below n.
RT_FN constexpr int power_above(int n) { return n <= 1 ? 1 : 2 * power_above((n + 1) / 2); }

// ---- within a warp

/// Whether the machine combines a row over a whole warp by an instruction.
template <class Row, int Width>
inline constexpr bool kAcross = (Width == 32 && kAcrossWarp<Row>);
/// Rows whose combination costs more than a few of plain ones, one after the other.
template <class Row>
inline constexpr bool kStaged = false;
template <class T>
inline constexpr bool kStaged<SoftmaxSums<T>> = true;
template <class T>
inline constexpr bool kStaged<Welford<T>> = true;
template <class T>
inline constexpr bool kStaged<MomentSums<T>> = true;

template <int Width, class Team, class... M>
RT_FN void join_lanes(const Team& team, const M&... m);

/// The maximum of all first; then every sum is rescaled once.
template <int Width, class Team, class T, int N, class Acc>
RT_FN void join_stages(const Team& team, const Member<SoftmaxSums<T>, N, Acc>& m) {
  using Most = Array<typename Max<T>::Tuple, N>;
  using Sums = Array<typename Sum<T>::Tuple, N>;
  Most most;
  Sums sums;
  repeat<N>([&](int n) { most.set(n, {field<0>(m.acc[n])}); });
  join_lanes<Width>(team, Member<Max<T>, N, Most>{most, m.line});
  repeat<N>([&](int n) {
    const typename SoftmaxSums<T>::Tuple t = m.acc[n];
    const T limit = field<0>(most[n]), base = limit == Limits<T>::kLowest ? T(0) : limit;
    sums.set(n, {t.sum * exp_below(t.most - base)});
  });
  join_lanes<Width>(team, Member<Sum<T>, N, Sums>{sums, m.line});
  repeat<N>([&](int n) { m.acc.set(n, {field<0>(most[n]), field<0>(sums[n])}); });
}
/// The average of all first; then every sum of squares is moved to it.
template <int Width, class Team, class T, int N, class Acc>
RT_FN void join_stages(const Team& team, const Member<Welford<T>, N, Acc>& m) {
  using R = Real<T>;
  using Tuple = typename Welford<T>::Tuple;
  using Totals = Array<typename Sum<T>::Tuple, N>;
  using Sums = Array<typename Sum<R>::Tuple, N>;
  Totals totals;
  Sums counts, squares;
  repeat<N>([&](int n) {
    const Tuple t = m.acc[n];
    totals.set(n, {t.mean * t.count});
    counts.set(n, {t.count});
  });
  join_lanes<Width>(team, Member<Sum<T>, N, Totals>{totals, m.line}, Member<Sum<R>, N, Sums>{counts, m.line});
  repeat<N>([&](int n) {
    const Tuple t = m.acc[n];
    const R count = field<0>(counts[n]), share = count > R(0) ? quotient(R(1), count) : R(0);
    const T mean = field<0>(totals[n]) * share;
    totals.set(n, {mean});
    squares.set(n, {t.squares + t.count * size_of(t.mean - mean)});
  });
  join_lanes<Width>(team, Member<Sum<R>, N, Sums>{squares, m.line});
  repeat<N>([&](int n) { m.acc.set(n, {field<0>(totals[n]), field<0>(squares[n]), field<0>(counts[n])}); });
}
template <int Width, class Team, class T, int N, class Acc>
RT_FN void join_stages(const Team& team, const Member<MomentSums<T>, N, Acc>& m) {
  join_stages<Width>(team, Member<Welford<T>, N, Acc>{m.acc, m.line});
}

template <int Width, class Team, class Row, int N, class Acc>
RT_FN void join_across(const Team& team, const Member<Row, N, Acc>& m) {
  if constexpr (kStaged<Row> && Width > 2) {
    join_stages<Width>(team, m);
  } else if constexpr (kAcross<Row, Width>) {
    repeat<N>([&](int n) { m.acc.set(n, across_warp<Row>(m.acc[n])); });
  }
}
/// Lanes whose numbers differ in bit Distance combine.
template <int Width, int Distance, class Team, class Row, int N, class Acc>
RT_FN void join_pairs(const Team& team, const Member<Row, N, Acc>& m) {
  using Tuple = typename Row::Tuple;
  if constexpr (!kAcross<Row, Width> && !(kStaged<Row> && Width > 2)) {
    repeat<N>([&](int n) {
      const Tuple mine = m.acc[n];
      const Tuple other = shuffle_xor<Team>(mine, Distance, m.line);
      if constexpr (kEither<Row>) {
        m.acc.set(n, Row::combine(mine, other));
      } else {
        const bool second = (team.rank & Distance) != 0;
        m.acc.set(n, Row::combine(choose(second, other, mine), choose(second, mine, other)));
      }
    });
  }
}
template <int Width, int Distance, class Team, class... M>
RT_FN void join_levels(const Team& team, const M&... m) {
  if constexpr (Distance < Width) {
    (join_pairs<Width, Distance>(team, m), ...);
    join_levels<Width, Distance * 2>(team, m...);
  }
}
/// Every Width adjacent lanes combine; the shuffles of all members stand side by side.
template <int Width, class Team, class... M>
RT_FN void join_lanes(const Team& team, const M&... m) {
  (join_across<Width>(team, m), ...);
  join_levels<Width, 1>(team, m...);
}

// ---- through shared memory

/// Combines read(First) .. read(First + K - 1) pair by pair, in their order.
template <class Row, int K, class Read>
RT_FN typename Row::Tuple tree_of(const Read& read, int first) {
  if constexpr (K == 1) {
    return read(first);
  } else {
    constexpr int kLeft = K - K / 2;
    const typename Row::Tuple left = tree_of<Row, kLeft>(read, first);
    return Row::combine(left, tree_of<Row, K / 2>(read, first + kLeft));
  }
}
/// Combines read(0) .. read(K - 1) in their order, a few at once.
template <class Row, int K, class Read>
RT_FN typename Row::Tuple chain_of(const Read& read) {
  constexpr int kAtOnce = K < 8 ? K : 8;
  typename Row::Tuple t = tree_of<Row, kAtOnce>(read, 0);
  for (int k = kAtOnce; k + kAtOnce <= K; k += kAtOnce) {
    t = Row::combine(t, tree_of<Row, kAtOnce>(read, k));
  }
  if constexpr (K % kAtOnce != 0) {
    t = Row::combine(t, tree_of<Row, K % kAtOnce>(read, K / kAtOnce * kAtOnce));
  }
  return t;
}

/// One half for all members of a join.
struct Turn {
  int at;    ///< byte offset of what the next member gets
  int left;  ///< bytes
};
RT_FN Turn next_turn(Slots& slots) {
  const int at = slots.at + slots.phase * slots.half;
  slots.phase ^= 1;
  return {at, slots.half};
}
/// The next member's part, as slots [accumulator][part][team] or [accumulator][team][part].
template <class Team, class Row, int N>
RT_FN Shared<typename Row::Tuple> slots_of(Turn& turn) {
  constexpr int kBytes = kSlotBytes<Team, Row, N>;
  check_slots(kBytes, turn.left);
  const int at = turn.at;
  turn.at += kBytes;
  turn.left -= kBytes;
  return shared<typename Row::Tuple>(at, N * Team::kParts * Team::kCount, "the slots of a join");
}

// Teams of whole warps: one slot a warp.

template <class Team, class Row, int N, class Acc>
RT_FN void give_warp(const Team& team, Turn& turn, const Member<Row, N, Acc>& m) {
  const auto slots = slots_of<Team, Row, N>(turn);
  if ((team.rank & 31) == 0) {
    const int part = team.index * Team::kParts + (team.rank >> 5);
    repeat<N>([&](int n) { slots.set(n * Team::kParts * Team::kCount + part, m.acc[n]); });
  }
}
/// Every thread reads all parts where these are a few words, which is shorter than shuffles; otherwise every warp
/// combines them by shuffles.
template <class Team, class Row, int N, class Acc>
RT_FN void take_warps(const Team& team, Turn& turn, const Member<Row, N, Acc>& m) {
  using Tuple = typename Row::Tuple;
  constexpr int kParts = Team::kParts, kBytes = kParts * int(sizeof(Tuple)), kWidth = power_above(kParts);
  const auto slots = slots_of<Team, Row, N>(turn);
  if constexpr (kBytes <= 32 && (kBytes & (kBytes - 1)) == 0) {
    repeat<N>([&](int n) {
      Array<Tuple, kParts> parts;
      copy<kParts>(parts, 0, slots, (n * Team::kCount + team.index) * kParts);
      m.acc.set(n, tree_of<Row, kParts>([&](int k) { return parts[k]; }, 0));
    });
  } else {
    const int part = team.rank & (kWidth - 1);
    repeat<N>([&](int n) {
      const int first = (n * Team::kCount + team.index) * kParts;
      m.acc.set(n, kWidth == kParts || part < kParts ? Tuple(slots[first + part]) : Row::neutral());
    });
    // Parts that stand in several lanes do no harm to the rows that one instruction combines.
    join_lanes<kAcrossWarp<Row> ? 32 : kWidth>(team, m);
  }
}

// Teams of any threads: one slot a thread, adjacent teams beside each other.

template <class Team, class Row, int N, class Acc>
RT_FN void give_thread(const Team& team, Turn& turn, const Member<Row, N, Acc>& m) {
  const auto slots = slots_of<Team, Row, N>(turn);
  const int at = team.rank * Team::kCount + team.index;
  repeat<N>([&](int n) { slots.set(n * Team::kParts * Team::kCount + at, m.acc[n]); });
}
/// Whether members share the work, each for some of the accumulators, and hand out the results in a turn of their own.
template <class Team, class M>
inline constexpr bool kDivided = false;
template <class Team, class Row, int N, class Acc>
inline constexpr bool kDivided<Team, Member<Row, N, Acc>> = N > 1 && N* Team::kSize > 32;

template <class Team, class Row, int N, class Acc>
RT_FN void take_threads(const Team& team, Turn& turn, const Member<Row, N, Acc>& m) {
  const auto slots = slots_of<Team, Row, N>(turn);
  if constexpr (!kDivided<Team, Member<Row, N, Acc>>) {
    repeat<N>([&](int n) {
      const int first = n * Team::kParts * Team::kCount + team.index;
      const auto read = [&](int k) { return typename Row::Tuple(slots[first + k * Team::kCount]); };
      m.acc.set(n, chain_of<Row, Team::kParts>(read));
    });
  }
}
template <class Team, class Row, int N, class Acc>
RT_FN void divide(const Team& team, Turn& from, Turn& to, const Member<Row, N, Acc>&) {
  const auto slots = slots_of<Team, Row, N>(from), results = slots_of<Team, Row, N>(to);
  if constexpr (kDivided<Team, Member<Row, N, Acc>>) {
    const auto one = [&](int n) {
      const int first = n * Team::kParts * Team::kCount + team.index;
      const auto read = [&](int k) { return typename Row::Tuple(slots[first + k * Team::kCount]); };
      results.set(n * Team::kCount + team.index, chain_of<Row, Team::kParts>(read));
    };
    repeat<(N + Team::kSize - 1) / Team::kSize>([&](int round) {
      const int n = team.rank + round * Team::kSize;
      if (n < N) {
        one(n);
      }
    });
  }
}
template <class Team, class Row, int N, class Acc>
RT_FN void take_results(const Team& team, Turn& turn, const Member<Row, N, Acc>& m) {
  const auto results = slots_of<Team, Row, N>(turn);
  if constexpr (kDivided<Team, Member<Row, N, Acc>>) {
    repeat<N>([&](int n) { m.acc.set(n, results[n * Team::kCount + team.index]); });
  }
}

template <class Team, class... M>
RT_FN void join_warps(const Team& team, Slots& slots, int line, const M&... m) {
  Turn give = next_turn(slots), take = give;
  (give_warp(team, give, m), ...);
  meet(line);
  (take_warps(team, take, m), ...);
}
template <class Team, class... M>
RT_FN void join_threads(const Team& team, Slots& slots, int line, const M&... m) {
  Turn give = next_turn(slots), take = give, from = give;
  (give_thread(team, give, m), ...);
  meet(line);
  (take_threads(team, take, m), ...);
  if constexpr ((kDivided<Team, M> || ...)) {
    Turn to = next_turn(slots), results = to;
    (divide(team, from, to, m), ...);
    meet(line);
    (take_results(team, results, m), ...);
  }
}

}  // namespace rt::inner

namespace rt {

/// In place: each accumulator of each member becomes the combination over the team.  One barrier; a second one where
/// threads that are not adjacent share several accumulators.
template <class Team, class Row, int N, class Acc, class... M>
RT_FN void join(const Team& team, Slots& slots, const Member<Row, N, Acc>& first, const M&... m) {
  inner::check_team(team);
  if constexpr (Team::kLanes) {
    inner::join_lanes<Team::kWidth>(team, first, m...);
    if constexpr (Team::kParts > 1) {
      inner::join_warps(team, slots, first.line, first, m...);
    }
  } else if constexpr (Team::kParts > 1) {
    inner::join_threads(team, slots, first.line, first, m...);
  }
}
/// Without a barrier: for teams of adjacent threads inside a warp.
template <class Team, class Row, int N, class Acc, class... M>
RT_FN void join(const Team& team, const Member<Row, N, Acc>& first, const M&... m) {
  static_assert(Team::kSize == 1 || (Team::kLanes && Team::kSize <= 32), "wider teams need slots");
  inner::check_team(team);
  if constexpr (Team::kLanes) {
    inner::join_lanes<Team::kWidth>(team, first, m...);
  }
}

}  // namespace rt
