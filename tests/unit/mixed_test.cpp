// SPDX-License-Identifier: Apache-2.0
// Rows that are reduced along them and across them in one kernel, under forced schedules: rows side by side and at
// once, whole and broken turns, shares without rows, statistics of rows before and behind the sums of columns; against
// the evaluator.
#include <gtest/gtest.h>

#include "error_message.h"
#include "forced_sweep.h"
#include "nvfuser/ops/reduce.h"

namespace nvfuser {
namespace {

using Make = std::function<void(KernelCase&, TensorView*)>;

Val* op(PointwiseOp p, Val* a, Val* b) { return pointwise(p, {a, b}); }
TensorView* tensor(Val* v) { return static_cast<TensorView*>(v); }
Val* row(TensorView* columns) { return broadcast(columns, {true, false}); }
Val* column(TensorView* rows) { return broadcast(rows, {false, true}); }

/// Nothing of all points is stored.
void sums(KernelCase& c, TensorView* x) {
  c.output(sum(x, {{1}}));
  c.output(sum(x, {{0}}));
}
/// dx, and gradients of a weight and a bias.
void layer_norm_backward(KernelCase& c, TensorView* x) {
  const Sizes n = c.input_sizes[0];
  TensorView *g = c.input(n), *mean = c.input({n[0]}), *w = c.input({n[1]});
  Val* h = op(PointwiseOp::mul, op(PointwiseOp::sub, x, column(mean)), make_constant(*c.fusion, .5));
  Val* gw = op(PointwiseOp::mul, g, row(w));
  Val* both = op(PointwiseOp::add, column(sum(tensor(gw), {{1}})),
                 op(PointwiseOp::mul, h, column(sum(tensor(op(PointwiseOp::mul, gw, h)), {{1}}))));
  c.output(op(PointwiseOp::sub, gw, op(PointwiseOp::mul, both, make_constant(*c.fusion, .125))));
  c.output(sum(tensor(op(PointwiseOp::mul, g, h)), {{0}}));
  c.output(op(PointwiseOp::mul, sum(g, {{0}}), make_constant(*c.fusion, 2.0)));
}
/// Statistics come first, and columns are reduced of what they make; something of columns and rows is stored too.
void behind_statistics(KernelCase& c, TensorView* x) {
  TensorView* w = c.input({c.input_sizes[0][1]});
  TensorView* most = max(x, {{1}});
  Val* h = op(PointwiseOp::mul, op(PointwiseOp::sub, x, column(most)), row(w));
  c.output(most);
  c.output(op(PointwiseOp::add, max(tensor(h), {{0}}), w));
  c.output(sum(tensor(h), {{0}}));
}
void places(KernelCase& c, TensorView* x) {
  c.output(argmin(x, {{0}}));
  c.output(argmax(x, {{1}}));
}
void moments(KernelCase& c, TensorView* x) {
  const WelfordResult w = welford(x, {0});
  c.output(w.average);
  c.output(w.squares);
  c.output(op(PointwiseOp::sub, x, column(max(x, {{1}}))));
}

struct Program {
  std::string name;
  Make make;
  double tolerance;  ///< inputs are multiples of 1/8, so most sums are exact
};
const std::vector<Program>& programs() {
  static const std::vector<Program> table = {
      {"sums", sums, 0},
      {"layer norm backward", layer_norm_backward, 1e-5},
      {"behind statistics", behind_statistics, 0},
      {"places", places, 0},
      {"moments", moments, 1e-5},
  };
  return table;
}

/// One for the rows, one that combines the states of columns.
void expect_two_kernels(const ForcedSweep& sweep) {
  for (const auto& run : sweep.runs) {
    EXPECT_EQ(run->programs().size(), 2u);
  }
}

Params turns(int threads, int batch, int vector, int rows, int unroll, int grid) {
  return {.family = Family::mixed,
          .threads = threads,
          .batch = batch,
          .vector = vector,
          .home = Home::registers,
          .rows = rows,
          .unroll = unroll,
          .grid = grid,
          .finish = GridFinish::dependent};
}

/// The same, the rows of a block dealt so that all start at one place.
Params peeled(Params params) {
  params.peel = true;
  return params;
}

TEST(Mixed, Blocks) {
  ForcedSweep sweep;
  for (const Program& what : programs()) {
    sweep.add(what, {13, 256}, turns(64, 1, 4, 1, 1, 4), true);
    sweep.add(what, {12, 200}, turns(32, 2, 4, 1, 2, 3), true);
    sweep.add(what, {33, 37}, turns(64, 2, 1, 2, 1, 3), true);
    sweep.add(what, {50, 24}, turns(64, 1, 4, 8, 2, 2), true);
    sweep.add(what, {3, 500}, turns(128, 4, 1, 1, 2, 4), true);  // shares without rows
    sweep.add(what, {1, 7}, turns(32, 1, 1, 4, 1, 1), true);
    sweep.add(what, {13, 253}, peeled(turns(64, 1, 4, 1, 1, 4)), true);
    sweep.add(what, {47, 199}, peeled(turns(32, 2, 4, 1, 2, 8)), true);
    sweep.add(what, {70, 38}, peeled(turns(64, 1, 4, 4, 1, 4)), true);
    sweep.add(what, {50, 23}, peeled(turns(64, 1, 4, 8, 2, 4)), true);
    sweep.add(what, {3, 501}, peeled(turns(128, 1, 4, 1, 1, 4)), true);
    sweep.add(what, {1, 7}, peeled(turns(32, 1, 4, 4, 1, 4)), true);
  }
  expect_two_kernels(sweep);
  sweep.expect_right_and_stable(Way::emulator);
}

/// The same, so many rows' own values loaded before the first turn.
Params holding(Params params, int values) {
  params.values = values;
  return params;
}

/// Values of a row alone are tested by turns, which leaves no lane of the row undefined.
TEST(Mixed, BlocksTestNoLaneOfRowsThatStartAtOnePlace) {
  for (const int unroll : {1, 2}) {
    auto test = std::make_shared<KernelCase>();
    layer_norm_backward(*test, test->input({71, 253}));
    const std::string text =
        to_string(ForcedRun(test, peeled(turns(128, 1, 4, 2, unroll, 4)), true, "k").programs()[0]);
    EXPECT_TRUE(contains(text, "< i0")) << "rows of the last turn are not there\n" << text;
    EXPECT_FALSE(contains(text, ">= 0")) << text;
  }
}

/// The same, rows shared by the blocks of a cluster.
Params cluster(Params params, int blocks) {
  params.cluster = blocks;
  return params;
}

/// The same, by a ring.
Params ring(Params params, int stages) {
  params.home = Home::shared;
  params.stages = stages;
  return params;
}

/// Values of a row alone are in shared memory before a block's first turn: of all its rows, some of which there are
/// not.
void add_holders(ForcedSweep& sweep) {
  const Program& what = programs()[1];
  sweep.add(what, {13, 256}, holding(turns(64, 1, 4, 1, 1, 4), 4), true);
  sweep.add(what, {12, 200}, holding(turns(32, 2, 4, 1, 2, 3), 32), true);
  sweep.add(what, {33, 37}, holding(turns(64, 2, 1, 2, 1, 3), 64), true);
  sweep.add(what, {250, 24}, holding(turns(64, 1, 4, 8, 2, 2), 128), true);  // 125 rows a block, more than threads
  sweep.add(what, {3, 500}, holding(turns(128, 4, 1, 1, 2, 4), 2), true);    // shares without rows
  sweep.add(what, {47, 199}, holding(peeled(turns(32, 2, 4, 1, 2, 8)), 8), true);
  sweep.add(what, {50, 23}, holding(peeled(turns(64, 1, 4, 8, 2, 4)), 32), true);
  sweep.add(what, {22, 200}, holding(ring(turns(32, 2, 4, 1, 2, 3), 3), 16), true);
  sweep.add(what, {36, 128}, holding(ring(turns(128, 1, 4, 2, 2, 2), 3), 64), true);
}

/// The same, what several passes read computed once.
Params keeping(Params params) {
  params.hold = true;
  return params;
}

TEST(Mixed, BlocksWithRingsClustersAndHeldRowValues) {
  ForcedSweep sweep;
  for (const Program& what : programs()) {
    sweep.add(what, {13, 200}, keeping(turns(32, 2, 4, 1, 2, 3)), true);
    sweep.add(what, {50, 23}, keeping(peeled(turns(64, 1, 4, 8, 2, 4))), true);
    sweep.add(what, {49, 199}, keeping(ring(peeled(turns(64, 2, 4, 2, 2, 4)), 3)), true);
    sweep.add(what, {41, 701}, keeping(ring(peeled(cluster(turns(96, 2, 4, 1, 2, 4), 4)), 2)), true);
    sweep.add(what, {13, 256}, ring(turns(64, 1, 4, 1, 1, 4), 2), true);
    sweep.add(what, {22, 200}, ring(turns(32, 2, 4, 1, 2, 3), 3), true);
    sweep.add(what, {16, 64}, ring(turns(32, 1, 4, 2, 1, 2), 2), true);
    sweep.add(what, {36, 128}, ring(turns(128, 1, 4, 2, 2, 2), 3), true);
    sweep.add(what, {4, 512}, ring(turns(128, 1, 4, 1, 2, 5), 2), true);  // shares without rows
    sweep.add(what, {23, 200}, ring(turns(32, 2, 4, 1, 2, 3), 2), true);  // broken turns
    sweep.add(what, {25, 128}, ring(turns(128, 1, 4, 2, 2, 2), 2), true);
    sweep.add(what, {47, 253}, ring(peeled(turns(64, 1, 4, 1, 1, 4)), 2), true);
    sweep.add(what, {49, 199}, ring(peeled(turns(64, 2, 4, 2, 2, 4)), 3), true);
    sweep.add(what, {21, 509}, ring(peeled(cluster(turns(32, 3, 4, 1, 1, 4), 2)), 2), true);
    sweep.add(what, {41, 701}, ring(peeled(cluster(turns(96, 2, 4, 1, 2, 4), 4)), 2), true);
    sweep.add(what, {12, 700}, ring(holding(cluster(turns(32, 2, 4, 1, 2, 3), 4), 4), 2), true);
    sweep.add(what, {13, 512}, cluster(turns(64, 1, 4, 1, 1, 4), 2), true);
    sweep.add(what, {12, 700}, cluster(turns(32, 2, 4, 1, 2, 3), 4), true);
    sweep.add(what, {5, 1001}, cluster(turns(32, 4, 1, 1, 1, 2), 8), true);
    sweep.add(what, {13, 509}, peeled(cluster(turns(64, 1, 4, 1, 1, 4), 2)), true);
    sweep.add(what, {47, 701}, peeled(cluster(turns(96, 2, 4, 1, 2, 8), 4)), true);  // blocks without columns
    sweep.add(what, {3, 1003}, peeled(cluster(turns(64, 1, 4, 1, 2, 4), 4)), true);  // shares without rows
  }
  const size_t holders = sweep.runs.size();
  add_holders(sweep);
  expect_two_kernels(sweep);
  for (const auto& run : sweep.runs) {
    EXPECT_EQ(run->programs()[1].cluster, 1) << "states are combined by blocks alone";
  }
  for (size_t k = holders; k < sweep.runs.size(); ++k) {
    EXPECT_TRUE(contains(to_string(sweep.runs[k]->programs()[0]), "sync"))
        << "no barrier behind the values of rows: " << sweep.titles[k];
  }
  sweep.expect_right_and_stable(Way::emulator);
}

/// Values that the sums along a row and what follows them read are computed once, where registers hold them.
TEST(Mixed, BlocksComputeHeldValuesOnce) {
  const auto differences = [](const Params& params) {
    auto test = std::make_shared<KernelCase>();
    layer_norm_backward(*test, test->input({13, 253}));
    const std::string text = to_string(ForcedRun(test, params, true, "k").programs()[0]);
    int found = 0;
    for (size_t at = text.find("sub("); at != std::string::npos; at = text.find("sub(", at + 1)) {
      ++found;
    }
    return found;
  };
  const Params params = peeled(turns(64, 1, 4, 1, 1, 4));
  EXPECT_EQ(differences(params), 3);
  EXPECT_EQ(differences(keeping(params)), 2) << "x - mean, and what is stored";
}

/// Whether a row is there is asked around its vectors, though weights stand among what is computed of it.
TEST(Mixed, BlocksAskOnceForARow) {
  auto test = std::make_shared<KernelCase>();
  layer_norm_backward(*test, test->input({71, 256}));
  const std::string text = to_string(ForcedRun(test, turns(128, 1, 4, 2, 1, 4), true, "k").programs()[0]);
  for (size_t at = text.find("< i0"); at != std::string::npos; at = text.find("< i0", at + 1)) {
    const size_t line = text.rfind('\n', at) + 1;
    EXPECT_LE(text.find_first_not_of(' ', line) - line, 6u) << text;
  }
}

/// Where turns are of whole numbers of rows a block counts its own, and no statement of a turn is tested.
TEST(Mixed, BlocksCountWholeTurns) {
  const auto text = [](const Sizes& sizes) {
    auto test = std::make_shared<KernelCase>();
    sums(*test, test->input(sizes));
    return to_string(ForcedRun(test, turns(64, 1, 4, 1, 2, 3), true, "k").programs()[0]);
  };
  EXPECT_TRUE(contains(text({22, 256}), ", at most ")) << text({22, 256});
  EXPECT_FALSE(contains(text({22, 256}), "< i0")) << text({22, 256});
  EXPECT_TRUE(contains(text({23, 256}), "< i0")) << "a row of the last turn is not there";
}

/// The states of a column are combined by threads that take equally many.
TEST(Mixed, StatesAreSharedEqually) {
  for (const auto& [grid, threads] : {std::pair{264, 44}, {132, 44}, {36, 36}, {67, 32}}) {
    auto test = std::make_shared<KernelCase>();
    sums(*test, test->input({600, 256}));
    EXPECT_EQ(ForcedRun(test, turns(64, 1, 4, 1, 1, grid), true, "k").programs()[1].block[1], threads) << grid;
  }
}

/// Why there is no such kernel.
std::string refusal(const Make& make, const Sizes& sizes, const Params& params) {
  auto test = std::make_shared<KernelCase>();
  make(*test, test->input(sizes));
  return message_of(ErrorKind::schedule, [&] { ForcedRun(test, params, true, "k"); });
}

TEST(Mixed, RefusesWhatIsNotMixed) {
  const Params params = turns(32, 1, 4, 1, 1, 2);
  const auto along = [](KernelCase& c, TensorView* x) { c.output(sum(x, {{1}})); };
  EXPECT_TRUE(contains(refusal(along, {8, 64}, params), "along rows and across them"));
  const auto all = [](KernelCase& c, TensorView* x) {
    c.output(sum(x, {{0}}));
    c.output(sum(x, {{0, 1}}));
  };
  EXPECT_TRUE(contains(refusal(all, {8, 64}, params), "over different axes"));
  EXPECT_TRUE(contains(refusal(sums, {8, 64}, {.family = Family::rows, .threads = 32}), "over different axes"));
  EXPECT_TRUE(contains(refusal(sums, {8, 256}, params), "preconditions")) << "more columns than a block holds";
  EXPECT_TRUE(
      contains(refusal(sums, {8, 64}, cluster(turns(32, 1, 4, 2, 1, 2), 2)), "a cluster of 2 blocks of 2 teams"));
  EXPECT_TRUE(contains(refusal(layer_norm_backward, {9, 64}, holding(turns(32, 1, 4, 1, 1, 2), 4)), "preconditions"))
      << "more rows than a block holds values of";
  EXPECT_TRUE(contains(refusal(sums, {9, 63}, ring(turns(32, 1, 4, 1, 2, 2), 2)), "multiples of 16 bytes"));
}

TEST(Mixed, IsChosenWhereABlockHoldsRows) {
  const auto chosen = [](const Sizes& sizes, const char* device) {
    KernelCase test;
    layer_norm_backward(test, test.input(sizes));
    const std::shared_ptr<Kernel> kernel = test.kernel();
    const std::map<std::string, int64_t> values = test.sizes(*kernel);
    const Alignments aligned{std::vector<int64_t>(kernel->inputs.size(), 16),
                             std::vector<int64_t>(kernel->outputs.size(), 16)};
    const Problem problem = summarize(*kernel, SizeValues(values.begin(), values.end()), aligned);
    EXPECT_TRUE(problem.mixed);
    EXPECT_EQ(problem.across, 2);
    EXPECT_EQ(problem.sums, 2);
    return choose(problem, known_device(device));
  };
  for (const char* device : {"H200", "A100", "CPU"}) {
    for (const Sizes& sizes : {Sizes{1, 5}, Sizes{300, 33}, Sizes{16384, 4096}, Sizes{65536, 512}}) {
      const std::vector<Candidate> found = chosen(sizes, device);
      ASSERT_FALSE(found.empty()) << device << " " << sizes[0] << "x" << sizes[1];
      EXPECT_TRUE(found[0].params.family == Family::mixed || found[0].params.family == Family::cpu_mixed);
    }
    EXPECT_TRUE(chosen({64, 1 << 20}, device).empty()) << "two kernels: no block holds such rows";
  }
  for (const Sizes& sizes : {Sizes{16384, 4097}, Sizes{9070, 7001}}) {
    const Params params = chosen(sizes, "H200").front().params;
    EXPECT_TRUE(params.peel && params.vector == 4) << params.text();
    EXPECT_EQ(params.grid % 4, 0) << "a block's rows start at one place";
  }
}

TEST(Mixed, Tasks) {
  ForcedSweep sweep;
  for (const Program& what : programs()) {
    const auto pieces = [](int64_t lanes, int chunks, int64_t rows) {
      return Params{.family = Family::cpu_mixed, .threads = 1, .batch = chunks, .task = lanes, .piece = rows};
    };
    sweep.add(what, {40, 70}, pieces(32, 4, 16), false);
    sweep.add(what, {7, 512}, pieces(512, 1, 2), false);
    sweep.add(what, {129, 33}, pieces(64, 1, 32), false);
    sweep.add(what, {1, 5}, pieces(16, 1, 16), false);
  }
  expect_two_kernels(sweep);
  sweep.expect_right_and_stable(Way::host);
}

}  // namespace
}  // namespace nvfuser
