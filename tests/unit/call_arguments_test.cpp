// SPDX-License-Identifier: Apache-2.0
// Facts of calls: what they tell apart, what they do not, and that plans are found by all of them.
#include "nvfuser/runtime/call_arguments.h"

#include <gtest/gtest.h>

#include <array>

#include "nvfuser/runtime/plan.h"
#include "nvfuser/runtime/plan_cache.h"

namespace nvfuser {
namespace {

alignas(16) char memory[64];

TensorArgument tensor(std::vector<int64_t> sizes, std::vector<int64_t> strides, int shift = 0) {
  return {memory + shift, DataType::Float, {}, std::move(sizes), std::move(strides)};
}

std::vector<int64_t> facts_of(const std::vector<Argument>& arguments, bool scalars_are_facts = false) {
  CallArguments call;
  for (const Argument& argument : arguments) {
    call.add(argument, scalars_are_facts);
  }
  return {call.facts().begin(), call.facts().end()};
}

TEST(CallArguments, GiveBackWhatWasAdded) {
  CallArguments call;
  call.add(Argument(tensor({2, 3}, {3, 1})), false);
  call.add(ScalarValue(2.5), false);
  call.begin_targets();
  call.add(Argument(tensor({3}, {2}, 4)), false);
  EXPECT_EQ(call.inputs(), 2);
  EXPECT_EQ(call.size(), 3);
  const std::vector<Argument> back = call.arguments(0, 3);
  const auto& first = std::get<TensorArgument>(back[0]);
  EXPECT_EQ(first.sizes, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(first.strides, (std::vector<int64_t>{3, 1}));
  EXPECT_EQ(std::get<ScalarValue>(back[1]), ScalarValue(2.5));
  EXPECT_EQ(std::get<TensorArgument>(back[2]).data, memory + 4);
}

TEST(CallArguments, FactsTellSizesStridesAlignmentDtypesAndDevicesApart) {
  const auto plain = facts_of({tensor({4, 4}, {4, 1})});
  EXPECT_EQ(plain, facts_of({tensor({4, 4}, {4, 1}, 16)}));
  EXPECT_NE(plain, facts_of({tensor({4, 4}, {4, 1}, 4)}));
  EXPECT_NE(plain, facts_of({tensor({4, 4}, {1, 4})}));
  EXPECT_NE(plain, facts_of({tensor({2, 8}, {8, 1})}));
  EXPECT_NE(plain, facts_of({tensor({16}, {1})}));
  TensorArgument other = tensor({4, 4}, {4, 1});
  other.dtype = DataType::Int32;
  EXPECT_NE(plain, facts_of({other}));
  other = tensor({4, 4}, {4, 1});
  other.device = {Device::Kind::cuda, 1};
  EXPECT_NE(plain, facts_of({other}));
}

TEST(CallArguments, StridesOfSingleElementsAreNoFacts) {
  EXPECT_EQ(facts_of({tensor({1, 7}, {100, 1})}), facts_of({tensor({1, 7}, {7, 1})}));
  EXPECT_EQ(facts_of({tensor({0, 7}, {100, 1})}), facts_of({tensor({0, 7}, {7, 1})}));
}

TEST(CallArguments, ScalarsAreFactsWhereSizesDependOnThem) {
  EXPECT_EQ(facts_of({ScalarValue(int64_t{3})}), facts_of({ScalarValue(int64_t{4})}));
  EXPECT_NE(facts_of({ScalarValue(int64_t{3})}, true), facts_of({ScalarValue(int64_t{4})}, true));
  EXPECT_NE(facts_of({ScalarValue(int64_t{3})}), facts_of({ScalarValue(3.0)}));
}

TEST(CallArguments, OverAStackBufferAllocateNothing) {
  std::array<std::byte, 4096> buffer;
  std::pmr::monotonic_buffer_resource pool(buffer.data(), buffer.size(), std::pmr::null_memory_resource());
  CallArguments call(&pool);
  for (int k = 0; k < 8; ++k) {
    call.add(Argument(tensor({2, 3, 4}, {12, 4, 1})), false);
  }
  EXPECT_EQ(call.size(), 8);  // null_memory_resource throws where the buffer does not suffice
}

TEST(PlanCache, ComparesFactsInFull) {
  PlanCache cache;
  const std::vector<int64_t> first = {1, 2, 3}, second = {1, 2, 4}, longer = {1, 2, 3, 0};
  EXPECT_EQ(cache.find(first), nullptr);
  const auto plan = std::make_shared<const Plan>();
  EXPECT_EQ(cache.add(first, plan, 8), plan);
  EXPECT_EQ(cache.find(first), plan);
  EXPECT_EQ(cache.find(second), nullptr);
  EXPECT_EQ(cache.find(longer), nullptr);
  const auto other = std::make_shared<const Plan>();
  EXPECT_EQ(cache.add(second, other, 8), other);
  EXPECT_EQ(cache.find(first), plan);
  EXPECT_EQ(cache.find(second), other);
  EXPECT_EQ(cache.add(first, other, 8), plan) << "the plan that was there first stays";
  EXPECT_EQ(cache.size(), 2U);
}

TEST(PlanCache, ForgetsThePlanUsedLeastRecently) {
  PlanCache cache;
  const std::vector<int64_t> a = {1}, b = {2}, c = {3}, d = {4};
  for (const auto* facts : {&a, &b, &c}) {
    cache.add(*facts, std::make_shared<const Plan>(), 3);
  }
  const std::shared_ptr<const Plan> kept = cache.find(a);
  cache.add(d, std::make_shared<const Plan>(), 3);
  EXPECT_EQ(cache.size(), 3U);
  EXPECT_EQ(cache.find(b), nullptr);
  EXPECT_EQ(cache.find(a), kept);
  cache.add(b, std::make_shared<const Plan>(), 0);
  EXPECT_EQ(cache.size(), 1U) << "the newest plan always stays";
  EXPECT_EQ(cache.find(a), nullptr);
  EXPECT_NE(cache.find(b), nullptr);
  EXPECT_EQ(kept.use_count(), 1) << "a call that runs it keeps it alive, the cache does not";
}

}  // namespace
}  // namespace nvfuser
