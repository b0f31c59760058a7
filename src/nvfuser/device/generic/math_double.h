// SPDX-License-Identifier: Apache-2.0
// The float64 forms of the real functions: the machine's library.  Part of math.h.
#pragma once

namespace rt {

RT_FN float64 exp(float64 x) { return native::exp(x); }
RT_FN float64 exp2(float64 x) { return native::exp2(x); }
RT_FN float64 expm1(float64 x) { return native::expm1(x); }
RT_FN float64 log(float64 x) { return native::log(x); }
RT_FN float64 log2(float64 x) { return native::log2(x); }
RT_FN float64 log10(float64 x) { return native::log10(x); }
RT_FN float64 log1p(float64 x) { return native::log1p(x); }
RT_FN float64 sin(float64 x) { return native::sin(x); }
RT_FN float64 cos(float64 x) { return native::cos(x); }
RT_FN float64 tan(float64 x) { return native::tan(x); }
RT_FN float64 sinh(float64 x) { return native::sinh(x); }
RT_FN float64 cosh(float64 x) { return native::cosh(x); }
RT_FN float64 tanh(float64 x) { return native::tanh(x); }
RT_FN float64 asin(float64 x) { return native::asin(x); }
RT_FN float64 acos(float64 x) { return native::acos(x); }
RT_FN float64 atan(float64 x) { return native::atan(x); }
RT_FN float64 atan2(float64 y, float64 x) { return native::atan2(y, x); }
RT_FN float64 asinh(float64 x) { return native::asinh(x); }
RT_FN float64 acosh(float64 x) { return native::acosh(x); }
RT_FN float64 atanh(float64 x) { return native::atanh(x); }

/// Through exp(-|x|), so that neither end overflows.
RT_FN float64 sigmoid(float64 x) {
  const double e = native::exp(-native::abs(x));
  return (x < 0.0 ? e : 1.0) / (1.0 + e);
}

}  // namespace rt
