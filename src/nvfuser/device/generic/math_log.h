// SPDX-License-Identifier: Apache-2.0
// Logarithms of float32.  Part of math.h.
#pragma once

namespace rt::inner {

/// n and f with x = 2^n (1 + f), f between sqrt(1/2) - 1 and sqrt(2) - 1; for finite x > 0.
struct ReducedLog {
  float n, f;
};
inline constexpr uint32 kSqrtHalfBits = 0x3f3504f3;
RT_FN ReducedLog reduce_log(float x) {
  const bool denormal = x < kSmallestNormal;
  const uint32 u = bit_cast<uint32>(denormal ? x * 8388608.0f : x) - kSqrtHalfBits;
  const int n = (bit_cast<int>(u) >> 23) - (denormal ? 23 : 0);
  return {static_cast<float>(n), bit_cast<float>((u & 0x007fffffu) + kSqrtHalfBits) - 1.0f};
}

/// log(1 + f) - f.  Coefficients: log, error 3.2e-9.
RT_FN float log_tail(float f) {
  const float p = polynomial(f, 0.333333135f, -0.250000089f, 0.200021237f, -0.166680098f, 0.142194539f, -0.124052502f,
                             0.118885912f, -0.116779707f, 0.0674850047f);
  return f * f * native::fma(f, p, -0.5f);
}

/// The value of a logarithm at x: the result for positive finite x, else minus infinity, NaN, or x itself.
RT_FN float log_special(float x, float result) {
  const float edge = x == 0.0f ? -kInfinity : x < 0.0f ? kNan : x;
  const float finite = x < kInfinity ? result : edge;
  return x > 0.0f ? finite : edge;
}

/// n ln 2 + log(1 + f)
RT_FN float log_sum(float n, float f) { return native::fma(n, kLn2High, f + native::fma(n, kLn2Low, log_tail(f))); }

}  // namespace rt::inner

namespace rt {

RT_FN float32 log(float32 x) {
  const inner::ReducedLog e = inner::reduce_log(x);
  return inner::log_special(x, inner::log_sum(e.n, e.f));
}

RT_FN float32 log2(float32 x) {
  const inner::ReducedLog e = inner::reduce_log(x);
  const float low = native::fma(e.f, inner::kLog2ELow, inner::log_tail(e.f) * inner::kLog2E);
  return inner::log_special(x, e.n + native::fma(e.f, inner::kLog2E, low));
}

RT_FN float32 log10(float32 x) {
  constexpr float kLog10E = 0.434294492f, kLog10ELow = -1.010305e-8f;
  // log10(2) in two pieces; multiples of the first by an integer below 2^9 are exact.
  constexpr float kLog10Of2 = 0.301025391f, kLog10Of2Low = 4.60503898e-6f;
  const inner::ReducedLog e = inner::reduce_log(x);
  const float tail = native::fma(e.f, kLog10ELow, inner::log_tail(e.f) * kLog10E);
  const float low = native::fma(e.n, kLog10Of2Low, native::fma(e.f, kLog10E, tail));
  return inner::log_special(x, native::fma(e.n, kLog10Of2, low));
}

/// Chooses n by 1 + x, but scales x itself: f = x 2^-n + (2^-n - 1) loses nothing where the result is small.
RT_FN float32 log1p(float32 x) {
  const float sum = 1.0f + x;
  const uint32 n = (bit_cast<uint32>(sum) - inner::kSqrtHalfBits) & 0xff800000u;
  const float four = bit_cast<float>(0x40800000u - n);  // 4 * 2^-n is normal for every n
  const float f = x * 0.25f * four + (0.25f * four - 1.0f);
  const float result = inner::log_sum(static_cast<float>(bit_cast<int>(n) >> 23), f);
  const float special = inner::log_special(sum, result);
  return native::abs(x) < 2.9e-8f ? x : special;
}

}  // namespace rt
