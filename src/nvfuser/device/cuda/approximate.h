// SPDX-License-Identifier: Apache-2.0
// Quotients and exponentials inside statistics, float32 on the special-function unit.  Twin of generic/approximate.h.
#pragma once

namespace rt::inner {

template <class T>
RT_FN T quotient(T a, T b) {
  return a / b;
}
/// 2 ulp.
RT_FN float quotient(float a, float b) { return native::quotient(a, b); }

template <class T>
RT_FN T exp_below(T x) {
  return exp(x);
}
/// The relative error grows with -x and the term shrinks faster: it is below 2^-24 of a sum of at least 1.
RT_FN float exp_below(float x) { return native::exp2_approx(x * kLog2E); }

}  // namespace rt::inner
