// SPDX-License-Identifier: Apache-2.0
// rt::to<T>(x): conversion between all element types, with torch's rules.  Narrow floats round to nearest even and pass
// through float32; float8_e4m3fn saturates (infinity too), float8_e5m2 overflows to infinity, float8_e8m0fnu keeps the
// exponent alone.
// Floats become integers by truncation; what does not fit saturates and NaN gives 0, so that host and GPU agree.
#pragma once

#if __has_include("types.h")
#include "types.h"
#else
#include "rt/types.h"
#endif

namespace rt::inner {

// ---- narrow floats, by bits

RT_FN float bits_to_float(uint32 bits) { return bit_cast<float>(bits); }

/// Value of a format with `mantissa` fraction bits at the low end and `exponent` bits above.  Denormals get the exponent of
/// the smallest normal and its value is taken away again: no float on the way is denormal, which some machines compute slowly.
template <int exponent, int mantissa> RT_FN float widen_magnitude(uint32 bits) {
  constexpr uint32 bias = (1u << (exponent - 1)) - 1u, smallest = (128u - bias) << 23;
  const uint32 moved = bits << (23 - mantissa);
  const float denormal = bits_to_float(moved + smallest) - bits_to_float(smallest);
  const float normal = bits_to_float(moved + ((127u - bias) << 23));
  return bits < (1u << mantissa) ? denormal : normal;
}

/// Rounds a non-negative finite float to such a format, as its bits; exponents out of range run on into the bits above.
/// Below the normals of the format a sum with the right power of two lets the hardware round at its last place.
template <int exponent, int mantissa> RT_FN uint32 narrow_magnitude(uint32 bits) {
  constexpr uint32 bias = (1u << (exponent - 1)) - 1u;
  constexpr uint32 smallest = (128u - bias) << 23;  // its smallest normal
  constexpr uint32 magic = (128u - bias + (23u - mantissa)) << 23;
  const uint32 denormal = bit_cast<uint32>(bits_to_float(bits) + bits_to_float(magic)) - magic;
  constexpr int shift = 23 - mantissa;
  const uint32 normal = (bits + ((1u << (shift - 1)) - 1u) + ((bits >> shift) & 1u) - ((127u - bias) << 23)) >> shift;
  return bits < smallest ? denormal : normal;
}

RT_FN float widen(float16 x) {
  const uint32 magnitude = x.bits & 0x7fffu;
  const uint32 finite = bit_cast<uint32>(widen_magnitude<5, 10>(magnitude));
  const uint32 value = magnitude >= 0x7c00u ? 0x7f800000u | (magnitude << 13) : finite;
  return bits_to_float(value | (static_cast<uint32>(x.bits & 0x8000u) << 16));
}
RT_FN float widen(bfloat16 x) { return bits_to_float(static_cast<uint32>(x.bits) << 16); }
RT_FN float widen(float8_e5m2 x) { return widen(float16{static_cast<uint16>(x.bits << 8)}); }
RT_FN float widen(float8_e4m3fn x) {
  const uint32 magnitude = x.bits & 0x7fu;
  const uint32 finite = bit_cast<uint32>(widen_magnitude<4, 3>(magnitude));
  const uint32 value = magnitude == 0x7fu ? 0x7fc00000u : finite;
  return bits_to_float(value | (static_cast<uint32>(x.bits & 0x80u) << 24));
}
RT_FN float widen(float8_e8m0fnu x) {
  const uint32 normal = static_cast<uint32>(x.bits) << 23;
  const uint32 special = x.bits == 0 ? 0x00400000u : 0x7fc00000u;
  return bits_to_float(x.bits == 0 || x.bits == 0xff ? special : normal);
}
RT_FN float widen(float4_e2m1fn x) {
  const uint32 value = bit_cast<uint32>(widen_magnitude<2, 1>(x.bits & 7u));
  return bits_to_float(value | (static_cast<uint32>(x.bits & 8u) << 28));
}

template <class T> struct Narrow;
template <> struct Narrow<float16> {
  static RT_MEMBER float16 from(float x) {
    const uint32 bits = bit_cast<uint32>(x), magnitude = bits & 0x7fffffffu;
    const uint32 finite = narrow_magnitude<5, 10>(magnitude);
    const uint32 special = magnitude > 0x7f800000u ? 0x7e00u : 0x7c00u;
    return {static_cast<uint16>((magnitude >= 0x47800000u ? special : finite) | ((bits >> 16) & 0x8000u))};
  }
};
template <> struct Narrow<bfloat16> {
  static RT_MEMBER bfloat16 from(float x) {
    const uint32 bits = bit_cast<uint32>(x);
    const uint32 rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    return {static_cast<uint16>((bits & 0x7fffffffu) > 0x7f800000u ? 0x7fc0u : rounded)};
  }
};
template <> struct Narrow<float8_e5m2> {
  static RT_MEMBER float8_e5m2 from(float x) {
    const uint32 bits = bit_cast<uint32>(x), magnitude = bits & 0x7fffffffu;
    const uint32 finite = narrow_magnitude<5, 2>(magnitude);
    const uint32 special = magnitude > 0x7f800000u ? 0x7fu : 0x7cu;
    return {static_cast<uint8>((magnitude >= 0x47800000u ? special : finite) | ((bits >> 24) & 0x80u))};
  }
};
template <> struct Narrow<float8_e4m3fn> {
  static RT_MEMBER float8_e4m3fn from(float x) {
    const uint32 bits = bit_cast<uint32>(x), magnitude = bits & 0x7fffffffu;
    const uint32 finite = narrow_magnitude<4, 3>(magnitude > 0x43e00000u ? 0x43e00000u : magnitude);  // 448
    return {static_cast<uint8>((magnitude > 0x7f800000u ? 0x7fu : finite) | ((bits >> 24) & 0x80u))};
  }
};
/// The sign is dropped; a tie goes up, except between the two smallest values.
template <> struct Narrow<float8_e8m0fnu> {
  static RT_MEMBER float8_e8m0fnu from(float x) {
    const uint32 bits = bit_cast<uint32>(x), exponent = (bits >> 23) & 0xffu, fraction = bits & 0x7fffffu;
    const uint32 up = fraction + (exponent != 0 ? 1u : 0u) > 0x400000u ? 1u : 0u;
    return {static_cast<uint8>(exponent == 0xffu ? 0xffu : exponent + up)};
  }
};
/// Has neither infinity nor NaN: everything beyond 6 becomes 6.
template <> struct Narrow<float4_e2m1fn> {
  static RT_MEMBER float4_e2m1fn from(float x) {
    const uint32 bits = bit_cast<uint32>(x), magnitude = bits & 0x7fffffffu;
    const uint32 finite = narrow_magnitude<2, 1>(magnitude);
    return {static_cast<uint8>((magnitude >= 0x40c00000u ? 7u : finite) | ((bits >> 28) & 8u))};
  }
};

// ---- floats to integers

/// The integer in x, cut to [low, high]; `above` is the first float that is too large, -above still fits.
template <class To, class From> RT_FN To saturate(From x, From above, To low, To high) {
  const bool fits = x < above && x >= -above;
  const To edge = x >= above ? high : x < -above ? low : To(0);
  return fits ? static_cast<To>(fits ? x : From(0)) : edge;
}

template <class To> struct FromFloat;
template <> struct FromFloat<int32> {
  template <class From> static RT_MEMBER int32 from(From x) {
    return saturate<int32, From>(x, From(2147483648.0), -2147483647 - 1, 2147483647);
  }
};
template <> struct FromFloat<int64> {
  template <class From> static RT_MEMBER int64 from(From x) {
    constexpr int64 kMost = 9223372036854775807LL;
    return saturate<int64, From>(x, From(9223372036854775808.0), -kMost - 1, kMost);
  }
};
/// Negative values wrap around, as a conversion through int64 would have them.
template <> struct FromFloat<uint64> {
  template <class From> static RT_MEMBER uint64 from(From x) {
    constexpr From kHalf = From(9223372036854775808.0);
    const uint64 upper = static_cast<uint64>(FromFloat<int64>::from(x - kHalf)) + (1ull << 63);
    const uint64 large = x >= kHalf + kHalf ? ~0ull : upper;
    return x >= kHalf ? large : static_cast<uint64>(FromFloat<int64>::from(x));
  }
};




}  // namespace rt::inner

namespace rt {

template <class To, class From> RT_FN To to(From x) {
  if constexpr (kSame<To, From>) {
    return x;
  } else if constexpr (kNarrow<From>) {
    return to<To>(inner::widen(x));
  } else if constexpr (kComplex<From> && kComplex<To>) {
    return To{to<decltype(To::re)>(x.re), to<decltype(To::re)>(x.im)};
  } else if constexpr (kComplex<From>) {
    if constexpr (kBoolean<To>) return (x.re != 0) | (x.im != 0);
    else return to<To>(x.re);
  } else if constexpr (kComplex<To>) {
    return To{to<decltype(To::re)>(x), 0};
  } else if constexpr (kNarrow<To>) {
    return inner::Narrow<To>::from(to<float32>(x));
  } else if constexpr (kBoolean<To>) {
    return x != From(0);
  } else if constexpr (kInteger<To> && kFloating<From>) {
    return inner::FromFloat<To>::from(x);
  } else {
    static_assert(kReal<To> && kReal<From>, "no such conversion");
    return static_cast<To>(x);
  }
}

}  // namespace rt
