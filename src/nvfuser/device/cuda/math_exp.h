// SPDX-License-Identifier: Apache-2.0
// Exponentials of float32 and the logistic function on the special-function unit.  Part of math.h; generic/math_exp.h
// is its twin.  In exp what is left of the argument after an exact power of two is small, so that the rounding of x
// log2(e) does not show; sigmoid takes ex2(-x log2(e)) as it is.
#pragma once

namespace rt::inner {

RT_FN float exp2_bounded(float x) { return native::exp2_approx(x); }

/// exp(x) * 2^shift, -1 <= shift <= 1.  Where x log2(e) leaves -125 .. 125 the approximation takes the rest of it,
/// which makes denormals, zeros, infinities and NaN come out by themselves.
RT_FN float exp_shifted(float x, int shift) {
  const float sum = ::fminf(::fmaxf(native::fma(x, kLog2E, kRounder), kRounder - 125.0f), kRounder + 125.0f);
  const float n = __fadd_rn(sum, -kRounder);
  const float f = native::fma(x, kLog2ELow, native::fma(x, kLog2E, -n));
  return native::exp2_approx(f) * power_of_two(rounded(sum) + shift);
}

/// exp(2x) for x >= 0; the relative error grows with x, which does not show in 1 - 2 / (exp(2x) + 1).
RT_FN float exp_doubled(float x) { return native::exp2_approx(x * (2.0f * kLog2E)); }
RT_FN float times_exp(float factor, float x) { return factor * exp_shifted(x, 0); }

}  // namespace rt::inner

namespace rt {

RT_FN float32 exp(float32 x) { return inner::exp_shifted(x, 0); }
RT_FN float32 exp2(float32 x) { return ::exp2f(x); }
/// Results below the smallest normal number are flushed to 0.
RT_FN float32 sigmoid(float32 x) { return native::reciprocal(1.0f + native::exp2_approx(-x * inner::kLog2E)); }

}  // namespace rt
