// SPDX-License-Identifier: Apache-2.0
// Every form of rows at every home and team, of lengths that fill no vector, no wave and no block: run in the emulator
// and compared with the evaluator, which computes in float64; and all as one unit through NVRTC.
#include <deque>
#include <map>

#include "../fuzz/emulated_run.h"
#include "nvfuser/base/options.h"
#include "row_cases.h"

namespace nvfuser {
namespace {

/// A team, for rows of so many vectors at most where it keeps them.
struct TeamOf {
  int threads, rows, batch;
};
/// A thread, parts of a warp, a warp, a block, two teams of a block.
constexpr TeamOf kTeams[] = {{32, 32, 4}, {64, 16, 2}, {64, 2, 2}, {96, 1, 2}, {64, 1, 4}, {128, 2, 2}};
constexpr int64_t kRows = 5;

struct RowRun {
  std::string name;
  const KernelCase* test;
  Program program;
};

class RowForms : public ::testing::Test {
 protected:
  /// Lengths: one element; odd ones, of which some are peeled, two rows a thread; whole vectors.
  void add_all(DataType type, int vector) {
    uint64_t turn = 0;
    for (const RowProgram& program : kRowPrograms) {
      for (const TeamOf& team : kTeams) {
        for (const Home home : {Home::registers, Home::reload}) {
          for (const Form form : {Form::resident, Form::streaming}) {
            const int64_t wave = int64_t{team.threads} / team.rows * team.batch * vector;
            const int64_t longest = home == Home::registers ? wave : 3 * wave;
            const int64_t lengths[] = {1, longest / 2 + 1, longest - vector, longest - 2 * vector + 1};
            const int64_t columns = std::max<int64_t>(1, lengths[turn % 4]);
            Params params{.family = Family::rows, .threads = team.threads, .batch = team.batch, .vector = vector};
            params.stream = turn % 3 == 0;
            params.peel = columns % 2 == 1 && turn / 4 % 2 == 0;
            params.home = home;
            params.form = form;
            params.rows = team.rows;
            params.unroll = params.peel && home == Home::registers ? 2 : 1;
            const int64_t rows = params.unroll > 1 ? 8 * team.rows + kRows : kRows;
            add(program, {rows, columns}, type, params, turn++ % 5 != 4);
          }
        }
      }
    }
  }

  void add(const RowProgram& program, const Sizes& sizes, DataType type, const Params& params, bool with_facts) {
    tests_.push_back(row_case(program, sizes, type));
    const KernelCase& test = tests_.back();
    const std::shared_ptr<Kernel> kernel = test.kernel();
    apply(*kernel, params);
    const Facts facts =
        with_facts ? derive_facts(*kernel, size_values(test, *kernel), all_aligned(*kernel)) : no_facts();
    runs_.push_back({std::string(program.name) + ", " + std::to_string(sizes[1]) + " columns, " + params.text(), &test,
                     lower({kernel, "k", Target::gpu, facts, 0, {}})});
  }

  std::vector<Program*> programs() {
    std::vector<Program*> list;
    for (RowRun& run : runs_) {
      list.push_back(&run.program);
    }
    return list;
  }

  std::deque<KernelCase> tests_;
  std::deque<RowRun> runs_;
};

TEST_F(RowForms, AgreeWithTheEvaluator) {
  std::string why;
  if (!host_compiler_available(&why)) {
    GTEST_SKIP() << why;
  }
  add_all(DataType::Float, 4);
  const ScopedOption cache("cache", "0");
  const std::vector<CompiledKernel> compiled = compile_for_emulator(programs(), runs_.size(), 1);
  for (size_t k = 0; k < runs_.size(); ++k) {
    EmulatedRun emulated(*runs_[k].test, runs_[k].program, input_bytes, 4e-6);
    for (const uint64_t seed : {1, 2}) {
      EXPECT_EQ(emulated.run(compiled[k].module, compiled[k].kernel, seed), "")
          << runs_[k].name << "; " << runs_[k].program.facts.text();
    }
  }
}

TEST_F(RowForms, BecomeCubins) {
  std::string why;
  if (!nvrtc_available(&why)) {
    GTEST_SKIP() << why;
  }
  add_all(DataType::BFloat16, 8);
  std::vector<const Program*> list;
  for (RowRun& run : runs_) {
    run.program.name = "k" + std::to_string(list.size());
    list.push_back(&run.program);
  }
  list.resize(48);
  EXPECT_GT(compile_cubin(print_unit(list).text, 90).size(), 1000u);
}

int count(const std::string& text, const std::string& part) {
  int found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

std::string text_of(const char* name, const Params& params, int64_t columns = 512) {
  const KernelCase test = row_case(row_program(name), {64, columns}, DataType::BFloat16);
  const std::shared_ptr<Kernel> kernel = test.kernel();
  apply(*kernel, params);
  const Facts facts = derive_facts(*kernel, size_values(test, *kernel), all_aligned(*kernel));
  return to_string(lower({kernel, "k", Target::gpu, facts, 0, {}}));
}

Params block_of(Home home, Form form) {
  Params params{.family = Family::rows, .threads = 64, .batch = 1, .vector = 8};
  params.home = home;
  params.form = form;
  return params;
}

TEST(Rows, SiblingsShareOneBarrier) {
  const std::string text = text_of("siblings", block_of(Home::registers, Form::resident));
  EXPECT_EQ(count(text, "join "), 1) << text;
}

TEST(Rows, StreamingReadsOnceWhereTheChainReadsTwice) {
  const auto loads = [](Form form) { return count(text_of("logsumexp", block_of(Home::reload, form)), " in0["); };
  EXPECT_EQ(loads(Form::resident), 2) << text_of("logsumexp", block_of(Home::reload, Form::resident));
  EXPECT_EQ(loads(Form::streaming), 1);
}

/// Between the ends of an odd row vectors are moved and folded whole.
TEST(Rows, PeeledMoveVectors) {
  Params params = block_of(Home::registers, Form::resident);
  params.batch = 2;
  params.peel = true;
  const std::string text = text_of("softmax", params, 1001);
  EXPECT_GE(count(text, "move<8>"), 2) << text;
  EXPECT_GE(count(text, "gets <8>"), 2) << text;
}

/// Of four turns the second one, where rows are known to reach its end.
TEST(Rows, TurnsThatLieInsideARowAreNotTested) {
  Params params = block_of(Home::registers, Form::resident);
  params.batch = 4;
  params.peel = true;
  const int64_t wave = int64_t{params.threads} * params.vector;
  const auto whole = [&](int64_t columns) {
    const std::string text = text_of("softmax", params, columns);
    return count(text, "move<8>") + count(text, "gets <8>") - count(text, ", in columns ");
  };
  EXPECT_EQ(whole(2 * wave - 1), 0) << text_of("softmax", params, 2 * wave - 1);
  EXPECT_EQ(whole(2 * wave + 1), 4) << text_of("softmax", params, 2 * wave + 1);
}

TEST(Rows, OfAWarpNeedNoBarrier) {
  Params params = block_of(Home::registers, Form::resident);
  params.batch = 2;
  params.rows = 2;
  const KernelCase test = row_case(row_program("softmax"), {64, 512}, DataType::BFloat16);
  const std::shared_ptr<Kernel> kernel = test.kernel();
  apply(*kernel, params);
  const Facts facts = derive_facts(*kernel, size_values(test, *kernel), all_aligned(*kernel));
  const Program program = lower({kernel, "k", Target::gpu, facts, 0, {}});
  EXPECT_EQ(program.slot_half_bytes, 0);
  EXPECT_EQ(program.block[0], 32);
  EXPECT_EQ(program.block[1], 2);
}

}  // namespace
}  // namespace nvfuser
