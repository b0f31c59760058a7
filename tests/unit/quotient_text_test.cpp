// SPDX-License-Identifier: Apache-2.0
// Parentheses around quotients inside products, where one side is a call of the device library.
#include <gtest/gtest.h>

#include <memory>

#include "nvfuser/codegen/index_text.h"

namespace nvfuser {
namespace {

struct QuotientText : ::testing::Test {
  QuotientText() {
    program.kernel = std::make_shared<Kernel>();
    program.kernel->pool = std::make_unique<IndexPool>();
    extent = pool().size("i0");
    x = pool().var("x", pool().size("i1"));
    program.parameters.push_back({Parameter::Kind::divisor, "i0_div", DataType::Null, -1, extent});
    program.parameters.push_back({Parameter::Kind::size, "i0", DataType::Null, -1, extent});
  }
  IndexPool& pool() const { return *program.kernel->pool; }
  Index mod(Index a, Index b) const { return pool().opaque(AtomKind::mod, a, b); }
  Index div(Index a, Index b) const { return pool().opaque(AtomKind::div, a, b); }
  std::string text(Index p) const { return IndexText(program).text(p); }

  Program program;
  Index extent, x;
};

TEST_F(QuotientText, CallsNeedNoParentheses) {
  EXPECT_EQ(text(pool().scale(mod(x, extent), 4)), "rt::mod(x, i0_div) * 4");
  EXPECT_EQ(text(mod(mod(x, extent), pool().constant(5))), "rt::mod(x, i0_div) % 5");
}

TEST_F(QuotientText, QuotientsOfCallsDo) {
  const Index row = div(mod(x, extent), pool().constant(5)), column = mod(mod(x, extent), pool().constant(5));
  EXPECT_EQ(text(pool().scale(row, 4)), "(rt::mod(x, i0_div) / 5) * 4");
  EXPECT_EQ(text(pool().scale(column, 4)), "(rt::mod(x, i0_div) % 5) * 4");
}

}  // namespace
}  // namespace nvfuser
