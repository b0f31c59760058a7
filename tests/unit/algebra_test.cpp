// SPDX-License-Identifier: Apache-2.0
// Division, remainder, proofs and rebuilding: directed cases, and random expressions against direct evaluation.
#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <memory>
#include <random>

#include "nvfuser/integer/index.h"

namespace nvfuser {
namespace {

class AlgebraCase : public testing::Test {
 protected:
  Index number(int64_t value) { return pool.constant(value); }
  Index sum(std::initializer_list<Index> parts) {
    Index total = number(0);
    for (Index part : parts) {
      total = pool.add(total, part);
    }
    return total;
  }
  Index product(std::initializer_list<Index> parts) {
    Index all = number(1);
    for (Index part : parts) {
      all = pool.mul(all, part);
    }
    return all;
  }

  IndexPool pool;
  Algebra plain{pool};
  Index a = pool.size("A"), b = pool.size("B"), c = pool.size("C");
  Index i = pool.var("i", a), j = pool.var("j", b), k = pool.var("k", c);
};

TEST_F(AlgebraCase, SplitOfMergedAxesGivesThemBack) {
  Index flat = sum({product({i, b, c}), product({j, c}), k});
  EXPECT_EQ(plain.mod(flat, c), k);
  EXPECT_EQ(plain.div(flat, c), sum({product({i, b}), j}));
  EXPECT_EQ(plain.mod(plain.div(flat, c), b), j);
  EXPECT_EQ(plain.div(plain.div(flat, c), b), i);
  EXPECT_EQ(plain.div(flat, product({b, c})), i);
  EXPECT_EQ(plain.mod(flat, product({b, c})), sum({product({j, c}), k}));
}

TEST_F(AlgebraCase, ReshapeAcrossABoundary) {
  // (A, B*C) seen from (A*B, C): the row m holds both.
  Index m = pool.var("m", product({a, b}));
  Index flat = sum({product({m, c}), k});
  EXPECT_EQ(plain.div(flat, product({b, c})), plain.div(m, b));
  EXPECT_EQ(plain.mod(flat, product({b, c})), sum({product({plain.mod(m, b), c}), k}));
  // and with numbers
  Index tx = pool.var("tx", number(32)), lane = pool.var("lane", number(4));
  Index place = sum({pool.scale(tx, 4), lane});
  EXPECT_EQ(plain.div(place, number(16)), plain.div(tx, number(4)));
  EXPECT_EQ(plain.mod(place, number(16)), sum({pool.scale(plain.mod(tx, number(4)), 4), lane}));
  EXPECT_EQ(to_string(plain.div(place, number(16))), "tx / 4");
}

TEST_F(AlgebraCase, DigitsRejoin) {
  Index m = pool.var("m", product({a, b, c}));
  Index low = plain.mod(m, c), middle = plain.mod(plain.div(m, c), b), high = plain.div(plain.div(m, c), b);
  Index flat = sum({product({high, b, c}), product({middle, c}), low});
  EXPECT_EQ(plain.rejoin(flat), m);
  EXPECT_EQ(high, plain.div(m, product({b, c})));
  EXPECT_EQ(plain.rejoin(sum({product({high, b, c}), product({middle, c})})), product({c, plain.div(m, c)}));
  EXPECT_EQ(plain.rejoin(sum({flat, product({i, a})})), sum({m, product({i, a})}));
  // a permuted order is not contiguous
  Index permuted = sum({product({low, a, b}), product({middle, a}), high});
  EXPECT_EQ(plain.rejoin(permuted), permuted);
}

TEST_F(AlgebraCase, RejoinWithStrides) {
  Index stride = pool.size("in0_s0");
  Index m = pool.var("m", product({a, b}));
  Index place = sum({product({plain.div(m, b), b, stride}), product({plain.mod(m, b), stride})});
  EXPECT_EQ(plain.rejoin(place), product({m, stride}));
}

TEST_F(AlgebraCase, FactsSplitLanes) {
  Index lane = pool.var("lane", number(4)), block = pool.var("block", number(100));
  Index place = sum({pool.scale(block, 4), lane});
  EXPECT_EQ(plain.mod(place, c), pool.opaque(AtomKind::mod, place, c));
  Algebra facts(pool, {{"C", 8}});
  EXPECT_EQ(facts.mod(place, c), sum({pool.opaque(AtomKind::mod, pool.scale(block, 4), c), lane}));
  EXPECT_EQ(facts.div(place, c), pool.opaque(AtomKind::div, pool.scale(block, 4), c));
  EXPECT_EQ(facts.tidy(plain.div(place, c)), facts.div(place, c));
  EXPECT_EQ(facts.known_divisor(facts.mod(pool.scale(block, 4), c)), 4);
  EXPECT_EQ(facts.known_divisor(product({c, i})), 8);
  EXPECT_EQ(plain.known_divisor(number(0)), 0);
  EXPECT_EQ(plain.known_divisor(number(-12)), 12);
}

TEST_F(AlgebraCase, SumsAsDivisors) {
  Index width = sum({a, b});
  Index w = pool.var("w", width);
  Index flat = sum({product({k, width}), w});
  EXPECT_EQ(plain.div(flat, width), k);
  EXPECT_EQ(plain.mod(flat, width), w);
  EXPECT_EQ(plain.div(width, width), number(1));
}

TEST_F(AlgebraCase, Range) {
  EXPECT_TRUE(plain.below(i, a));
  EXPECT_FALSE(plain.below(i, b));
  EXPECT_TRUE(plain.below(sum({product({i, b}), j}), product({a, b})));
  EXPECT_FALSE(plain.below(sum({product({i, b}), j, number(1)}), product({a, b})));
  EXPECT_TRUE(plain.below(j, product({a, b})));
  EXPECT_TRUE(plain.below(plain.mod(i, b), b));
  EXPECT_TRUE(plain.below(sum({a, pool.scale(i, -1), number(-1)}), a));
  EXPECT_FALSE(plain.below(pool.sub(i, number(1)), a));
  EXPECT_TRUE(plain.nonnegative(pool.sub(a, number(1))));
  EXPECT_FALSE(plain.nonnegative(pool.sub(a, number(2))));
  EXPECT_TRUE(plain.nonnegative(pool.sub(product({a, b}), a)));
  // a quotient of a size may be 0, a rounded-up one may not
  EXPECT_FALSE(plain.nonnegative(pool.sub(plain.div(a, number(4)), number(1))));
  EXPECT_TRUE(plain.nonnegative(pool.sub(plain.ceil_div(a, number(4)), number(1))));
  // 4 (a / 4) is a at least less 3
  const auto rounded = [&](int64_t more) {
    return sum({pool.scale(plain.div(a, number(4)), 8), pool.scale(a, -2), number(more)});
  };
  EXPECT_TRUE(plain.nonnegative(rounded(6)));
  EXPECT_FALSE(plain.nonnegative(rounded(5)));
  // and at most a
  EXPECT_TRUE(plain.nonnegative(pool.sub(a, pool.scale(plain.div(a, number(4)), 4))));
  EXPECT_FALSE(plain.nonnegative(sum({a, pool.scale(plain.div(a, number(4)), -4), number(-1)})));
  EXPECT_FALSE(plain.nonnegative(pool.sub(i, number(1))));
  EXPECT_EQ(plain.upper(sum({product({i, b}), j})), sum({product({a, b}), number(-1)}));
  EXPECT_EQ(plain.upper(plain.div(pool.var("tx", number(32)), number(4))), number(7));
}

TEST_F(AlgebraCase, StridesHaveNoBounds) {
  Index s = pool.size("in0_s0");
  EXPECT_FALSE(plain.nonnegative(s));
  EXPECT_FALSE(plain.nonnegative(product({s, s})));
  EXPECT_FALSE(plain.nonnegative(sum({s, a, number(100)})));
  EXPECT_FALSE(plain.nonnegative(product({s, i})));
  EXPECT_FALSE(plain.below(product({s, i}), product({s, a})));
  EXPECT_FALSE(plain.below(i, product({s, a})));
  EXPECT_FALSE(plain.below(number(0), s));
  EXPECT_TRUE(plain.nonnegative(pool.sub(sum({s, a}), s)));
  EXPECT_EQ(plain.upper(product({s, i})), nullptr);
  EXPECT_EQ(plain.upper(product({s, a})), product({s, a}));
  EXPECT_FALSE(plain.nonnegative(pool.opaque(AtomKind::div, s, number(2))));
}

TEST_F(AlgebraCase, HugeNumbersAreNotProvable) {
  Index huge = number(int64_t{1} << 62);
  Index x = pool.var("x", huge), y = pool.var("y", huge);
  EXPECT_EQ(plain.upper(product({x, y, x})), nullptr);
  EXPECT_FALSE(plain.below(product({x, y}), huge));
  EXPECT_FALSE(plain.nonnegative(sum({huge, pool.scale(product({x, y}), -1)})));
}

TEST_F(AlgebraCase, SubstituteReplacesInsideAndSimplifies) {
  Index m = pool.var("m", product({a, b}));
  Index place = sum({pool.scale(plain.div(m, b), 100), plain.mod(m, b)});
  const auto merge = [&](const Atom& atom) { return atom.name == "m" ? sum({product({i, b}), j}) : nullptr; };
  EXPECT_EQ(plain.substitute(place, merge), sum({pool.scale(i, 100), j}));
  EXPECT_EQ(plain.substitute(place, [](const Atom&) { return nullptr; }), place);
  const auto known = [&](const Atom& atom) { return atom.name == "B" ? number(1) : nullptr; };
  EXPECT_EQ(plain.substitute(place, known), pool.scale(m, 100));
}

TEST_F(AlgebraCase, ExclusiveOr) {
  EXPECT_EQ(plain.xor_(i, number(0)), i);
  EXPECT_EQ(plain.xor_(number(0), i), i);
  EXPECT_EQ(plain.xor_(i, i), number(0));
  EXPECT_EQ(plain.xor_(number(5), number(3)), number(6));
  Index x = pool.var("x", number(5)), y = pool.var("y", number(12));
  EXPECT_TRUE(plain.below(plain.xor_(x, y), number(16)));
  EXPECT_FALSE(plain.below(plain.xor_(x, y), number(15)));
}

// ---- random expressions ----

using Values = std::map<std::string, int64_t>;

/// What an expression means, apart from the algebra.
struct Tree {
  enum class Op { leaf, constant, add, sub, mul, div, mod, xor_ } op;
  std::string name;
  int64_t constant = 0;
  std::shared_ptr<Tree> a, b;

  int64_t value(const Values& values) const {
    if (op == Op::leaf || op == Op::constant) {
      return op == Op::leaf ? values.at(name) : constant;
    }
    const int64_t x = a->value(values), y = b->value(values);
    switch (op) {
      case Op::add:
        return x + y;
      case Op::sub:
        return x - y;
      case Op::mul:
        return x * y;
      case Op::xor_:
        return x ^ y;
      default:
        break;
    }
    const int64_t rest = ((x % y) + y) % y;
    return op == Op::mod ? rest : (x - rest) / y;
  }
};

struct Both {
  std::shared_ptr<Tree> tree;
  Index index;
};

/// Expressions over sizes N0..N3 (N3 a multiple of 4), a stride and variables below sizes and products of them.
class Fuzz {
 public:
  explicit Fuzz(uint32_t seed) : random_(seed) {
    extents_ = {constant(4), leaf("N0"),
                leaf("N3"),  combine(Tree::Op::mul, leaf("N1"), leaf("N2")),
                constant(3), ceil_div(leaf("N0"), constant(4))};
  }

  uint32_t pick(uint32_t count) { return random_() % count; }
  Both constant(int64_t value) {
    return {std::make_shared<Tree>(Tree{Tree::Op::constant, "", value, nullptr, nullptr}), pool.constant(value)};
  }
  Both leaf(const std::string& name) {
    return {std::make_shared<Tree>(Tree{Tree::Op::leaf, name, 0, nullptr, nullptr}), pool.size(name)};
  }
  Both variable(uint32_t which) {
    Both made = leaf("N0");
    made.tree = std::make_shared<Tree>(Tree{Tree::Op::leaf, "v" + std::to_string(which), 0, nullptr, nullptr});
    made.index = pool.var(made.tree->name, extents_[which].index);
    return made;
  }
  Both combine(Tree::Op op, const Both& x, const Both& y) {
    Index p = x.index;
    switch (op) {
      case Tree::Op::add:
        p = pool.add(p, y.index);
        break;
      case Tree::Op::sub:
        p = pool.sub(p, y.index);
        break;
      case Tree::Op::mul:
        p = pool.mul(p, y.index);
        break;
      case Tree::Op::div:
        p = algebra.div(p, y.index);
        break;
      case Tree::Op::mod:
        p = algebra.mod(p, y.index);
        break;
      default:
        p = algebra.xor_(p, y.index);
        break;
    }
    return {std::make_shared<Tree>(Tree{op, "", 0, x.tree, y.tree}), p};
  }
  Both ceil_div(const Both& x, const Both& n) {
    Both top = combine(Tree::Op::sub, combine(Tree::Op::add, x, n), constant(1));
    return combine(Tree::Op::div, top, n);
  }

  /// Something > 0.
  Both divisor() {
    switch (pick(8)) {
      case 0:
        return constant(1 + pick(16));
      case 1:
        return constant(int64_t{1} << pick(6));
      case 2:
        return leaf(size_name());
      case 3:
        return combine(Tree::Op::mul, leaf(size_name()), constant(1 + pick(6)));
      case 4:
        return combine(Tree::Op::mul, leaf(size_name()), leaf(size_name()));
      case 5:
        return combine(Tree::Op::add, leaf(size_name()), leaf(size_name()));
      case 6:
        return ceil_div(leaf(size_name()), constant(1 + pick(5)));
      default:
        return extents_[pick(static_cast<uint32_t>(extents_.size()))];
    }
  }

  Both expression(int depth) {
    if (depth == 0 || pick(6) == 0) {
      const uint32_t kind = pick(10);
      return kind < 5   ? variable(pick(static_cast<uint32_t>(extents_.size())))
             : kind < 7 ? leaf(size_name())
             : kind < 8 ? leaf("in0_s0")
                        : constant(static_cast<int64_t>(pick(12)) - 2);
    }
    switch (pick(10)) {
      case 0:
      case 1:
      case 2:
        return combine(Tree::Op::add, expression(depth - 1), expression(depth - 1));
      case 3:
        return combine(Tree::Op::sub, expression(depth - 1), expression(depth - 1));
      case 4:
        return combine(Tree::Op::mul, expression(depth - 1), divisor());
      case 5:
        return combine(Tree::Op::mul, expression(depth - 1), expression(depth - 1));
      case 6:
      case 7:
        return combine(Tree::Op::div, expression(depth - 1), divisor());
      case 8:
        return combine(Tree::Op::mod, expression(depth - 1), divisor());
      default:
        return joined(depth);
    }
  }

  /// Sums as index arithmetic makes them: digits put together, linear indices, swizzles.
  Both joined(int depth) {
    const Both n = divisor();
    const Both p = expression(depth - 1);
    switch (pick(3)) {
      case 0:
        return combine(Tree::Op::add, combine(Tree::Op::mul, combine(Tree::Op::div, p, n), n),
                       combine(Tree::Op::mod, p, n));
      case 1: {
        const uint32_t inner = pick(static_cast<uint32_t>(extents_.size()));
        return combine(Tree::Op::add, combine(Tree::Op::mul, p, extents_[inner]), variable(inner));
      }
      default:
        return combine(Tree::Op::xor_, combine(Tree::Op::mod, p, n), variable(pick(2)));
    }
  }

  Values bind() {
    Values values;
    for (int s = 0; s < 4; ++s) {
      values["N" + std::to_string(s)] = s == 3 ? 4 * (1 + pick(5)) : 1 + pick(9);
    }
    values["in0_s0"] = static_cast<int64_t>(pick(11)) - 5;
    for (size_t v = 0; v < extents_.size(); ++v) {
      const auto extent = static_cast<uint32_t>(extents_[v].tree->value(values));
      values["v" + std::to_string(v)] = pick(3) == 0 ? extent - 1 : pick(extent);
    }
    return values;
  }

  std::string size_name() { return "N" + std::to_string(pick(4)); }

  IndexPool pool;
  Algebra algebra{pool, {{"N3", 4}}};

 private:
  std::mt19937 random_;
  std::vector<Both> extents_;
};

int64_t value_of(Index p, const Values& values) {
  return evaluate(p, [&](const Atom& atom) { return values.at(atom.name); });
}

/// Some sizes and variables become their numbers, some variables become another variable of the same extent.
std::function<Index(const Atom&)> replacement(Fuzz& fuzz, Values& values) {
  std::map<std::string, Index> chosen;
  for (const auto& [name, value] : values) {
    if (fuzz.pick(3) == 0) {
      chosen[name] = fuzz.pool.constant(value);
    }
  }
  const bool rename = fuzz.pick(2) == 0;
  if (rename) {
    for (int v = 0; v < 6; ++v) {
      values["w" + std::to_string(v)] = values.at("v" + std::to_string(v));
    }
  }
  return [&fuzz, chosen, rename](const Atom& atom) -> Index {
    auto found = chosen.find(atom.name);
    if (found != chosen.end()) {
      return found->second;
    }
    return rename && atom.kind == AtomKind::var ? fuzz.pool.var("w" + atom.name.substr(1), atom.extent) : nullptr;
  };
}

struct Counts {
  int nonnegative = 0, below = 0, upper = 0, divisor = 0, rejoined = 0;
};

void check_expression(Fuzz& fuzz, Counts& counts) {
  const Algebra& algebra = fuzz.algebra;
  const Both made = fuzz.expression(4);
  const Both bound = fuzz.divisor();
  Index p = made.index;
  SCOPED_TRACE(to_string(p));
  const bool nonnegative = algebra.nonnegative(p);
  const bool below = algebra.below(p, bound.index);
  Index top = algebra.upper(p);
  const int64_t divisor = algebra.known_divisor(p);
  Index rejoined = algebra.rejoin(p), tidied = algebra.tidy(p);
  Index again = algebra.rejoin(
      fuzz.pool.add(fuzz.pool.mul(bound.index, algebra.div(p, bound.index)), algebra.mod(p, bound.index)));
  counts.nonnegative += nonnegative && !p->is_constant();
  counts.below += below && !p->is_constant();
  counts.upper += top != nullptr && top != p;
  counts.divisor += divisor > 1;
  counts.rejoined += rejoined != p;
  for (const Atom* atom : top == nullptr ? std::vector<const Atom*>() : atoms_of(top)) {
    ASSERT_TRUE(atom->kind != AtomKind::var && atom->kind != AtomKind::axis) << to_string(top);
  }
  for (int trial = 0; trial < 12; ++trial) {
    Values values = fuzz.bind();
    const int64_t expected = made.tree->value(values);
    const int64_t limit = bound.tree->value(values);
    ASSERT_EQ(value_of(p, values), expected);
    ASSERT_TRUE(!nonnegative || expected >= 0);
    ASSERT_TRUE(!below || (expected >= 0 && expected < limit)) << expected << " below " << to_string(bound.index);
    ASSERT_TRUE(top == nullptr || value_of(top, values) >= expected) << to_string(top);
    ASSERT_TRUE(divisor == 0 ? expected == 0 : expected % divisor == 0) << divisor;
    ASSERT_EQ(value_of(rejoined, values), expected) << to_string(rejoined);
    ASSERT_EQ(value_of(tidied, values), expected) << to_string(tidied);
    ASSERT_EQ(value_of(again, values), expected) << to_string(again) << " by " << to_string(bound.index);
    if (trial < 3) {
      Index other = algebra.substitute(p, replacement(fuzz, values));
      ASSERT_EQ(value_of(other, values), expected) << to_string(other);
    }
  }
}

TEST(AlgebraFuzz, EveryRewriteAndProofHoldsOnRandomValues) {
  constexpr uint32_t kSeed = 271828;
  constexpr int kPools = 40, kExpressions = 150;
  std::cout << "seed " << kSeed << "\n";
  Counts counts;
  for (int round = 0; round < kPools; ++round) {
    Fuzz fuzz(kSeed + round);
    SCOPED_TRACE(round);
    for (int e = 0; e < kExpressions; ++e) {
      ASSERT_NO_FATAL_FAILURE(check_expression(fuzz, counts));
    }
  }
  // The test is worth something only if things are proved.
  EXPECT_GT(counts.nonnegative, 500);
  EXPECT_GT(counts.below, 50);
  EXPECT_GT(counts.upper, 500);
  EXPECT_GT(counts.divisor, 200);
  EXPECT_GT(counts.rejoined, 20);
}

TEST(AlgebraFuzz, ResultsDoNotDependOnMemory) {
  std::string texts[2];
  for (std::string& text : texts) {
    Fuzz fuzz(99);
    for (int e = 0; e < 200; ++e) {
      const Both made = fuzz.expression(3);
      text += to_string(fuzz.algebra.tidy(made.index)) + "\n";
    }
  }
  EXPECT_EQ(texts[0], texts[1]);
}

}  // namespace
}  // namespace nvfuser
