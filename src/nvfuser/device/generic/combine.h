// SPDX-License-Identifier: Apache-2.0
// Combiners of reductions, named by the rows of ir/reduction.def: what a tuple is, how one begins, how an element joins
// it, how two become one and what it gives.  T, also Element, is the type in which the reduction is computed.  All are
// associative and commutative up to rounding.  Used by kernels and by the evaluator.
#pragma once

// clang-format off: each part uses those before it
#if __has_include("math_polynomial.h")
#include "convert.h"
#include "math.h"
#include "approximate.h"
#else
#include "rt/convert.h"
#include "rt/math.h"
#include "rt/approximate.h"
#endif
// clang-format on

namespace rt::inner {

/// No value of T is below the first or above the second.
template <class T>
struct Limits {
  static constexpr T kLowest = T(0), kHighest = T(~T(0));  // uint64
};
template <>
struct Limits<boolean> {
  static constexpr boolean kLowest = false, kHighest = true;
};
template <>
struct Limits<int32> {
  static constexpr int32 kLowest = -2147483647 - 1, kHighest = 2147483647;
};
template <>
struct Limits<int64> {
  static constexpr int64 kLowest = -9223372036854775807LL - 1, kHighest = 9223372036854775807LL;
};
template <>
struct Limits<float32> {
  static constexpr float32 kLowest = -kInfinity, kHighest = kInfinity;
};
template <>
struct Limits<float64> {
  static constexpr float64 kLowest = -kInfinity64, kHighest = kInfinity64;
};

/// float32 and float64 of complex types, T of all others.
template <class T>
struct RealOf {
  using type = T;
};
template <class T>
struct RealOf<complex<T>> {
  using type = T;
};
template <class T>
using Real = typename RealOf<T>::type;

}  // namespace rt::inner

namespace rt {

/// Names result k of a combiner.
template <int k>
struct Part {};

template <class T>
struct Sum {
  using Element = T;
  static constexpr bool kDefined = !kBoolean<T>;
  struct Tuple {
    T a;
  };
  RT_MEMBER static Tuple neutral() { return {to<T>(0)}; }
  RT_MEMBER static Tuple lift(T x) { return {x}; }
  RT_MEMBER static Tuple combine(const Tuple& a, const Tuple& b) { return {add(a.a, b.a)}; }
  RT_MEMBER static T finish(const Tuple& t, Part<0>) { return t.a; }
};

template <class T>
struct Product {
  using Element = T;
  static constexpr bool kDefined = !kBoolean<T>;
  struct Tuple {
    T a;
  };
  RT_MEMBER static Tuple neutral() { return {to<T>(1)}; }
  RT_MEMBER static Tuple lift(T x) { return {x}; }
  RT_MEMBER static Tuple combine(const Tuple& a, const Tuple& b) { return {mul(a.a, b.a)}; }
  RT_MEMBER static T finish(const Tuple& t, Part<0>) { return t.a; }
};

/// NaN propagates.
template <class T>
struct Max {
  using Element = T;
  static constexpr bool kDefined = kReal<T>;
  struct alignas(T) alignas(4) Tuple {
    T a;
  };
  RT_MEMBER static Tuple neutral() { return {inner::Limits<T>::kLowest}; }
  RT_MEMBER static Tuple lift(T x) { return {x}; }
  RT_MEMBER static Tuple combine(const Tuple& a, const Tuple& b) { return {maximum(a.a, b.a)}; }
  RT_MEMBER static T finish(const Tuple& t, Part<0>) { return t.a; }
};

template <class T>
struct Min {
  using Element = T;
  static constexpr bool kDefined = kReal<T>;
  struct alignas(T) alignas(4) Tuple {
    T a;
  };
  RT_MEMBER static Tuple neutral() { return {inner::Limits<T>::kHighest}; }
  RT_MEMBER static Tuple lift(T x) { return {x}; }
  RT_MEMBER static Tuple combine(const Tuple& a, const Tuple& b) { return {minimum(a.a, b.a)}; }
  RT_MEMBER static T finish(const Tuple& t, Part<0>) { return t.a; }
};

template <class T>
struct Any {
  using Element = T;
  static constexpr bool kDefined = true;
  struct Tuple {
    int32 a;
  };
  RT_MEMBER static Tuple neutral() { return {0}; }
  RT_MEMBER static Tuple lift(T x) { return {to<boolean>(x)}; }
  RT_MEMBER static Tuple combine(const Tuple& a, const Tuple& b) { return {a.a | b.a}; }
  RT_MEMBER static boolean finish(const Tuple& t, Part<0>) { return t.a != 0; }
};

template <class T>
struct All {
  using Element = T;
  static constexpr bool kDefined = true;
  struct Tuple {
    int32 a;
  };
  RT_MEMBER static Tuple neutral() { return {1}; }
  RT_MEMBER static Tuple lift(T x) { return {to<boolean>(x)}; }
  RT_MEMBER static Tuple combine(const Tuple& a, const Tuple& b) { return {a.a & b.a}; }
  RT_MEMBER static boolean finish(const Tuple& t, Part<0>) { return t.a != 0; }
};

/// The place of the extreme value.  The first of equal values wins, NaN before all others; no element is place 0.
template <class T, bool kGreatest>
struct ArgExtreme {
  using Element = T;
  static constexpr bool kDefined = kReal<T>;
  struct Tuple {
    T value;
    int64 at;
  };
  RT_MEMBER static Tuple neutral() {
    return {kGreatest ? inner::Limits<T>::kLowest : inner::Limits<T>::kHighest, inner::Limits<int64>::kHighest};
  }
  RT_MEMBER static Tuple lift(T x, int64 at) { return {x, at}; }
  RT_MEMBER static Tuple combine(const Tuple& a, const Tuple& b) {
    const bool nan_a = isnan(a.value), nan_b = isnan(b.value);
    const bool same = (nan_a & nan_b) | (a.value == b.value);
    const bool beyond = (kGreatest ? b.value > a.value : b.value < a.value) & !nan_a;
    const bool second = beyond | (nan_b & !nan_a) | (same & (b.at < a.at));
    return second ? b : a;
  }
  RT_MEMBER static int64 finish(const Tuple& t, Part<0>) { return t.at == inner::Limits<int64>::kHighest ? 0 : t.at; }
};
template <class T>
struct ArgMax : ArgExtreme<T, true> {};
template <class T>
struct ArgMin : ArgExtreme<T, false> {};

/// Average, sum of squared distances from it, and count; joined as Chan has it.  No element has no average: NaN.
template <class T>
struct Welford {
  using Element = T;
  static constexpr bool kDefined = kFloating<T> || kComplex<T>;
  using R = inner::Real<T>;
  struct Tuple {
    T mean;
    R squares;
    R count;
  };
  RT_MEMBER static Tuple neutral() { return {to<T>(0), R(0), R(0)}; }
  RT_MEMBER static Tuple lift(T x) { return {x, R(0), R(1)}; }
  RT_MEMBER static Tuple combine(const Tuple& a, const Tuple& b) {
    const R count = a.count + b.count, share = count > R(0) ? inner::quotient(b.count, count) : R(0);
    const T distance = b.mean - a.mean;
    return {a.mean + distance * share, a.squares + b.squares + square(distance) * share * a.count, count};
  }
  RT_MEMBER static T finish(const Tuple& t, Part<0>) { return t.count > R(0) ? t.mean : to<T>(R(0) / t.count); }
  RT_MEMBER static R finish(const Tuple& t, Part<1>) { return t.squares; }
  RT_MEMBER static int64 finish(const Tuple& t, Part<2>) { return to<int64>(t.count); }

 private:
  RT_MEMBER static R square(R x) { return x * x; }
  RT_MEMBER static R square(complex<R> x) { return x.re * x.re + x.im * x.im; }
};

/// The same statistics as a chain of sums has them: the sum, and the sum of squared distances from the average.
template <class T>
struct MomentSums : Welford<T> {
  static constexpr bool kDefined = kFloating<T>;
  using typename Welford<T>::Tuple;
  RT_MEMBER static T finish(const Tuple& t, Part<0>) { return t.mean * t.count; }
  RT_MEMBER static T finish(const Tuple& t, Part<1>) { return t.squares; }
};

/// The largest element m and the sum of exp(x - m), in one pass.  Elements of minus infinity add nothing.
template <class T>
struct SoftmaxSums {
  using Element = T;
  static constexpr bool kDefined = kFloating<T>;
  struct Tuple {
    T most;
    T sum;
  };
  RT_MEMBER static Tuple neutral() { return {inner::Limits<T>::kLowest, T(0)}; }
  RT_MEMBER static Tuple lift(T x) { return {x, x == inner::Limits<T>::kLowest ? T(0) : T(1)}; }
  RT_MEMBER static Tuple combine(const Tuple& a, const Tuple& b) {
    const T most = maximum(a.most, b.most);
    return {most, scaled(a, most) + scaled(b, most)};
  }
  RT_MEMBER static T finish(const Tuple& t, Part<0>) { return t.most; }
  RT_MEMBER static T finish(const Tuple& t, Part<1>) { return t.sum; }

 private:
  RT_MEMBER static T scaled(const Tuple& t, T most) { return t.sum == T(0) ? T(0) : t.sum * exp(t.most - most); }
};

}  // namespace rt
