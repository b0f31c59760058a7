// SPDX-License-Identifier: Apache-2.0
// K elements join a tuple at once: a tree over the elements, then one step on the accumulator, so that what depends on
// the step before it is one combination in K.  Statistics with a costly combination have forms of their own here.
#pragma once

// clang-format off: each part uses those before it
#if __has_include("rt/fields.h")
#include "rt/fields.h"
#include "rt/combine.h"
#include "rt/within.h"
#else
#include "fields.h"
#include "combine.h"
#include "within.h"
#endif
// clang-format on

namespace rt::inner {

/// The type in which a row computes.
template <class Row>
using Element = typename Row::Element;

template <class T, int N>
struct Values {
  T v[N];
};

/// Combines lift(x.v[At]) .. lift(x.v[At + K - 1]) pair by pair, in their order.
template <class Row, int At, int K, class T, int N>
RT_FN typename Row::Tuple lifted(const Values<T, N>& x) {
  if constexpr (K == 1) {
    return Row::lift(x.v[At]);
  } else {
    constexpr int kLeft = K - K / 2;
    return Row::combine(lifted<Row, At, kLeft>(x), lifted<Row, At + kLeft, K / 2>(x));
  }
}
template <int At, int K, class T, int N>
RT_FN T sum_of(const Values<T, N>& x) {
  return lifted<Sum<T>, At, K>(x).a;
}

/// The square of a distance.
template <class R>
RT_FN R size_of(R x) {
  return x * x;
}
template <class R>
RT_FN R size_of(complex<R> x) {
  return x.re * x.re + x.im * x.im;
}

/// All lanes of a vector join: the twin of Inside.
struct Everywhere {
  template <int N>
  RT_MEMBER bool all() const {
    return true;
  }
  template <int N>
  RT_MEMBER int count() const {
    return N;
  }
  RT_MEMBER bool holds(int) const { return true; }
};

/// Lanes outside become `otherwise`.
template <int K, class T, class Lanes>
RT_FN void keep_inside(Values<T, K>& x, const Lanes& lanes, T otherwise) {
  if (!lanes.template all<K>()) {
    repeat<K>([&](int k) { x.v[k] = lanes.holds(k) ? x.v[k] : otherwise; });
  }
}

/// An element that joins nothing to an accumulator.
template <class Row>
RT_FN auto nothing() {
  return to<typename Row::Element>(field<0>(Row::neutral()));
}

template <class Row>
struct Folding {
  using Tuple = typename Row::Tuple;
  /// With those of x that are inside.
  template <int K, class T, class Lanes>
  RT_MEMBER static Tuple join(const Tuple& a, Values<T, K> x, const Lanes& lanes) {
    keep_inside(x, lanes, nothing<Row>());
    return join(a, x);
  }
  template <int K, class T>
  RT_MEMBER static Tuple join(const Tuple& a, const Values<T, K>& x) {
    return Row::combine(a, lifted<Row, 0, K>(x));
  }
};

/// Distances from one value that is near, one quotient for all K.  Near is the average so far, or an element where
/// there is none: the squares of distances from it are no more than a few times what they add, so nothing cancels.
template <class T>
struct Folding<Welford<T>> {
  using Tuple = typename Welford<T>::Tuple;
  using R = Real<T>;
  template <int K>
  RT_MEMBER static Tuple join(const Tuple& a, const Values<T, K>& x) {
    return join(a, x, Everywhere());
  }
  /// Of those that are inside, one at least.
  template <int K, class Lanes>
  RT_MEMBER static Tuple join(const Tuple& a, Values<T, K> x, const Lanes& lanes) {
    R number = R(K);
    T near = x.v[0];
    if (!lanes.template all<K>()) {
      number = static_cast<R>(lanes.template count<K>());
      repeat<K>([&](int k) { near = lanes.holds(k) ? x.v[k] : near; });
    }
    near = a.count > R(0) ? a.mean : near;
    keep_inside(x, lanes, near);
    R squares = R(0);  // one after the other: an instruction each
    repeat<K>([&](int k) {
      x.v[k] = x.v[k] - near;
      squares = squares + size_of(x.v[k]);
    });
    const T sum = sum_of<0, K>(x);
    const R count = a.count + number, share = quotient(R(1), count);
    return {near + sum * share, a.squares + (squares - size_of(sum) * share), count};
  }
};

template <class T>
struct Folding<MomentSums<T>> : Folding<Welford<T>> {};

/// One maximum, one rescaling, K exponentials.
template <class T>
struct Folding<SoftmaxSums<T>> {
  using Tuple = typename SoftmaxSums<T>::Tuple;
  template <int K>
  RT_MEMBER static Tuple join(const Tuple& a, const Values<T, K>& x) {
    return join(a, x, lifted<Max<T>, 0, K>(x).a);
  }
  /// With those of x that are inside.
  template <int K, class I>
  RT_MEMBER static Tuple join(const Tuple& a, Values<T, K> x, const Inside<I>& lanes) {
    keep_inside(x, lanes, Limits<T>::kLowest);
    return join(a, x);
  }
  /// With the largest of x.
  template <int K>
  RT_MEMBER static Tuple join(const Tuple& a, const Values<T, K>& x, T largest) {
    const T most = maximum(a.most, largest);
    // Where nothing is above minus infinity, no difference may be taken from it.
    const T base = most == Limits<T>::kLowest ? T(0) : most;
    Values<T, K> terms;
    repeat<K>([&](int k) { terms.v[k] = exp_below(x.v[k] - base); });
    return {most, a.sum * exp_below(a.most - base) + sum_of<0, K>(terms)};
  }
};

}  // namespace rt::inner
