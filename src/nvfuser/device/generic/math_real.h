// SPDX-License-Identifier: Apache-2.0
// Arithmetic, rounding and tests that cost an instruction or two: floats, and the type-independent part of the rest.
// Part of math.h.  A function exists for exactly the types for which it has a meaning.
#pragma once

namespace rt {

// ---- arithmetic of floats
template <class T>
RT_FN Enable<kFloating<T>, T> add(T a, T b) {
  return a + b;
}
template <class T>
RT_FN Enable<kFloating<T>, T> sub(T a, T b) {
  return a - b;
}
template <class T>
RT_FN Enable<kFloating<T>, T> mul(T a, T b) {
  return a * b;
}
template <class T>
RT_FN Enable<kFloating<T>, T> neg(T a) {
  return -a;
}
template <class T>
RT_FN Enable<kFloating<T>, T> div_trunc(T a, T b) {
  return a / b;
}
template <class T>
RT_FN Enable<kFloating<T>, T> truediv(T a, T b) {
  return a / b;
}
template <class T>
RT_FN Enable<kFloating<T>, T> fma(T a, T b, T c) {
  return native::fma(a, b, c);
}
template <class T>
RT_FN Enable<kFloating<T>, T> sqrt(T a) {
  return native::sqrt(a);
}
template <class T>
RT_FN Enable<kFloating<T>, T> rsqrt(T a) {
  return native::rsqrt(a);
}
RT_FN float32 reciprocal(float32 a) { return native::exact_reciprocal(a); }
RT_FN float64 reciprocal(float64 a) { return 1.0 / a; }

template <class T>
RT_FN Enable<kFloating<T>, T> fmod(T a, T b) {
  return native::fmod(a, b);
}
template <class T>
RT_FN Enable<kFloating<T>, T> mod_trunc(T a, T b) {
  return native::fmod(a, b);
}
template <class T>
RT_FN Enable<kFloating<T>, T> remainder(T a, T b) {
  const T r = native::fmod(a, b);
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}
template <class T>
RT_FN Enable<kFloating<T>, T> pow(T a, T b) {
  return native::pow(a, b);
}

// ---- sign and rounding
template <class T>
RT_FN Enable<kFloating<T>, T> abs(T a) {
  return native::abs(a);
}
template <class T>
RT_FN Enable<kFloating<T>, T> floor(T a) {
  return native::floor(a);
}
template <class T>
RT_FN Enable<kFloating<T>, T> ceil(T a) {
  return native::ceil(a);
}
template <class T>
RT_FN Enable<kFloating<T>, T> trunc(T a) {
  return native::trunc(a);
}
template <class T>
RT_FN Enable<kFloating<T>, T> round(T a) {
  return native::rint(a);
}
template <class T>
RT_FN Enable<kFloating<T>, T> sign(T a) {
  return a > T(0) ? T(1) : a < T(0) ? T(-1) : T(0);
}
RT_FN bool signbit(float32 a) { return bit_cast<int32>(a) < 0; }
RT_FN bool signbit(float64 a) { return bit_cast<int64>(a) < 0; }

/// a < 0 without a warning for types that never are.
template <class T>
RT_FN bool negative(T a) {
  if constexpr (kSigned<T>)
    return a < T(0);
  return a != a;
}
template <class T>
RT_FN Enable<kReal<T>, T> relu(T a) {
  return negative(a) ? T(0) : a;
}
RT_FN float32 relu(float32 a) { return native::relu(a); }

// ---- minimum, maximum, limits: NaN propagates
template <class T>
RT_FN Enable<kReal<T>, T> minimum(T a, T b) {
  return native::minimum(a, b);
}
template <class T>
RT_FN Enable<kReal<T>, T> maximum(T a, T b) {
  return native::maximum(a, b);
}
/// NaN in `a` stays; where low > high the result is high.
template <class T>
RT_FN Enable<kReal<T>, T> clamp(T a, T low, T high) {
  const T t = a < low ? low : a;
  return t > high ? high : t;
}

// ---- tests.  Comparisons alone, so that they become masks.
RT_FN bool isnan(float32 a) { return a != a; }
RT_FN bool isnan(float64 a) { return a != a; }
RT_FN bool isinf(float32 a) { return native::abs(a) == inner::kInfinity; }
RT_FN bool isinf(float64 a) { return native::abs(a) == inner::kInfinity64; }
RT_FN bool isfinite(float32 a) { return native::abs(a) < inner::kInfinity; }
RT_FN bool isfinite(float64 a) { return native::abs(a) < inner::kInfinity64; }
RT_FN bool isposinf(float32 a) { return a == inner::kInfinity; }
RT_FN bool isposinf(float64 a) { return a == inner::kInfinity64; }
RT_FN bool isneginf(float32 a) { return a == -inner::kInfinity; }
RT_FN bool isneginf(float64 a) { return a == -inner::kInfinity64; }
template <class T>
RT_FN Enable<kReal<T>, bool> isreal(T) {
  return true;
}
template <class T>
RT_FN Enable<kReal<T>, T> real(T a) {
  return a;
}

/// The next value after a towards b.
template <class T>
RT_FN Enable<kFloating<T>, T> nextafter(T a, T b) {
  using U = Unsigned<T>;
  const U bits = bit_cast<U>(a);
  constexpr U kSign = U(1) << (sizeof(U) * 8 - 1);
  const bool away = (a < b) == ((bits & kSign) == 0);  // the magnitude grows
  const T stepped = bit_cast<T>(away ? bits + 1 : bits - 1);
  const T from_zero = bit_cast<T>((bit_cast<U>(b) & kSign) | U(1));
  const T moved = a == T(0) ? from_zero : stepped;
  return a == b ? b : a != a || b != b ? a + b : moved;
}

}  // namespace rt
