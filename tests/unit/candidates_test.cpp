// SPDX-License-Identifier: Apache-2.0
// Every schedule that choose ranks for an H200 at the shapes of the benchmark, run in the emulator: chosen at the full
// sizes, run on a few tiles and on sizes that leave the last tile ragged, compared with the evaluator bit for bit.
#include <deque>
#include <map>

#include "../fuzz/emulated_run.h"
#include "nvfuser/base/options.h"
#include "nvfuser/fuse/rewrite.h"
#include "nvfuser/schedule/schedule.h"
#include "schedule_cases.h"

namespace nvfuser {
namespace {

TensorView* narrow(Val* value) { return static_cast<TensorView*>(cast(value, DataType::BFloat16)); }

Val* number(const KernelCase& test, double value) { return test.fusion->constant(value, DataType::Float); }

TensorView* scaled(const KernelCase& test, Val* x, double factor) {
  return binary(PointwiseOp::mul, x, number(test, factor));
}

/// 0.5 t (1 + tanh(sqrt(2 / pi) (t + 0.044715 t^3))) for t = x + b.
void bias_gelu(KernelCase& test, const Sizes& n) {
  TensorView* x = test.input(n, DataType::BFloat16);
  TensorView* b = test.input({n[1]}, DataType::BFloat16);
  TensorView* t = binary(PointwiseOp::add, x, broadcast(b, {true, false}));
  TensorView* cube = binary(PointwiseOp::mul, binary(PointwiseOp::mul, t, t), t);
  TensorView* z = scaled(test, binary(PointwiseOp::add, t, scaled(test, cube, 0.044715)), 0.7978845608028654);
  TensorView* one_more = binary(PointwiseOp::add, unary(PointwiseOp::tanh, z), number(test, 1.0));
  test.output(narrow(binary(PointwiseOp::mul, scaled(test, t, 0.5), one_more)));
}

void silu_mul(KernelCase& test, const Sizes& n) {
  TensorView* gate = test.input(n, DataType::BFloat16);
  TensorView* up = test.input(n, DataType::BFloat16);
  test.output(narrow(binary(PointwiseOp::mul, unary(PointwiseOp::silu, gate), up)));
}

/// relu(x * s[c] + b[c]) with logical axes n, c, h, w.
void scale_bias_relu(KernelCase& test, const Sizes& n) {
  TensorView* x = test.input(n, DataType::BFloat16);
  TensorView* s = test.input({n[1]}, DataType::BFloat16);
  TensorView* b = test.input({n[1]}, DataType::BFloat16);
  const auto spread = [](TensorView* v) { return broadcast(v, {true, false, true, true}); };
  TensorView* y = binary(PointwiseOp::add, binary(PointwiseOp::mul, x, spread(s)), spread(b));
  test.output(narrow(unary(PointwiseOp::relu, y)));
}

void add_permute(KernelCase& test, const Sizes& n) {
  TensorView* x = test.input(n, DataType::BFloat16);
  TensorView* y = test.input(n, DataType::BFloat16);
  test.output(narrow(permute(binary(PointwiseOp::add, x, y), {0, 2, 1, 3})));
}

void relu_transpose(KernelCase& test, const Sizes& n) {
  test.output(permute(narrow(unary(PointwiseOp::relu, test.input(n, DataType::BFloat16))), {1, 0}));
}

struct Benchmark {
  std::string name;
  void (*build)(KernelCase&, const Sizes&);
  Sizes full;
  /// Fewer rows, and shorter ones where a row alone is many tiles.
  std::vector<Sizes> cut;
  bool channels_last = false;
};

/// A flat tile has up to 4,096 elements, a square one a side of up to 128.
std::vector<Benchmark> benchmarks() {
  return {
      {"bias + gelu", bias_gelu, {16384, 8192}, {{2, 8192}, {3, 3000}}},
      {"silu * mul", silu_mul, {16384, 14336}, {{1, 14336}, {5, 1001}}},
      {"scale, bias, relu, channels last", scale_bias_relu, {64, 256, 56, 56}, {{1, 256, 7, 9}, {1, 72, 5, 7}}, true},
      {"add + permute", add_permute, {16, 1024, 32, 128}, {{1, 3, 32, 128}, {1, 5, 7, 36}}},
      {"relu + transpose", relu_transpose, {16384, 8192}, {{256, 128}, {136, 200}, {67, 131}}},
  };
}

KernelCase made(const Benchmark& benchmark, const Sizes& sizes) {
  KernelCase test;
  benchmark.build(test, sizes);
  test.fusion = rewrite(test.fusion);
  if (benchmark.channels_last) {
    test.layouts[0].order = {0, 2, 3, 1};
  }
  return test;
}

std::shared_ptr<Kernel> kernel_of(const Benchmark& benchmark, const KernelCase& test) {
  InstantiateRequest request;
  request.fusion = test.fusion;
  for (const Val* input : test.fusion->inputs()) {
    request.inputs.push_back(static_cast<const TensorView*>(input));
  }
  request.outputs.assign(test.fusion->outputs().begin(), test.fusion->outputs().end());
  request.input_layouts = test.layouts;
  request.output_layouts = {row_major(*request.outputs[0])};
  if (benchmark.channels_last) {
    request.output_layouts[0].order = {0, 2, 3, 1};
  }
  return instantiate(request);
}

SizeValues sizes_of(const KernelCase& test, const Kernel& kernel) {
  const std::map<std::string, int64_t> sizes = test.sizes(kernel);
  return {sizes.begin(), sizes.end()};
}

Alignments aligned(const Kernel& kernel) {
  return {std::vector<int64_t>(kernel.inputs.size(), 16), std::vector<int64_t>(kernel.outputs.size(), 16)};
}

std::vector<Candidate> ranked(const Benchmark& benchmark) {
  const KernelCase test = made(benchmark, benchmark.full);
  const std::shared_ptr<Kernel> kernel = kernel_of(benchmark, test);
  return choose(summarize(*kernel, sizes_of(test, *kernel), aligned(*kernel)), known_device("H200"));
}

/// A candidate at a cut size.
struct CandidateRun {
  std::string name;
  const KernelCase* test;
  Program program;
};

Program lowered_for(const Benchmark& benchmark, const KernelCase& test, const Params& params) {
  const std::shared_ptr<Kernel> kernel = kernel_of(benchmark, test);
  apply(*kernel, params);
  const Facts facts = derive_facts(*kernel, sizes_of(test, *kernel), aligned(*kernel));
  return lower({kernel, "k", Target::gpu, facts, params.blocks_per_sm, {}});
}

class Candidates : public ::testing::Test {
 protected:
  void add(const Benchmark& benchmark, const std::vector<Candidate>& candidates, const Sizes& sizes) {
    tests_.push_back(made(benchmark, sizes));
    for (const Candidate& candidate : candidates) {
      std::string name = benchmark.name + ", " + std::to_string(sizes[0]) + " rows, " + candidate.params.text();
      runs_.push_back({std::move(name), &tests_.back(), lowered_for(benchmark, tests_.back(), candidate.params)});
    }
  }

  void run_all() {
    const ScopedOption cache("cache", "0");
    std::vector<Program*> programs;
    for (CandidateRun& run : runs_) {
      programs.push_back(&run.program);
    }
    const std::vector<CompiledKernel> compiled = compile_for_emulator(programs, 150, 1);
    for (size_t k = 0; k < runs_.size(); ++k) {
      EmulatedRun emulated(*runs_[k].test, runs_[k].program);
      EXPECT_EQ(emulated.run(compiled[k].module, compiled[k].kernel, k + 1), "")
          << runs_[k].name << "; " << runs_[k].program.facts.text();
    }
  }

  std::deque<KernelCase> tests_;
  std::deque<CandidateRun> runs_;
};

TEST_F(Candidates, OfTheBenchmarkRunInTheEmulator) {
  std::string why;
  if (!host_compiler_available(&why)) {
    GTEST_SKIP() << why;
  }
  std::map<Family, int> families;
  for (const Benchmark& benchmark : benchmarks()) {
    const std::vector<Candidate> candidates = ranked(benchmark);
    EXPECT_GE(candidates.size(), 8u) << benchmark.name;
    for (const Candidate& candidate : candidates) {
      ++families[candidate.params.family];
    }
    for (const Sizes& sizes : benchmark.cut) {
      add(benchmark, candidates, sizes);
    }
  }
  EXPECT_GE(families[Family::flat], 40);
  EXPECT_GE(families[Family::tile], 4);
  run_all();
  std::printf("%d flat and %d tile candidates, %zu kernels\n", families[Family::flat], families[Family::tile],
              runs_.size());
}

}  // namespace
}  // namespace nvfuser
