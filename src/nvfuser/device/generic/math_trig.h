// SPDX-License-Identifier: Apache-2.0
// sin, cos and tan of float32, exact reduction for every argument.  Part of math.h.
#pragma once

namespace rt::inner {

/// |x| = quadrant * pi/2 + r, |r| <= pi/4; the quadrant modulo 4.
struct Angle {
  uint32 quadrant;
  float r;
};

RT_FN uint32 high_product(uint32 a, uint32 b) { return static_cast<uint32>((static_cast<uint64>(a) * b) >> 32); }
/// Bits of the pair high:low from `shift` on, 0 <= shift < 32.
RT_FN uint32 window(uint32 high, uint32 low, uint32 shift) { return (high << shift) | ((low >> 1) >> (31u - shift)); }

/// Reduces any finite a >= pi/4 with integers: a = m 2^e with m of 24 bits, and m times the right 96 bits of 2/pi,
/// modulo 4, is a fixed-point number of 2 + 62 bits.  Bits further left only add multiples of 4, bits further right are
/// below 2^-55. The words are picked by selections since a table in memory would be gathered lane by lane.
RT_FN Angle reduce_any(float a) {
  const uint32 bits = bit_cast<uint32>(a);
  const uint32 offset =
      (bits >> 23) - 120u;  // of the first bit that counts, the words beginning 32 bits left of the point
  const uint32 m = (bits & 0x007fffffu) | 0x00800000u;
  constexpr uint32 w0 = 0, w1 = 0xa2f9836e, w2 = 0x4e441529, w3 = 0xfc2757d1, w4 = 0xf534ddc0, w5 = 0xdb629599,
                   w6 = 0x3c439041, w7 = 0xfe5163ab;
  const bool by64 = (offset & 64u) != 0, by32 = (offset & 32u) != 0, by128 = offset >= 128u;
  const uint32 a0 = by64 ? w2 : w0, a1 = by64 ? w3 : w1, a2 = by64 ? w4 : w2, a3 = by64 ? w5 : w3, a4 = by64 ? w6 : w4;
  const uint32 b0 = by128 ? w4 : by32 ? a1 : a0, b1 = by128 ? w5 : by32 ? a2 : a1;
  const uint32 b2 = by128 ? w6 : by32 ? a3 : a2, b3 = by128 ? w7 : by32 ? a4 : a3;
  const uint32 shift = offset & 31u;
  const uint32 c0 = window(b0, b1, shift), c1 = window(b1, b2, shift), c2 = window(b2, b3, shift);
  const uint32 middle = m * c1, low = middle + high_product(m, c2);
  const uint32 high = m * c0 + high_product(m, c1) + (low < middle ? 1u : 0u);
  const uint32 quadrant = (high + 0x20000000u) >> 30;
  const uint32 rest = high - (quadrant << 30);
  // Its absolute value, to one unit of 2^-62, in two non-negative signed pieces: conversions from unsigned are slow.
  const uint32 mask = bit_cast<uint32>(bit_cast<int>(rest) >> 31);
  const uint32 top = rest ^ mask, bottom = low ^ mask;
  constexpr float kUnit = kHalfPi * 9.31322575e-10f, kUnitLow = kHalfPiLow * 9.31322575e-10f;  // 2^-30 quadrants
  const float first = static_cast<float>(static_cast<int>(top & 0x3fffff80u));
  const float second = static_cast<float>(static_cast<int>(top & 0x7fu)) +
                       static_cast<float>(static_cast<int>(bottom >> 1)) * 4.65661287e-10f;
  const float r = native::fma(first, kUnit, native::fma(first, kUnitLow, second * kUnit));
  return {quadrant & 3u, bit_cast<float>(bit_cast<uint32>(r) ^ (mask & 0x80000000u))};
}

/// Up to 2^16 three pieces of pi/2 and true fma do; only where branches may be had is that cheaper.
RT_FN Angle reduce_angle(float a) {
  if constexpr (native::kBranches) {
    if (a <= 65536.0f) {
      const float sum = native::fma(a, 0.636619747f, kRounder), n = sum - kRounder;
      const float r = native::fma(n, 1.71512451e-15f, native::fma(n, -kHalfPiLow, native::fma(n, -kHalfPi, a)));
      return {static_cast<uint32>(rounded(sum)) & 3u, r};
    }
    return reduce_any(a);
  }
  const Angle angle = reduce_any(a);
  const bool small = a < 0.785398185f;
  return {small ? 0u : angle.quadrant, small ? a : angle.r};
}

/// Coefficients: sin, error 4e-9.
RT_FN float sin_reduced(float r) {
  const float s = r * r;
  return native::fma(r * s, polynomial(s, -0.166666552f, 0.00833218917f, -0.000195182831f), r);
}
/// Coefficients: cos, error 1.1e-10.
RT_FN float cos_reduced(float r) {
  const float s = r * r;
  const float p = polynomial(s, 0.0416666456f, -0.00138873013f, 2.44306793e-05f);
  return native::fma(s * s, p, native::fma(-0.5f, s, 1.0f));
}
/// Coefficients: tan, error 1.3e-9.
RT_FN float tan_reduced(float r) {
  const float s = r * r;
  const float p = polynomial(s, 0.333333492f, 0.133326754f, 0.054058902f, 0.0212863237f, 0.0108270142f, 9.89306864e-05f,
                             0.00437230011f);
  return native::fma(r * s, p, r);
}

RT_FN float flip_sign(float x, uint32 sign) { return bit_cast<float>(bit_cast<uint32>(x) ^ sign); }

}  // namespace rt::inner

namespace rt {

RT_FN float32 sin(float32 x) {
  const float a = native::abs(x);
  const inner::Angle angle = inner::reduce_angle(a);
  const float s = native::computed(inner::sin_reduced(angle.r)), c = native::computed(inner::cos_reduced(angle.r));
  const uint32 sign = (bit_cast<uint32>(x) & 0x80000000u) ^ ((angle.quadrant & 2u) << 30);
  const float result = inner::flip_sign(angle.quadrant & 1u ? c : s, sign);
  return a < inner::kInfinity ? result : x - x;
}

RT_FN float32 cos(float32 x) {
  const float a = native::abs(x);
  const inner::Angle angle = inner::reduce_angle(a);
  const float s = native::computed(inner::sin_reduced(angle.r)), c = native::computed(inner::cos_reduced(angle.r));
  const float result = inner::flip_sign(angle.quadrant & 1u ? s : c, ((angle.quadrant + 1u) & 2u) << 30);
  return a < inner::kInfinity ? result : x - x;
}

RT_FN float32 tan(float32 x) {
  const float a = native::abs(x);
  const inner::Angle angle = inner::reduce_angle(a);
  const float t = inner::tan_reduced(angle.r);
  const float result = angle.quadrant & 1u ? -1.0f / t : t;
  return a < inner::kInfinity ? inner::flip_sign(result, bit_cast<uint32>(x) & 0x80000000u) : x - x;
}

}  // namespace rt
