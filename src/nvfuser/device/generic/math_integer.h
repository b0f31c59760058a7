// SPDX-License-Identifier: Apache-2.0
// Arithmetic of integers and Bool.  Part of math.h.  Nothing here is undefined: sums and products wrap around, a zero
// divisor gives 0, the most negative value divided by -1 is itself, and shift counts out of range have the results of
// the table.
#pragma once

namespace rt {

// ---- wrap-around: computed in the unsigned type
template <class T>
RT_FN Enable<kInteger<T>, T> add(T a, T b) {
  return T(Unsigned<T>(a) + Unsigned<T>(b));
}
template <class T>
RT_FN Enable<kInteger<T>, T> sub(T a, T b) {
  return T(Unsigned<T>(a) - Unsigned<T>(b));
}
template <class T>
RT_FN Enable<kInteger<T>, T> mul(T a, T b) {
  return T(Unsigned<T>(a) * Unsigned<T>(b));
}
template <class T>
RT_FN Enable<kInteger<T>, T> neg(T a) {
  return T(Unsigned<T>(0) - Unsigned<T>(a));
}
template <class T>
RT_FN Enable<kInteger<T>, T> fma(T a, T b, T c) {
  return add(mul(a, b), c);
}
template <class T>
RT_FN Enable<kInteger<T>, T> abs(T a) {
  return negative(a) ? neg(a) : a;
}
template <class T>
RT_FN Enable<kInteger<T>, T> sign(T a) {
  return T(a != T(0)) - T(2) * T(negative(a));
}
template <class T>
RT_FN Enable<kInteger<T> || kBoolean<T>, bool> signbit(T a) {
  return negative(a);
}

// ---- division
template <class T>
RT_FN Enable<kInteger<T>, T> div_trunc(T a, T b) {
  if (kSigned<T> && b == T(-1))
    return neg(a);
  return b == T(0) ? T(0) : T(a / (b == T(0) ? T(1) : b));
}
template <class T>
RT_FN Enable<kInteger<T>, T> mod_trunc(T a, T b) {
  const bool trivial = b == T(0) || (kSigned<T> && b == T(-1));
  return trivial ? T(0) : T(a % (trivial ? T(1) : b));
}
template <class T>
RT_FN Enable<kInteger<T>, T> fmod(T a, T b) {
  return mod_trunc(a, b);
}
template <class T>
RT_FN Enable<kInteger<T>, T> remainder(T a, T b) {
  const T r = mod_trunc(a, b);
  return r != T(0) && negative(r) != negative(b) ? add(r, b) : r;
}

/// By squaring.  A negative exponent gives the truncated quotient: 1 for base 1, 1 or -1 for base -1, else 0.
template <class T>
RT_FN Enable<kInteger<T>, T> pow(T base, T exponent) {
  if (negative(exponent)) {
    const T odd = (exponent & T(1)) != T(0) ? base : T(1);
    return base == T(1) || base == T(-1) ? odd : T(0);
  }
  Unsigned<T> result = 1, square = Unsigned<T>(base);
  for (Unsigned<T> e = Unsigned<T>(exponent); e != 0; e >>= 1) {
    result = e & 1 ? result * square : result;
    square *= square;
  }
  return T(result);
}

template <class T>
RT_FN Enable<kInteger<T>, T> gcd(T a, T b) {
  Unsigned<T> x = Unsigned<T>(abs(a)), y = Unsigned<T>(abs(b));
  while (y != 0) {
    const Unsigned<T> r = x % y;
    x = y;
    y = r;
  }
  return T(x);
}

// ---- bits
template <class T>
RT_FN Enable<kInteger<T>, T> bitwise_and(T a, T b) {
  return a & b;
}
template <class T>
RT_FN Enable<kInteger<T>, T> bitwise_or(T a, T b) {
  return a | b;
}
template <class T>
RT_FN Enable<kInteger<T>, T> bitwise_xor(T a, T b) {
  return a ^ b;
}
template <class T>
RT_FN Enable<kInteger<T>, T> bitwise_not(T a) {
  return ~a;
}

template <class T>
inline constexpr Unsigned<T> kLastBit = sizeof(T) * 8 - 1;
template <class T>
RT_FN Enable<kInteger<T>, T> shift_left(T a, T count) {
  const Unsigned<T> n = Unsigned<T>(count), shifted = Unsigned<T>(a) << (n & kLastBit<T>);
  return n > kLastBit<T> ? T(0) : T(shifted);
}
template <class T>
RT_FN Enable<kInteger<T>, T> shift_right(T a, T count) {
  const Unsigned<T> n = Unsigned<T>(count);
  if constexpr (!kSigned<T>)
    return n > kLastBit<T> ? T(0) : T(a >> (n & kLastBit<T>));
  return a >> (n > kLastBit<T> ? kLastBit<T> : n);
}
template <class T>
RT_FN Enable<kInteger<T>, T> shift_right_logical(T a, T count) {
  const Unsigned<T> n = Unsigned<T>(count), shifted = Unsigned<T>(a) >> (n & kLastBit<T>);
  return n > kLastBit<T> ? T(0) : T(shifted);
}

// ---- rounding and tests of what is integral already
template <class T>
RT_FN Enable<kInteger<T> || kBoolean<T>, T> floor(T a) {
  return a;
}
template <class T>
RT_FN Enable<kInteger<T> || kBoolean<T>, T> ceil(T a) {
  return a;
}
template <class T>
RT_FN Enable<kInteger<T> || kBoolean<T>, T> trunc(T a) {
  return a;
}
template <class T>
RT_FN Enable<kInteger<T> || kBoolean<T>, T> round(T a) {
  return a;
}
template <class T>
RT_FN Enable<kInteger<T> || kBoolean<T>, bool> isfinite(T) {
  return true;
}
template <class T>
RT_FN Enable<kInteger<T> || kBoolean<T>, bool> isinf(T) {
  return false;
}
template <class T>
RT_FN Enable<kInteger<T> || kBoolean<T>, bool> isnan(T) {
  return false;
}
template <class T>
RT_FN Enable<kInteger<T> || kBoolean<T>, bool> isposinf(T) {
  return false;
}
template <class T>
RT_FN Enable<kInteger<T> || kBoolean<T>, bool> isneginf(T) {
  return false;
}

// ---- Bool: integer arithmetic followed by a cast to Bool, except that a difference is an inequality.  Written with
// integer operators, since && and || are branches to the vectoriser.
template <class T>
RT_FN Enable<kBoolean<T>, T> add(T a, T b) {
  return a | b;
}
template <class T>
RT_FN Enable<kBoolean<T>, T> sub(T a, T b) {
  return a != b;
}
template <class T>
RT_FN Enable<kBoolean<T>, T> mul(T a, T b) {
  return a & b;
}
template <class T>
RT_FN Enable<kBoolean<T>, T> neg(T a) {
  return a;
}
template <class T>
RT_FN Enable<kBoolean<T>, T> fma(T a, T b, T c) {
  return (a & b) | c;
}
template <class T>
RT_FN Enable<kBoolean<T>, T> abs(T a) {
  return a;
}
template <class T>
RT_FN Enable<kBoolean<T>, T> sign(T a) {
  return a;
}
template <class T>
RT_FN Enable<kBoolean<T>, T> div_trunc(T a, T b) {
  return a & b;
}
template <class T>
RT_FN Enable<kBoolean<T>, T> mod_trunc(T, T) {
  return false;
}
template <class T>
RT_FN Enable<kBoolean<T>, T> fmod(T, T) {
  return false;
}
template <class T>
RT_FN Enable<kBoolean<T>, T> remainder(T, T) {
  return false;
}
template <class T>
RT_FN Enable<kBoolean<T>, T> pow(T a, T b) {
  return a | !b;
}
template <class T>
RT_FN Enable<kBoolean<T>, T> bitwise_and(T a, T b) {
  return a & b;
}
template <class T>
RT_FN Enable<kBoolean<T>, T> bitwise_or(T a, T b) {
  return a | b;
}
template <class T>
RT_FN Enable<kBoolean<T>, T> bitwise_xor(T a, T b) {
  return a != b;
}
RT_FN boolean logical_not(boolean a) { return byte_of(a) == 0; }
template <class T>
RT_FN Enable<kBoolean<T>, T> bitwise_not(T a) {
  return logical_not(a);
}
RT_FN boolean logical_and(boolean a, boolean b) { return (byte_of(a) & byte_of(b)) != 0; }
RT_FN boolean logical_or(boolean a, boolean b) { return (byte_of(a) | byte_of(b)) != 0; }
template <class T>
RT_FN T where(boolean condition, T a, T b) {
  return byte_of(condition) != 0 ? a : b;
}

}  // namespace rt
