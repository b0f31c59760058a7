// SPDX-License-Identifier: Apache-2.0
// Exponentials of float32 and the logistic function on the special-function unit.  Part of math.h; generic/math_exp.h is
// its twin.  ex2.approx is within 2 ulp; what is left of the argument after an exact power of two is small, so the
// rounding of x log2(e) does not show.
#pragma once

namespace rt::inner {

struct ReducedExp {
  int n;
  float r;
};
RT_FN ReducedExp reduce_exp(float x) {
  const float sum = native::fma(x, kLog2E, kRounder);
  const float n = __fadd_rn(sum, -kRounder);
  return {rounded(sum), native::fma(n, -kLn2Low, native::fma(n, -kLn2High, x))};
}

/// exp(r) - 1 for |r| < 0.3475.  Coefficients: exp, error 3.9e-9.
RT_FN float expm1_reduced(float r) {
  const float p = polynomial(r, 0.49999994f, 0.166665196f, 0.0416684076f, 0.00836891402f, 0.00138142135f);
  return native::fma(r * r, p, r);
}

RT_FN float exp2_bounded(float x) { return native::exp2_approx(x); }

/// exp(x) * 2^shift, -1 <= shift <= 1.  Where x log2(e) leaves -125 .. 125 the approximation takes the rest of it, which
/// makes denormals, zeros, infinities and NaN come out by themselves.
RT_FN float exp_shifted(float x, int shift) {
  const float sum = ::fminf(::fmaxf(native::fma(x, kLog2E, kRounder), kRounder - 125.0f), kRounder + 125.0f);
  const float n = __fadd_rn(sum, -kRounder);
  const float f = native::fma(x, kLog2ELow, native::fma(x, kLog2E, -n));
  return native::exp2_approx(f) * power_of_two(rounded(sum) + shift);
}

RT_FN float exp_bounded(float x) { return exp_shifted(x, 0); }
RT_FN float times_exp(float factor, float x) { return factor * exp_shifted(x, 0); }

}  // namespace rt::inner

namespace rt {

RT_FN float32 exp(float32 x) { return inner::exp_shifted(x, 0); }
RT_FN float32 exp2(float32 x) { return ::exp2f(x); }
/// Results below the smallest normal number are flushed to 0.
RT_FN float32 sigmoid(float32 x) { return native::reciprocal(1.0f + native::exp2_approx(-x * inner::kLog2E)); }

}  // namespace rt
