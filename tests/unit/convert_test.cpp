// SPDX-License-Identifier: Apache-2.0
// Conversions of the device library: every value of the narrow formats, rounding half way between neighbours, overflow,
// and what does not fit into integers.
#include "nvfuser/device/generic/convert.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace nvfuser {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// What a format means, computed with doubles from its description.
struct Format {
  int exponent_bits, mantissa_bits;
  bool infinity;  ///< the largest exponent holds infinity and NaN
  bool has_sign = true;
};

double value_of(const Format& format, uint32_t bits) {
  const int mantissa = static_cast<int>(bits & ((1u << format.mantissa_bits) - 1));
  const int exponent = static_cast<int>(bits >> format.mantissa_bits & ((1u << format.exponent_bits) - 1));
  const bool negative = format.has_sign && (bits >> (format.mantissa_bits + format.exponent_bits) & 1);
  const int bias = (1 << (format.exponent_bits - 1)) - 1;
  if (format.infinity && exponent == (1 << format.exponent_bits) - 1) {
    return mantissa ? kNan : negative ? -kInf : kInf;
  }
  const double size = exponent
                          ? std::ldexp((1 << format.mantissa_bits) + mantissa, exponent - bias - format.mantissa_bits)
                          : std::ldexp(mantissa, 1 - bias - format.mantissa_bits);
  return negative ? -size : size;
}

bool same(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || (a == b && std::signbit(a) == std::signbit(b));
}

/// Every value of T means what its format says and comes back; values between two neighbours go to the nearer one, and
/// half way to the even one.
template <class T>
void check_format(const Format& format, uint32_t nan_bits) {
  const uint32_t sign = 1u << (format.exponent_bits + format.mantissa_bits);
  const auto wide = [](uint32_t bits) { return rt::to<float>(T{static_cast<decltype(T::bits)>(bits)}); };
  for (uint32_t bits = 0; bits < 2 * sign; ++bits) {
    const double expected = nan_bits && (bits & (sign - 1)) == nan_bits ? kNan : value_of(format, bits);
    ASSERT_TRUE(same(wide(bits), expected)) << std::hex << bits;
    const T back = rt::to<T>(wide(bits));
    ASSERT_TRUE(std::isnan(expected) ? std::isnan(rt::to<float>(back)) : back.bits == bits) << std::hex << bits;
    const uint32_t next = bits + 1;
    if ((next & (sign - 1)) == 0 || !std::isfinite(expected) || !std::isfinite(wide(next)))
      continue;
    const float middle = static_cast<float>((expected + value_of(format, next)) / 2);
    const float below = std::nextafter(middle, wide(bits)), above = std::nextafter(middle, wide(next));
    ASSERT_EQ(rt::to<T>(middle).bits, bits & 1 ? next : bits) << std::hex << bits;
    if (below != middle && above != middle) {
      ASSERT_EQ(rt::to<T>(below).bits, bits) << std::hex << bits;
      ASSERT_EQ(rt::to<T>(above).bits, next) << std::hex << bits;
    }
  }
}

TEST(Convert, EveryFloat16) { check_format<rt::float16>({5, 10, true}, 0); }
TEST(Convert, EveryBfloat16) { check_format<rt::bfloat16>({8, 7, true}, 0); }
TEST(Convert, EveryFloat8E5m2) { check_format<rt::float8_e5m2>({5, 2, true}, 0); }
TEST(Convert, EveryFloat8E4m3fn) { check_format<rt::float8_e4m3fn>({4, 3, false}, 0x7f); }
TEST(Convert, EveryFloat4E2m1fn) { check_format<rt::float4_e2m1fn>({2, 1, false}, 0); }

TEST(Convert, EveryFloat8E8m0fnu) {
  for (uint32_t bits = 0; bits < 255; ++bits) {
    const float value = rt::to<float>(rt::float8_e8m0fnu{static_cast<rt::uint8>(bits)});
    ASSERT_EQ(value, std::ldexp(1.0f, static_cast<int>(bits) - 127));
    ASSERT_EQ(rt::to<rt::float8_e8m0fnu>(value).bits, bits);
    ASSERT_EQ(rt::to<rt::float8_e8m0fnu>(-value).bits, bits);
    // 2^-127 is a denormal float, where the bits that decide stand one place further right.
    const float middle = bits == 0 ? std::nextafter(value, 1.0f) : 1.5f * value;
    ASSERT_EQ(rt::to<rt::float8_e8m0fnu>(std::nextafter(middle, 0.0f)).bits, bits);
    ASSERT_EQ(rt::to<rt::float8_e8m0fnu>(middle).bits, bits + 1);
  }
  EXPECT_TRUE(std::isnan(rt::to<float>(rt::float8_e8m0fnu{255})));
  EXPECT_EQ(rt::to<rt::float8_e8m0fnu>(kInf).bits, 255);
  EXPECT_EQ(rt::to<rt::float8_e8m0fnu>(0.0f).bits, 0);
  EXPECT_EQ(rt::to<rt::float8_e8m0fnu>(std::ldexp(1.0f, -128)).bits, 0);
}

TEST(Convert, OverflowOfNarrowFloats) {
  EXPECT_EQ(rt::to<rt::float16>(65519.0f).bits, 0x7bff);
  EXPECT_EQ(rt::to<rt::float16>(65520.0f).bits, 0x7c00);
  EXPECT_EQ(rt::to<rt::float16>(-1e30f).bits, 0xfc00);
  EXPECT_EQ(rt::to<rt::bfloat16>(3.4028235e38f).bits, 0x7f80);
  EXPECT_EQ(rt::to<rt::float8_e5m2>(1e9f).bits, 0x7c);
  EXPECT_EQ(rt::to<rt::float8_e5m2>(61439.0f).bits, 0x7b);
  EXPECT_EQ(rt::to<rt::float8_e4m3fn>(465.0f).bits, 0x7e);
  EXPECT_EQ(rt::to<rt::float8_e4m3fn>(-kInf).bits, 0xfe);
  EXPECT_EQ(rt::to<rt::float8_e4m3fn>(kNan).bits & 0x7f, 0x7f);
  EXPECT_EQ(rt::to<rt::float4_e2m1fn>(-100.0f).bits, 0xf);
}

TEST(Convert, DoubleReachesNarrowFloatsThroughFloat) {
  // 1 + 2^-8 + 2^-40 lies above the middle of two bfloat16; as a float it is the middle, which goes to the even
  // neighbour.
  EXPECT_EQ(rt::to<rt::bfloat16>(1.0 + std::ldexp(1.0, -8) + std::ldexp(1.0, -40)).bits, 0x3f80);
  EXPECT_EQ(rt::to<rt::float16>(rt::bfloat16{0x3fc0}).bits, 0x3e00);
  EXPECT_EQ(rt::to<double>(rt::float16{0x3555}), 0.333251953125);
}

TEST(Convert, FloatsToIntegersTruncateAndSaturate) {
  EXPECT_EQ(rt::to<rt::int32>(-2.9f), -2);
  EXPECT_EQ(rt::to<rt::int32>(3e9f), std::numeric_limits<rt::int32>::max());
  EXPECT_EQ(rt::to<rt::int32>(-kInf), std::numeric_limits<rt::int32>::min());
  EXPECT_EQ(rt::to<rt::int32>(2147483647.5), 2147483647);
  EXPECT_EQ(rt::to<rt::int64>(kNan), 0);
  EXPECT_EQ(rt::to<rt::int64>(1e30), std::numeric_limits<rt::int64>::max());
  EXPECT_EQ(rt::to<rt::int64>(-9223372036854775808.0), std::numeric_limits<rt::int64>::min());
  EXPECT_EQ(rt::to<rt::uint64>(1.5e19), 15000000000000000000ull);
  EXPECT_EQ(rt::to<rt::uint64>(kInf), ~0ull);
  EXPECT_EQ(rt::to<rt::uint64>(-1.0f), ~0ull);
  EXPECT_EQ(rt::to<rt::uint64>(rt::float16{0x4900}), 10ull);
}

TEST(Convert, Booleans) {
  EXPECT_TRUE(rt::to<bool>(kNan));
  EXPECT_TRUE(rt::to<bool>(1e-45f));
  EXPECT_FALSE(rt::to<bool>(-0.0));
  EXPECT_TRUE(rt::to<bool>(rt::float16{1}));
  EXPECT_FALSE(rt::to<bool>(rt::bfloat16{0x8000}));
  EXPECT_EQ(rt::to<float>(true), 1.0f);
  EXPECT_EQ(rt::to<rt::int64>(true), 1);
}

TEST(Convert, ComplexTakesAndGivesRealParts) {
  EXPECT_EQ(rt::to<rt::int32>(rt::complex64{2.7f, 9.0f}), 2);
  EXPECT_TRUE(rt::to<bool>(rt::complex64{0, 1}));
  EXPECT_TRUE(rt::to<rt::complex128>(rt::bfloat16{0x4000}) == (rt::complex128{2, 0}));
  EXPECT_TRUE(rt::to<rt::complex64>(rt::complex128{1, -2}) == (rt::complex64{1, -2}));
  EXPECT_EQ(rt::to<rt::float16>(rt::complex64{1, 3}).bits, 0x3c00);
}

}  // namespace
}  // namespace nvfuser
