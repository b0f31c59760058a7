// SPDX-License-Identifier: Apache-2.0
// The arithmetic of the device library, compiled for the host: errors against the double library, special values,
// integers at their limits.
#include "nvfuser/device/generic/math.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <complex>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "ulp_error.h"

namespace nvfuser {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// All signs and exponents, with random fractions; a band around 1; then values where something can go wrong.
std::vector<float> samples() {
  std::vector<float> out;
  std::mt19937 random(1);
  for (uint32_t high = 0; high < 512; ++high)
    for (int k = 0; k < 100; ++k)
      out.push_back(std::bit_cast<float>(high << 23 | static_cast<uint32_t>(random() & 0x7fffffu)));
  for (int k = 0; k < 14000; ++k)
    out.push_back(std::ldexp(static_cast<float>(static_cast<int>(random() & 0xffffff) - 0x800000), -18));
  for (const float edge :
       {0.0f,   1e-45f, 1.1754942e-38f, 1.17549435e-38f, 0.35f,     0.5f,          0.625f,     0.70710677f,
        0.92f,  1.0f,   1.4142135f,     1.5707964f,      2.0f,      3.93f,         9.0f,       10.0f,
        10.06f, 15.0f,  87.33655f,      88.72283f,       88.72284f, 89.41599f,     103.97208f, 126.0f,
        128.0f, 149.0f, 150.0f,         16777216.0f,     1e9f,      3.4028235e38f, kInf,       kNan}) {
    for (const float x : {edge, std::nextafterf(edge, kInf), std::nextafterf(edge, 0.0f)})
      out.push_back(x), out.push_back(-x);
  }
  return out;
}

struct RealRow {
  const char* name;
  float (*function)(float);
  double (*exact)(double);
};

double exact_log1p(double x) { return std::log1p(x); }
double exact_sigmoid(double x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); }

const RealRow kRows[] = {
    {"exp", [](float x) { return rt::exp(x); }, std::exp},
    {"exp2", [](float x) { return rt::exp2(x); }, std::exp2},
    {"expm1", [](float x) { return rt::expm1(x); }, std::expm1},
    {"log", [](float x) { return rt::log(x); }, std::log},
    {"log2", [](float x) { return rt::log2(x); }, std::log2},
    {"log10", [](float x) { return rt::log10(x); }, std::log10},
    {"log1p", [](float x) { return rt::log1p(x); }, exact_log1p},
    {"tanh", [](float x) { return rt::tanh(x); }, std::tanh},
    {"sinh", [](float x) { return rt::sinh(x); }, std::sinh},
    {"cosh", [](float x) { return rt::cosh(x); }, std::cosh},
    {"sigmoid", [](float x) { return rt::sigmoid(x); }, exact_sigmoid},
    {"erf", [](float x) { return rt::erf(x); }, std::erf},
    {"erfc", [](float x) { return rt::erfc(x); }, std::erfc},
    {"sin", [](float x) { return rt::sin(x); }, std::sin},
    {"cos", [](float x) { return rt::cos(x); }, std::cos},
    {"tan", [](float x) { return rt::tan(x); }, std::tan},
    {"asin", [](float x) { return rt::asin(x); }, std::asin},
    {"acos", [](float x) { return rt::acos(x); }, std::acos},
    {"atan", [](float x) { return rt::atan(x); }, std::atan},
    {"asinh", [](float x) { return rt::asinh(x); }, std::asinh},
    {"acosh", [](float x) { return rt::acosh(x); }, std::acosh},
    {"atanh", [](float x) { return rt::atanh(x); }, std::atanh},
    {"sqrt", [](float x) { return rt::sqrt(x); }, std::sqrt},
    {"rsqrt", [](float x) { return rt::rsqrt(x); }, [](double x) { return 1 / std::sqrt(x); }},
    {"reciprocal", [](float x) { return rt::reciprocal(x); }, [](double x) { return 1 / x; }},
    {"floor", [](float x) { return rt::floor(x); }, std::floor},
    {"ceil", [](float x) { return rt::ceil(x); }, std::ceil},
    {"trunc", [](float x) { return rt::trunc(x); }, std::trunc},
    {"round", [](float x) { return rt::round(x); }, std::nearbyint},
    {"frac", [](float x) { return x - rt::trunc(x); }, [](double x) { return x - std::trunc(x); }},
    {"abs", [](float x) { return rt::abs(x); }, [](double x) { return std::fabs(x); }},
};

TEST(Math, FloatFunctionsAreWithinTheirLimits) {
  const std::vector<float> inputs = samples();
  for (const RealRow& row : kRows) {
    double worst = 0;
    float at = 0;
    for (const float x : inputs) {
      const double error = ulp_error(row.function(x), row.exact(x));
      if (error > worst)
        worst = error, at = x;
    }
    EXPECT_LE(worst, limit_of(row.name)) << row.name << " at " << at;
  }
}

TEST(Math, InverseErrorFunctionsInvert) {
  for (double y = -0.999; y < 1; y += 0.0007) {
    EXPECT_NEAR(std::erf(rt::erfinv(y)), y, 2e-16 + 4e-16 * std::fabs(y));
    EXPECT_LE(ulp_error(rt::erfinv(static_cast<float>(y)), rt::erfinv(static_cast<double>(static_cast<float>(y)))),
              limit_of("erfinv"))
        << y;
    EXPECT_NEAR(std::erfc(rt::erfcinv(1 - y)) / (1 - y), 1, 1e-14) << y;
  }
  for (double q = 1e-300; q < 0.4; q *= 13) {
    EXPECT_NEAR(std::erfc(rt::erfcinv(q)) / q, 1, 1e-11) << q;
    const float narrow = static_cast<float>(q);
    EXPECT_LE(ulp_error(rt::erfcinv(narrow), rt::erfcinv(double{narrow})), limit_of("erfcinv")) << q;
  }
  EXPECT_EQ(rt::erfinv(1.0f), kInf);
  EXPECT_EQ(rt::erfinv(-1.0), -kInf);
  EXPECT_EQ(rt::erfcinv(0.0f), kInf);
  EXPECT_EQ(rt::erfcinv(2.0), -kInf);
  EXPECT_TRUE(std::isnan(rt::erfinv(1.5f)) && std::isnan(rt::erfcinv(-0.5f)) && std::isnan(rt::erfinv(kNan)));
}

TEST(Math, NanRules) {
  EXPECT_TRUE(std::isnan(rt::maximum(kNan, 1.0f)) && std::isnan(rt::maximum(1.0f, kNan)));
  EXPECT_TRUE(std::isnan(rt::minimum(double{kNan}, 1.0)) && std::isnan(rt::minimum(1.0, double{kNan})));
  EXPECT_EQ(rt::maximum(-kInf, 3.0f), 3.0f);
  EXPECT_EQ(rt::minimum(2, -3), -3);
  EXPECT_TRUE(std::isnan(rt::relu(kNan)));
  EXPECT_TRUE(std::isnan(rt::clamp(kNan, 0.0f, 1.0f)));
  EXPECT_EQ(rt::clamp(5.0f, 0.0f, 1.0f), 1.0f);
  EXPECT_EQ(rt::clamp(0, 3, 2), 2);
  EXPECT_EQ(rt::sign(kNan), 0.0f);
  EXPECT_EQ(rt::sign(-2.5), -1.0);
  EXPECT_TRUE(rt::signbit(-0.0f) && rt::signbit(-3) && !rt::signbit(0.0) && !rt::signbit(3ull));
  EXPECT_TRUE(rt::isnan(kNan) && !rt::isinf(kNan) && !rt::isfinite(kNan) && !rt::isnan(3));
  EXPECT_TRUE(rt::isneginf(-kInf) && !rt::isneginf(kInf) && rt::isposinf(double{kInf}) && rt::isfinite(3.4e38f));
  EXPECT_EQ(rt::round(2.5f), 2.0f);
  EXPECT_EQ(rt::round(-0.4), 0.0);
}

TEST(Math, RemainderHasTheSignOfTheDivisor) {
  EXPECT_EQ(rt::remainder(-7.5f, 2.0f), 0.5f);
  EXPECT_EQ(rt::remainder(7.5, -2.0), -0.5);
  EXPECT_EQ(rt::remainder(-7, 3), 2);
  EXPECT_EQ(rt::remainder(7ll, -3ll), -2ll);
  EXPECT_EQ(rt::fmod(-7.5f, 2.0f), -1.5f);
  EXPECT_EQ(rt::fmod(-7, 3), -1);
  EXPECT_EQ(rt::mod_trunc(7, -3), 1);
}

TEST(Math, NextafterStepsThroughZeroAndStopsAtInfinity) {
  const float values[] = {0.0f, -0.0f, 1e-45f, -1e-45f, 1.0f, -1.0f, 3.4028235e38f, kInf, -kInf, 1.17549435e-38f};
  for (const float a : values) {
    for (const float b : values) {
      EXPECT_EQ(std::bit_cast<uint32_t>(rt::nextafter(a, b)), std::bit_cast<uint32_t>(std::nextafterf(a, b)))
          << a << " " << b;
      EXPECT_EQ(std::bit_cast<uint64_t>(rt::nextafter(double{a}, double{b})),
                std::bit_cast<uint64_t>(std::nextafter(double{a}, double{b})));
    }
  }
  EXPECT_TRUE(std::isnan(rt::nextafter(kNan, 1.0f)) && std::isnan(rt::nextafter(1.0f, kNan)));
}

template <class T>
class Integers : public ::testing::Test {};
using IntegerTypes = ::testing::Types<rt::int32, rt::int64, rt::uint64>;
TYPED_TEST_SUITE(Integers, IntegerTypes);

TYPED_TEST(Integers, NothingIsUndefined) {
  using T = TypeParam;
  constexpr T kLow = std::numeric_limits<T>::min(), kHigh = std::numeric_limits<T>::max(), kMinusOne = T(-1);
  EXPECT_EQ(rt::add(kHigh, T(1)), kLow);
  EXPECT_EQ(rt::sub(kLow, T(1)), kHigh);
  EXPECT_EQ(rt::mul(kHigh, T(2)), T(-2));
  EXPECT_EQ(rt::div_trunc(T(7), T(0)), T(0));
  EXPECT_EQ(rt::mod_trunc(T(7), T(0)), T(0));
  EXPECT_EQ(rt::remainder(T(7), T(0)), T(0));
  EXPECT_EQ(rt::div_trunc(kLow, kMinusOne), kLow);
  EXPECT_EQ(rt::mod_trunc(kLow, kMinusOne), T(0));
  EXPECT_EQ(rt::abs(kLow), kLow);
  EXPECT_EQ(rt::gcd(T(12), T(18)), T(6));
  EXPECT_EQ(rt::gcd(T(0), T(5)), T(5));
  EXPECT_EQ(rt::pow(T(3), T(5)), T(243));
  EXPECT_EQ(rt::pow(T(0), T(0)), T(1));
  EXPECT_EQ(rt::lerp(T(3), T(7), T(2)), T(11));
}

TYPED_TEST(Integers, ShiftsOutOfRangeAreDefined) {
  using T = TypeParam;
  constexpr T kWidth = sizeof(T) * 8;
  EXPECT_EQ(rt::shift_left(T(3), T(2)), T(12));
  EXPECT_EQ(rt::shift_left(T(3), kWidth), T(0));
  EXPECT_EQ(rt::shift_left(T(3), T(-1)), T(0));
  EXPECT_EQ(rt::shift_right(T(12), T(2)), T(3));
  EXPECT_EQ(rt::shift_right(T(12), kWidth), T(0));
  EXPECT_EQ(rt::shift_right_logical(T(-1), kWidth), T(0));
  EXPECT_EQ(rt::shift_right_logical(T(-1), T(kWidth - 1)), T(1));
}

TEST(Math, SignedIntegersAtTheirLimits) {
  EXPECT_EQ(rt::shift_right(-12, 2), -3);
  EXPECT_EQ(rt::shift_right(-12, 99), -1);
  EXPECT_EQ(rt::shift_right(-12ll, -1ll), -1);
  EXPECT_EQ(rt::pow(2, -1), 0);
  EXPECT_EQ(rt::pow(1, -5), 1);
  EXPECT_EQ(rt::pow(-1, -5), -1);
  EXPECT_EQ(rt::pow(-1ll, -4ll), 1);
  EXPECT_EQ(rt::gcd(-12, 18), 6);
  EXPECT_EQ(rt::sign(-7), -1);
  EXPECT_EQ(rt::neg(std::numeric_limits<int>::min()), std::numeric_limits<int>::min());
}

TEST(Math, Booleans) {
  for (const bool a : {false, true}) {
    for (const bool b : {false, true}) {
      EXPECT_EQ(rt::add(a, b), a || b);
      EXPECT_EQ(rt::mul(a, b), a && b);
      EXPECT_EQ(rt::sub(a, b), a != b);
      EXPECT_EQ(rt::maximum(a, b), a || b);
      EXPECT_EQ(rt::minimum(a, b), a && b);
      EXPECT_EQ(rt::bitwise_xor(a, b), a != b);
    }
    EXPECT_EQ(rt::bitwise_not(a), !a);
  }
}

// ---- complex numbers against the standard library

template <class T>
using Complex = std::complex<T>;
using Wide = Complex<double>;

struct ComplexRow {
  const char* name;
  rt::complex64 (*narrow)(rt::complex64);
  rt::complex128 (*wide)(rt::complex128);
  Wide (*exact)(const Wide&);
};

#define ROW(name, exact)                                                                             \
  {#name, [](rt::complex64 z) { return rt::name(z); }, [](rt::complex128 z) { return rt::name(z); }, \
   [](const Wide& z) -> Wide { return exact; }}

const ComplexRow kComplexRows[] = {
    ROW(exp, std::exp(z)),
    ROW(log, std::log(z)),
    ROW(log2, std::log(z) / std::log(2.0)),
    ROW(log10, std::log10(z)),
    ROW(sqrt, std::sqrt(z)),
    ROW(sin, std::sin(z)),
    ROW(cos, std::cos(z)),
    ROW(tan, std::tan(z)),
    ROW(sinh, std::sinh(z)),
    ROW(cosh, std::cosh(z)),
    ROW(tanh, std::tanh(z)),
    ROW(asin, std::asin(z)),
    ROW(acos, std::acos(z)),
    ROW(atan, std::atan(z)),
    ROW(asinh, std::asinh(z)),
    ROW(acosh, std::acosh(z)),
    ROW(atanh, std::atanh(z)),
    ROW(reciprocal, 1.0 / z),
    ROW(rsqrt, 1.0 / std::sqrt(z)),
    ROW(sigmoid, 1.0 / (1.0 + std::exp(-z))),
    ROW(expm1, std::exp(z) - 1.0),
    ROW(log1p, std::log(1.0 + z)),
    ROW(exp2, std::exp(z* std::log(2.0))),
};

#undef ROW

TEST(Math, ComplexFunctionsAgreeWithTheStandardLibrary) {
  std::mt19937 random(3);
  std::uniform_real_distribution<double> uniform(-4, 4);
  for (const ComplexRow& row : kComplexRows) {
    for (int k = 0; k < 2000; ++k) {
      const Complex<float> x(static_cast<float>(uniform(random)), static_cast<float>(uniform(random)));
      const Wide exact = row.exact(Wide(x));
      const rt::complex128 wide = row.wide({x.real(), x.imag()});
      const rt::complex64 narrow = row.narrow({x.real(), x.imag()});
      EXPECT_LE(std::abs(Wide(wide.re, wide.im) - exact), 2e-14 * std::abs(exact)) << row.name << " of " << x;
      EXPECT_LE(std::abs(Wide(narrow.re, narrow.im) - exact), 2e-6 * std::abs(exact)) << row.name << " of " << x;
    }
  }
}

TEST(Math, ComplexArithmetic) {
  const rt::complex64 a{1.5f, -2.0f}, b{-0.5f, 3.0f};
  const Complex<float> x(a.re, a.im), y(b.re, b.im), quotient = x / y, power = std::pow(x, y);
  EXPECT_NEAR(rt::truediv(a, b).re, quotient.real(), 1e-6);
  EXPECT_NEAR(rt::truediv(a, b).im, quotient.imag(), 1e-6);
  EXPECT_NEAR(rt::pow(a, b).re, power.real(), 1e-5 * std::abs(power));
  EXPECT_NEAR(rt::pow(a, b).im, power.imag(), 1e-5 * std::abs(power));
  EXPECT_EQ(rt::abs(rt::complex64{3e30f, 4e30f}), 5e30f);
  EXPECT_TRUE(rt::make_complex(1.0, 2.0) == (rt::complex128{1, 2}));
  EXPECT_TRUE(rt::isnan(rt::complex64{0, kNan}) && rt::isinf(rt::complex64{kInf, 0}) &&
              rt::isreal(rt::complex64{kInf, 0}));
  const rt::complex64 huge = rt::truediv(rt::complex64{2e30f, 0}, rt::complex64{1e30f, 0});
  EXPECT_EQ(huge.re, 2.0f);
}

}  // namespace
}  // namespace nvfuser
