// SPDX-License-Identifier: Apache-2.0
// The tape gives what direct evaluation gives, shares common parts and is total.
#include <gtest/gtest.h>

#include <random>

#include "nvfuser/base/errors.h"
#include "nvfuser/integer/index.h"

namespace nvfuser {
namespace {

std::vector<int64_t> run(const Tape& tape, const std::vector<int64_t>& inputs) {
  std::vector<int64_t> slots(tape.slot_count());
  tape.run(inputs.data(), slots.data());
  return slots;
}

TEST(Tape, Constants) {
  IndexPool pool;
  Tape tape;
  const int zero = tape.add(pool.constant(0));
  const int nine = tape.add(pool.constant(9));
  const auto slots = run(tape, {});
  EXPECT_TRUE(tape.inputs().empty());
  EXPECT_EQ(slots[zero], 0);
  EXPECT_EQ(slots[nine], 9);
}

TEST(Tape, InputsComeInOrderOfFirstUseAndOnce) {
  IndexPool pool;
  Tape tape;
  Index a = pool.size("a"), b = pool.size("b");
  tape.add(pool.mul(b, b));
  tape.add(pool.add(a, b));
  EXPECT_EQ(tape.inputs(), (std::vector<std::string>{"b", "a"}));
  const int before = tape.slot_count();
  tape.add(pool.add(b, a));
  EXPECT_EQ(tape.slot_count(), before);
}

TEST(Tape, DivisionByZeroIsZero) {
  IndexPool pool;
  Tape tape;
  Index a = pool.size("a"), b = pool.size("b");
  const int quotient = tape.add(pool.opaque(AtomKind::div, a, b));
  const int rest = tape.add(pool.opaque(AtomKind::mod, a, b));
  EXPECT_EQ(run(tape, {7, 0})[quotient], 0);
  EXPECT_EQ(run(tape, {7, 0})[rest], 0);
  EXPECT_EQ(run(tape, {-7, 2})[quotient], -4);
  EXPECT_EQ(run(tape, {-7, 2})[rest], 1);
}

TEST(Tape, RefusesIndices) {
  IndexPool pool;
  Tape tape;
  EXPECT_THROW(tape.add(pool.var("v", pool.constant(4))), Error);
}

Index random_expression(IndexPool& pool, std::mt19937& random, int depth) {
  if (depth == 0 || random() % 5 == 0) {
    return random() % 3 == 0 ? pool.constant(static_cast<int64_t>(random() % 21) - 10)
                             : pool.size("n" + std::to_string(random() % 4));
  }
  Index a = random_expression(pool, random, depth - 1);
  Index b = random_expression(pool, random, depth - 1);
  switch (random() % 6) {
    case 0:
      return pool.add(a, b);
    case 1:
      return pool.sub(a, b);
    case 2:
      return pool.mul(a, b);
    case 3:
      return pool.opaque(AtomKind::div, a, b);
    case 4:
      return pool.opaque(AtomKind::mod, a, b);
    default:
      return pool.opaque(AtomKind::xor_, a, b);
  }
}

TEST(Tape, RandomExpressionsMatchEvaluate) {
  constexpr uint32_t kSeed = 4711;
  std::cout << "seed " << kSeed << "\n";
  std::mt19937 random(kSeed);
  for (int round = 0; round < 300; ++round) {
    IndexPool pool;
    Tape tape;
    std::vector<std::pair<Index, int>> made;
    for (int i = 0; i < 10; ++i) {
      Index p = random_expression(pool, random, 4);
      made.emplace_back(p, tape.add(p));
    }
    for (int trial = 0; trial < 5; ++trial) {
      std::unordered_map<std::string, int64_t> values;
      std::vector<int64_t> inputs;
      for (const std::string& name : tape.inputs()) {
        inputs.push_back(values[name] = static_cast<int64_t>(random() % 25) - 6);
      }
      const auto slots = run(tape, inputs);
      for (const auto& [p, slot] : made) {
        ASSERT_EQ(slots[slot], evaluate(p, [&](const Atom& atom) { return values.at(atom.name); })) << to_string(p);
      }
    }
  }
}

}  // namespace
}  // namespace nvfuser
