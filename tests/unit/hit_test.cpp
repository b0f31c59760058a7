// SPDX-License-Identifier: Apache-2.0
// A call whose plan is there: nothing is allocated, scalars are computed down a tape, the workspace is one buffer.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <functional>
#include <numeric>
#include <thread>

#include "builder_fixture.h"
#include "counted_new.h"
#include "nvfuser/base/options.h"
#include "nvfuser/base/thread_pool.h"
#include "nvfuser/ops/reduce.h"
#include "nvfuser/ops/shape.h"
#include "nvfuser/runtime/plan.h"
#include "nvfuser/runtime/workspace.h"

namespace nvfuser {
namespace {

constexpr int64_t kElements = 100;

class Hit : public BuilderTest {
 protected:
  void SetUp() override {
    if (!host_compiler_available()) {
      GTEST_SKIP() << "no host compiler";
    }
  }

  /// As the Python layer adds arguments: over a buffer on the stack.
  static void fill(CallArguments& call, std::vector<float>& x, const std::vector<ScalarValue>& scalars) {
    int64_t* words = call.add(x.data(), DataType::Float, {}, 1);
    words[0] = static_cast<int64_t>(x.size());
    words[1] = 1;
    call.seal();
    for (const ScalarValue& scalar : scalars) {
      call.add(scalar, false);
    }
  }

  /// Runs the fusion twice; how often the second call allocates.
  int64_t run(std::vector<float>& x, const std::vector<ScalarValue>& scalars, std::vector<float>& y) {
    if (executor_ == nullptr) {
      executor_ = std::make_unique<FusionExecutor>(fusion_);
    }
    CallArguments first;
    fill(first, x, scalars);
    plan_ = executor_->prepare(first, host());
    workspace_.resize(plan_->outputs.size() > 1 ? plan_->outputs[1].elements : 1);
    std::array<std::byte, 4096> buffer;
    const ExecuteOptions options = host();
    const std::array<void*, 2> outputs = {y.data(), workspace_.data()};
    const int64_t before = testing::allocations();
    {
      std::pmr::monotonic_buffer_resource memory(buffer.data(), buffer.size(), std::pmr::null_memory_resource());
      CallArguments call(&memory);
      fill(call, x, scalars);
      const std::shared_ptr<const Plan> found = executor_->find(call, options);
      EXPECT_EQ(found, plan_);
      executor_->run(*found, call, std::span(outputs.data(), plan_->outputs.size()), options);
    }
    return testing::allocations() - before;
  }

  static ExecuteOptions host() {
    ExecuteOptions options;
    options.way = Way::host;
    return options;
  }

  std::unique_ptr<FusionExecutor> executor_;
  std::shared_ptr<const Plan> plan_;
  std::vector<char> workspace_;
};

TEST_F(Hit, AllocatesNothing) {
  fusion_->add_output(op(PointwiseOp::relu, {op(PointwiseOp::add, {input({-1}), number(-50.0)})}));
  std::vector<float> x(kElements), y(kElements);
  std::iota(x.begin(), x.end(), 0.0f);
  EXPECT_EQ(run(x, {}, y), 0);
  EXPECT_EQ(y[10], 0.0f);
  EXPECT_EQ(y[60], 10.0f);
  EXPECT_TRUE(plan_->brief);
  EXPECT_FALSE(plan_->draws);
}

TEST_F(Hit, ComputesScalarsWithoutAnEvaluator) {
  TensorView* x = input({-1});
  Val* a = scalar(DataType::Double);
  Val* b = scalar(DataType::Int);
  Val* both = pointwise(PointwiseOp::mul, {pointwise(PointwiseOp::add, {a, b}), number(2.0)});
  fusion_->add_output(op(PointwiseOp::mul, {x, both}));
  std::vector<float> ones(kElements, 1.0f), y(kElements);
  EXPECT_EQ(run(ones, {1.5, int64_t{4}}, y), 0);
  EXPECT_EQ(y[7], 11.0f);
  EXPECT_EQ(run(ones, {0.25, int64_t{-1}}, y), 0);
  EXPECT_EQ(y[99], -1.5f);
  EXPECT_EQ(executor_->plan_count(), 1U);
  EXPECT_FALSE(plan_->scalars.empty());
}

TEST_F(Hit, RunsSeveralKernelsOverOneWorkspace) {
  TensorView* value = input({-1});
  for (int step = 0; step < 4; ++step) {
    value = op(PointwiseOp::add, {segment_set(op(PointwiseOp::mul, {value, number(2.0)})), number(1.0)});
  }
  fusion_->add_output(value);
  std::vector<float> ones(kElements, 1.0f), y(kElements);
  EXPECT_EQ(run(ones, {}, y), 0);
  EXPECT_EQ(y[0], 31.0f);
  EXPECT_EQ(plan_->steps.size(), 5U);
  ASSERT_EQ(plan_->outputs.size(), 2U);
  EXPECT_TRUE(plan_->outputs[1].workspace);
  const int64_t each = (kElements * 4 + kWorkspaceAlignment - 1) / kWorkspaceAlignment * kWorkspaceAlignment;
  EXPECT_EQ(plan_->outputs[1].elements, 2 * each) << "of four tensors at most two are alive at once";
}

TEST_F(Hit, SharesARowAmongTasks) {
  TensorView* x = input({-1});
  fusion_->add_output(op(PointwiseOp::add, {sum(x), number(1.0)}));
  std::vector<float> ones(size_t{3} << 16, 1.0f), y(1);
  run(ones, {}, y);  // starts threads
  EXPECT_EQ(run(ones, {}, y), 0);
  EXPECT_EQ(y[0], 196609.0f);
  ASSERT_EQ(plan_->steps.size(), 2U) << "states, and what combines them";
  EXPECT_EQ(plan_->steps[0].launch.grid[0], 3);
  ASSERT_EQ(plan_->outputs.size(), 2U);
  EXPECT_EQ(plan_->outputs[1].elements, kWorkspaceAlignment) << "three states";
}

TEST(WarmLoop, AllocatesNothing) {
  const ScopedOption threads("threads", "4");
  std::atomic<int> inside{0};
  const std::function<void(int64_t, int64_t)> meet = [&](int64_t, int64_t) {
    ++inside;
    while (inside % 4 != 0) {
      std::this_thread::yield();
    }
  };
  parallel_for(0, 4, 1, meet);  // starts threads
  const int64_t before = testing::allocations();
  for (int i = 0; i < 200; ++i) {
    parallel_for(0, 4, 1, meet);
  }
  EXPECT_EQ(testing::allocations(), before) << "also when workers have taken many jobs from the list";
}

TEST(Workspace, TensorsThatNeverMeetShareBytes) {
  const auto placed = [](std::vector<Lifetime> lifetimes) { return place(lifetimes); };
  WorkspaceLayout chain = placed({{0, 1, 300}, {1, 2, 300}, {2, 3, 300}, {3, 4, 300}});
  EXPECT_EQ(chain.offsets, (std::vector<int64_t>{0, 512, 0, 512}));
  EXPECT_EQ(chain.bytes, 1024);
  WorkspaceLayout apart = placed({{0, 3, 256}, {1, 2, 1}, {0, 0, 5000}});
  EXPECT_EQ(apart.bytes, 5120 + 256);
  EXPECT_EQ(apart.offsets, (std::vector<int64_t>{5120, 0, 0}));
  EXPECT_EQ(placed({}).bytes, 0);
}

TEST(Workspace, AGapIsFilled) {
  // The large ones are alive at different times, so one of 256 bytes fits between them and the middle one.
  const std::vector<Lifetime> lifetimes = {{0, 5, 1024}, {0, 1, 512}, {3, 5, 768}, {0, 1, 256}};
  const WorkspaceLayout layout = place(lifetimes);
  EXPECT_EQ(layout.bytes, 1024 + 768);
  for (size_t a = 0; a < lifetimes.size(); ++a) {
    for (size_t b = 0; b < a; ++b) {
      const bool together = lifetimes[a].first <= lifetimes[b].last && lifetimes[b].first <= lifetimes[a].last;
      const bool disjoint = layout.offsets[a] + lifetimes[a].bytes <= layout.offsets[b] ||
                            layout.offsets[b] + lifetimes[b].bytes <= layout.offsets[a];
      EXPECT_TRUE(disjoint || !together) << a << " and " << b;
    }
  }
}

TEST(Workspace, TensorsOfNothingGetNoAddress) {
  Plan plan;
  plan.inputs = 1;
  OutputSpec handed{};
  handed.dtype = DataType::Float;
  handed.workspace = true;
  plan.outputs = {OutputSpec{}, handed};
  KernelStep step;
  step.patches = {{Patch::Kind::pointer, 0, 0}, {Patch::Kind::pointer, 8, 1}, {Patch::Kind::pointer, 16, 2}};
  plan.steps = {step};
  place_workspace(plan);
  ASSERT_EQ(plan.outputs.size(), 1) << "the fusion's";
  ASSERT_EQ(plan.steps[0].patches.size(), 2) << "no patch reads an address behind the last buffer";
  EXPECT_EQ(plan.steps[0].patches[1].buffer, 1);
}

}  // namespace
}  // namespace nvfuser
