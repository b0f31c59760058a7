// SPDX-License-Identifier: Apache-2.0
// rt::to<T>(x): conversion between all element types, with torch's rules.  Narrow floats round to nearest even and pass
// through float32; float8_e4m3fn saturates (infinity too), float8_e5m2 overflows to infinity, float8_e8m0fnu keeps the
// exponent alone.
// Floats become integers by truncation; what does not fit saturates and NaN gives 0, so that host and GPU agree.
#pragma once

// clang-format off: each part uses those before it
#if __has_include("narrow_bits.h")
#include "types.h"
#include "narrow_bits.h"
#include "narrow.h"
#else
#include "rt/types.h"
#include "rt/narrow_bits.h"
#include "rt/narrow.h"
#endif
// clang-format on

namespace rt::inner {

// ---- floats to integers

/// The integer in x, cut to [low, high]; `above` is the first float that is too large, -above still fits.
template <class To, class From>
RT_FN To saturate(From x, From above, To low, To high) {
  const bool fits = x < above && x >= -above;
  const To edge = x >= above ? high : x < -above ? low : To(0);
  return fits ? static_cast<To>(fits ? x : From(0)) : edge;
}

template <class To>
struct FromFloat;
template <>
struct FromFloat<int32> {
  template <class From>
  static RT_MEMBER int32 from(From x) {
    return saturate<int32, From>(x, From(2147483648.0), -2147483647 - 1, 2147483647);
  }
};
template <>
struct FromFloat<int64> {
  template <class From>
  static RT_MEMBER int64 from(From x) {
    constexpr int64 kMost = 9223372036854775807LL;
    return saturate<int64, From>(x, From(9223372036854775808.0), -kMost - 1, kMost);
  }
};
/// Negative values wrap around, as a conversion through int64 would have them.
template <>
struct FromFloat<uint64> {
  template <class From>
  static RT_MEMBER uint64 from(From x) {
    constexpr From kHalf = From(9223372036854775808.0);
    const uint64 upper = static_cast<uint64>(FromFloat<int64>::from(x - kHalf)) + (1ull << 63);
    const uint64 large = x >= kHalf + kHalf ? ~0ull : upper;
    return x >= kHalf ? large : static_cast<uint64>(FromFloat<int64>::from(x));
  }
};

}  // namespace rt::inner

namespace rt {

template <class To, class From>
RT_FN To to(From x) {
  if constexpr (kSame<To, From>) {
    return x;
  } else if constexpr (kNarrow<From>) {
    return to<To>(inner::widen(x));
  } else if constexpr (kComplex<From> && kComplex<To>) {
    return To{to<decltype(To::re)>(x.re), to<decltype(To::re)>(x.im)};
  } else if constexpr (kComplex<From>) {
    if constexpr (kBoolean<To>)
      return (x.re != 0) | (x.im != 0);
    else
      return to<To>(x.re);
  } else if constexpr (kComplex<To>) {
    return To{to<decltype(To::re)>(x), 0};
  } else if constexpr (kNarrow<To>) {
    return inner::narrow<To>(to<float32>(x));
  } else if constexpr (kBoolean<From>) {
    return static_cast<To>(static_cast<int>(byte_of(x)));
  } else if constexpr (kBoolean<To>) {
    return x != From(0);
  } else if constexpr (kInteger<To> && kFloating<From>) {
    return inner::FromFloat<To>::from(x);
  } else if constexpr (kFloating<To> && kInteger<From>) {
    // GCC makes trunc of float -> integer -> float, and -0.0 of -0.5; a zero that is selected has no sign.
    const To result = static_cast<To>(x);
    return result == To(0) ? To(0) : result;
  } else {
    static_assert(kReal<To> && kReal<From>, "no such conversion");
    return static_cast<To>(x);
  }
}

}  // namespace rt
