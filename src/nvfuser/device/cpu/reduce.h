// SPDX-License-Identifier: Apache-2.0
// Reductions of host kernels: a task is one thread and joins nobody; its rows accumulate in SIMD lanes.  Element k of a
// fold belongs to a lane by its place in the fold alone, and lanes are combined in one order, so that results depend on
// nothing but the data.
#pragma once

#if __has_include("rt/accumulate.h")
#include "rt/accumulate.h"
#else
#include "nvfuser/device/generic/accumulate.h"
#endif

namespace rt::inner {

/// N tuples, field by field.
template <class Tuple, int N, int Fields = kFields<Tuple>>
struct Columns;
template <class Tuple, int N>
struct Columns<Tuple, N, 1> {
  alignas(64) decltype(field<0>(Tuple{})) a[N];
  RT_MEMBER Tuple get(long long l) const { return {a[l]}; }
  RT_MEMBER void set(long long l, const Tuple& t) { a[l] = field<0>(t); }
};
template <class Tuple, int N>
struct Columns<Tuple, N, 2> {
  alignas(64) decltype(field<0>(Tuple{})) a[N];
  alignas(64) decltype(field<1>(Tuple{})) b[N];
  RT_MEMBER Tuple get(long long l) const { return {a[l], b[l]}; }
  RT_MEMBER void set(long long l, const Tuple& t) { a[l] = field<0>(t), b[l] = field<1>(t); }
};
template <class Tuple, int N>
struct Columns<Tuple, N, 3> {
  alignas(64) decltype(field<0>(Tuple{})) a[N];
  alignas(64) decltype(field<1>(Tuple{})) b[N];
  alignas(64) decltype(field<2>(Tuple{})) c[N];
  RT_MEMBER Tuple get(long long l) const { return {a[l], b[l], c[l]}; }
  RT_MEMBER void set(long long l, const Tuple& t) { a[l] = field<0>(t), b[l] = field<1>(t), c[l] = field<2>(t); }
};

/// Bytes of a field's lanes: four of the widest vectors, which hides the latency of a combination.
inline constexpr int kLaneBytes = 256;

}  // namespace rt::inner

namespace rt {

/// N accumulators, one element of each at a time: fields apart, so that loops over them are vector code.
template <class Row, int N>
struct Tuples {
  using Tuple = typename Row::Tuple;
  inner::Columns<Tuple, N> fields;
  RT_MEMBER Tuple operator[](long long i) const { return fields.get(i); }
  RT_MEMBER void set(long long i, const Tuple& t) { fields.set(i, t); }
};

/// An accumulator of many lanes.
template <class Row>
struct Lanes {
  using Tuple = typename Row::Tuple;
  static constexpr int kElementBytes = sizeof(inner::Element<Row>) < 4 ? 4 : sizeof(inner::Element<Row>);
  static constexpr int kCount = inner::kLaneBytes / kElementBytes;
  inner::Columns<Tuple, kCount> lanes;
};

}  // namespace rt

namespace rt::inner {

/// Each of the first `count` lanes takes Rounds elements, which stand Lanes::kCount apart, at once.
template <int Rounds, class Row, class S>
RT_FN void fold_round(Lanes<Row>& acc, const S* x, int count) {
  for (int l = 0; l < count; ++l) {
    Values<Element<Row>, Rounds> v;
    repeat<Rounds>([&](int r) { v.v[r] = to<Element<Row>>(x[r * Lanes<Row>::kCount + l]); });
    acc.lanes.set(l, Folding<Row>::template join<Rounds>(acc.lanes.get(l), v));
  }
}

/// Most elements that a lane takes at once; one: comparisons, as GCC 12 vectorises one of them a turn, but no tree.
template <class Row>
inline constexpr int kAtOnce = 1;
/// Few, so that memory is read nearly in its order, which costs no more.
template <class T>
inline constexpr int kAtOnce<Sum<T>> = 2;
template <class T>
inline constexpr int kAtOnce<Product<T>> = 2;
/// Many share a quotient.
template <class T>
inline constexpr int kAtOnce<Welford<T>> = 16;
template <class T>
inline constexpr int kAtOnce<MomentSums<T>> = 16;
/// A rescaling.
template <class T>
inline constexpr int kAtOnce<SoftmaxSums<T>> = 16;

/// All lanes take Rounds elements.
template <int Rounds, class Row, class S>
RT_FN void fold_lanes(Lanes<Row>& acc, const S* x) {
  fold_round<Rounds>(acc, x, Lanes<Row>::kCount);
}
/// One rescaling a call.
template <int Rounds, class T, class S>
RT_FN void fold_lanes(Lanes<SoftmaxSums<T>>& acc, const S* x) {
  constexpr int kCount = Lanes<SoftmaxSums<T>>::kCount;
  T most[kCount], base[kCount], sum[kCount];
  for (int l = 0; l < kCount; ++l) {
    most[l] = acc.lanes.a[l];
  }
  for (int r = 0; r < Rounds; ++r) {
    for (int l = 0; l < kCount; ++l) {
      most[l] = maximum(most[l], to<T>(x[r * kCount + l]));
    }
  }
  for (int l = 0; l < kCount; ++l) {
    base[l] = most[l] == Limits<T>::kLowest ? T(0) : most[l];
    sum[l] = acc.lanes.b[l] * exp_below(acc.lanes.a[l] - base[l]);
  }
  for (int r = 0; r < Rounds; ++r) {
    for (int l = 0; l < kCount; ++l) {
      sum[l] += exp_below(to<T>(x[r * kCount + l]) - base[l]);
    }
  }
  for (int l = 0; l < kCount; ++l) {
    acc.lanes.set(l, {most[l], sum[l]});
  }
}
/// Of rows with two operands: an element of each.
template <class Row, class S, class U>
RT_FN void fold_pairs(Lanes<Row>& acc, const S* x, const U* y, int count) {
  for (int l = 0; l < count; ++l) {
    acc.lanes.set(l, Row::combine(acc.lanes.get(l), Row::lift(to<Element<Row>>(x[l]), y[l])));
  }
}

/// Asks for K elements that folds take later: lanes are not read in the order of memory, and a row goes on behind a
/// page, where the machine's own look-ahead ends.
template <int K, class S>
RT_FN void ask_ahead(const S* x) {
  constexpr int kLine = 64 / sizeof(S), kAhead = 8192 / sizeof(S);
  for (int k = 0; k < K; k += kLine) {
    __builtin_prefetch(x + kAhead + k);
  }
}
template <class Source>
inline constexpr bool kInMemory = false;
template <class S>
inline constexpr bool kInMemory<S* __restrict> = true;
template <class S>
inline constexpr bool kInMemory<S*> = true;

/// All lanes take Rounds elements, some at once; `kAsks`: and ask for later ones.
template <int Rounds, bool kAsks, class Row, class S>
RT_FN void fold_rounds(Lanes<Row>& acc, const S* x) {
  constexpr int kStep = Rounds < kAtOnce<Row> ? Rounds : kAtOnce<Row>, kElements = kStep * Lanes<Row>::kCount;
#pragma GCC unroll 1  // unrolled, GCC asks for everything before it folds anything
  for (int r = 0; r + kStep <= Rounds; r += kStep, x += kElements) {
    if constexpr (kAsks) {
      ask_ahead<kElements>(x);
    }
    fold_lanes<kStep>(acc, x);
  }
  if constexpr (Rounds % kStep != 0) {
    fold_lanes<Rounds % kStep>(acc, x);
  }
}

/// Lanes 0 .. Width - 1 take those above them, halves by halves.
template <class Row, int Width>
RT_FN void join_halves(Lanes<Row>& acc) {
  for (int l = 0; l < Width; ++l) {
    acc.lanes.set(l, Row::combine(acc.lanes.get(l), acc.lanes.get(l + Width)));
  }
  if constexpr (Width > 1) {
    join_halves<Row, Width / 2>(acc);
  }
}
template <class Row>
RT_FN typename Row::Tuple joined(const Lanes<Row>& acc) {
  Lanes<Row> copy = acc;
  join_halves<Row, Lanes<Row>::kCount / 2>(copy);
  return copy.lanes.get(0);
}

}  // namespace rt::inner

namespace rt {

template <class Row, int N, class I>
RT_FN void begin(Array<Lanes<Row>, N>& acc, I i) {
  for (int l = 0; l < Lanes<Row>::kCount; ++l) {
    acc[i].lanes.set(l, Row::neutral());
  }
}

/// The first `limit` of the K elements from j on; K where the limit is above it.
template <class Row, int K, int N, class I, class Source, class J, class L>
RT_FN void fold_up_to(Array<Lanes<Row>, N>& acc, I i, Source& source, J j, L limit) {
  constexpr int kCount = Lanes<Row>::kCount;
  Lanes<Row>& a = acc[i];
  const auto* x = &source[j];
  if constexpr (K % kCount == 0) {
    if (limit >= K) {
      inner::fold_rounds<K / kCount, inner::kInMemory<Source>>(a, x);
      return;
    }
  }
  const int n = limit < K ? static_cast<int>(limit) : K;
  int at = 0;
  for (; at + kCount <= n; at += kCount) {
    inner::fold_lanes<1>(a, x + at);
  }
  inner::fold_round<1>(a, x + at, n - at);
}
/// Of rows with two operands.
template <class Row, int K, int N, class I, class Source, class J, class Other, class M, class L>
RT_FN void fold_up_to(Array<Lanes<Row>, N>& acc, I i, Source& source, J j, Other& other, M m, L limit) {
  constexpr int kCount = Lanes<Row>::kCount;
  const int n = limit < K ? static_cast<int>(limit) : K;
  int at = 0;
  for (; at + kCount <= n; at += kCount) {
    inner::fold_pairs(acc[i], &source[j] + at, &other[m] + at, kCount);
  }
  inner::fold_pairs(acc[i], &source[j] + at, &other[m] + at, n - at);
}
template <class Row, int K, int N, class I, class Source, class J>
RT_FN void fold(Array<Lanes<Row>, N>& acc, I i, Source& source, J j) {
  fold_up_to<Row, K>(acc, i, source, j, K);
}

/// One element, in lane 0.
template <class Row, int N, class I, class... X>
RT_FN void accumulate(Array<Lanes<Row>, N>& acc, I i, X... x) {
  acc[i].lanes.set(0, Row::combine(acc[i].lanes.get(0), Row::lift(x...)));
}
template <class Row, int N, class I, class... State>
RT_FN void merge(Array<Lanes<Row>, N>& acc, I i, State... state) {
  acc[i].lanes.set(0, Row::combine(acc[i].lanes.get(0), typename Row::Tuple{state...}));
}
template <class Row, int P, int N, class I>
RT_FN auto result(Array<Lanes<Row>, N>& acc, I i) {
  return Row::finish(inner::joined(acc[i]), Part<P>{});
}
template <class Row, int P, int N, class I>
RT_FN auto state(Array<Lanes<Row>, N>& acc, I i) {
  return inner::field<P>(inner::joined(acc[i]));
}

}  // namespace rt
