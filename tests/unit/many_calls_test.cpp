// SPDX-License-Identifier: Apache-2.0
// 32 threads call mixed programs at once: shared ones and their own, of new and known shapes, on every way without a
// GPU.  The thread sanitizer runs this too.
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <memory>
#include <random>
#include <thread>

#include "nvfuser/base/options.h"
#include "nvfuser/ops/define.h"
#include "nvfuser/ops/pointwise_builder.h"
#include "nvfuser/ops/shape.h"
#include "nvfuser/runtime/fusion_cache.h"
#include "nvfuser/runtime/generator.h"

namespace nvfuser {
namespace {

constexpr int kThreads = 32;
constexpr int kCalls = 1000;
constexpr int64_t kSizes[] = {7, 64, 0, 1, 1001, 4096};
constexpr int kSmallSizes = 4;   // of them, for the ways that are slow
constexpr size_t kPrepared = 4;  // programs whose kernels one compile makes before the threads start
constexpr size_t kRaced = 2;     // programs of two sizes that the threads themselves compile

/// x * factor + 1, in one kernel or in two.
std::shared_ptr<Fusion> scaled(double factor, bool cut) {
  std::shared_ptr<Fusion> fusion = Fusion::make();
  TensorView* x = define_tensor(*fusion, {-1}, true);
  fusion->add_input(x);
  auto* product =
      static_cast<TensorView*>(pointwise(PointwiseOp::mul, {x, fusion->constant(factor, DataType::Double)}));
  product = cut ? segment_set(product) : product;
  fusion->add_output(pointwise(PointwiseOp::add, {product, fusion->constant(1.0, DataType::Double)}));
  return fusion;
}

float value_of(int64_t i) { return static_cast<float>(i % 13) * 0.5F; }

/// One call, checked.  Small integers and halves: every way gives the same bits.
bool call(FusionExecutor& executor, Way way, int64_t size, double factor) {
  std::vector<float> input(size + 1);
  for (int64_t i = 0; i < size; ++i) {
    input[i] = value_of(i);
  }
  const std::vector<Argument> arguments{TensorArgument{input.data(), DataType::Float, {}, {size}, {1}}};
  ExecuteOptions options;
  options.way = way;
  const std::shared_ptr<const Plan> plan = executor.prepare(arguments, options);
  std::deque<std::vector<float>> memory;
  std::vector<void*> outputs;
  for (const OutputSpec& spec : FusionExecutor::outputs_of(*plan)) {
    outputs.push_back(memory.emplace_back(spec.elements + 1, -1.0F).data());
  }
  executor.run(*plan, arguments, outputs, options);
  for (int64_t i = 0; i < size; ++i) {
    if (memory[0][i] != static_cast<float>(value_of(i) * factor + 1.0)) {
      return false;
    }
  }
  return memory[0][size] == -1.0F;
}

struct Shared {
  std::vector<std::unique_ptr<FusionExecutor>> executors;  ///< number k: factor k + 1, cut where k is odd
  FusionCache cache{1};                                    ///< fewer than are asked for
  std::atomic<int> wrong{0};
};

void prepare(Shared& shared) {
  std::vector<Preparation> calls;
  alignas(64) static float data[4096];
  for (size_t k = 0; k < kPrepared; ++k) {
    for (const Way way : {Way::host, Way::emulator}) {
      for (size_t size = 0; size < (way == Way::host ? std::size(kSizes) : kSmallSizes); ++size) {
        ExecuteOptions options;
        options.way = way;
        calls.push_back(
            {shared.executors[k].get(), {TensorArgument{data, DataType::Float, {}, {kSizes[size]}, {1}}}, options});
      }
    }
  }
  FusionExecutor::prepare_all(calls);
}

void work(Shared& shared, int thread) {
  std::mt19937 random(thread);
  for (int n = 0; n < kCalls; ++n) {
    const bool raced = n % 10 == 9;
    const size_t k = raced ? kPrepared + random() % kRaced : random() % kPrepared;
    const double factor = static_cast<double>(k) + 1;
    const Way way = raced || n % 25 > 5 ? Way::host : n % 25 == 0 ? Way::emulator : Way::evaluator;
    const int64_t size = kSizes[random() % (raced ? 2 : way == Way::host ? std::size(kSizes) : kSmallSizes)];
    const bool fresh = raced && n % 50 == 49;
    shared.wrong +=
        !call(fresh ? *shared.cache.get(scaled(factor, k % 2 == 1)) : *shared.executors[k], way, size, factor);
    default_generator().take(2);
  }
}

TEST(ManyCalls, OfThirtyTwoThreadsAreRight) {
  std::string why;
  if (!host_compiler_available(&why)) {
    GTEST_SKIP() << why;
  }
  const ScopedOption pool("threads", "4");
  Shared shared;
  for (size_t k = 0; k < kPrepared + kRaced; ++k) {
    shared.executors.push_back(std::make_unique<FusionExecutor>(scaled(static_cast<double>(k) + 1, k % 2 == 1)));
  }
  prepare(shared);
  const uint64_t offset = default_generator().state().offset;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] { work(shared, thread); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(shared.wrong, 0);
  EXPECT_EQ(default_generator().state().offset - offset, uint64_t{2} * kThreads * kCalls);
  EXPECT_EQ(shared.cache.size(), 1u);
}

}  // namespace
}  // namespace nvfuser
