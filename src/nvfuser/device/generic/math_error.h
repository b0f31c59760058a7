// SPDX-License-Identifier: Apache-2.0
// The error function of float32 and float64, its complement and their inverses.  Part of math.h.
#pragma once

namespace rt::inner {

/// erf(a) / a - 1 for 0 <= a < 0.84.  Coefficients: erf, error 6e-9.
RT_FN float erf_small(float a) {
  return polynomial(a * a, 0.128379166f, -0.376125932f, 0.112829216f, -0.0268102959f, 0.00506363809f, -0.00063875108f);
}

}  // namespace rt::inner

namespace rt {

/// Above 0.84: 1 - 2^-q(x), with q fitted to -log2(erfc) (coefficients: erf_tail, error 3.4e-9).
RT_FN float32 erf(float32 x) {
  const float a = native::abs(x);
  const float q = inner::polynomial(native::cut(a, 3.93f), 0.000107282336f, 1.6276387f, 0.917963326f, 0.15111278f,
                                    -0.0326468647f, 0.00453976262f, -0.000298269035f);
  const float large = 1.0f - inner::exp2_bounded(-q);
  const float small = native::computed(native::fma(a, inner::erf_small(a), a));
  return native::copysign(a < 0.84f ? small : large, x);
}

/// Near 0 as 1 - erf; else exp(-x^2) p(t) / (1 + 2|x|) with t = (|x| - 2) / (|x| + 2) (coefficients: erfc,
/// error 1.2e-8).
RT_FN float32 erfc(float32 x) {
  const float a = native::abs(x), b = native::cut(a, 10.25f), c = native::cut(a, 0.5f);
  const float t = native::quotient(b - 2.0f, b + 2.0f);
  const float p = inner::polynomial(t, 1.27697837f, -0.0927638188f, -0.166030511f, 0.164051041f, -0.0542179234f,
                                    -0.00803083368f, 0.00870964117f, 0.00125269801f, -0.00142212713f, -0.000401190482f,
                                    0.000170588071f, 8.01564311e-05f);
  const float square = b * b, ratio = native::quotient(p, native::fma(2.0f, b, 1.0f));
  const float tail = inner::times_exp(native::fma(-inner::square_error(b, square), ratio, ratio), -square);
  const float small = native::fma(-c, inner::erf_small(c), 1.0f - c);
  const float positive = a < 0.5f ? small : tail;
  return x < 0.0f ? 2.0f - positive : positive;
}

}  // namespace rt

namespace rt::inner {

/// erfinv(y) / y as a function of w = -log(1 - y^2).  Coefficients: erfinv (3.8e-8), erfinv_tail (1.9e-8) and, where
/// erfcinv alone comes, erfinv_far (3.2e-8).
template <bool far>
RT_FN float inverse_error_ratio(float w) {
  const float s = native::sqrt(w);
  const float central =
      polynomial(w, 0.886226892f, 0.23201485f, 0.0115425894f, -0.00232082047f, -0.000142284392f, 5.36076477e-05f,
                 7.64092022e-07f, -1.31275522e-06f, 1.47617584e-07f, -5.42192025e-09f);
  const float tail = polynomial(s - 3.0f, 2.83297682f, 1.00167489f, 0.00944499485f, -0.00763608422f, 0.00568945473f,
                                -0.00360282254f, 0.00147879089f, -4.72232132e-05f, -0.000304755114f, 0.000109764718f);
  const float near = w < 5.0f ? central : tail;
  if constexpr (!far)
    return near;
  const float rest = polynomial(s - 5.0f, 4.84990644f, 1.01030064f, -0.000139045747f, -0.000215394481f, 7.67972597e-05f,
                                -1.98013113e-05f, 4.07855487e-06f, -6.06584081e-07f, 5.49166295e-08f, -2.20609175e-09f);
  return w < 16.8f ? near : rest;
}

}  // namespace rt::inner

namespace rt {

RT_FN float32 erfinv(float32 y) {
  const float result = y * inner::inverse_error_ratio<false>(-log((1.0f - y) * (1.0f + y)));
  return native::abs(y) == 1.0f ? native::copysign(inner::kInfinity, y) : result;
}

RT_FN float32 erfcinv(float32 x) {
  const float y = 1.0f - x;
  const float result = y * inner::inverse_error_ratio<true>(-log(x * (2.0f - x)));
  const float edge = x == 0.0f ? inner::kInfinity : x == 2.0f ? -inner::kInfinity : inner::kNan;
  return x > 0.0f ? (x < 2.0f ? result : edge) : edge;
}

RT_FN float64 erf(float64 x) { return native::erf(x); }
RT_FN float64 erfc(float64 x) { return native::erfc(x); }

}  // namespace rt

namespace rt::inner {

/// Improves t towards erfc(t) = q, 0 < q <= 1, by three steps of Halley's method from a start that is good to float.
RT_FN double refine_erfcinv(double t, double q) {
  for (int step = 0; step < 3; ++step) {
    const double slope = -1.1283791670955126 * native::exp(-t * t);
    const double newton = (native::erfc(t) - q) / slope;
    t -= newton / (1.0 + t * newton);
  }
  return t;
}

/// A start for erfcinv(q), also below what a float can hold.
RT_FN double start_erfcinv(double q) {
  if (q > 1e-37)
    return rt::erfcinv(static_cast<float>(q));
  const double w = native::sqrt(-native::log(q));
  return w - native::log(w * 1.7724538509055161) / (2.0 * w);
}

}  // namespace rt::inner

namespace rt {

RT_FN float64 erfinv(float64 y) {
  const double a = native::abs(y);
  if (!(a < 1.0))
    return a == 1.0 ? native::copysign(inner::kInfinity64, y) : inner::kNan64;
  if (a < 1e-9)
    return 0.88622692545275801 * y;
  if (a > 0.5)
    return native::copysign(inner::refine_erfcinv(inner::start_erfcinv(1.0 - a), 1.0 - a), y);
  double t = erfinv(static_cast<float>(a));
  for (int step = 0; step < 2; ++step) {
    const double newton = (native::erf(t) - a) / (1.1283791670955126 * native::exp(-t * t));
    t -= newton / (1.0 + t * newton);
  }
  return native::copysign(t, y);
}

RT_FN float64 erfcinv(float64 x) {
  if (!(x > 0.0 && x < 2.0))
    return x == 0.0 ? inner::kInfinity64 : x == 2.0 ? -inner::kInfinity64 : inner::kNan64;
  if (x > 0.5 && x < 1.5)
    return erfinv(1.0 - x);
  const double q = x < 1.0 ? x : 2.0 - x;
  const double t = inner::refine_erfcinv(inner::start_erfcinv(q), q);
  return x < 1.0 ? t : -t;
}

RT_FN float32 lgamma(float32 x) { return native::lgamma(x); }
RT_FN float64 lgamma(float64 x) { return native::lgamma(x); }

}  // namespace rt
