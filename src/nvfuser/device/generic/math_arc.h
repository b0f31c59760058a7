// SPDX-License-Identifier: Apache-2.0
// Inverse trigonometric functions of float32.  Part of math.h.
#pragma once

namespace rt::inner {

/// asin(a) for 0 <= a <= 0.5; above, asin of sqrt((1 - a) / 2), since asin(a) = pi/2 - 2 asin(sqrt((1 - a) / 2)).
/// Coefficients: asin, error 3e-10.
RT_FN float fold_arc(float a) {
  const bool folded = a > 0.5f;
  const float half = native::fma(-0.5f, a, 0.5f), root = native::sqrt(half);
  const float s = folded ? half : a * a, z = folded ? root : a;
  const float p =
      polynomial(s, 0.166666597f, 0.0750052184f, 0.0445137434f, 0.0318313837f, 0.0143629275f, 0.0376036279f);
  return native::fma(z * s, p, z);
}

/// atan(z) for 0 <= z <= 1.  Coefficients: atan, error 2.6e-9.
RT_FN float atan_unit(float z) {
  const float s = z * z;
  const float p = polynomial(s, -0.333332986f, 0.199985296f, -0.142640173f, 0.109508954f, -0.0839936212f, 0.0578823835f,
                             -0.0310978405f, 0.0108689833f, -0.00178283337f);
  return native::fma(z * s, p, z);
}

}  // namespace rt::inner

namespace rt {

RT_FN float32 asin(float32 x) {
  const float a = native::abs(x), p = inner::fold_arc(a);
  const float folded = native::fma(-2.0f, p, inner::kHalfPi) + inner::kHalfPiLow;
  return native::copysign(a > 0.5f ? folded : p, x);
}

RT_FN float32 acos(float32 x) {
  const float a = native::abs(x), p = inner::fold_arc(a);
  const float beyond = (2.0f * inner::kHalfPi - 2.0f * p) + 2.0f * inner::kHalfPiLow;
  const float straight = inner::kHalfPi - (native::copysign(p, x) - inner::kHalfPiLow);
  const float folded = x < 0.0f ? beyond : 2.0f * p;
  return a > 0.5f ? folded : straight;
}

RT_FN float32 atan(float32 x) {
  const float a = native::abs(x);
  const bool inverse = a > 1.0f;
  const float turned = native::computed(native::reciprocal(a));
  const float p = inner::atan_unit(inverse ? turned : a);
  return native::copysign(inverse ? inner::kHalfPi - (p - inner::kHalfPiLow) : p, x);
}

/// Angle of the point (x, y).
RT_FN float32 atan2(float32 y, float32 x) {
  const float a = native::abs(x), b = native::abs(y);
  const bool steep = b > a;
  const float low = steep ? a : b, high = steep ? b : a;
  const float ratio = low / high;
  const float z = high == 0.0f ? low : low == high ? 1.0f : ratio;  // zeros, infinities; NaN passes
  const float p = inner::atan_unit(z);
  const float first = steep ? inner::kHalfPi - (p - inner::kHalfPiLow) : p;
  const bool left = bit_cast<int>(x) < 0;
  const float turned = 2.0f * inner::kHalfPi - (first - 2.0f * inner::kHalfPiLow);
  return native::copysign(left ? turned : first, y);
}

}  // namespace rt
