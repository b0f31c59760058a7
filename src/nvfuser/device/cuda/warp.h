// SPDX-License-Identifier: Apache-2.0
// What the threads of a warp and of a block do together on a GPU.  Part of reduce.h; twin of emulator/warp.h.
#pragma once

namespace rt::inner {

/// The lanes that take part in a shuffle: all of them; of a block that does not fill its last warp, those that exist.
template <class Team>
RT_FN unsigned lanes_of() {
  constexpr int kThreads = Team::kSize * Team::kCount;
  if constexpr (kThreads % 32 == 0) {
    return 0xffffffffu;
  } else if constexpr (kThreads < 32) {
    return (1u << (kThreads % 32)) - 1u;
  } else {
    unsigned lane;
    asm("mov.u32 %0, %%laneid;" : "=r"(lane));
    return ((1u << (Team::kWidth % 32)) - 1u) << (lane & ~(Team::kWidth - 1u));
  }
}

template <class T>
struct Words {
  uint32 w[sizeof(T) / 4];
};
template <class T>
RT_FN T shuffle_field(T x, int distance, unsigned lanes) {
  if constexpr (sizeof(T) < 4) {
    return bit_cast<T>(static_cast<uint8>(__shfl_xor_sync(lanes, static_cast<uint32>(bit_cast<uint8>(x)), distance)));
  } else {
    Words<T> words = bit_cast<Words<T>>(x);
    repeat<int(sizeof(T) / 4)>([&](int k) { words.w[k] = __shfl_xor_sync(lanes, words.w[k], distance); });
    return bit_cast<T>(words);
  }
}
struct ShuffleField {
  int distance;
  unsigned lanes;
  template <class T>
  RT_MEMBER T operator()(T x) const {
    return shuffle_field(x, distance, lanes);
  }
};
/// The tuple of the lane whose number differs in the bits of `distance`.
template <class Team, class Tuple>
RT_FN Tuple shuffle_xor(const Tuple& t, int distance, int) {
  return each_field(t, ShuffleField{distance, lanes_of<Team>()});
}

// ---- one instruction for a whole warp

template <class Row>
inline constexpr bool kAcrossWarp = false;
template <>
inline constexpr bool kAcrossWarp<Max<float32>> = true;
template <>
inline constexpr bool kAcrossWarp<Min<float32>> = true;
template <class T>
inline constexpr bool kAcrossWarp<Any<T>> = true;
template <class T>
inline constexpr bool kAcrossWarp<All<T>> = true;

/// Integers in the order of the floats; NaN, whose sign is clear in all results of maximum and minimum, is the largest.
RT_FN int ordered(float x) {
  const int bits = bit_cast<int>(x);
  return bits ^ ((bits >> 31) & 0x7fffffff);
}
RT_FN float float_of(int key) { return bit_cast<float>(key ^ ((key >> 31) & 0x7fffffff)); }

template <class Row, class Tuple>
RT_FN Tuple across_warp(const Tuple& t) {
  constexpr unsigned kAll = 0xffffffffu;
  if constexpr (kSame<Row, Max<float32>>) {
    return {float_of(__reduce_max_sync(kAll, ordered(t.a)))};
  } else if constexpr (kSame<Row, Min<float32>>) {
    // Below all others, and its key becomes a NaN again.
    const int key = t.a != t.a ? -2147483647 - 1 : ordered(t.a);
    return {float_of(__reduce_min_sync(kAll, key))};
  } else if constexpr (kSame<Row, Any<Element<Row>>>) {
    return {static_cast<int32>(__reduce_or_sync(kAll, static_cast<unsigned>(t.a)))};
  } else {
    return {static_cast<int32>(__reduce_and_sync(kAll, static_cast<unsigned>(t.a)))};
  }
}

// ---- a whole block

RT_FN void meet(int) { __syncthreads(); }

/// Checks of the emulator.
template <class Team>
RT_FN void check_team(const Team&) {}
RT_FN void check_slots(int, int) {}

}  // namespace rt::inner
