// SPDX-License-Identifier: Apache-2.0
// expm1 and the hyperbolic functions of float32 with their inverses.  Part of math.h.
#pragma once

namespace rt {

RT_FN float32 expm1(float32 x) {
  const float low = x < -18.0f ? -18.0f : x;
  const inner::ReducedExp e = inner::reduce_exp(low > 89.0f ? 89.0f : low);
  const float half = inner::power_of_two(e.n - 1);  // 2^n itself may overflow
  const float result = 2.0f * native::fma(half, inner::expm1_reduced(e.r), half - 0.5f);
  return native::abs(x) < 5.9e-8f ? x : result;
}

/// Near 0 a polynomial (coefficients: tanh, error 4.6e-9), else 1 - 2 / (exp(2|x|) + 1).
RT_FN float32 tanh(float32 x) {
  const float a = native::abs(x), s = x * x;
  const float p = inner::polynomial(s, -0.333332807f, 0.133314058f, -0.05373675f, 0.0206298176f, -0.00569507293f);
  const float e = inner::exp_doubled(a);
  const float large = native::fma(-2.0f, native::reciprocal(e + 1.0f), 1.0f);
  const float small = native::computed(native::fma(a * s, p, a));
  return native::copysign(a < 0.625f ? small : large, x);
}

/// Below 1 a polynomial (coefficients: sinh, error 3.1e-10).
RT_FN float32 sinh(float32 x) {
  const float a = native::abs(x), s = x * x;
  const float p = inner::polynomial(s, 0.166666672f, 0.00833331048f, 0.000198428868f, 2.78232119e-06f);
  const float half = inner::exp_shifted(a, -1);
  const float large = half - 0.25f * native::reciprocal(half);
  const float small = native::computed(native::fma(a * s, p, a));
  return native::copysign(a < 1.0f ? small : large, x);
}

RT_FN float32 cosh(float32 x) {
  const float half = inner::exp_shifted(native::abs(x), -1);
  return half + 0.25f * native::reciprocal(half);
}

/// Below 0.5 a polynomial (coefficients: asinh, error 2.2e-11).
RT_FN float32 asinh(float32 x) {
  const float a = native::abs(x), s = x * x;
  const float p = inner::polynomial(s, -0.166666672f, 0.0750003532f, -0.0446509533f, 0.030460773f, -0.0226703901f,
                                    0.0171213504f, -0.00919601787f);
  const bool huge = a > 1e9f;
  const float large = log(huge ? a : a + native::sqrt(s + 1.0f)) + (huge ? 0.693147182f : 0.0f);
  return native::copysign(a < 0.5f ? native::fma(a * s, p, a) : large, x);
}

RT_FN float32 acosh(float32 x) {
  const float t = x - 1.0f;
  const bool huge = x > 1e9f;
  const float result = log1p(huge ? x : t + native::sqrt(t * (t + 2.0f))) + (huge ? 0.693147182f : 0.0f);
  return x < 1.0f ? inner::kNan : result;
}

/// Below 0.5 a polynomial (coefficients: atanh, error 1.3e-10).
RT_FN float32 atanh(float32 x) {
  const float a = native::abs(x), s = x * x;
  const float p = inner::polynomial(s, 0.333333373f, 0.199996218f, 0.142978147f, 0.109293967f, 0.105245352f,
                                    0.0169566274f, 0.185144871f);
  const float large = 0.5f * log1p(native::quotient(a + a, 1.0f - a));
  return native::copysign(a < 0.5f ? native::fma(a * s, p, a) : large, x);
}

}  // namespace rt
