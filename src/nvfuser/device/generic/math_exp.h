// SPDX-License-Identifier: Apache-2.0
// Exponentials of float32 and the logistic function, as polynomials.  Part of math.h; cuda/math_exp.h is its twin on
// the special-function unit.
#pragma once

namespace rt::inner {

/// 2^f for |f| <= 0.5.  Coefficients: exp2, error 1.5e-8.
RT_FN float exp2_reduced(float f) {
  return polynomial(f, 1.0f, 0.693147182f, 0.240226462f, 0.0555032864f, 0.00961849f, 0.00133999647f, 0.000153457484f);
}

/// exp(2x) for x >= 0; what is above 40 counts as 40.
RT_FN float exp_doubled(float x) {
  const ReducedExp e = reduce_exp(native::cut(x + x, 80.0f));
  return (1.0f + expm1_reduced(e.r)) * power_of_two(e.n);
}

/// 2^x for |x| <= 125.
RT_FN float exp2_bounded(float x) {
  const float sum = x + kRounder;
  return exp2_reduced(x - (sum - kRounder)) * power_of_two(rounded(sum));
}

/// exp(x) * 2^shift for x >= -104; what is above 92 counts as 92.
RT_FN float exp_shifted(float x, int shift) {
  const ReducedExp e = reduce_exp(x > 92.0f ? 92.0f : x);
  return scale(1.0f + expm1_reduced(e.r), e.n + shift);
}

/// factor * exp(x) with one rounding less, for a factor between 2^-10 and 2^10 and -120 <= x <= 92.
RT_FN float times_exp(float factor, float x) {
  const ReducedExp e = reduce_exp(x);
  return scale(native::fma(factor, expm1_reduced(e.r), factor), e.n);
}

}  // namespace rt::inner

namespace rt {

RT_FN float32 exp(float32 x) { return inner::exp_shifted(x < -104.0f ? -104.0f : x, 0); }

RT_FN float32 exp2(float32 x) {
  const float low = x < -151.0f ? -151.0f : x, y = low > 129.0f ? 129.0f : low;
  const float sum = y + inner::kRounder;
  return inner::scale(inner::exp2_reduced(y - (sum - inner::kRounder)), inner::rounded(sum));
}

/// Through exp(-|x|), so that neither end overflows and small results keep their digits.
RT_FN float32 sigmoid(float32 x) {
  const float a = native::abs(x);
  const float e = inner::exp_shifted(a > 104.0f ? -104.0f : -a, 0);
  return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}

}  // namespace rt
