// SPDX-License-Identifier: Apache-2.0
// Operations of two and three operands on floats against the same in doubles: each within what the table says of it.
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "nvfuser/device/generic/math.h"
#include "ulp_error.h"

namespace nvfuser {
namespace {

using Operands = std::array<float, 3>;

/// Specials in all combinations, random bits, and values near each other.
std::vector<Operands> samples() {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  const float values[] = {0.0f,  -0.0f, 1e-45f, -1e-30f, 1.1754942e-38f, 0.3f, -0.7f, 1.0f,
                          -1.0f, 2.0f,  -5.5f,  1e30f,   -3e38f,         kInf, -kInf, std::nanf("")};
  std::vector<Operands> out;
  for (const float a : values)
    for (const float b : values)
      for (const float c : values)
        out.push_back({a, b, c});
  std::mt19937 random(2);
  const auto bits = [&] { return std::bit_cast<float>(static_cast<uint32_t>(random())); };
  const auto near = [&] {
    return std::ldexp(static_cast<float>(static_cast<int>(random() & 0xffffff) - 0x800000), -18);
  };
  for (int k = 0; k < 30000; ++k) {
    out.push_back({bits(), bits(), bits()});
    out.push_back({near(), near(), near()});
  }
  return out;
}

double exact_remainder(double a, double b) {
  const double rest = std::fmod(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
double exact_limits(double a, double low, double high) {
  return std::isnan(a) ? a : std::fmin(std::fmax(a, low), high);
}
/// One of two equal operands, which are zeros of any sign.
bool tie(const Operands& x) { return x[0] == x[1] || x[0] == x[2] || x[1] == x[2]; }
bool has_nan(const Operands& x) { return std::isnan(x[1]) || std::isnan(x[2]); }
bool all(const Operands&) { return false; }

struct Row {
  const char* name;
  float (*function)(const Operands&);
  double (*exact)(double, double, double);
  bool (*skipped)(const Operands&) = all;  ///< operands for which more than one result is right
};

const Row kRows[] = {
    {"add", [](const Operands& x) { return rt::add(x[0], x[1]); }, [](double a, double b, double) { return a + b; }},
    {"sub", [](const Operands& x) { return rt::sub(x[0], x[1]); }, [](double a, double b, double) { return a - b; }},
    {"mul", [](const Operands& x) { return rt::mul(x[0], x[1]); }, [](double a, double b, double) { return a * b; }},
    {"div", [](const Operands& x) { return rt::div_trunc(x[0], x[1]); },
     [](double a, double b, double) { return a / b; }},
    {"truediv", [](const Operands& x) { return rt::truediv(x[0], x[1]); },
     [](double a, double b, double) { return a / b; }},
    {"fmod", [](const Operands& x) { return rt::fmod(x[0], x[1]); },
     [](double a, double b, double) { return std::fmod(a, b); }},
    {"mod", [](const Operands& x) { return rt::mod_trunc(x[0], x[1]); },
     [](double a, double b, double) { return std::fmod(a, b); }},
    {"remainder", [](const Operands& x) { return rt::remainder(x[0], x[1]); },
     [](double a, double b, double) { return exact_remainder(a, b); }},
    {"minimum", [](const Operands& x) { return rt::minimum(x[0], x[1]); },
     [](double a, double b, double) { return std::isnan(a) || std::isnan(b) ? NAN : std::fmin(a, b); }, tie},
    {"maximum", [](const Operands& x) { return rt::maximum(x[0], x[1]); },
     [](double a, double b, double) { return std::isnan(a) || std::isnan(b) ? NAN : std::fmax(a, b); }, tie},
    {"atan2", [](const Operands& x) { return rt::atan2(x[0], x[1]); },
     [](double a, double b, double) { return std::atan2(a, b); }},
    {"nextafter", [](const Operands& x) { return rt::nextafter(x[0], x[1]); },
     [](double a, double b, double) -> double {
       return std::nextafterf(static_cast<float>(a), static_cast<float>(b));
     }},
    {"where", [](const Operands& x) { return rt::where(x[0] > 0, x[1], x[2]); },
     [](double a, double b, double c) { return a > 0 ? b : c; }},
    {"clamp", [](const Operands& x) { return rt::clamp(x[0], x[1], x[2]); }, exact_limits,
     [](const Operands& x) { return tie(x) || has_nan(x); }},
    {"threshold", [](const Operands& x) { return x[0] <= x[1] ? x[2] : x[0]; },
     [](double a, double b, double c) { return a <= b ? c : a; }},
};

/// 0: exact.  Below 1: the float that is nearest to the true result, of which the double is exact enough.
bool holds(float got, double exact, double limit) {
  const double error = ulp_error(got, exact);
  return limit == 0 || limit >= 1 ? error <= limit : error <= 0.5 || got == static_cast<float>(exact);
}

TEST(MathPairs, FloatResultsAreWithinTheirLimits) {
  const std::vector<Operands> inputs = samples();
  for (const Row& row : kRows) {
    const double limit = limit_of(row.name);
    int wrong = 0;
    for (const Operands& x : inputs) {
      if (!row.skipped(x) && !holds(row.function(x), row.exact(x[0], x[1], x[2]), limit) && wrong++ < 3)
        ADD_FAILURE() << row.name << " of " << x[0] << ", " << x[1] << ", " << x[2] << " is " << row.function(x);
    }
    EXPECT_EQ(wrong, 0) << row.name;
  }
}

TEST(MathPairs, EveryStatedLimitIsHeld) {
  std::set<std::string> held;
  for (const Row& row : kRows)
    held.insert(row.name);
  for (const PointwiseInfo& row : kPointwiseOps) {
    const bool of_floats = row.rule != PromotionRule::predicate && row.rule != PromotionRule::logical &&
                           row.rule != PromotionRule::integral && row.rule != PromotionRule::compound;
    if (row.arity > 1 && of_floats) {
      EXPECT_EQ(held.contains(std::string(row.name)), row.ulp >= 0) << row.name;
    }
  }
}

}  // namespace
}  // namespace nvfuser
