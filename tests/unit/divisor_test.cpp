// SPDX-License-Identifier: Apache-2.0
// Quotients by multiplier and shift: the fields that the host fills in, through the arithmetic that kernels use.
#include "nvfuser/runtime/divisor.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <random>
#include <set>

namespace nvfuser {
namespace {

constexpr int64_t kMost = std::numeric_limits<int32_t>::max();

/// Small ones, both neighbours of every power of two, the largest, and some by chance.
std::set<int64_t> divisors() {
  std::set<int64_t> all;
  for (int64_t d = 1; d <= 300; ++d) {
    all.insert(d);
  }
  for (int bit = 1; bit < 31; ++bit) {
    for (const int64_t near : {-1, 0, 1}) {
      all.insert((int64_t{1} << bit) + near);
    }
  }
  std::mt19937 random(7);
  for (int k = 0; k < 500; ++k) {
    all.insert(1 + static_cast<int64_t>(random() % kMost) / (1 + static_cast<int64_t>(random() % 64)));
  }
  all.insert({kMost - 1, kMost});
  all.erase(0);
  return all;
}

TEST(Divisor, QuotientsOfTheWholeRange) {
  std::mt19937 random(11);
  for (const int64_t d : divisors()) {
    const rt::Divisor<int> by = make_divisor32(d);
    const auto expect = [&](int64_t x) {
      if (x >= 0 && x <= kMost) {
        ASSERT_EQ(rt::unchecked::div(static_cast<int>(x), by), x / d) << x << " / " << d;
        ASSERT_EQ(rt::unchecked::mod(static_cast<int>(x), by), x % d) << x << " % " << d;
        if (x < 2 * d) {
          ASSERT_EQ(rt::unchecked::wrap(static_cast<int>(x), by), x % d) << x << " % " << d << " by subtraction";
        }
      }
    };
    // A quotient can only be wrong beside a multiple; the last multiples are where the multiplier's error is largest.
    for (const int64_t multiple :
         {int64_t{0}, d, 2 * d, kMost / d * d, (kMost / d - 1) * d, static_cast<int64_t>(random() % kMost) / d * d}) {
      for (const int64_t near : {-1, 0, 1}) {
        expect(multiple + near);
      }
    }
    expect(kMost);
  }
}

TEST(Divisor, WideOnesDividePlainly) {
  for (const int64_t d : {int64_t{1}, int64_t{7}, int64_t{1} << 33, std::numeric_limits<int64_t>::max()}) {
    const rt::Divisor<long long> by = make_divisor64(d);
    for (const int64_t x : {int64_t{0}, d - 1, d, std::numeric_limits<int64_t>::max()}) {
      EXPECT_EQ(rt::unchecked::div(x, by), x / d);
      EXPECT_EQ(rt::unchecked::mod(x, by), x % d);
      if (x / 2 < d) {
        EXPECT_EQ(rt::unchecked::wrap(x, by), x % d);
      }
    }
  }
}

TEST(Divisor, ExtentsOfNothingDivideByOne) {
  EXPECT_EQ(rt::unchecked::div(5, make_divisor32(0)), 5);
  EXPECT_EQ(rt::unchecked::div(5ll, make_divisor64(0)), 5);
}

}  // namespace
}  // namespace nvfuser
