// SPDX-License-Identifier: Apache-2.0
// Rows that start anywhere relative to aligned elements: shifted, so that their vectors are aligned; the first and the
// last of a row are masked.  In place, so that what is read and what is written start alike.
#include "../fuzz/emulated_run.h"
#include "nvfuser/schedule/schedule.h"
#include "schedule_cases.h"

namespace nvfuser {
namespace {

using Stride = Layout::Stride;

/// x[m, n] = relu(x + y + b), x and y with rows `step` apart.
struct RowsCase : KernelCase {
  RowsCase(int64_t m, int64_t n, int64_t step, bool bias = true) {
    TensorView* x = input({m, n});
    TensorView* sum = binary(PointwiseOp::add, x, input({m, n}));
    output(unary(PointwiseOp::relu, bias ? binary(PointwiseOp::add, sum, broadcast(input({n}), {true, false})) : sum));
    layouts[0].strides = layouts[1].strides = {Stride::free, Stride::dense};
    output_layouts = {layouts[0]};
    for (const char* name : {"in0_s0", "in1_s0", "out0_s0"}) {
      strides[name] = step;
    }
  }
};

SizeValues values_of(const KernelCase& test, const Kernel& kernel) {
  const std::map<std::string, int64_t> sizes = test.sizes(kernel);
  return {sizes.begin(), sizes.end()};
}

Alignments aligned(const Kernel& kernel, int64_t bytes = 16) {
  return {std::vector<int64_t>(kernel.inputs.size(), bytes), std::vector<int64_t>(kernel.outputs.size(), bytes)};
}

Program peeled(const KernelCase& test, const Params& params, bool in_place = true) {
  const std::shared_ptr<Kernel> kernel = test.kernel();
  apply(*kernel, params);
  const Facts facts = derive_facts(*kernel, values_of(test, *kernel), aligned(*kernel));
  std::vector<std::pair<int, int>> aliases;
  if (in_place) {
    aliases = {{0, 0}};
  }
  return lower({kernel, "k", Target::gpu, facts, 0, aliases});
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(Peel, Text) {
  const RowsCase test(5, 13, 15, false);
  const Program program = peeled(test, {.threads = 32, .vector = 4, .peel = true});
  EXPECT_EQ(program.facts.text(), "in1_s0=in0_s0, out0_s0=in0_s0, in0@16, in1@16, out0@16; narrow");
  const std::string text = to_string(program);
  // Row and vector of a thread; the last element before the vector that is aligned.
  const std::string row = "((tx + bx*32) / ((i1 + 6) / 4))", vector = "((tx + bx*32) % ((i1 + 6) / 4))*4";
  const std::string at = vector + " + ((in0_s0*" + row + ") / 4)*4", column = "-in0_s0*" + row + " + " + at;
  EXPECT_TRUE(contains(text, "  if tx + bx*32 < i0*((i1 + 6) / 4) && " + column + " < i1\n")) << text;
  const std::string inside = ", in columns " + column + " of i1\n";
  EXPECT_TRUE(contains(text, "T0[0] = move<4> in0[" + at + "]" + inside)) << text;
  EXPECT_TRUE(contains(text, "out0[" + at + "] = move<4> T3[0]" + inside)) << text;
  EXPECT_FALSE(contains(text, "else")) << "one text for whole vectors and ends\n" << text;
  EXPECT_EQ(text.find("if "), text.rfind("if ")) << "values are computed in all lanes\n" << text;
}

TEST(Peel, ChosenWhereRowsStartAlike) {
  const auto problem = [](const KernelCase& test, int64_t bytes = 16) {
    const std::shared_ptr<Kernel> kernel = test.kernel();
    return summarize(*kernel, values_of(test, *kernel), aligned(*kernel, bytes));
  };
  const RowsCase odd(4096, 4097, 4099), even(4096, 4096, 4100);
  EXPECT_EQ(problem(odd).peel, 4);
  EXPECT_EQ(problem(odd, 8).peel, 2) << "buffers are aligned to 8 bytes";
  EXPECT_EQ(problem(even).peel, 0) << "every row starts aligned";
  RowsCase apart(4096, 4097, 4099);
  apart.strides["in1_s0"] = 4101;
  EXPECT_EQ(problem(apart).peel, 0);
  const auto first = [&](const KernelCase& test) { return choose(problem(test), known_device("H200"))[0].params; };
  EXPECT_TRUE(first(odd).peel) << first(odd).text();
  EXPECT_FALSE(first(RowsCase(1 << 20, 5, 7)).peel) << "rows shorter than two vectors";
  EXPECT_FALSE(first(apart).peel);
}

TEST(Peel, RunsAtEveryStart) {
  std::vector<std::unique_ptr<KernelCase>> cases;
  std::vector<Program> programs;
  const std::vector<Params> all = {{.threads = 32, .vector = 4, .peel = true},
                                   {.threads = 32, .batch = 2, .vector = 8, .peel = true}};
  for (const auto& [m, n] :
       std::vector<std::pair<int64_t, int64_t>>{{1, 1}, {9, 1}, {9, 2}, {5, 3}, {8, 13}, {9, 37}}) {
    for (int64_t gap : {0, 1, 2, 3, 5}) {
      cases.push_back(std::make_unique<RowsCase>(m, n, n + gap));
      for (const Params& params : all) {
        programs.push_back(peeled(*cases.back(), params));
        EXPECT_EQ(run_program(*cases.back(), programs.back()), "") << to_string(programs.back());
      }
    }
  }
  const std::vector<std::string> problems =
      run_in_emulator(programs, [&](size_t k) -> const KernelCase& { return *cases[k / all.size()]; });
  for (size_t k = 0; k < programs.size(); ++k) {
    EXPECT_EQ(problems[k], "") << to_string(programs[k]);
  }
}

}  // namespace
}  // namespace nvfuser
