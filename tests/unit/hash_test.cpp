// SPDX-License-Identifier: Apache-2.0
// Content hashes: stable, sensitive to every bit and to order, without collisions on structured input.
#include <gtest/gtest.h>

#include <bit>
#include <iostream>
#include <random>
#include <set>

#include "nvfuser/base/hash.h"

namespace nvfuser {
namespace {

TEST(Hash, IsTheSameEverywhere) {
  // These values name files of existing caches; a change of the hash is a change of the cache's format.
  EXPECT_EQ(hash128("nvfuser").hex(), hash128(std::string("nvf") + "user").hex());
  EXPECT_EQ(hash128("").hex(), "0a3464844ef78a83117fce5ae7afbcde");
  EXPECT_EQ(hash128("nvfuser").hex(), "dd82a3667a143b5ed28729da7490536c");
  EXPECT_EQ(Hasher().add(1).add("two").add(3.0).value64(), 0x9a242fd029e08335u);
}

TEST(Hash, OrderAndBoundariesMatter) {
  EXPECT_NE(Hasher().add(1).add(2).value64(), Hasher().add(2).add(1).value64());
  EXPECT_NE(Hasher().add("ab").add("c").value128(), Hasher().add("a").add("bc").value128());
  EXPECT_NE(Hasher().add("").value64(), Hasher().value64());
  EXPECT_NE(hash64(std::string_view("a\0", 2)), hash64("a"));
  EXPECT_NE(Hasher(1).add(5).value64(), Hasher(2).add(5).value64());
}

TEST(Hash, HexIsTheNumber) {
  EXPECT_EQ((Hash128{0x0123456789abcdefu, 0xfedcba9876543210u}).hex(), "0123456789abcdeffedcba9876543210");
}

TEST(Hash, MixIsABijectionOnSamples) {
  std::set<uint64_t> seen;
  for (uint64_t i = 0; i < 20000; ++i) {
    seen.insert(mix_bits(i));
    seen.insert(mix_bits(~i));
    seen.insert(mix_bits((i + 1) << 32));
  }
  EXPECT_EQ(seen.size(), 60000u);
}

TEST(Hash, NoCollisionsOnStructuredInput) {
  std::set<uint64_t> seen64;
  std::set<Hash128> seen128;
  std::set<uint32_t> low, high;
  for (int a = 0; a < 300; ++a) {
    for (int b = 0; b < 300; ++b) {
      const Hasher hasher = Hasher().add(a).add(b);
      seen64.insert(hasher.value64());
      seen128.insert(hasher.value128());
      low.insert(static_cast<uint32_t>(hasher.value64()));
      high.insert(static_cast<uint32_t>(hasher.value64() >> 32));
    }
  }
  EXPECT_EQ(seen64.size(), 90000u);
  EXPECT_EQ(seen128.size(), 90000u);
  // A random function of 90,000 values into 32 bits has about one collision.
  EXPECT_GT(low.size(), 89990u);
  EXPECT_GT(high.size(), 89990u);
}

TEST(Hash, EveryInputBitReachesAboutHalfOfTheOutput) {
  constexpr uint32_t kSeed = 31415;
  std::cout << "seed " << kSeed << "\n";
  std::mt19937_64 random(kSeed);
  for (int bit = 0; bit < 192; ++bit) {
    int changed = 0;
    constexpr int kTrials = 64;
    for (int trial = 0; trial < kTrials; ++trial) {
      uint64_t words[3] = {random(), random(), random()};
      const Hash128 before = Hasher().bytes(words, sizeof words).value128();
      words[bit / 64] ^= uint64_t{1} << (bit % 64);
      const Hash128 after = Hasher().bytes(words, sizeof words).value128();
      changed += std::popcount(before.high ^ after.high) + std::popcount(before.low ^ after.low);
    }
    const double share = changed / (128.0 * kTrials);
    EXPECT_GT(share, 0.47) << bit;
    EXPECT_LT(share, 0.53) << bit;
  }
}

TEST(Hash, EveryLengthDiffers) {
  std::set<Hash128> seen;
  for (size_t length = 0; length < 200; ++length) {
    seen.insert(hash128(std::string(length, '\0')));
    seen.insert(hash128(std::string(length, 'x') + "y"));
  }
  EXPECT_EQ(seen.size(), 400u);
}

}  // namespace
}  // namespace nvfuser
