// SPDX-License-Identifier: Apache-2.0
// The fields of a combiner's tuple, one by one: what is shuffled, stored or selected is always a field.  A tuple is an
// aggregate of one to three.
#pragma once

#if __has_include("rt/types.h")
#include "rt/types.h"
#else
#include "types.h"
#endif

namespace rt::inner {

/// Converts to every type; only ever named.
struct Anything {
  template <class T>
  RT_MEMBER operator T() const;
};
template <class T>
using Void = void;

template <class Tuple, class = void>
inline constexpr int kAtLeastTwo = 0;
template <class Tuple>
inline constexpr int kAtLeastTwo<Tuple, Void<decltype(Tuple{Anything{}, Anything{}})>> = 1;
template <class Tuple, class = void>
inline constexpr int kAtLeastThree = 0;
template <class Tuple>
inline constexpr int kAtLeastThree<Tuple, Void<decltype(Tuple{Anything{}, Anything{}, Anything{}})>> = 1;

template <class Tuple>
inline constexpr int kFields = 1 + kAtLeastTwo<Tuple> + kAtLeastThree<Tuple>;

/// Field k.
template <int k, class Tuple>
RT_FN auto field(const Tuple& t) {
  static_assert(k < kFields<Tuple>, "the tuple has fewer fields");
  if constexpr (kFields<Tuple> == 1) {
    const auto& [a] = t;
    return a;
  } else if constexpr (kFields<Tuple> == 2) {
    const auto& [a, b] = t;
    if constexpr (k == 0)
      return a;
    else
      return b;
  } else {
    const auto& [a, b, c] = t;
    if constexpr (k == 0)
      return a;
    else if constexpr (k == 1)
      return b;
    else
      return c;
  }
}

/// The tuple of f(field) of each.
template <class Tuple, class F>
RT_FN Tuple each_field(const Tuple& t, const F& f) {
  if constexpr (kFields<Tuple> == 1)
    return {f(field<0>(t))};
  else if constexpr (kFields<Tuple> == 2)
    return {f(field<0>(t)), f(field<1>(t))};
  else
    return {f(field<0>(t)), f(field<1>(t)), f(field<2>(t))};
}

/// `a` where the condition holds, otherwise `b`, as selections.
template <class Tuple>
RT_FN Tuple choose(bool condition, const Tuple& a, const Tuple& b) {
  if constexpr (kFields<Tuple> == 1)
    return {condition ? field<0>(a) : field<0>(b)};
  else if constexpr (kFields<Tuple> == 2)
    return {condition ? field<0>(a) : field<0>(b), condition ? field<1>(a) : field<1>(b)};
  else
    return {condition ? field<0>(a) : field<0>(b), condition ? field<1>(a) : field<1>(b),
            condition ? field<2>(a) : field<2>(b)};
}

/// f(0) .. f(Count - 1), each call written out, so that the number is a constant where it is an index.
template <int Count, int At = 0, class F>
RT_FN void repeat(const F& f) {
  if constexpr (At < Count) {
    f(At);
    repeat<Count, At + 1>(f);
  }
}

}  // namespace rt::inner
