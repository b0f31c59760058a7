// SPDX-License-Identifier: Apache-2.0
// The leaves of a random generator: filled at every call, moved by what the fusion declares, without a new plan.
#include <gtest/gtest.h>

#include <deque>
#include <thread>

#include "hand_built.h"
#include "nvfuser/ops/cast.h"
#include "nvfuser/ops/extent.h"
#include "nvfuser/ops/factory.h"
#include "nvfuser/ops/pointwise_builder.h"
#include "nvfuser/runtime/executor.h"
#include "nvfuser/runtime/generator.h"

namespace nvfuser::testing {
namespace {

constexpr int64_t kDraws = 4;  ///< numbers that one element takes

/// Stores the seed, the offset, and an offset behind the numbers that a first operation takes: x + (offset + 4 n).
std::shared_ptr<Fusion> seeds() {
  HandBuilt g;
  TensorView* x = g.input({-1}, DataType::Int);
  Val* n = x->logical()[0]->extent();
  Val* seed = g->random_leaf(ScalarRole::seed);
  Val* offset = g->random_leaf(ScalarRole::offset);
  Val* taken = extent_product(n, g.index(kDraws));
  Val* second = cast(pointwise(PointwiseOp::add, {offset, taken}), DataType::Int);
  g->add_output(full({n}, seed, DataType::UInt64));
  g->add_output(full({n}, offset, DataType::UInt64));
  g->add_output(static_cast<TensorView*>(pointwise(PointwiseOp::add, {x, second})));
  g->set_offset_advance(extent_product(taken, g.index(2)));
  verify(*g);
  return g.fusion;
}

/// One executor and what it gave.
class Calls {
 public:
  explicit Calls(Way way) : executor_(seeds()) { options_.way = way; }

  ExecuteOptions& options() { return options_; }
  const Plan* plan() const { return plan_.get(); }

  /// Seed, offset and second offset of a call with n elements, all elements of which are equal.
  std::vector<uint64_t> run(int64_t n) {
    std::vector<int64_t> zeros(n, 0);
    const TensorArgument x{zeros.data(), DataType::Int, {}, {n}, {1}};
    plan_ = executor_.prepare({x}, options_);
    EXPECT_EQ(FusionExecutor::outputs_of(*plan_).size(), 3u);
    EXPECT_EQ(FusionExecutor::offset_advance_of(*plan_), static_cast<uint64_t>(2 * kDraws * n));
    std::vector<std::vector<uint64_t>> results(3, std::vector<uint64_t>(n, 99));
    executor_.run(*plan_, {x}, {results[0].data(), results[1].data(), results[2].data()}, options_);
    std::vector<uint64_t> values;
    for (const std::vector<uint64_t>& result : results) {
      EXPECT_EQ(result, std::vector<uint64_t>(n, result.front()));
      values.push_back(result.front());
    }
    return values;
  }

 private:
  FusionExecutor executor_;
  ExecuteOptions options_;
  std::shared_ptr<const Plan> plan_;
};

using Values = std::vector<uint64_t>;

TEST(RandomState, EveryCallMovesTheOffsetByWhatTheFusionDeclares) {
  for (const Way way : {Way::evaluator, Way::emulator, Way::host}) {
    Calls calls(way);
    default_generator().set_state({42, 1000});
    EXPECT_EQ(calls.run(5), (Values{42, 1000, 1020})) << name_of(way);
    const Plan* plan = calls.plan();
    const int64_t runs = compiler_runs();
    EXPECT_EQ(calls.run(5), (Values{42, 1040, 1060})) << name_of(way);
    EXPECT_EQ(calls.plan(), plan);
    EXPECT_EQ(calls.run(3), (Values{42, 1080, 1092})) << name_of(way);
    default_generator().set_state({7, 0});
    EXPECT_EQ(calls.run(5), (Values{7, 0, 20})) << name_of(way);
    EXPECT_EQ(calls.plan(), plan);
    EXPECT_EQ(compiler_runs(), runs);
  }
}

TEST(RandomState, AGivenStateIsUsedAsItIs) {
  default_generator().set_state({1, 2});
  const RandomState state{~uint64_t{0}, uint64_t{1} << 63};
  for (const Way way : {Way::evaluator, Way::emulator, Way::host}) {
    Calls calls(way);
    calls.options().random = state;
    const Values want{state.seed, state.offset, state.offset + 20};
    EXPECT_EQ(calls.run(5), want) << name_of(way);
    EXPECT_EQ(calls.run(5), want) << name_of(way);
  }
  EXPECT_EQ(default_generator().state().seed, 1u);
  EXPECT_EQ(default_generator().state().offset, 2u);
}

TEST(RandomState, LeavesAreOneNodeEachAndPrintAsWhatTheyAre) {
  const std::shared_ptr<Fusion> fusion = seeds();
  EXPECT_EQ(fusion->random_leaf(ScalarRole::seed), fusion->random_leaf(ScalarRole::seed));
  EXPECT_NE(fusion->random_leaf(ScalarRole::seed), fusion->random_leaf(ScalarRole::offset));
  const std::string text = print_math(*fusion);
  EXPECT_TRUE(contains(text, "full(seed, i0)")) << text;
  EXPECT_TRUE(contains(text, "full(offset, i0)")) << text;
  EXPECT_TRUE(contains(text, "random offset advances by i")) << text;
  const std::shared_ptr<Fusion> copy = clone(*fusion);
  verify(*copy);
  EXPECT_EQ(print_math(*copy), text);
  EXPECT_TRUE(structurally_equal(*fusion, *copy));
  EXPECT_EQ(copy->random_leaf(ScalarRole::seed)->number(), fusion->random_leaf(ScalarRole::seed)->number());
}

TEST(RandomState, RolesAndTheAdvanceCount) {
  const auto build = [](ScalarRole role, int64_t advance) {
    HandBuilt g;
    g->add_output(full({g.index(3)}, g->random_leaf(role), DataType::UInt64));
    if (advance > 0) {
      g->set_offset_advance(g.index(advance));
    }
    return g.fusion;
  };
  const auto equal = [](const std::shared_ptr<Fusion>& a, const std::shared_ptr<Fusion>& b) {
    EXPECT_EQ(structural_hash(*a) == structural_hash(*b), structurally_equal(*a, *b));
    return structurally_equal(*a, *b);
  };
  EXPECT_TRUE(equal(build(ScalarRole::seed, 4), build(ScalarRole::seed, 4)));
  EXPECT_FALSE(equal(build(ScalarRole::seed, 4), build(ScalarRole::offset, 4)));
  EXPECT_FALSE(equal(build(ScalarRole::seed, 4), build(ScalarRole::seed, 5)));
  EXPECT_FALSE(equal(build(ScalarRole::seed, 4), build(ScalarRole::seed, 0)));
}

TEST(RandomState, TheAdvanceIsAnIntegerOfTheFusion) {
  HandBuilt g, other;
  EXPECT_TRUE(contains(error_of([&] { g->set_offset_advance(g.real(1.0)); }), "advances by an integer scalar"));
  EXPECT_TRUE(contains(error_of([&] { g->set_offset_advance(other.index(1)); }), "belongs to another fusion"));
}

TEST(RandomState, ThreadsTakeRangesThatDoNotOverlap) {
  Generator generator({3, 0});
  std::vector<std::vector<uint64_t>> taken(4);
  std::vector<std::thread> threads;
  for (auto& mine : taken) {
    threads.emplace_back([&] {
      for (int k = 0; k < 1000; ++k) {
        mine.push_back(generator.take(3).offset);
      }
    });
  }
  std::for_each(threads.begin(), threads.end(), [](std::thread& thread) { thread.join(); });
  std::vector<uint64_t> all;
  for (const auto& mine : taken) {
    all.insert(all.end(), mine.begin(), mine.end());
  }
  std::sort(all.begin(), all.end());
  for (size_t k = 0; k < all.size(); ++k) {
    ASSERT_EQ(all[k], 3 * k);
  }
  EXPECT_EQ(generator.state().offset, 12000u);
}

}  // namespace
}  // namespace nvfuser::testing
