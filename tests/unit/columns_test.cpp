// SPDX-License-Identifier: Apache-2.0
// The column families: what choose reads of a kernel that keeps its innermost axis, what it decides, loops and text of
// the schedules, refusals.
#include "error_message.h"
#include "nvfuser/codegen/printer.h"
#include "nvfuser/ops/reduce.h"
#include "nvfuser/schedule/estimate.h"
#include "schedule_cases.h"

namespace nvfuser {
namespace {

/// sum(x[...] * 2, axes); with `beside` also x * 2 - sum.
struct SumCase : KernelCase {
  SumCase(const Sizes& sizes, const std::vector<int64_t>& axes, bool beside = false, DataType dtype = DataType::Float) {
    TensorView* x = input(sizes, dtype);
    TensorView* y = binary(PointwiseOp::add, x, x);
    TensorView* total = sum(y, axes);
    output(total);
    if (beside) {
      std::vector<bool> added(sizes.size(), false);
      for (int64_t axis : axes) {
        added[axis] = true;
      }
      output(binary(PointwiseOp::sub, y, broadcast(total, added)));
    }
  }
};

/// x * 2, and its sum.
struct StoredCase : KernelCase {
  explicit StoredCase(const Sizes& sizes) {
    TensorView* x = input(sizes);
    TensorView* y = binary(PointwiseOp::add, x, x);
    output(y);
    output(sum(y, {{0}}));
  }
};

SizeValues values_of(const KernelCase& test, const Kernel& kernel) {
  const std::map<std::string, int64_t> sizes = test.sizes(kernel);
  return {sizes.begin(), sizes.end()};
}

Alignments aligned(const Kernel& kernel) {
  return {std::vector<int64_t>(kernel.inputs.size(), 16), std::vector<int64_t>(kernel.outputs.size(), 16)};
}

Problem problem_of(const KernelCase& test) {
  const std::shared_ptr<Kernel> kernel = test.kernel();
  return summarize(*kernel, values_of(test, *kernel), aligned(*kernel));
}

Params chosen(const KernelCase& test, const char* device) {
  return choose(problem_of(test), known_device(device))[0].params;
}

std::string loops_text(const Reference& reference) {
  std::string text;
  for (const Id* loop : reference.loops) {
    text += (text.empty() ? "" : ", ") + to_string(loop->extent) + " " + std::string(name_of(loop->parallel));
  }
  return text;
}

TEST(Columns, ProblemSaysWhereTheReducedAxesLie) {
  Problem p = problem_of(SumCase({6, 5, 16}, {0}));
  EXPECT_TRUE(p.outer);
  EXPECT_EQ(p.rows, 80);
  EXPECT_EQ(p.columns, 6);
  EXPECT_EQ(p.piece, 80);
  EXPECT_EQ(p.run, 80);
  EXPECT_EQ(p.sums, 1);
  EXPECT_EQ(p.passes, 1);
  EXPECT_EQ(p.buffers[0].max_vector, 4) << "16 bytes";
  p = problem_of(SumCase({6, 5, 16}, {1}, true));
  EXPECT_TRUE(p.outer);
  EXPECT_EQ(p.rows, 96);
  EXPECT_EQ(p.piece, 16) << "the columns of the first axis lie elsewhere";
  EXPECT_EQ(p.passes, 2);
  p = problem_of(SumCase({6, 5, 7}, {1}));
  EXPECT_EQ(p.buffers[0].max_vector, 1) << "vectors would cross to the next row";
  EXPECT_FALSE(problem_of(SumCase({6, 5, 16}, {2})).outer);
  EXPECT_FALSE(problem_of(SumCase({6, 5, 16}, {0, 2})).outer);
  EXPECT_FALSE(problem_of(SumCase({6, 5, 16}, {0, 1, 2})).outer);
}

TEST(Columns, Choices) {
  EXPECT_EQ(chosen(SumCase({16384, 8192}, {0}), "H200").family, Family::columns);
  EXPECT_EQ(chosen(SumCase({16384, 8192}, {0}), "H200").home, Home::reload);
  EXPECT_TRUE(chosen(SumCase({16384, 8192}, {0}), "H200").stream) << "nothing is read twice";
  EXPECT_FALSE(chosen(SumCase({16384, 8192}, {0}, true), "H200").stream) << "results of that size are written";
  EXPECT_EQ(chosen(SumCase({65536, 1024}, {0}), "H200").finish, GridFinish::dependent);
  EXPECT_GE(chosen(SumCase({65536, 1024}, {0}), "H200").blocks * 1024 / (32 * 4), 132) << "every SM has a block";
  EXPECT_EQ(chosen(SumCase({65536, 1024}, {0}), "A100").finish, GridFinish::second);
  EXPECT_EQ(chosen(SumCase({64, 1 << 20}, {0}), "H200").blocks, 1) << "strips are enough";
  EXPECT_EQ(chosen(SumCase({60, 8192}, {0}, true), "H200").home, Home::registers);
  EXPECT_EQ(chosen(SumCase({16384, 8191}, {0}), "H200").vector, 4) << "inputs are read from anywhere";
  EXPECT_EQ(chosen(SumCase({16384, 8191}, {0}, true), "H200").vector, 1) << "a result of that size is not written so";
  EXPECT_EQ(chosen(SumCase({16384, 8192}, {1}), "H200").family, Family::rows);
  EXPECT_EQ(chosen(SumCase({16384, 8192}, {0, 1}), "H200").family, Family::rows);
  EXPECT_EQ(chosen(SumCase({1 << 20, 4}, {0}), "H200").lanes, 1) << "a thread for the whole row";
  EXPECT_EQ(chosen(SumCase({8192, 4096}, {0}), "CPU").family, Family::cpu_columns);
  EXPECT_EQ(chosen(SumCase({8192, 4096}, {0}), "CPU").runs, 0) << "a wider type takes them all";
  EXPECT_EQ(chosen(SumCase({8192, 4096}, {0}), "CPU").unroll, 8);
  EXPECT_EQ(chosen(SumCase({8190, 4096}, {0}), "CPU").unroll, 2);
  EXPECT_EQ(chosen(SumCase({8192, 4096}, {0}), "CPU").piece, 0) << "strips are enough";
  EXPECT_EQ(chosen(SumCase({1 << 20, 32}, {0}), "CPU").piece, 1 << 14);
  EXPECT_EQ(chosen(SumCase({8192, 3}, {0}), "CPU").family, Family::cpu_rows) << "three columns are no lanes";
}

TEST(Columns, RowsThatStartAtOnePlaceAreDealtToABlock) {
  for (const Sizes& sizes : {Sizes{16384, 8191}, Sizes{65536, 547}, Sizes{1024, 40033}, Sizes{1024, 40034}}) {
    const Params params = chosen(StoredCase(sizes), "H200");
    EXPECT_TRUE(params.peel) << params.text();
    EXPECT_EQ(params.vector, 4);
    EXPECT_EQ(params.blocks % 4, 0) << params.text();
  }
  EXPECT_FALSE(chosen(StoredCase({16384, 8192}), "H200").peel) << "all rows start aligned";
  EXPECT_FALSE(chosen(StoredCase({64, 129, 127}), "H200").peel) << "columns of two axes";
  std::shared_ptr<Kernel> kernel = StoredCase({64, 31}).kernel();
  Params params{.family = Family::columns, .threads = 64, .batch = 2, .vector = 4, .lanes = 8, .peel = true};
  params.blocks = 8;
  apply(*kernel, params);
  EXPECT_EQ(
      loops_text(kernel->main()),
      "(i1 + 34) / 32 grid_x, 8 block_x, 8 grid_y, 8 block_y, (((((i0 + 3) / 4) + 15) / 16) + 1) / 2 serial, 2 unroll, "
      "1 unswitch, 4 vectorize");
  EXPECT_EQ(to_string(kernel->workspaces.at(0)->allocation->dims.at(0).stride), "((i1 + 7) / 8)*8")
      << "states begin at whole vectors";
  const auto refusal = [](const Sizes& sizes, const Params& asked) {
    return message_of(ErrorKind::schedule, [&] { apply(*StoredCase(sizes).kernel(), asked); });
  };
  params.blocks = 6;
  EXPECT_NE(refusal({64, 31}, params).find("vectors of 4 do not divide"), std::string::npos);
  params.blocks = 1;
  EXPECT_NE(refusal({64, 31}, params).find("start at several places"), std::string::npos);
  params.blocks = 8;
  EXPECT_NE(refusal({64, 5, 31}, params).find("rows of several axes"), std::string::npos);
}

TEST(Columns, ListsAreShortAndEndWithAWayThatCannotFail) {
  for (const char* device : {"H200", "A100", "CPU"}) {
    for (const Sizes& sizes : std::vector<Sizes>{{1, 1}, {5, 1 << 20}, {1 << 20, 5}, {64, 64}, {4097, 4097}, {0, 9}}) {
      const std::vector<Candidate> list = choose(problem_of(SumCase(sizes, {0}, true)), known_device(device));
      EXPECT_LE(list.size(), 48u);
      EXPECT_EQ(list.back().params.vector, 1);
      EXPECT_EQ(list.back().params.home, Home::reload);
      for (const Candidate& c : list) {
        EXPECT_TRUE(std::isfinite(c.microseconds)) << c.params.text();
        EXPECT_LE(c.params.threads, 1024);
        for (int n : {c.params.threads, c.params.batch, c.params.vector}) {
          EXPECT_EQ(n & (n - 1), 0) << c.params.text();
        }
      }
    }
  }
}

TEST(Columns, Loops) {
  const Params walked{.family = Family::columns, .threads = 256, .batch = 4, .vector = 4, .lanes = 32};
  std::shared_ptr<Kernel> kernel = SumCase({6, 5, 16}, {1}).kernel();
  apply(*kernel, walked);
  EXPECT_EQ(loops_text(kernel->main()),
            "(i0*i2 + 127) / 128 grid_x, 32 block_x, 8 block_y, (i1 + 31) / 32 serial, 4 unroll, 1 unswitch, "
            "4 vectorize");
  Params held = walked;
  held.home = Home::registers;
  held.vector = 1;
  kernel = SumCase({6, 5, 16}, {0, 1}).kernel();
  apply(*kernel, held);
  EXPECT_EQ(loops_text(kernel->main()), "(i2 + 31) / 32 grid_x, 32 block_x, 8 block_y, 1 serial, 4 unroll");
  ASSERT_EQ(kernel->main().fits.size(), 1u);
  EXPECT_EQ(to_string(kernel->main().fits[0].extent), "i0*i1");
  kernel = SumCase({6, 5, 16}, {1}).kernel();
  apply(*kernel, {.family = Family::cpu_columns, .task = 128});
  EXPECT_EQ(loops_text(kernel->main()), "i0*((i2 + 127) / 128) grid_x, i1 serial, 128 vectorize");
  kernel = SumCase({6, 5, 16}, {0, 1}).kernel();
  Params shared = walked;
  shared.blocks = 6;
  apply(*kernel, shared);
  EXPECT_EQ(loops_text(kernel->main()),
            "(i2 + 127) / 128 grid_x, 32 block_x, 6 grid_y, 8 block_y, (((i0*i1 + 31) / 32) + 5) / 6 serial, 4 unroll, "
            "1 unswitch, 4 vectorize");
  EXPECT_EQ(phase_count(*kernel), 2);
}

std::string body_of(const KernelCase& test, const Params& params, Target target) {
  const std::shared_ptr<Kernel> kernel = test.kernel();
  apply(*kernel, params);
  const Facts facts = derive_facts(*kernel, values_of(test, *kernel), aligned(*kernel));
  return kernel_text(lower({kernel, "k", target, facts, 0, {}})).text;
}

/// Pieces of the text that must stand in this order.
void expect_order(const std::string& text, const std::vector<std::string>& pieces) {
  size_t at = 0;
  for (const std::string& piece : pieces) {
    const size_t found = text.find(piece, at);
    EXPECT_NE(found, std::string::npos) << piece << " is missing or too early in\n" << text;
    at = found == std::string::npos ? at : found + 1;
  }
}

TEST(Columns, Text) {
  const Params walked{.family = Family::columns, .threads = 256, .batch = 4, .vector = 4, .lanes = 32};
  const std::string text = body_of(SumCase({64, 128}, {0}, true), walked, Target::gpu);
  expect_order(text, {"rt::Team<8, 32, false> team0 = {ty, tx}", "rt::Array<rt::Sum<rt::float32>::Tuple, 4>",
                      "rt::begin<", "rt::Array<rt::float32, 16>", "rt::copy<4>", "rt::accumulate<", "rt::join(team0",
                      "rt::result<", "rt::copy<4>(out1"});
  EXPECT_NE(text.find("if (ty == 0)"), std::string::npos) << "one thread stores a column's sum\n" << text;
  const std::string one =
      body_of(SumCase({64, 128}, {0}), {.family = Family::columns, .threads = 32, .batch = 4, .vector = 4, .lanes = 32},
              Target::gpu);
  EXPECT_EQ(one.find("rt::join"), std::string::npos) << "a thread a column has nobody to join\n" << one;
  const std::string host = body_of(SumCase({64, 128}, {0}), {.family = Family::cpu_columns, .task = 64}, Target::cpu);
  expect_order(host, {"rt::Tuples<rt::Sum<rt::float64>, 64>", "rt::begin<", "for (", "#pragma GCC ivdep",
                      "rt::accumulate<", "rt::result<"});
}

TEST(Columns, Refusals) {
  const Params params{.family = Family::columns, .threads = 256, .lanes = 32};
  for (const std::vector<int64_t>& axes : {std::vector<int64_t>{0, 1}, std::vector<int64_t>{}}) {
    const std::shared_ptr<Kernel> kernel = axes.empty() ? BiasCase(8, 8).kernel() : SumCase({8, 8}, axes).kernel();
    EXPECT_NE(
        message_of(ErrorKind::schedule, [&] { apply(*kernel, params); }).find("reduces some axes and keeps others"),
        std::string::npos);
  }
  const std::shared_ptr<Kernel> kernel = SumCase({8, 8}, {0}).kernel();
  EXPECT_NE(
      message_of(ErrorKind::schedule, [&] { apply(*kernel, {.family = Family::columns, .threads = 100, .lanes = 32}); })
          .find("32 lanes of 100 threads"),
      std::string::npos);
}

}  // namespace
}  // namespace nvfuser
