// SPDX-License-Identifier: Apache-2.0
// Element types of kernels.  Sizes are fixed whatever the machine; narrow floats are bits only: arithmetic happens in
// float32 after rt::to.  Compiled by NVRTC (C++17, no system headers), by the host compiler and into the library.
#pragma once

#if __has_include("flavor.h")
#include "flavor.h"
#else
#include "rt/flavor.h"
#endif

namespace rt {

using boolean = bool;
using int32 = int;
using int64 = long long;
using uint64 = unsigned long long;
using uint32 = unsigned int;
using uint16 = unsigned short;
using uint8 = unsigned char;
using float32 = float;
using float64 = double;

struct float16 {
  uint16 bits;
};
struct bfloat16 {
  uint16 bits;
};
struct float8_e4m3fn {
  uint8 bits;
};
struct float8_e5m2 {
  uint8 bits;
};
struct float8_e8m0fnu {
  uint8 bits;
};
/// One value in the low four bits.
struct float4_e2m1fn {
  uint8 bits;
};
/// Two values: the first in the low four bits.
struct float4_e2m1fn_x2 {
  uint8 bits;
};

static_assert(sizeof(int32) == 4 && sizeof(int64) == 8 && sizeof(float32) == 4 && sizeof(float64) == 8,
              "sizes are fixed");
static_assert(sizeof(float16) == 2 && sizeof(float8_e5m2) == 1 && sizeof(boolean) == 1, "sizes are fixed");

// ---- kinds of types, for overloads

template <class A, class B>
inline constexpr bool kSame = false;
template <class A>
inline constexpr bool kSame<A, A> = true;

template <class T>
inline constexpr bool kInteger = kSame<T, int32> || kSame<T, int64> || kSame<T, uint64>;
template <class T>
inline constexpr bool kFloating = kSame<T, float32> || kSame<T, float64>;
template <class T>
inline constexpr bool kBoolean = kSame<T, boolean>;
template <class T>
inline constexpr bool kReal = kInteger<T> || kFloating<T> || kBoolean<T>;
template <class T>
inline constexpr bool kSigned = kFloating<T> || kSame<T, int32> || kSame<T, int64>;
template <class T>
inline constexpr bool kNarrow = kSame<T, float16> || kSame<T, bfloat16> || kSame<T, float8_e4m3fn> ||
                                kSame<T, float8_e5m2> || kSame<T, float8_e8m0fnu> || kSame<T, float4_e2m1fn>;

template <bool, class T>
struct When {};
template <class T>
struct When<true, T> {
  using type = T;
};
/// T where the condition holds; otherwise the overload does not exist.
template <bool condition, class T>
using Enable = typename When<condition, T>::type;

template <class T>
struct Bits {
  using type = T;
};
template <>
struct Bits<int32> {
  using type = uint32;
};
template <>
struct Bits<int64> {
  using type = uint64;
};
template <>
struct Bits<float32> {
  using type = uint32;
};
template <>
struct Bits<float64> {
  using type = uint64;
};
/// The unsigned integer as wide as T.
template <class T>
using Unsigned = typename Bits<T>::type;

template <class To, class From>
RT_FN To bit_cast(From value) {
  return __builtin_bit_cast(To, value);
}

/// A Bool as an integer.  GCC 12 vectorises no loop that selects by a bool from memory, but every one that tests a
/// byte.
RT_FN uint8 byte_of(boolean a) { return bit_cast<uint8>(a); }

// ---- complex numbers

template <class T>
struct complex {
  T re, im;
};
using complex64 = complex<float32>;
using complex128 = complex<float64>;

template <class T>
inline constexpr bool kComplex = kSame<T, complex64> || kSame<T, complex128>;

template <class T>
RT_FN complex<T> operator+(complex<T> a, complex<T> b) {
  return {a.re + b.re, a.im + b.im};
}
template <class T>
RT_FN complex<T> operator-(complex<T> a, complex<T> b) {
  return {a.re - b.re, a.im - b.im};
}
template <class T>
RT_FN complex<T> operator-(complex<T> a) {
  return {-a.re, -a.im};
}
template <class T>
RT_FN complex<T> operator*(complex<T> a, complex<T> b) {
  return {native::unfused(a.re * b.re) - a.im * b.im, native::unfused(a.re * b.im) + a.im * b.re};
}
template <class T>
RT_FN complex<T> operator*(complex<T> a, T b) {
  return {a.re * b, a.im * b};
}
template <class T>
RT_FN bool operator==(complex<T> a, complex<T> b) {
  return a.re == b.re && a.im == b.im;
}
template <class T>
RT_FN bool operator!=(complex<T> a, complex<T> b) {
  return !(a == b);
}

/// Divides by the larger part of the divisor first, so that nothing overflows which need not.
template <class T>
RT_FN complex<T> operator/(complex<T> a, complex<T> b) {
  const T re = b.re < 0 ? -b.re : b.re, im = b.im < 0 ? -b.im : b.im;
  if (re == 0 && im == 0)
    return {a.re / re, a.im / re};
  if (re >= im) {
    const T ratio = b.im / b.re, scale = b.re + b.im * ratio;
    return {(a.re + a.im * ratio) / scale, (a.im - a.re * ratio) / scale};
  }
  const T ratio = b.re / b.im, scale = b.re * ratio + b.im;
  return {(native::unfused(a.re * ratio) + a.im) / scale, (native::unfused(a.im * ratio) - a.re) / scale};
}

template <class T>
RT_FN complex<T>& operator+=(complex<T>& a, complex<T> b) {
  return a = a + b;
}
template <class T>
RT_FN complex<T>& operator-=(complex<T>& a, complex<T> b) {
  return a = a - b;
}
template <class T>
RT_FN complex<T>& operator*=(complex<T>& a, complex<T> b) {
  return a = a * b;
}
template <class T>
RT_FN complex<T>& operator/=(complex<T>& a, complex<T> b) {
  return a = a / b;
}

}  // namespace rt
