// SPDX-License-Identifier: Apache-2.0
// Rows that several blocks or tasks share: every reduction, values that need the result again, and every way in which
// the shares become one, against the evaluator; equal bits however blocks are ordered and threads are many.
#include <gtest/gtest.h>

#include "forced_sweep.h"
#include "nvfuser/base/options.h"
#include "nvfuser/ops/reduce.h"
#include "nvfuser/ops/result.h"

namespace nvfuser {
namespace {

using Make = std::function<void(KernelCase&, TensorView*)>;

Val* column(TensorView* row) { return broadcast(row, {false, true}); }
Val* op(PointwiseOp p, Val* a, Val* b) { return pointwise(p, {a, b}); }
TensorView* tensor(Val* v) { return static_cast<TensorView*>(v); }
Val* number(KernelCase& c, double x) { return make_constant(*c.fusion, x); }

void soft_max(KernelCase& c, TensorView* x) {
  Val* e = pointwise(PointwiseOp::exp, {op(PointwiseOp::sub, x, column(max(x, {{1}})))});
  c.output(op(PointwiseOp::div, e, column(sum(tensor(e), {{1}}))));
}
void layer_norm(KernelCase& c, TensorView* x) {
  const VarMean m = var_mean(x, {1}, 0);
  TensorView* weight = c.input({c.input_sizes[0][1]});
  Val* scale = pointwise(PointwiseOp::rsqrt, {op(PointwiseOp::add, m.var, number(c, 1e-5))});
  Val* y = op(PointwiseOp::mul, op(PointwiseOp::sub, x, column(m.mean)), column(tensor(scale)));
  c.output(op(PointwiseOp::mul, y, broadcast(weight, {true, false})));
  c.output(m.mean);
}
/// A mean, then the mean of squared distances from it, as sums.
void written_norm(KernelCase& c, TensorView* x) {
  Val* count = extents_of(x)[1];
  Val* distance = op(PointwiseOp::sub, x, column(tensor(op(PointwiseOp::truediv, sum(x, {{1}}), count))));
  Val* squares = column(sum(tensor(op(PointwiseOp::mul, distance, distance)), {{1}}));
  Val* scale = pointwise(PointwiseOp::rsqrt, {op(PointwiseOp::truediv, squares, count)});
  c.output(op(PointwiseOp::mul, distance, scale));
}
/// Something is stored in every phase, along the rows and of the rows.
void stores(KernelCase& c, TensorView* x) {
  Val* y = op(PointwiseOp::mul, x, number(c, 3));
  TensorView* total = sum(tensor(y), {{1}});
  c.output(y);
  c.output(total);
  c.output(op(PointwiseOp::add, y, column(total)));
  c.output(max(tensor(op(PointwiseOp::sub, x, column(total))), {{1}}));
}
void all_moments(KernelCase& c, TensorView* x) {
  const WelfordResult w = welford(x, {1});
  c.output(w.average);
  c.output(w.squares);
  c.output(w.count);
}

struct Case {
  std::string name;
  Make make;
  double tolerance;  ///< inputs are multiples of 1/8, so most sums are exact
};
const std::vector<Case>& cases() {
  static const std::vector<Case> table = {
      {"sum", [](KernelCase& c, TensorView* x) { c.output(sum(x, {{1}})); }, 0},
      {"prod", [](KernelCase& c, TensorView* x) { c.output(prod(tensor(pointwise(PointwiseOp::cos, {x})), {{1}})); },
       1e-5},
      {"max", [](KernelCase& c, TensorView* x) { c.output(max(x, {{1}})); }, 0},
      {"min", [](KernelCase& c, TensorView* x) { c.output(min(x, {{1}})); }, 0},
      {"any",
       [](KernelCase& c, TensorView* x) { c.output(any(tensor(op(PointwiseOp::gt, x, number(c, 1.99))), {{1}})); }, 0},
      {"all", [](KernelCase& c, TensorView* x) { c.output(all(tensor(op(PointwiseOp::gt, x, number(c, -3))), {{1}})); },
       0},
      {"argmax", [](KernelCase& c, TensorView* x) { c.output(argmax(x, {{1}})); }, 0},
      {"argmin", [](KernelCase& c, TensorView* x) { c.output(argmin(x, {{1}})); }, 0},
      {"moments", all_moments, 1e-5},
      {"softmax", soft_max, 1e-5},
      {"layer norm", layer_norm, 2e-5},
      {"written norm", written_norm, 2e-5},
      {"stores", stores, 0},
      {"full sum", [](KernelCase& c, TensorView* x) { c.output(sum(x)); }, 0},
  };
  return table;
}

struct Shape {
  int64_t rows, columns;
};

std::shared_ptr<const KernelCase> make_case(const Case& what, const Shape& shape) {
  auto made = std::make_shared<KernelCase>();
  what.make(*made, made->input({shape.rows, shape.columns}));
  return made;
}

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

Params gpu_params(int blocks, GridFinish finish) {
  return {.family = Family::rows, .threads = 64, .batch = 2, .vector = 1, .blocks = blocks, .finish = finish};
}

/// Teams of blocks that hold a row in registers, and take turns.
Params held_params(int blocks, int teams, int vector = 1, bool peel = false) {
  return {.family = Family::rows,
          .threads = 64,
          .batch = 2,
          .vector = vector,
          .peel = peel,
          .home = Home::registers,
          .grid = teams,
          .blocks = blocks,
          .finish = GridFinish::barrier};
}

/// With weights that all rows share.
void rms_norm(KernelCase& c, const Shape& shape) {
  TensorView* x = c.input({shape.rows, shape.columns});
  TensorView* weight = c.input({shape.columns});
  TensorView* mean = tensor(op(PointwiseOp::mul, sum(tensor(op(PointwiseOp::mul, x, x)), {{1}}),
                               number(c, 1.0 / static_cast<double>(shape.columns))));
  Val* y = op(PointwiseOp::mul, x, column(tensor(pointwise(PointwiseOp::rsqrt, {mean}))));
  c.output(op(PointwiseOp::mul, y, broadcast(weight, {true, false})));
}

/// Teams whose next rows come by a ring while what is known of this one travels.
Params ring_params(int blocks, int teams, int stages) {
  return {.family = Family::rows,
          .threads = 64,
          .batch = 2,
          .vector = 4,
          .home = Home::shared,
          .stages = stages,
          .grid = teams,
          .blocks = blocks,
          .finish = GridFinish::barrier};
}

/// Two inputs, of which one is stored again.
void scaled_sum(KernelCase& c, TensorView* x) {
  TensorView* other = c.input(c.input_sizes[0]);
  Val* both = op(PointwiseOp::add, x, other);
  TensorView* norm = sum(tensor(op(PointwiseOp::mul, both, both)), {{1}});
  c.output(both);
  c.output(op(PointwiseOp::mul, both, column(norm)));
  c.output(norm);
}

void add_rings(ForcedSweep& sweep) {
  Params streaming = ring_params(4, 2, 3);
  streaming.form = Form::streaming;
  for (const int64_t rows : {2, 7}) {
    sweep.add(Case{"softmax", soft_max, 1e-5}, {rows, 2048}, streaming, true);
    sweep.add(Case{"layer norm", layer_norm, 2e-5}, {rows, 1536}, ring_params(3, 2, 2), true);
    sweep.add(Case{"scaled sum", scaled_sum, 1e-5}, {rows, 1024}, ring_params(2, 3, 4), true);
  }
  sweep.add(Case{"scaled sum", scaled_sum, 1e-5}, {3, 17408}, ring_params(34, 1, 3), true);
}

TEST(RowShares, TeamsHoldRowsInRegistersOrRings) {
  ForcedSweep sweep;
  for (const Case& what : cases()) {
    sweep.add(what, {5, 500}, what.name == "full sum" ? held_params(20, 1) : held_params(4, 2), true);
    sweep.add(what, {1, 129}, held_params(3, 1), true);
    sweep.add(what, {2, 300}, held_params(20, 3), true);
  }
  Params streaming = held_params(3, 2);
  streaming.form = Form::streaming;
  const Case chains[] = {{"softmax", soft_max, 1e-5}, {"written norm", written_norm, 2e-5}};
  for (const Case& chain : chains) {
    sweep.add(chain, {5, 333}, streaming, true);
  }
  streaming.home = Home::reload;
  streaming.grid = 0;
  for (const GridFinish finish : {GridFinish::second, GridFinish::dependent, GridFinish::barrier}) {
    streaming.finish = finish;
    for (const Case& chain : chains) {
      sweep.add(chain, {3, 1031}, streaming, true);
    }
  }
  for (const Shape& shape : {Shape{5, 2048}, Shape{3, 1031}, Shape{4, 1999}}) {
    auto made = std::make_shared<KernelCase>();
    rms_norm(*made, shape);
    const bool odd = shape.columns % 4 != 0;
    sweep.add("norm", made, held_params(4, 2, 4, odd), 1e-5, true);
    Params second = held_params(2, 0, 4, odd);
    second.home = Home::reload;
    second.finish = GridFinish::dependent;
    sweep.add("norm", made, second, 1e-5, true);
  }
  add_rings(sweep);
  sweep.expect_right_and_stable(Way::emulator);
  sweep.expect_right(2);
}

TEST(RowShares, WhatRowsOfARingNeedTwiceIsRefused) {
  auto made = std::make_shared<KernelCase>();
  soft_max(*made, made->input({5, 2048}));
  try {
    ForcedRun(made, ring_params(4, 2, 3), true, "k");
    FAIL() << "the maximum is told before the sum";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::schedule);
    EXPECT_NE(std::string(error.what()).find("once in each turn"), std::string::npos) << error.what();
  }
}

TEST(RowShares, TeamsReadRowsOnce) {
  auto made = std::make_shared<KernelCase>();
  rms_norm(*made, {3, 1031});
  const ForcedRun run(made, held_params(3, 2, 4, true), true, "norm");
  ASSERT_EQ(run.programs().size(), 1U);
  const std::string text = print_kernel(run.programs()[0]);
  EXPECT_EQ(count(text, ", in0,"), 1U) << text;
  EXPECT_EQ(count(text, "rt::load_unaligned_within<4>("), 1U) << "the weight starts anywhere under a row's vectors";
  EXPECT_EQ(count(text, "rt::grid_sync(semaphores, by, jo * 3 + 3);"), 1U) << text;
  EXPECT_EQ(count(text, "rt::grid_leave(semaphores, by, "), 1U);
}

/// From the run `first` on.
void expect_equal_bits_in_any_order(const ForcedSweep& sweep, size_t first) {
  for (size_t k = first; k < sweep.runs.size(); ++k) {
    const std::vector<char> results = sweep.runs[k]->results();
    for (uint64_t seed = 2; seed <= 100; ++seed) {
      ASSERT_EQ(sweep.runs[k]->results(seed), results) << sweep.titles[k] << ", seed " << seed;
    }
  }
}

TEST(RowShares, AllReductionsByBlocksInAnyOrder) {
  ForcedSweep sweep;
  for (const Case& what : cases()) {
    sweep.add(what, {1, 1031}, gpu_params(8, GridFinish::second), true);
    sweep.add(what, {3, 129}, gpu_params(4, GridFinish::dependent), true);
    sweep.add(what, {2, 31}, gpu_params(2, GridFinish::barrier), true);
    if (what.name != "softmax" && what.name != "layer norm" && what.name != "written norm" && what.name != "stores") {
      sweep.add(what, {7, 4097}, gpu_params(16, GridFinish::last), true);
    }
  }
  const size_t stable = sweep.runs.size();
  const Case moments{"moments", all_moments, 1e-5}, softmax{"softmax", soft_max, 1e-5};
  sweep.add(moments, {2, 555}, gpu_params(4, GridFinish::last), true);
  sweep.add(softmax, {2, 555}, gpu_params(4, GridFinish::second), true);
  sweep.add(softmax, {2, 555}, gpu_params(4, GridFinish::barrier), true);
  sweep.add(softmax, {5, 500}, held_params(4, 2), true);
  sweep.compile(Way::emulator);
  sweep.expect_right(1);
  sweep.expect_right(2);
  expect_equal_bits_in_any_order(sweep, stable);
}

Params cpu_params(int64_t piece) { return {.family = Family::cpu_rows, .threads = 1, .task = 512, .piece = piece}; }

/// From the run `first` on.
void expect_equal_bits_of_any_threads(const ForcedSweep& sweep, size_t first) {
  for (size_t k = first; k < sweep.runs.size(); ++k) {
    const std::vector<char> results = sweep.runs[k]->results();
    for (const char* threads : {"1", "2", "7"}) {
      const ScopedOption many("threads", threads);
      EXPECT_EQ(sweep.runs[k]->results(), results) << sweep.titles[k] << ", threads " << threads;
    }
  }
}

TEST(RowShares, AllReductionsByTasksOfAnyThreads) {
  const std::vector<int64_t> rows = {1, 2, 3, 7}, columns = {1, 31, 4097, 70001};
  ForcedSweep sweep;
  for (size_t k = 0; k < cases().size(); ++k) {
    const Case& what = cases()[k];
    // Every case has a short and a long row, all cases together every shape.
    for (const size_t width : {k % 2, 2 + k / 2 % 2}) {
      sweep.add(what, {rows[(k / 3 + width) % rows.size()], columns[width]}, cpu_params(1 << 12), false);
    }
  }
  sweep.add(cases()[0], {1, 1 << 20}, cpu_params(1 << 16), false);
  sweep.add(Case{"moments", all_moments, 1e-5}, {2, 1 << 20}, cpu_params(1 << 16), false);
  const size_t stable = sweep.runs.size();
  sweep.add(Case{"moments", all_moments, 1e-5}, {3, 70001}, cpu_params(1 << 12), false);
  sweep.add(Case{"softmax", soft_max, 1e-5}, {3, 70001}, cpu_params(1 << 12), false);
  sweep.compile(Way::host);
  sweep.expect_right();
  expect_equal_bits_of_any_threads(sweep, stable);
}

TEST(RowShares, BecomeCubins) {
  std::string why;
  if (!nvrtc_available(&why)) {
    GTEST_SKIP() << why;
  }
  ForcedSweep sweep;
  for (const Case& what : {cases()[0], Case{"softmax", soft_max, 0}}) {
    sweep.add(what, {2, 4096}, gpu_params(4, GridFinish::dependent), true);
    sweep.add(what, {2, 4096}, gpu_params(4, GridFinish::barrier), true);
    sweep.add(what, {2, 4096}, held_params(32, 1), true);
  }
  sweep.add(Case{"moments", all_moments, 0}, {2, 4096}, gpu_params(4, GridFinish::last), true);
  std::vector<const Program*> programs;
  for (const auto& run : sweep.runs) {
    for (const Program& program : run->programs()) {
      programs.push_back(&program);
    }
  }
  const std::string text = print_unit(programs).text;
  for (const int arch : {80, 90}) {
    EXPECT_EQ(compile_cubin(text, arch).substr(0, 4), "\177ELF") << arch;
  }
}

/// The text of a sum's programs.
std::string texts(GridFinish finish) {
  const ForcedRun run(make_case(cases()[0], {3, 1 << 20}), gpu_params(8, finish), true, "sum");
  std::string text;
  for (const Program& program : run.programs()) {
    text += print_kernel(program);
  }
  return text;
}

TEST(RowShares, KernelsSayHowTheyMeet) {
  const std::string second = texts(GridFinish::second), dependent = texts(GridFinish::dependent),
                    last = texts(GridFinish::last), barrier = texts(GridFinish::barrier);
  EXPECT_EQ(count(second, "RT_KERNEL("), 2U) << second;
  EXPECT_EQ(count(second, "rt::state<rt::Sum<rt::float32>, 0>"), 1U);
  EXPECT_EQ(count(second, "rt::merge<rt::Sum<rt::float32>>"), 1U);
  EXPECT_EQ(count(second, "rt::wait_for_previous"), 0U);
  EXPECT_EQ(count(second, "rt::Global<rt::float32> ws0"), 1U) << "written";
  EXPECT_EQ(count(second, "rt::Coherent<const rt::float32> ws0"), 1U) << "read";
  EXPECT_LT(dependent.find("rt::launch_dependents();"), dependent.find("sum_then1"));
  EXPECT_GT(dependent.find("rt::wait_for_previous();"), dependent.find("sum_then1"));
  EXPECT_EQ(count(last, "RT_KERNEL("), 1U) << last;
  EXPECT_EQ(count(last, "if (!rt::last_to_arrive(semaphores, by, 8)) {"), 1U) << last;
  EXPECT_EQ(count(last, "rt::Coherent<rt::float32> ws0"), 1U);
  EXPECT_EQ(count(barrier, "RT_KERNEL("), 1U) << barrier;
  EXPECT_EQ(count(barrier, "rt::grid_sync(semaphores, by, 8);"), 1U) << barrier;
  EXPECT_EQ(count(barrier, "rt::grid_leave(semaphores, by, 16);"), 1U);
}

TEST(RowShares, RefuseWhatCannotMeet) {
  const auto soft_max_case = make_case({"softmax", soft_max, 0}, {3, 4096});
  try {
    ForcedRun(soft_max_case, gpu_params(8, GridFinish::last), true, "k");
    FAIL() << "one block cannot write what many read";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::schedule);
    EXPECT_NE(std::string(error.what()).find("a block can be last once"), std::string::npos) << error.what();
  }
  // 132 blocks are resident where the launch bound is one a multiprocessor; 17 rows of 8 are more.
  const auto many_rows = make_case(cases()[0], {17, 4096});
  try {
    ForcedRun(many_rows, gpu_params(8, GridFinish::barrier), true, "k");
    FAIL() << "blocks that are not resident cannot wait for each other";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::schedule);
    EXPECT_NE(std::string(error.what()).find("preconditions"), std::string::npos) << error.what();
  }
  EXPECT_NO_THROW(ForcedRun(make_case(cases()[0], {16, 4096}), gpu_params(8, GridFinish::barrier), true, "k"));
}

TEST(RowShares, WorkspacesHoldAStateABlock) {
  const ForcedRun run(make_case({"moments", all_moments, 0}, {3, 4096}), gpu_params(8, GridFinish::second), true, "k");
  const Kernel& kernel = *run.programs()[0].kernel;
  ASSERT_EQ(kernel.workspaces.size(), 3U) << "average, squares and count of Welford";
  for (const Tensor* workspace : kernel.workspaces) {
    EXPECT_EQ(workspace->dtype, DataType::Float);
    ASSERT_EQ(workspace->allocation->dims.size(), 2U);
    EXPECT_TRUE(workspace->allocation->dims[1].stride->is(1));
    EXPECT_TRUE(workspace->allocation->dims[0].stride->is(8));
  }
  ASSERT_EQ(run.plan().steps.size(), 2U);
  EXPECT_EQ(run.plan().steps[0].launch.grid, (std::array<int64_t, 3>{8, 3, 1}));
  EXPECT_EQ(run.plan().steps[1].launch.grid, (std::array<int64_t, 3>{1, 3, 1}));
  const std::vector<int>&written = run.plan().steps[0].writes, &read = run.plan().steps[1].reads;
  EXPECT_EQ(written, read) << "states lead from one kernel to the next, nothing else does";
}

}  // namespace
}  // namespace nvfuser
