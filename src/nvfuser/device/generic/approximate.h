// SPDX-License-Identifier: Apache-2.0
// Quotients and exponentials inside statistics.  cuda/approximate.h is its twin on the special-function unit.
#pragma once

namespace rt::inner {

/// a / b.
template <class T>
RT_FN T quotient(T a, T b) {
  return a / b;
}
/// exp(x) for x <= 0, where it is a term of a sum that is 1 or more.
template <class T>
RT_FN T exp_below(T x) {
  return exp(x);
}

}  // namespace rt::inner
