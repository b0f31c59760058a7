// SPDX-License-Identifier: Apache-2.0
// When a kernel made for some sizes may serve others.
#include "nvfuser/schedule/facts_check.h"

#include "kernel_fixture.h"
#include "schedule_cases.h"

namespace nvfuser {
namespace {

/// A scheduled kernel of (x + row), 64 x 256, and sizes to ask about.
class FactsCheckTest : public ::testing::Test {
 protected:
  void SetUp() override {
    TensorView* x = case_.input({64, 256});
    TensorView* row = case_.input({256});
    case_.output(binary(PointwiseOp::add, x, broadcast(row, {true, false})));
    kernel_ = case_.kernel();
    apply(*kernel_, {.threads = 64, .vector = 4});
  }

  bool holds(const Facts& facts, int64_t rows, int64_t columns, int64_t alignment = 16) const {
    const Alignments alignments{{alignment, alignment}, {16}};
    return FactsCheck(*kernel_, facts).holds({{"i0", rows}, {"i1", columns}}, alignments);
  }

  static Facts narrow() {
    Facts facts;
    facts.wide = false;
    return facts;
  }

  KernelCase case_;
  std::shared_ptr<Kernel> kernel_;
};

TEST_F(FactsCheckTest, NoFactsServeEverything) {
  const Facts none;
  EXPECT_TRUE(holds(none, 64, 256));
  EXPECT_TRUE(holds(none, 1, 1, 4));
  EXPECT_TRUE(holds(none, 1 << 20, 1 << 20));
}

TEST_F(FactsCheckTest, DerivedFactsHoldWhereTheyWereDerived) {
  const SizeValues sizes{{"i0", 64}, {"i1", 256}};
  const Alignments aligned{{16, 16}, {16}};
  const Facts facts = derive_facts(*kernel_, sizes, aligned);
  ASSERT_FALSE(facts.exact.empty());
  const FactsCheck check(*kernel_, facts);
  EXPECT_TRUE(check.holds(sizes, aligned));
  EXPECT_TRUE(check.holds({{"i0", 1}, {"i1", 1024}}, aligned));
  EXPECT_FALSE(check.holds({{"i0", 63}, {"i1", 252}}, aligned)) << "256 does not divide their product";
  EXPECT_FALSE(check.holds({{"i0", 0}, {"i1", 256}}, aligned)) << "no division holds for an extent of 0";
  EXPECT_FALSE(check.holds(sizes, {{16, 16}, {4}}));
}

TEST_F(FactsCheckTest, NarrowIndices) {
  EXPECT_TRUE(holds(narrow(), 1 << 15, 1 << 15));
  EXPECT_FALSE(holds(narrow(), 1 << 16, 1 << 15)) << "2^31 elements";
}

TEST_F(FactsCheckTest, Divisors) {
  Facts facts = narrow();
  facts.divisors = {{"i1", 4}};
  EXPECT_TRUE(holds(facts, 3, 8));
  EXPECT_FALSE(holds(facts, 4, 6));
  EXPECT_FALSE(holds(facts, 4, 0)) << "of 0 nothing is promised";
}

TEST_F(FactsCheckTest, LeastAndAlignment) {
  Facts facts = narrow();
  facts.least = {{"i1", 4}};
  EXPECT_TRUE(holds(facts, 1, 4));
  EXPECT_FALSE(holds(facts, 9, 3));
  facts = narrow();
  facts.alignment = {{"in1", 8}};
  EXPECT_TRUE(holds(facts, 3, 3, 8));
  EXPECT_FALSE(holds(facts, 3, 3, 4));
}

TEST_F(FactsCheckTest, PreconditionsOfParamsAreNoFactsAndAreAsked) {
  kernel_->main().fits.push_back({kernel_->main().roots[1]->extent, kernel_->pool->constant(256)});
  EXPECT_TRUE(holds(Facts(), 5, 256));
  EXPECT_FALSE(holds(Facts(), 5, 257));
}

TEST_F(FactsCheckTest, AnExactSplitThatTheKernelLacksIsAnError) {
  Facts facts;
  facts.exact = {{"i7", "3"}};
  EXPECT_THROW(FactsCheck(*kernel_, facts), Error);
}

}  // namespace
}  // namespace nvfuser
