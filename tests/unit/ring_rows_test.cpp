// SPDX-License-Identifier: Apache-2.0
// Rows that come by a ring in shared memory: several a block, whole rounds and broken ones, one and two inputs, weights
// that all rows share.  The same bits as rows in registers of as many threads, and near what the evaluator says.  And
// rows that the blocks of a cluster hold together.
#include <cmath>
#include <deque>

#include "../fuzz/emulated_run.h"
#include "error_message.h"
#include "nvfuser/base/options.h"
#include "nvfuser/fuse/rewrite.h"
#include "nvfuser/ops/reduce.h"
#include "nvfuser/schedule/schedule.h"
#include "schedule_cases.h"

namespace nvfuser {
namespace {

Val* number(const KernelCase& test, double value) { return test.fusion->constant(value, DataType::Float); }
TensorView* column(TensorView* v) { return broadcast(v, {false, true}); }
TensorView* row(TensorView* v) { return broadcast(v, {true, false}); }
TensorView* wide(TensorView* v) { return static_cast<TensorView*>(cast(v, DataType::Float)); }
TensorView* joined(PointwiseOp op, Val* a, Val* b) { return binary(op, a, b); }

void softmax(KernelCase& test, const Sizes& n, DataType type) {
  TensorView* x = wide(test.input(n, type));
  TensorView* e = unary(PointwiseOp::exp, joined(PointwiseOp::sub, x, column(max(x, ReducedAxes{{1}}))));
  test.output(cast(joined(PointwiseOp::truediv, e, column(sum(e, ReducedAxes{{1}}))), type));
}

void layer_norm(KernelCase& test, const Sizes& n, DataType type) {
  TensorView* x = wide(test.input(n, type));
  TensorView* w = wide(test.input({n[1]}, type));
  TensorView* b = wide(test.input({n[1]}, type));
  const VarMean moments = var_mean(x, {1}, 0, true);
  TensorView* rstd = unary(PointwiseOp::rsqrt, joined(PointwiseOp::add, moments.var, number(test, 1e-5)));
  TensorView* scaled = joined(PointwiseOp::mul, joined(PointwiseOp::sub, x, moments.mean), rstd);
  test.output(cast(joined(PointwiseOp::add, joined(PointwiseOp::mul, scaled, row(w)), row(b)), type));
}

/// With a residual, of which the sum is stored too.
void rms_norm(KernelCase& test, const Sizes& n, DataType type) {
  TensorView* x = wide(test.input(n, type));
  TensorView* r = wide(test.input(n, type));
  TensorView* w = wide(test.input({n[1]}, type));
  TensorView* h = joined(PointwiseOp::add, x, r);
  TensorView* squares = sum(joined(PointwiseOp::mul, h, h), ReducedAxes{{1}});
  TensorView* rstd = unary(PointwiseOp::rsqrt, joined(PointwiseOp::add, squares, number(test, 1e-5)));
  test.output(cast(h, type));
  test.output(cast(joined(PointwiseOp::mul, joined(PointwiseOp::mul, h, column(rstd)), row(w)), type));
}

void row_sum(KernelCase& test, const Sizes& n, DataType type) {
  test.output(sum(wide(test.input(n, type)), ReducedAxes{{1}}));
}

/// Statistics of channels.
void batch_norm(KernelCase& test, const Sizes& n, DataType type) {
  TensorView* x = wide(test.input(n, type));
  TensorView* w = wide(test.input({n[1]}, type));
  const VarMean moments = var_mean(x, {0, 2, 3}, 0, true);
  TensorView* rstd = unary(PointwiseOp::rsqrt, joined(PointwiseOp::add, moments.var, number(test, 1e-5)));
  TensorView* scaled = joined(PointwiseOp::mul, joined(PointwiseOp::sub, x, moments.mean), rstd);
  test.output(cast(joined(PointwiseOp::mul, scaled, broadcast(w, {true, false, true, true})), type));
  test.output(moments.mean);
}

std::vector<char> numbers(DataType dtype, int64_t elements, uint64_t seed) {
  std::vector<char> bytes = input_bytes(DataType::Float, elements, seed);
  if (dtype == DataType::BFloat16) {
    for (int64_t k = 0; k < elements; ++k) {  // few digits: the upper half holds them all
      std::memcpy(bytes.data() + 2 * k, bytes.data() + 4 * k + 2, 2);
    }
    bytes.resize(2 * elements);
  }
  return bytes;
}

double element(const std::vector<char>& bytes, DataType dtype, int64_t k) {
  uint32_t bits = 0;
  const int64_t size = bytes_of(dtype);
  std::memcpy(reinterpret_cast<char*>(&bits) + 4 - size, bytes.data() + size * k, size);
  return std::bit_cast<float>(bits);
}

struct RingCase {
  void (*build)(KernelCase&, const Sizes&, DataType);
  Sizes sizes;
  DataType type;
  int threads = 0, batch = 0, stages = 0, grid = 0;
  bool counter = false;
};

KernelCase made(const RingCase& c) {
  KernelCase test;
  c.build(test, c.sizes, c.type);
  test.fusion = rewrite(test.fusion);
  return test;
}

Params params_of(const RingCase& c) {
  return {.family = Family::rows,
          .threads = c.threads,
          .batch = c.batch,
          .vector = c.type == DataType::Float ? 4 : 8,
          .home = Home::shared,
          .stages = c.stages,
          .grid = c.grid,
          .counter = c.counter};
}

Program lowered_with(const KernelCase& test, const Params& params,
                     const std::vector<std::pair<int, int>>& aliases = {}) {
  const std::shared_ptr<Kernel> kernel = test.kernel();
  const std::map<std::string, int64_t> sizes = test.sizes(*kernel);
  apply(*kernel, params);
  const Alignments aligned{std::vector<int64_t>(kernel->inputs.size(), 16),
                           std::vector<int64_t>(kernel->outputs.size(), 16)};
  const Facts facts = derive_facts(*kernel, SizeValues(sizes.begin(), sizes.end()), aligned);
  return lower({kernel, "k", Target::gpu, facts, params.blocks_per_sm, aliases});
}

std::vector<RingCase> cases() {
  constexpr DataType F = DataType::Float, H = DataType::BFloat16;
  return {
      {softmax, {9, 1000}, H, 128, 1, 2, 2},
      {softmax, {11, 1000}, H, 128, 1, 3, 2, true},
      {softmax, {5, 8}, H, 32, 1, 2, 2, true},
      {softmax, {6, 24}, F, 32, 1, 3, 2},
      {softmax, {7, 4096}, H, 128, 4, 3, 3},
      {softmax, {1, 4096}, F, 256, 4, 2, 3, true},
      {layer_norm, {8, 1000}, H, 64, 2, 2, 4},
      {layer_norm, {13, 1000}, H, 64, 2, 2, 2, true},
      {layer_norm, {7, 24}, H, 32, 1, 3, 1, true},
      {layer_norm, {5, 4096}, F, 512, 2, 2, 2},
      {layer_norm, {3, 32768}, H, 512, 8, 2, 1, true},
      {rms_norm, {9, 1000}, F, 256, 1, 2, 2, true},
      {rms_norm, {8, 4096}, H, 256, 2, 3, 2},
      {rms_norm, {4, 8}, H, 32, 1, 2, 3},
      {rms_norm, {3, 8}, H, 32, 1, 2, 5, true},
      {row_sum, {11, 1000}, H, 64, 2, 3, 2, true},
      {row_sum, {3, 1024}, F, 32, 8, 2, 1},
  };
}

TEST(RingRows, GiveTheBitsOfRowsInRegisters) {
  std::string why;
  if (!host_compiler_available(&why)) {
    GTEST_SKIP() << why;
  }
  const ScopedOption cache("cache", "0");
  std::deque<KernelCase> tests;
  std::vector<Program> programs;
  for (const RingCase& c : cases()) {
    const KernelCase& test = tests.emplace_back(made(c));
    const Params params = params_of(c);
    const Params registers{.family = Family::rows,
                           .threads = params.threads,
                           .batch = params.batch,
                           .vector = params.vector,
                           .home = Home::registers};
    programs.push_back(lowered_with(test, params));
    EXPECT_EQ(programs.back().ring.stages, c.stages);
    programs.push_back(lowered_with(test, registers));
  }
  std::vector<Program*> pointers;
  for (Program& program : programs) {
    pointers.push_back(&program);
  }
  const std::vector<CompiledKernel> compiled = compile_for_emulator(pointers, pointers.size(), 1);
  for (size_t k = 0; k < tests.size(); ++k) {
    EmulatedRun ring(tests[k], programs[2 * k], numbers), registers(tests[k], programs[2 * k + 1], numbers);
    const std::string what = params_of(cases()[k]).text() + " of case " + std::to_string(k);
    EXPECT_EQ(ring.launch(compiled[2 * k].module, compiled[2 * k].kernel, k), "") << what << "\n"
                                                                                  << to_string(programs[2 * k]);
    EXPECT_TRUE(ring.semaphores_are_zero()) << what;
    EXPECT_EQ(registers.launch(compiled[2 * k + 1].module, compiled[2 * k + 1].kernel, k), "") << what;
    for (size_t o = 0; o < programs[2 * k].kernel->outputs.size(); ++o) {
      EXPECT_EQ(ring.got(o), registers.got(o)) << what;
      const DataType type = programs[2 * k].kernel->outputs[o]->dtype;
      for (size_t e = 0; e < ring.got(o).size() / bytes_of(type); ++e) {
        const double want = element(ring.wanted(o), type, e);
        ASSERT_NEAR(element(ring.got(o), type, e), want, 1e-5 + std::abs(want) / 120) << what << " at " << e;
      }
    }
  }
}

/// The program without its first node of a kind.
template <class Kind>
bool remove_first(Block& block) {
  for (size_t k = 0; k < block.nodes.size(); ++k) {
    if (std::holds_alternative<Kind>(block.nodes[k])) {
      block.nodes.erase(block.nodes.begin() + static_cast<std::ptrdiff_t>(k));
      return true;
    }
    auto* loop = std::get_if<Loop>(&block.nodes[k]);
    auto* guard = std::get_if<Guard>(&block.nodes[k]);
    if ((loop && remove_first<Kind>(*loop->body)) || (guard && remove_first<Kind>(*guard->body))) {
      return true;
    }
  }
  return false;
}

TEST(RingRows, AreFoundFaultyWithoutTheirWaitsAndBarriers) {
  std::string why;
  if (!host_compiler_available(&why)) {
    GTEST_SKIP() << why;
  }
  const ScopedOption cache("cache", "0");
  // Warps exchange without barriers, so that one stands before the refill.
  const RingCase warp{softmax, {9, 256}, DataType::Float, 32, 2, 2, 2};
  const KernelCase test = made(warp);
  std::vector<Program> programs;
  for (int k = 0; k < 4; ++k) {
    programs.push_back(lowered_with(
        test, params_of(warp), k == 3 ? std::vector<std::pair<int, int>>{{0, 0}} : std::vector<std::pair<int, int>>{}));
  }
  EXPECT_TRUE(remove_first<Wait>(programs[0].body));
  EXPECT_TRUE(remove_first<Sync>(programs[1].body));
  std::vector<Program*> pointers = {&programs[0], &programs[1], &programs[2], &programs[3]};
  const std::vector<CompiledKernel> compiled = compile_for_emulator(pointers, pointers.size(), 1);
  const auto fault = [&](int k) {
    return EmulatedRun(test, programs[k], numbers).launch(compiled[k].module, compiled[k].kernel, 1);
  };
  EXPECT_TRUE(contains(fault(0), "uninitialised: read of T0")) << fault(0);
  EXPECT_TRUE(contains(fault(1), "race: write over what another thread reads: T0")) << fault(1);
  EXPECT_EQ(fault(2), "");
  EXPECT_EQ(fault(3), "");  // in place
}

TEST(RingRows, AreRefilledBehindTheFirstExchange) {
  const RingCase block{softmax, {9, 2048}, DataType::Float, 256, 2, 2, 2};
  const KernelCase test = made(block);
  const std::string text = to_string(lowered_with(test, params_of(block)));
  const size_t wait = text.find("wait for turn"), first = text.find("join"), refill = text.find("turn jo + 2"),
               second = text.find("join", first + 1);
  EXPECT_LT(wait, first) << text;
  EXPECT_LT(first, refill) << text;
  EXPECT_LT(refill, second) << text;
  EXPECT_EQ(text.find("sync"), std::string::npos) << text;
}

TEST(RingRows, BecomeCubins) {
  std::string why;
  if (!nvrtc_available(&why)) {
    GTEST_SKIP() << why;
  }
  std::vector<Program> programs;
  std::vector<const Program*> pointers;
  for (const RingCase& c : {RingCase{layer_norm, {4096, 32768}, DataType::BFloat16, 512, 8, 2, 132, true},
                            RingCase{rms_norm, {4096, 8192}, DataType::Float, 256, 8, 2, 132, false}}) {
    programs.push_back(lowered_with(made(c), params_of(c)));
    programs.back().name = "k" + std::to_string(programs.size());
  }
  for (const Program& program : programs) {
    pointers.push_back(&program);
  }
  EXPECT_EQ(compile_cubin(print_unit(pointers).text, 90).substr(0, 4), "\177ELF");
}

TEST(RingRows, AreOfferedWhereBulkCopiesBringThem) {
  const auto rings = [](const RingCase& c, const char* device) {
    const KernelCase test = made(c);
    const std::shared_ptr<Kernel> kernel = test.kernel();
    const std::map<std::string, int64_t> sizes = test.sizes(*kernel);
    const Alignments aligned{std::vector<int64_t>(kernel->inputs.size(), 16),
                             std::vector<int64_t>(kernel->outputs.size(), 16)};
    const Problem problem = summarize(*kernel, SizeValues(sizes.begin(), sizes.end()), aligned);
    int count = 0;
    for (const Candidate& candidate : choose(problem, known_device(device))) {
      if (candidate.params.home == Home::shared) {
        EXPECT_TRUE(candidate.params.counter);
        lowered_with(test, candidate.params);  // none is refused
        ++count;
      }
    }
    return count;
  };
  constexpr DataType H = DataType::BFloat16;
  EXPECT_EQ(rings({layer_norm, {4096, 32768}, H}, "H200"), 4);
  EXPECT_EQ(rings({rms_norm, {4096, 8192}, DataType::Float}, "H200"), 4);
  EXPECT_EQ(rings({rms_norm, {4096, 32768}, H}, "H200"), 2);  // of one stage: two of two rows are more than an SM has
  EXPECT_EQ(rings({rms_norm, {4096, 65536}, H}, "H200"), 0);
  EXPECT_EQ(rings({layer_norm, {4096, 32764}, H}, "H200"), 0);
  EXPECT_EQ(rings({layer_norm, {300, 32768}, H}, "H200"), 0);
  EXPECT_EQ(rings({layer_norm, {4096, 32768}, H}, "A100"), 0);
  const auto of_columns = [](KernelCase& test, const Sizes& n, DataType type) {
    test.output(sum(wide(test.input(n, type)), ReducedAxes{{0}}));
  };
  EXPECT_EQ(rings({of_columns, {8192, 4096}, H}, "H200"), 0);
}

TEST(RingRows, RefuseWhatBulkCopiesCannotBring) {
  const auto refused = [](RingCase c) {
    const KernelCase test = made(c);
    return message_of(ErrorKind::schedule, [&] { lowered_with(test, params_of(c)); });
  };
  EXPECT_TRUE(contains(refused({softmax, {9, 1001}, DataType::Float, 256, 1, 2, 2}), "multiple"));
  EXPECT_TRUE(contains(refused({softmax, {9, 4}, DataType::BFloat16, 32, 1, 2, 2}), "multiple"));
  const auto of_columns = [](KernelCase& test, const Sizes& n, DataType type) {
    test.output(sum(wide(test.input(n, type)), ReducedAxes{{0}}));
  };
  EXPECT_TRUE(contains(refused({of_columns, {256, 64}, DataType::Float, 64, 1, 2, 2}), "one piece"));
  const auto of_all = [](KernelCase& test, const Sizes& n, DataType type) {
    test.output(sum(wide(test.input(n, type)), ReducedAxes{{0, 1}}));
  };
  const auto with_weights = [](KernelCase& test, const Sizes& n, DataType type) {
    TensorView* x = test.input(n, type);
    TensorView* w = test.input({n[1]}, type);
    test.output(joined(PointwiseOp::mul, x, column(sum(joined(PointwiseOp::mul, x, row(w)), ReducedAxes{{1}}))));
    test.output(unary(PointwiseOp::neg, w));
  };
  EXPECT_TRUE(contains(refused({with_weights, {9, 64}, DataType::Float, 32, 1, 2, 2, true}), "the same for all rows"));
  EXPECT_TRUE(contains(refused({of_all, {8, 64}, DataType::Float, 128, 1, 2, 2}), "one row"));
}

struct ClusterCase {
  void (*build)(KernelCase&, const Sizes&, DataType);
  Sizes sizes;
  DataType type;
  int cluster, threads, batch, vector;
};

TEST(ClusterRows, GiveWhatTheEvaluatorGives) {
  std::string why;
  if (!host_compiler_available(&why)) {
    GTEST_SKIP() << why;
  }
  const ScopedOption cache("cache", "0");
  constexpr DataType F = DataType::Float, H = DataType::BFloat16;
  const std::vector<ClusterCase> cases = {
      {batch_norm, {4, 3, 8, 8}, H, 2, 32, 1, 8}, {batch_norm, {5, 2, 7, 9}, F, 4, 64, 2, 1},
      {softmax, {5, 1000}, H, 4, 64, 1, 8},       {softmax, {3, 8}, F, 8, 32, 1, 4},  // most blocks have nothing
      {layer_norm, {3, 4096}, H, 8, 64, 1, 8},    {layer_norm, {2, 1001}, F, 2, 128, 4, 1},
      {row_sum, {4, 3000}, H, 2, 256, 1, 8},
  };
  std::deque<KernelCase> tests;
  std::vector<Program> programs;
  std::vector<Program*> pointers;
  for (const ClusterCase& c : cases) {
    tests.push_back(made({c.build, c.sizes, c.type}));
    programs.push_back(lowered_with(tests.back(), {.family = Family::rows,
                                                   .threads = c.threads,
                                                   .batch = c.batch,
                                                   .vector = c.vector,
                                                   .home = Home::registers,
                                                   .cluster = c.cluster}));
    EXPECT_EQ(programs.back().cluster, c.cluster);
  }
  for (Program& program : programs) {
    pointers.push_back(&program);
  }
  const std::vector<CompiledKernel> compiled = compile_for_emulator(pointers, pointers.size(), 1);
  for (size_t k = 0; k < tests.size(); ++k) {
    EmulatedRun run(tests[k], programs[k], numbers);
    EXPECT_EQ(run.launch(compiled[k].module, compiled[k].kernel, k), "") << to_string(programs[k]);
    for (size_t o = 0; o < programs[k].kernel->outputs.size(); ++o) {
      const DataType type = programs[k].kernel->outputs[o]->dtype;
      for (size_t e = 0; e < run.got(o).size() / bytes_of(type); ++e) {
        const double want = element(run.wanted(o), type, e);
        ASSERT_NEAR(element(run.got(o), type, e), want, 1e-5 + std::abs(want) / 120) << "case " << k << " at " << e;
      }
    }
  }
}

}  // namespace
}  // namespace nvfuser
