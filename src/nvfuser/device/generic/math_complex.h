// SPDX-License-Identifier: Apache-2.0
// Functions of complex numbers, from the real ones.  Part of math.h.  Branch cuts are those of the C library; results
// at infinite parts follow from the formulas.
#pragma once

namespace rt {

template <class T>
RT_FN complex<T> add(complex<T> a, complex<T> b) {
  return a + b;
}
template <class T>
RT_FN complex<T> sub(complex<T> a, complex<T> b) {
  return a - b;
}
template <class T>
RT_FN complex<T> mul(complex<T> a, complex<T> b) {
  return a * b;
}
template <class T>
RT_FN complex<T> neg(complex<T> a) {
  return -a;
}
template <class T>
RT_FN complex<T> fma(complex<T> a, complex<T> b, complex<T> c) {
  return a * b + c;
}
template <class T>
RT_FN complex<T> div_trunc(complex<T> a, complex<T> b) {
  return a / b;
}
template <class T>
RT_FN complex<T> truediv(complex<T> a, complex<T> b) {
  return a / b;
}
template <class T>
RT_FN complex<T> reciprocal(complex<T> a) {
  return complex<T>{1, 0} / a;
}

/// The real part may be a difference of products, the imaginary part a sum of some.
RT_FN complex64 make_complex(float32 re, float32 im) { return {native::unfused(re), im}; }
RT_FN complex128 make_complex(float64 re, float64 im) { return {native::unfused(re), im}; }
template <class T>
RT_FN T real(complex<T> a) {
  return a.re;
}
template <class T>
RT_FN T imag(complex<T> a) {
  return a.im;
}
template <class T>
RT_FN T abs(complex<T> a) {
  return native::hypot(a.re, a.im);
}

template <class T>
RT_FN bool isfinite(complex<T> a) {
  return isfinite(a.re) & isfinite(a.im);
}
template <class T>
RT_FN bool isinf(complex<T> a) {
  return isinf(a.re) | isinf(a.im);
}
template <class T>
RT_FN bool isnan(complex<T> a) {
  return isnan(a.re) | isnan(a.im);
}
template <class T>
RT_FN bool isreal(complex<T> a) {
  return a.im == T(0);
}

// ---- exponentials.  A zero imaginary part stays one, however large the real part is.
template <class T>
RT_FN complex<T> exp(complex<T> a) {
  const T size = exp(a.re);
  return a.im == T(0) ? complex<T>{size, a.im} : complex<T>{size * cos(a.im), size * sin(a.im)};
}
template <class T>
RT_FN complex<T> exp2(complex<T> a) {
  const T size = exp2(a.re), angle = a.im * T(0.69314718055994530942);
  return a.im == T(0) ? complex<T>{size, a.im} : complex<T>{size * cos(angle), size * sin(angle)};
}
template <class T>
RT_FN complex<T> expm1(complex<T> a) {
  const T grown = expm1(a.re), half = sin(a.im * T(0.5));
  return {grown * cos(a.im) - T(2) * half * half, (grown + T(1)) * sin(a.im)};
}
template <class T>
RT_FN complex<T> sigmoid(complex<T> a) {
  const complex<T> one{1, 0};
  if (a.re < T(0)) {
    const complex<T> e = exp(a);
    return e / (one + e);
  }
  return one / (one + exp(-a));
}

// ---- logarithms and powers
/// log |a|, exact to rounding also where |a| is close to 1.
template <class T>
RT_FN T log_abs(complex<T> a) {
  const T x = native::abs(a.re), y = native::abs(a.im);
  const T large = x < y ? y : x, small = x < y ? x : y;
  if (large > T(0.5) && large < T(2))
    return T(0.5) * log1p((large - T(1)) * (large + T(1)) + small * small);
  return log(native::hypot(x, y));
}
template <class T>
RT_FN complex<T> log(complex<T> a) {
  return {log_abs(a), atan2(a.im, a.re)};
}
template <class T>
RT_FN complex<T> log2(complex<T> a) {
  return log(a) * T(1.44269504088896340736);
}
template <class T>
RT_FN complex<T> log10(complex<T> a) {
  return log(a) * T(0.43429448190325182765);
}
template <class T>
RT_FN complex<T> log1p(complex<T> a) {
  const complex<T> sum{a.re + T(1), a.im};
  const T small = T(0.5) * log1p(a.re * (T(2) + a.re) + a.im * a.im);
  return {abs(a) < T(0.5) ? small : log_abs(sum), atan2(a.im, sum.re)};
}

template <class T>
RT_FN complex<T> sqrt(complex<T> a) {
  if (a.re == T(0) && a.im == T(0))
    return {T(0), a.im};
  if (isinf(a.im))
    return {native::abs(a.im), a.im};
  // Scaled so that the modulus of huge and of denormal parts is exact.
  const T size = native::abs(a.re) + native::abs(a.im);
  const bool huge = size > T(1e37), tiny = size < T(1e-36);
  const T up = huge ? T(0.0625) : tiny ? T(16777216) : T(1), down = huge ? T(4) : tiny ? T(1) / T(4096) : T(1);
  const T re = a.re * up, im = a.im * up;
  const T root = native::sqrt(T(0.5) * (native::abs(re) + native::hypot(re, im)));
  const T other = im / (T(2) * root);
  if (isinf(a.re))
    return a.re > T(0) ? complex<T>{a.re, native::copysign(T(0), a.im)}
                       : complex<T>{T(0), native::copysign(-a.re, a.im)};
  return re < T(0) ? complex<T>{native::abs(other) * down, native::copysign(root, im) * down}
                   : complex<T>{root * down, other * down};
}
template <class T>
RT_FN complex<T> rsqrt(complex<T> a) {
  return reciprocal(sqrt(a));
}

template <class T>
RT_FN complex<T> pow(complex<T> a, complex<T> b) {
  if (b.re == T(0) && b.im == T(0))
    return {1, 0};
  if (a.re == T(0) && a.im == T(0))
    return b.re > T(0) ? complex<T>{0, 0} : complex<T>{reciprocal(T(0)), 0};
  return exp(b * log(a));
}

// ---- trigonometric and hyperbolic functions
template <class T>
RT_FN complex<T> sinh(complex<T> a) {
  return {sinh(a.re) * cos(a.im), cosh(a.re) * sin(a.im)};
}
template <class T>
RT_FN complex<T> cosh(complex<T> a) {
  return {cosh(a.re) * cos(a.im), sinh(a.re) * sin(a.im)};
}
/// tanh(x + iy) = (sinh x cosh x + i sin y cos y) / (sinh^2 x + cos^2 y)
template <class T>
RT_FN complex<T> tanh(complex<T> a) {
  if (native::abs(a.re) > T(22)) {
    const T e = exp(-native::abs(a.re));
    return {native::copysign(T(1), a.re), T(4) * sin(a.im) * cos(a.im) * e * e};
  }
  const T sh = sinh(a.re), ch = cosh(a.re), s = sin(a.im), c = cos(a.im);
  const T size = sh * sh + c * c;
  return {sh * ch / size, s * c / size};
}
/// i a and -i a, exchanging parts.
template <class T>
RT_FN complex<T> turn_left(complex<T> a) {
  return {-a.im, a.re};
}
template <class T>
RT_FN complex<T> turn_right(complex<T> a) {
  return {a.im, -a.re};
}
template <class T>
RT_FN complex<T> sin(complex<T> a) {
  return turn_right(sinh(turn_left(a)));
}
template <class T>
RT_FN complex<T> cos(complex<T> a) {
  return cosh(turn_left(a));
}
template <class T>
RT_FN complex<T> tan(complex<T> a) {
  return turn_right(tanh(turn_left(a)));
}

// ---- inverse functions, after Kahan: products of square roots keep both sides of a cut apart.
template <class T>
RT_FN complex<T> asinh(complex<T> a) {
  const complex<T> up = sqrt(complex<T>{T(1) - a.im, a.re}), down = sqrt(complex<T>{T(1) + a.im, -a.re});
  const T re = asinh(up.re * down.im - up.im * down.re);
  return {-re, atan2(a.im, up.re * down.re - up.im * down.im)};
}
template <class T>
RT_FN complex<T> asin(complex<T> a) {
  return turn_right(asinh(turn_left(a)));
}
template <class T>
RT_FN complex<T> acos(complex<T> a) {
  const complex<T> minus = sqrt(complex<T>{T(1) - a.re, -a.im}), plus = sqrt(complex<T>{T(1) + a.re, a.im});
  return {T(2) * atan2(minus.re, plus.re), asinh(plus.re * minus.im - plus.im * minus.re)};
}
template <class T>
RT_FN complex<T> acosh(complex<T> a) {
  const complex<T> minus = sqrt(complex<T>{a.re - T(1), a.im}), plus = sqrt(complex<T>{a.re + T(1), a.im});
  return {asinh(minus.re * plus.re + minus.im * plus.im), T(2) * atan2(minus.im, plus.re)};
}
/// Real part from |1 + a|^2 / |1 - a|^2 with a in the right half plane, imaginary part from the angle between them.
template <class T>
RT_FN complex<T> atanh(complex<T> a) {
  const T x = native::abs(a.re), near = T(1) - x, square = a.im * a.im;
  const T re = T(0.25) * log1p(T(4) * x / (near * near + square));
  return {native::copysign(re, a.re), T(0.5) * atan2(T(2) * a.im, near * (T(1) + x) - square)};
}
template <class T>
RT_FN complex<T> atan(complex<T> a) {
  return turn_right(atanh(turn_left(a)));
}

// ---- for every kind of number
template <class T>
RT_FN T lerp(T a, T b, T weight) {
  return add(a, mul(weight, sub(b, a)));
}

}  // namespace rt
