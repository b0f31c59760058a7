// SPDX-License-Identifier: Apache-2.0
// Pieces that the float32 functions share: Horner's scheme, powers of two, the reduction of exp.  Part of math.h.
//
// How all float32 functions of math_*.h are made: straight-line code with selections, so that a host compiler turns a
// loop over them into vector code; no library call, no table in memory, no detour through double.  Coefficients come
// from tools/coefficients/minimax.py, under the name that stands beside them; errors were measured over all 2^32 floats
// by benchmarks/math_error.cpp, host code with fma and without it.
#pragma once

namespace rt::inner {

inline constexpr float kInfinity = __builtin_bit_cast(float, 0x7f800000u);
inline constexpr double kInfinity64 = __builtin_bit_cast(double, 0x7ff0000000000000ull);
inline constexpr float kNan = __builtin_bit_cast(float, 0x7fc00000u);
inline constexpr double kNan64 = __builtin_bit_cast(double, 0x7ff8000000000000ull);
inline constexpr float kSmallestNormal = 1.17549435e-38f;
/// Adding it rounds a float below 2^22 to an integer, which then stands in the low bits.
inline constexpr float kRounder = 12582912.0f;
inline constexpr int kRounderBits = 0x4b400000;
inline constexpr float kLog2E = 1.44269502f;
inline constexpr float kLog2ELow = 1.92596303e-8f;
/// ln 2 in two pieces; a multiple of the first by an integer below 2^9 is exact.
inline constexpr float kLn2High = 0.693145752f;
inline constexpr float kLn2Low = 1.42860682e-6f;
inline constexpr float kHalfPi = 1.57079637f;
inline constexpr float kHalfPiLow = -4.37113883e-8f;

RT_FN float polynomial(float, float c0) { return c0; }
/// c0 + c1 x + c2 x^2 + ...
template <class... Rest>
RT_FN float polynomial(float x, float c0, Rest... rest) {
  return native::fma(polynomial(x, rest...), x, c0);
}

/// 2^n for -126 <= n <= 127; any float otherwise.
RT_FN float power_of_two(int n) { return bit_cast<float>(static_cast<uint32>(n + 127) << 23); }

/// p * 2^n, rounded once, for -252 <= n <= 254 and p near 1.
RT_FN float scale(float p, int n) {
  const int half = n >> 1;
  return p * power_of_two(half) * power_of_two(n - half);
}

/// The integer in a sum with kRounder.
RT_FN int rounded(float sum) { return bit_cast<int>(sum) - kRounderBits; }

/// n and r with x = n ln 2 + r, |r| < 0.3475; for |x| < 2^9.
struct ReducedExp {
  int n;
  float r;
};
RT_FN ReducedExp reduce_exp(float x) {
  const float sum = native::fma(x, kLog2E, kRounder);
  const float n = sum - kRounder;
  return {rounded(sum), native::fma(n, -kLn2Low, native::fma(n, -kLn2High, x))};
}

/// exp(r) - 1 for |r| < 0.3475.  Coefficients: exp, error 3.9e-9.
RT_FN float expm1_reduced(float r) {
  const float p = polynomial(r, 0.49999994f, 0.166665196f, 0.0416684076f, 0.00836891402f, 0.00138142135f);
  return native::fma(r * r, p, r);
}

/// What rounding s = x * x has lost.
RT_FN float square_error(float x, float s) {
  if constexpr (native::kFma)
    return native::fma(x, x, -s);
  const float high = bit_cast<float>(bit_cast<uint32>(x) & 0xfffff000u), low = x - high;
  return ((high * high - s) + 2.0f * high * low) + low * low;
}

}  // namespace rt::inner
