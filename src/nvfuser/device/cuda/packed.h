// SPDX-License-Identifier: Apache-2.0
// Elements of a local array as operands of a fold: narrow floats are compared two at a time in the registers that hold
// them, and 8-bit ones converted two at a time.  Twin of generic/packed.h.
#pragma once

namespace rt::inner {

template <class T, int K, class S, int N>
RT_FN Values<T, K> values_of(Array<S, N>& source, int j) {
  Values<T, K> x;
#if __CUDA_ARCH__ >= 890
  if constexpr (kSame<S, float8_e4m3fn> && K % 2 == 0) {
    repeat<K / 2>([&](int k) {
      const uint16 pair = reinterpret_cast<const uint16*>(&source.v[j])[k];
      uint32 halves;
      asm("cvt.rn.f16x2.e4m3x2 %0, %1;" : "=r"(halves) : "h"(pair));
      x.v[2 * k] = to<T>(float16{static_cast<uint16>(halves)});
      x.v[2 * k + 1] = to<T>(float16{static_cast<uint16>(halves >> 16)});
    });
    return x;
  }
#endif
  repeat<K>([&](int k) { x.v[k] = to<T>(source.v[j + k]); });
  return x;
}

/// The larger (smaller) of both halves; NaN of either operand wins.
template <class Row, class S>
RT_FN uint32 extreme_pair(uint32 a, uint32 b) {
  uint32 r;
  if constexpr (kSame<Row, Max<float32>> && kSame<S, bfloat16>)
    asm("max.NaN.bf16x2 %0, %1, %2;" : "=r"(r) : "r"(a), "r"(b));
  else if constexpr (kSame<Row, Max<float32>>)
    asm("max.NaN.f16x2 %0, %1, %2;" : "=r"(r) : "r"(a), "r"(b));
  else if constexpr (kSame<S, bfloat16>)
    asm("min.NaN.bf16x2 %0, %1, %2;" : "=r"(r) : "r"(a), "r"(b));
  else
    asm("min.NaN.f16x2 %0, %1, %2;" : "=r"(r) : "r"(a), "r"(b));
  return r;
}
/// Of words At .. At + K - 1, pair by pair.
template <class Row, class S, int At, int K>
RT_FN uint32 extreme_of(const uint32* words) {
  if constexpr (K == 1) {
    return words[At];
  } else {
    constexpr int kLeft = K - K / 2;
    return extreme_pair<Row, S>(extreme_of<Row, S, At, kLeft>(words), extreme_of<Row, S, At + kLeft, K / 2>(words));
  }
}

/// The largest (smallest) of K halves from j on, of lanes, of those that are inside; as float32: two candidates.
template <class Row, int K, class S, int N, class Lanes = Everywhere>
RT_FN Values<float32, 2> extremes(Array<S, N>& source, int j, const Lanes& lanes = {}) {
  uint32 words[K / 2];
  repeat<K / 2>([&](int k) { words[k] = reinterpret_cast<const uint32*>(&source.v[j])[k]; });
  if (!lanes.template all<K>()) {
    const uint32 half = to<S>(nothing<Row>()).bits, otherwise = half << 16 | half;
    repeat<K / 2>([&](int k) {
      const uint32 mine = (lanes.holds(2 * k) ? 0xffffu : 0u) | (lanes.holds(2 * k + 1) ? 0xffff0000u : 0u);
      words[k] = (words[k] & mine) | (otherwise & ~mine);
    });
  }
  const uint32 pair = extreme_of<Row, S, 0, K / 2>(words);
  return {{widen(S{static_cast<uint16>(pair)}), widen(S{static_cast<uint16>(pair >> 16)})}};
}

/// `a` with the K elements from j on; of lanes, with those that are inside.
template <class Row, int K, class S, int N, class... Lanes>
RT_FN typename Row::Tuple folded(const typename Row::Tuple& a, Array<S, N>& source, int j, const Lanes&... lanes) {
  constexpr bool kHalves = (kSame<S, bfloat16> || kSame<S, float16>) && K % 2 == 0;
  if constexpr (kHalves && (kSame<Row, Max<float32>> || kSame<Row, Min<float32>>)) {
    return Folding<Row>::template join<2>(a, extremes<Row, K>(source, j, lanes...));
  } else if constexpr (kHalves && kSame<Row, SoftmaxSums<float32>>) {
    const Values<float32, 2> largest = extremes<Max<float32>, K>(source, j, lanes...);
    Values<float32, K> x = values_of<float32, K>(source, j);
    (keep_inside(x, lanes, Limits<float32>::kLowest), ...);
    return Folding<Row>::template join<K>(a, x, maximum(largest.v[0], largest.v[1]));
  } else {
    return Folding<Row>::template join<K>(a, values_of<Element<Row>, K>(source, j), lanes...);
  }
}

}  // namespace rt::inner
