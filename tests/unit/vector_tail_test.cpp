// SPDX-License-Identifier: Apache-2.0
// Flat kernels whose total is no multiple of the vector: whole vectors where all lanes exist, single elements behind
// them.  Texts, and runs in the interpreter and in the emulator against the evaluator.
#include "../fuzz/emulated_run.h"
#include "nvfuser/schedule/schedule.h"
#include "schedule_cases.h"

namespace nvfuser {
namespace {

SizeValues values_of(const KernelCase& test, const Kernel& kernel) {
  const std::map<std::string, int64_t> sizes = test.sizes(kernel);
  return {sizes.begin(), sizes.end()};
}

Alignments aligned(const Kernel& kernel) {
  return {std::vector<int64_t>(kernel.inputs.size(), 16), std::vector<int64_t>(kernel.outputs.size(), 16)};
}

Program flat(const KernelCase& test, const Params& params, std::vector<std::pair<int, int>> aliases = {}) {
  const std::shared_ptr<Kernel> kernel = test.kernel();
  apply(*kernel, params);
  const Facts facts = derive_facts(*kernel, values_of(test, *kernel), aligned(*kernel));
  return lower({kernel, "k", Target::gpu, facts, 0, std::move(aliases)});
}

struct ReluCase : KernelCase {
  explicit ReluCase(const Sizes& sizes) { output(unary(PointwiseOp::relu, input(sizes))); }
};

/// x[m, n] + c[m, 1]
struct ColumnCase : KernelCase {
  ColumnCase(int64_t m, int64_t n) {
    TensorView* x = input({m, n});
    output(binary(PointwiseOp::add, x, input({m, -1})));
  }
};

TEST(VectorTail, FullThreadsMoveVectors) {
  EXPECT_EQ(to_string(flat(ReluCase({1001}), {.threads = 32, .vector = 4})), R"(gpu k(in0: Float, out0: Float, i0)
  grid (i0 + 127) / 128, 1, 1; block 32, 1, 1
  if tx*4 + bx*128 + 3 < i0
    local T0: Float[4]
    local T1: Float[4]
    T0[0] = move<4> in0[tx*4 + bx*128]
    vectorize for jii2 < 4
      T1[jii2] = relu(T0[jii2])
    out0[tx*4 + bx*128] = move<4> T1[0]
  else
    if tx*4 + bx*128 < i0
      local T0: Float[4]
      local T1: Float[4]
      vectorize for jii < 4
        if tx*4 + bx*128 + jii < i0
          T0[jii] = in0[tx*4 + bx*128 + jii]
      vectorize for jii2 < 4
        if tx*4 + bx*128 + jii2 < i0
          T1[jii2] = relu(T0[jii2])
      vectorize for jii3 < 4
        if tx*4 + bx*128 + jii3 < i0
          out0[tx*4 + bx*128 + jii3] = T1[jii3]
)");
}

TEST(VectorTail, NoCopyWhereTheTotalIsDivisible) {
  const std::string masked = to_string(flat(ReluCase({1004}), {.threads = 32, .vector = 4}));
  EXPECT_EQ(masked, R"(gpu k(in0: Float, out0: Float, i0)
  grid (i0 + 127) / 128, 1, 1; block 32, 1, 1
  local T0: Float[4]
  local T1: Float[4]
  if tx*4 + bx*128 < i0
    T0[0] = move<4> in0[tx*4 + bx*128]
    vectorize for jii2 < 4
      T1[jii2] = relu(T0[jii2])
    out0[tx*4 + bx*128] = move<4> T1[0]
)");
  const std::string exact = to_string(flat(ReluCase({1024}), {.threads = 32, .batch = 2, .vector = 4}));
  EXPECT_EQ(exact.find("if"), std::string::npos) << exact;
}

TEST(VectorTail, ReadsThatAreNotStraightStayElements) {
  const std::string text = to_string(flat(BiasCase(9, 7), {.threads = 32, .vector = 4}));
  const std::string full = text.substr(0, text.find("else"));
  EXPECT_NE(full.find("T0[0] = move<4> in0[tx*4 + bx*128]"), std::string::npos) << text;
  EXPECT_NE(full.find("= in1[(jkii2 + ((tx*4 + bx*128) % i1)) % i1]"), std::string::npos) << text;
  EXPECT_NE(full.find("out0[tx*4 + bx*128] = move<4> T4[0]"), std::string::npos) << text;
  EXPECT_EQ(text.substr(text.find("else")).find("move"), std::string::npos) << text;
}

std::string facts_text(const KernelCase& test, const Params& params) {
  const std::shared_ptr<Kernel> kernel = test.kernel();
  apply(*kernel, params);
  return derive_facts(*kernel, values_of(test, *kernel), aligned(*kernel)).text();
}

TEST(VectorTail, FactsAreAlignmentAlone) {
  const Params params{.threads = 32, .vector = 4};
  EXPECT_EQ(facts_text(ReluCase({1001}), params), "in0@16, out0@16; narrow");
  EXPECT_EQ(facts_text(ReluCase({1004}), params), "i0%4, in0@16, out0@16; narrow");
  EXPECT_EQ(facts_text(ReluCase({1024}), params), "exact i0 / 128; i0%4, in0@16, out0@16; narrow");
  EXPECT_EQ(facts_text(BiasCase(63, 257), params), "i1>=4, in0@16, out0@16; narrow") << "the bias by single elements";
  EXPECT_EQ(facts_text(ReluCase({1001}), {.threads = 32, .vector = 1}), "narrow");
}

TEST(VectorTail, ChooseKeepsTheVector) {
  const auto first = [](const KernelCase& test) {
    const std::shared_ptr<Kernel> kernel = test.kernel();
    return choose(summarize(*kernel, values_of(test, *kernel), aligned(*kernel)), known_device("H200"))[0].params;
  };
  EXPECT_EQ(first(ReluCase({12345677})).text(), first(ReluCase({12345680})).text());
  EXPECT_EQ(first(BiasCase(104001, 257)).vector, 4);
}

TEST(VectorTail, RunsAtEverySize) {
  std::vector<std::unique_ptr<KernelCase>> cases;
  std::vector<Program> programs;
  const std::vector<Params> all = {{.threads = 32, .vector = 4},
                                   {.threads = 32, .batch = 2, .vector = 4},
                                   {.threads = 64, .batch = 4, .vector = 1},
                                   {.threads = 32, .batch = 1, .vector = 16}};
  const auto add = [&](std::unique_ptr<KernelCase> test, std::vector<std::pair<int, int>> aliases = {}) {
    for (const Params& params : all) {
      programs.push_back(flat(*test, params, aliases));
      EXPECT_EQ(run_program(*test, programs.back()), "") << params.text() << "\n" << to_string(programs.back());
    }
    cases.push_back(std::move(test));
  };
  for (int64_t n : {1, 2, 3, 4, 5, 127, 128, 129, 255, 257, 513}) {
    add(std::make_unique<ReluCase>(Sizes{n}));
    add(std::make_unique<ReluCase>(Sizes{n}), {{0, 0}});
  }
  for (const Sizes& s : std::vector<Sizes>{{1, 1}, {3, 5}, {7, 37}, {37, 7}, {129, 3}, {5, 64}, {61, 2}}) {
    add(std::make_unique<BiasCase>(s[0], s[1]));
    add(std::make_unique<ColumnCase>(s[0], s[1]));
  }
  const std::vector<std::string> problems =
      run_in_emulator(programs, [&](size_t k) -> const KernelCase& { return *cases[k / all.size()]; });
  for (size_t k = 0; k < programs.size(); ++k) {
    EXPECT_EQ(problems[k], "") << to_string(programs[k]);
  }
}

}  // namespace
}  // namespace nvfuser
