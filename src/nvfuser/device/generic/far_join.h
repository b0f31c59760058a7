// SPDX-License-Identifier: Apache-2.0
// Joins over blocks anywhere on the GPU: every member of every block ends with the combination of all, in the order of
// the blocks' ranks, and all with equal bits.  A block tells what it has and collects what the others told in two
// steps, between which it may do other work, and even tell of the next round.  Part of far.h.
#pragma once

namespace rt::inner {

template <class T>
struct Told {
  static_assert(sizeof(T) % 4 == 0, "whole words travel");
  uint32 w[sizeof(T) / 4];
};

template <class Far, class Row, int N, class Acc>
RT_FN void tell_member(const Far& far, int& word, const Member<Row, N, Acc>& m) {
  using Tuple = typename Row::Tuple;
  repeat<N>([&](int n) {
    const Told<Tuple> told = bit_cast<Told<Tuple>>(Tuple(m.acc[n]));
    repeat<int(sizeof(Tuple) / 4)>([&](int k) { far.put(word++, told.w[k]); });
  });
}
template <int Words, class Row, int N, class Acc>
RT_FN void take_member(const bool any, const uint32 (&words)[Words], int& word, const Member<Row, N, Acc>& m) {
  using Tuple = typename Row::Tuple;
  repeat<N>([&](int n) {
    Told<Tuple> told;
    repeat<int(sizeof(Tuple) / 4)>([&](int k) { told.w[k] = words[word++]; });
    m.acc.set(n, any ? bit_cast<Tuple>(told) : Row::neutral());
  });
}

}  // namespace rt::inner

namespace rt {

/// For a team that is a whole block, of at least as many threads as there are blocks.
template <class Team, class Far, class First, class... M>
RT_FN void tell_far(const Team& team, Slots& slots, Far& far, const First& first, const M&... m) {
  join(team, slots, first, m...);
  if (team.rank == 0) {
    int word = 0;
    inner::tell_member(far, word, first);
    (inner::tell_member(far, word, m), ...);
  }
  far.next_told(first.line);
}
/// In place: what all blocks told in the oldest round that was not collected.
template <class Team, class Far, class First, class... M>
RT_FN void collect_far(const Team& team, Slots& slots, Far& far, const First& first, const M&... m) {
  static_assert(Team::kCount == 1 && Team::kSize >= Far::kBlocks, "a thread of the block for each block");
  constexpr int kWords = (inner::kTold<First> + ... + inner::kTold<M>) / 4;
  static_assert(kWords <= Far::kWords, "room for what is told");
  uint32 words[kWords] = {};
  const bool any = team.rank < Far::kBlocks;
  if (any) {
    far.take(team.rank, words);
  }
  int word = 0;
  inner::take_member(any, words, word, first);
  (inner::take_member(any, words, word, m), ...);
  far.next_collected();
  join(team, slots, first, m...);
}

}  // namespace rt
