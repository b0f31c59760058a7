// SPDX-License-Identifier: Apache-2.0
// The pool: hash-consing, ring arithmetic, text.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <random>

#include "nvfuser/base/errors.h"
#include "nvfuser/integer/index.h"

namespace nvfuser {
namespace {

TEST(Index, AtomsAreInterned) {
  IndexPool pool;
  EXPECT_EQ(pool.size("i0"), pool.size("i0"));
  EXPECT_NE(pool.size("i0"), pool.size("i1"));
  Index four = pool.constant(4);
  EXPECT_EQ(pool.var("v", four), pool.var("v", pool.constant(4)));
  EXPECT_NE(pool.var("v", four), pool.var("v", pool.size("i0")));
  int a = 0, b = 0;
  EXPECT_EQ(pool.axis(&a, "x", four), pool.axis(&a, "x", four));
  EXPECT_NE(pool.axis(&a, "x", four), pool.axis(&b, "x", four));
  EXPECT_EQ(pool.opaque(AtomKind::div, pool.size("i0"), four), pool.opaque(AtomKind::div, pool.size("i0"), four));
  EXPECT_NE(pool.opaque(AtomKind::div, pool.size("i0"), four), pool.opaque(AtomKind::mod, pool.size("i0"), four));
}

TEST(Index, EqualValuesAreEqualPointers) {
  IndexPool pool;
  Index a = pool.size("a"), b = pool.size("b"), c = pool.size("c");
  EXPECT_EQ(pool.add(pool.add(a, b), c), pool.add(c, pool.add(b, a)));
  EXPECT_EQ(pool.mul(pool.add(a, b), pool.sub(a, b)), pool.sub(pool.mul(a, a), pool.mul(b, b)));
  EXPECT_EQ(pool.sub(a, a), pool.constant(0));
  EXPECT_TRUE(pool.sub(a, a)->is(0));
  EXPECT_EQ(pool.mul(pool.mul(a, b), c), pool.mul(c, pool.mul(b, a)));
  EXPECT_EQ(pool.scale(pool.add(a, pool.constant(2)), 3), pool.add(pool.scale(a, 3), pool.constant(6)));
  EXPECT_EQ(pool.from_terms({{{c->as_atom(), a->as_atom()}, 2}, {{}, 5}, {{a->as_atom(), c->as_atom()}, -2}}),
            pool.constant(5));
}

TEST(Index, RandomSumsBuiltInAnyOrderAreOnePointer) {
  constexpr uint32_t kSeed = 20240817;
  std::cout << "seed " << kSeed << "\n";
  std::mt19937 random(kSeed);
  IndexPool pool;
  std::vector<Index> atoms;
  for (int i = 0; i < 6; ++i) {
    atoms.push_back(pool.size("n" + std::to_string(i)));
  }
  for (int round = 0; round < 3000; ++round) {
    std::vector<Index> parts;
    const int count = 1 + static_cast<int>(random() % 8);
    for (int i = 0; i < count; ++i) {
      Index product = pool.constant(static_cast<int64_t>(random() % 9) - 4);
      for (uint32_t k = random() % 4; k > 0; --k) {
        product = pool.mul(atoms[random() % atoms.size()], product);
      }
      parts.push_back(product);
    }
    Index forward = pool.constant(0);
    for (Index part : parts) {
      forward = pool.add(forward, part);
    }
    std::shuffle(parts.begin(), parts.end(), random);
    Index other = pool.constant(7);
    for (Index part : parts) {
      other = pool.sub(part, pool.scale(other, -1));
    }
    ASSERT_EQ(pool.sub(other, pool.constant(7)), forward);
  }
}

TEST(Index, ManyNodesStayInterned) {
  IndexPool pool;
  Index a = pool.size("a");
  std::vector<Index> made;
  for (int i = 0; i < 20000; ++i) {
    made.push_back(pool.add(pool.scale(a, i % 100), pool.constant(i)));
  }
  for (int i = 0; i < 20000; ++i) {
    ASSERT_EQ(pool.add(pool.constant(i), pool.scale(a, i % 100)), made[i]);
  }
}

TEST(Index, ConstantsAndAtoms) {
  IndexPool pool;
  Index a = pool.size("a");
  EXPECT_TRUE(pool.constant(0)->is_constant());
  EXPECT_EQ(pool.constant(0)->constant(), 0);
  EXPECT_EQ(pool.constant(-3)->constant(), -3);
  EXPECT_FALSE(a->is_constant());
  EXPECT_NE(a->as_atom(), nullptr);
  EXPECT_EQ(pool.scale(a, 2)->as_atom(), nullptr);
  EXPECT_EQ(pool.from_atom(a->as_atom()), a);
  EXPECT_FALSE(is_stride(*a->as_atom()));
  EXPECT_TRUE(is_stride(*pool.size("in0_s1")->as_atom()));
}

TEST(Index, TooLargeIsAnError) {
  IndexPool pool;
  Index large = pool.constant(INT64_MAX);
  EXPECT_THROW(pool.add(large, pool.constant(1)), Error);
  EXPECT_THROW(pool.scale(pool.scale(pool.size("a"), INT64_MAX), 2), Error);
}

TEST(Index, Text) {
  IndexPool pool;
  Index i0 = pool.size("i0"), i1 = pool.size("i1");
  EXPECT_EQ(to_string(pool.constant(0)), "0");
  EXPECT_EQ(to_string(pool.constant(-5)), "-5");
  EXPECT_EQ(to_string(pool.add(pool.add(pool.constant(3), i1), pool.scale(i0, 64))), "i0*64 + i1 + 3");
  EXPECT_EQ(to_string(pool.sub(pool.mul(i0, i1), i0)), "i0*i1 - i0");
  EXPECT_EQ(to_string(pool.scale(i0, -4)), "-i0*4");
  Index quotient = pool.opaque(AtomKind::div, i0, pool.constant(4));
  EXPECT_EQ(to_string(quotient), "i0 / 4");
  EXPECT_EQ(to_string(pool.opaque(AtomKind::mod, quotient, i1)), "(i0 / 4) % i1");
  EXPECT_EQ(to_string(pool.add(pool.scale(quotient, 8), i1)), "i1 + (i0 / 4)*8");
  EXPECT_EQ(to_string(pool.opaque(AtomKind::xor_, pool.scale(i0, 2), pool.add(i0, i1))), "(i0*2) ^ (i0 + i1)");
}

TEST(Index, TextFollowsCreationNotAddresses) {
  std::string texts[2];
  for (std::string& text : texts) {
    std::vector<std::unique_ptr<char[]>> noise;
    IndexPool pool;
    Index sum = pool.constant(1);
    for (int i = 0; i < 40; ++i) {
      noise.push_back(std::make_unique<char[]>(&text == texts ? 17 * i + 1 : 5000 - i));
      Index size = pool.size("n" + std::to_string((i * 7) % 11));
      sum = pool.add(pool.mul(size, pool.size("m")), sum);
    }
    text = to_string(sum);
  }
  EXPECT_EQ(texts[0], texts[1]);
}

TEST(Index, AtomsInOrderOfFirstOccurrence) {
  IndexPool pool;
  Index a = pool.size("a"), b = pool.size("b"), v = pool.var("v", b);
  Index rest = pool.opaque(AtomKind::mod, pool.add(v, b), a);
  Index p = pool.add(pool.opaque(AtomKind::div, v, b), rest);
  std::string names;
  for (const Atom* atom : atoms_of(p)) {
    names += atom->a != nullptr ? "?" : atom->name;
  }
  EXPECT_EQ(names, "?bva?");
}

TEST(Index, EvaluateFloorsAndNeverDividesByZero) {
  IndexPool pool;
  Index a = pool.size("a"), b = pool.size("b_s");
  const auto value = [&](AtomKind kind, int64_t x, int64_t y) {
    return evaluate(pool.opaque(kind, a, b), [&](const Atom& atom) { return atom.name == "a" ? x : y; });
  };
  EXPECT_EQ(value(AtomKind::div, -7, 2), -4);
  EXPECT_EQ(value(AtomKind::mod, -7, 2), 1);
  EXPECT_EQ(value(AtomKind::div, 7, 0), 0);
  EXPECT_EQ(value(AtomKind::mod, 7, 0), 0);
  EXPECT_EQ(value(AtomKind::div, INT64_MIN, -1), INT64_MIN);
  EXPECT_EQ(value(AtomKind::xor_, 6, 3), 5);
}

}  // namespace
}  // namespace nvfuser
