// SPDX-License-Identifier: Apache-2.0
// apply and derive_facts: every family on fusions of many shapes, lowered with and without facts, run and compared with
// the evaluator; loops and facts of some, as text.
#include "nvfuser/schedule/schedule.h"
#include "schedule_cases.h"

namespace nvfuser {
namespace {

SizeValues values_of(const KernelCase& test, const Kernel& kernel) {
  const std::map<std::string, int64_t> sizes = test.sizes(kernel);
  return {sizes.begin(), sizes.end()};
}

Alignments aligned(const Kernel& kernel, int64_t bytes = 16) {
  return {std::vector<int64_t>(kernel.inputs.size(), bytes), std::vector<int64_t>(kernel.outputs.size(), bytes)};
}

Target target_of(const Params& params) {
  return params.family == Family::flat || params.family == Family::tile ? Target::gpu : Target::cpu;
}

/// Empty, or what went wrong with one schedule, under its facts or under none.
std::string run_params(const KernelCase& test, const Params& params, int64_t alignment = 16) {
  for (bool with_facts : {true, false}) {
    const std::shared_ptr<Kernel> kernel = test.kernel();
    apply(*kernel, params);
    const Facts facts =
        with_facts ? derive_facts(*kernel, values_of(test, *kernel), aligned(*kernel, alignment)) : no_facts();
    const std::string fault = run_program(test, lower({kernel, "k", target_of(params), facts, 0, {}}));
    if (!fault.empty()) {
      return params.text() + (with_facts ? ", facts " + facts.text() : ", no facts") + ": " + fault;
    }
  }
  return "";
}

std::vector<Params> flat_params() {
  return {{.threads = 32, .batch = 1, .vector = 4},
          {.threads = 64, .batch = 2, .vector = 2},
          {.threads = 32, .batch = 4, .vector = 1}};
}

std::vector<Params> tile_params() {
  return {{.family = Family::tile, .threads = 32, .vector = 4, .vector_other = 4, .tile = 16},
          {.family = Family::tile, .threads = 64, .vector = 2, .vector_other = 1, .tile = 16},
          {.family = Family::tile, .threads = 32, .vector = 1, .vector_other = 2, .tile = 8}};
}

std::vector<Params> cpu_params() {
  return {{.family = Family::cpu_flat, .task = 64}, {.family = Family::cpu_flat, .task = 7}};
}

void expect_right(const KernelCase& test, const std::vector<Params>& list) {
  for (const Params& params : list) {
    EXPECT_EQ(run_params(test, params), "");
  }
}

/// Every candidate of choose for a device.
void expect_candidates_right(const KernelCase& test, const char* device) {
  const std::shared_ptr<Kernel> kernel = test.kernel();
  const Problem problem = summarize(*kernel, values_of(test, *kernel), aligned(*kernel));
  for (const Candidate& candidate : choose(problem, known_device(device))) {
    EXPECT_EQ(run_params(test, candidate.params), "");
  }
}

const std::vector<Sizes> kShapes = {{1, 1}, {5, 7}, {8, 64}, {3, 100}, {33, 31}, {1, 300}, {260, 2}, {0, 4}};

/// Three outputs that read each other: a cut in the wrong place would make loops wait for one another.
struct ChainCase : KernelCase {
  ChainCase(int64_t m, int64_t n) {
    TensorView* x = input({m, n});
    TensorView* z = input({m, n}, DataType::Double);
    TensorView* first = unary(PointwiseOp::neg, x);
    TensorView* second = binary(PointwiseOp::mul, first, z);
    output(first);
    output(second);
    output(binary(PointwiseOp::add, second, x));
    output(x);
  }
};

/// relu(x) permuted, plus a tensor in the order of the output and a row.
struct PermuteCase : KernelCase {
  PermuteCase(const Sizes& sizes, const std::vector<int64_t>& order) {
    TensorView* x = input(sizes);
    TensorView* turned = permute(unary(PointwiseOp::relu, x), order);
    Sizes permuted;
    for (int64_t axis : order) {
      permuted.push_back(sizes[axis]);
    }
    TensorView* sum = binary(PointwiseOp::add, turned, input(permuted));
    std::vector<bool> fresh(sizes.size(), true);
    fresh.back() = false;
    output(binary(PointwiseOp::mul, sum, broadcast(input({permuted.back()}), fresh)));
  }
};

/// relu(x) in both orders, and x itself in its own.
struct BothOrdersCase : KernelCase {
  BothOrdersCase(int64_t m, int64_t n) {
    TensorView* x = input({m, n});
    TensorView* y = unary(PointwiseOp::relu, x);
    output(unary(PointwiseOp::neg, permute(y, {1, 0})));
    output(y);
    output(x);
  }
};

struct CopyCase : KernelCase {
  CopyCase(int64_t m, int64_t n) { output(permute(input({m, n}), {1, 0})); }
};

struct ScalarCase : KernelCase {
  ScalarCase() { output(unary(PointwiseOp::exp, input({}))); }
};

TEST(Apply, FlatAndCpuFlat) {
  for (const Sizes& shape : kShapes) {
    const BiasCase bias(shape[0], shape[1]);
    const ChainCase chain(shape[0], shape[1]);
    for (const KernelCase* test : {static_cast<const KernelCase*>(&bias), static_cast<const KernelCase*>(&chain)}) {
      expect_right(*test, flat_params());
      expect_right(*test, cpu_params());
    }
  }
  expect_right(ScalarCase(), flat_params());
  expect_right(ScalarCase(), cpu_params());
}

TEST(Apply, BroadcastColumnsAndReshapedOrders) {
  for (const Sizes& shape : kShapes) {
    KernelCase columns;
    TensorView* x = columns.input({shape[0], shape[1]});
    TensorView* c = columns.input({shape[0], -1});
    columns.output(binary(PointwiseOp::add, x, c));
    expect_right(columns, flat_params());
    expect_right(columns, cpu_params());
  }
  for (const auto& order : std::vector<std::vector<int64_t>>{{0, 2, 1, 3}, {1, 0, 2, 3}, {3, 2, 1, 0}}) {
    const PermuteCase permuted({3, 5, 4, 8}, order);
    expect_right(permuted, flat_params());
    expect_right(permuted, cpu_params());
  }
}

/// cat(pad(-x), slice(x)) along the inner axis, as it is or reshaped to one axis.
struct ViewCase : KernelCase {
  ViewCase(int64_t m, int64_t n, bool flat) {
    const auto constant = [&](int64_t value) { return fusion->index_constant(value); };
    TensorView* x = input({m, n});
    const std::vector<Val*> whole = shape(x);
    TensorView* padded = pad(unary(PointwiseOp::neg, x), {constant(3), constant(1)});
    TensorView* sliced = slice(x, {constant(0), constant(1)}, {whole[0], whole[1]});
    TensorView* both = cat({padded, sliced}, 1);
    output(flat ? reshape(both, {pointwise(PointwiseOp::mul, {size(both, 0), size(both, 1)})}) : both);
  }
};

TEST(Apply, Views) {
  for (const Sizes& shape : std::vector<Sizes>{{1, 2}, {5, 7}, {4, 32}, {9, 61}}) {
    for (bool flat : {false, true}) {
      const ViewCase test(shape[0], shape[1], flat);
      expect_right(test, flat_params());
      expect_right(test, cpu_params());
    }
  }
}

TEST(Apply, StridedAndExpandedInputs) {
  using Stride = Layout::Stride;
  for (const Sizes& strides : std::vector<Sizes>{{40, 1}, {37, 1}, {40, 2}, {1, 12}}) {
    KernelCase test;
    TensorView* x = test.input({6, 32});
    TensorView* y = test.input({6, 32});
    test.layouts[0].strides = {Stride::free, Stride::free};
    test.layouts[1].strides = {Stride::zero, Stride::dense};
    test.strides = {{"in0_s0", strides[0]}, {"in0_s1", strides[1]}};
    test.output(binary(PointwiseOp::add, x, y));
    expect_right(test, flat_params());
    expect_right(test, cpu_params());
  }
}

TEST(Apply, Tiles) {
  std::vector<Params> list = tile_params();
  list.push_back({.family = Family::cpu_tile, .tile = 16});
  for (const Sizes& shape : std::vector<Sizes>{{1, 1}, {16, 32}, {33, 31}, {20, 12}, {1, 40}, {40, 3}}) {
    expect_right(TransposeCase(shape[0], shape[1]), list);
    expect_right(CopyCase(shape[0], shape[1]), list);
    expect_right(BothOrdersCase(shape[0], shape[1]), list);
    expect_right(PermuteCase({2, shape[0], shape[1]}, {0, 2, 1}), list);
    expect_right(PermuteCase({shape[0], 3, shape[1]}, {2, 1, 0}), list);
    expect_right(PermuteCase({shape[0], 3, shape[1]}, {2, 0, 1}), list);
  }
}

TEST(Apply, CandidatesOfChoose) {
  for (const char* device : {"H200", "CPU"}) {
    expect_candidates_right(BiasCase(5, 256), device);
    expect_candidates_right(BiasCase(3, 101), device);
    expect_candidates_right(ChainCase(4, 64), device);
    expect_candidates_right(BothOrdersCase(24, 40), device);
    expect_candidates_right(ScalarCase(), device);
  }
}

TEST(Apply, TileWithoutTransposeIsRefused) {
  for (Family family : {Family::tile, Family::cpu_tile}) {
    const std::shared_ptr<Kernel> kernel = BiasCase(8, 8).kernel();
    try {
      apply(*kernel, {.family = family, .threads = 32, .tile = 16});
      ADD_FAILURE() << "nothing was refused";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::schedule);
    }
  }
}

std::string loops_text(const Reference& reference) {
  std::string text;
  for (const Id* loop : reference.loops) {
    text += (text.empty() ? "" : ", ") + to_string(loop->extent) + " " + std::string(name_of(loop->parallel));
  }
  return text;
}

TEST(Apply, Loops) {
  std::shared_ptr<Kernel> kernel = BiasCase(64, 256).kernel();
  apply(*kernel, {.threads = 128, .batch = 2, .vector = 4});
  EXPECT_EQ(loops_text(kernel->main()), "(i0*i1 + 1023) / 1024 grid_x, 128 block_x, 1 unswitch, 2 unroll, 4 vectorize");
  kernel = BiasCase(64, 256).kernel();
  apply(*kernel, {.family = Family::cpu_flat, .task = 256});
  EXPECT_EQ(loops_text(kernel->main()), "i0*((i1 + 255) / 256) grid_x, 256 vectorize") << "the bias keeps rows apart";
  kernel = ChainCase(64, 256).kernel();
  apply(*kernel, {.family = Family::cpu_flat, .task = 256});
  EXPECT_EQ(loops_text(kernel->main()), "(i0*i1 + 255) / 256 grid_x, 256 vectorize")
      << "contiguous tensors are one run";
  kernel = TransposeCase(64, 256).kernel();
  apply(*kernel, {.family = Family::tile, .threads = 256, .vector = 4, .vector_other = 4, .tile = 64});
  ASSERT_EQ(kernel->references.size(), 2u);
  for (const Reference& reference : kernel->references) {
    EXPECT_EQ(loops_text(reference), "((i1 + 63) / 64)*((i0 + 63) / 64) grid_x, 256 block_x, 4 unroll, 4 vectorize");
  }
}

std::string facts_text(const KernelCase& test, const Params& params, int64_t alignment = 16) {
  const std::shared_ptr<Kernel> kernel = test.kernel();
  apply(*kernel, params);
  return derive_facts(*kernel, values_of(test, *kernel), aligned(*kernel, alignment)).text();
}

TEST(DeriveFacts, SaysWhatVectorsNeedAndNoMore) {
  const Params flat{.threads = 32, .batch = 1, .vector = 4};
  EXPECT_EQ(facts_text(BiasCase(64, 256), flat), "exact i0*i1 / 128; i1%4, in0@16, in1@16, out0@16; narrow");
  EXPECT_EQ(facts_text(BiasCase(63, 260), flat), "i1%4, in0@16, in1@16, out0@16; narrow") << "the last block is masked";
  EXPECT_EQ(facts_text(BiasCase(64, 258), flat), "exact i0*i1 / 128; i0%4, i1>=4, in0@16, out0@16; narrow")
      << "bias by single elements";
  EXPECT_EQ(facts_text(BiasCase(63, 257), flat), "i1>=4, in0@16, out0@16; narrow") << "full threads move vectors";
  EXPECT_EQ(facts_text(BiasCase(64, 256), flat, 8), "exact i0*i1 / 128; i1>=4; narrow")
      << "addresses are aligned to 8 bytes";
  EXPECT_EQ(facts_text(BiasCase(0, 256), flat), "i1%4, in0@16, in1@16, out0@16; narrow") << "nothing divides 0";
  EXPECT_EQ(facts_text(BiasCase(64, 256), {.threads = 32, .batch = 4, .vector = 1}), "exact i0*i1 / 128; narrow");
  EXPECT_EQ(facts_text(TransposeCase(64, 30),
                       {.family = Family::tile, .threads = 32, .vector = 4, .vector_other = 2, .tile = 16}),
            "exact i0 / 16; i0%4, i1%2, in0@8, out0@16; narrow");
  EXPECT_EQ(facts_text(BiasCase(64, 256), {.family = Family::cpu_flat, .task = 64}), "exact i1 / 64; narrow");
  EXPECT_EQ(facts_text(BiasCase(64, 256), {.family = Family::cpu_flat, .task = 512}), "narrow");
}

TEST(DeriveFacts, IndexWidth) {
  EXPECT_EQ(facts_text(BiasCase(1 << 16, (1 << 15) - 1), {.threads = 128, .vector = 1}), "exact i0*i1 / 128; narrow");
  EXPECT_EQ(facts_text(BiasCase(1 << 16, 1 << 15), {.threads = 128, .vector = 1}), "exact i0*i1 / 128; wide");
  EXPECT_EQ(facts_text(BiasCase(1, (int64_t{1} << 31) - 1), {.threads = 128, .vector = 1}), "wide")
      << "the last tile counts";
}

TEST(Facts, Text) {
  Facts facts;
  EXPECT_EQ(facts.text(), "wide");
  facts.wide = false;
  facts.exact = {{"i0", "4"}, {"i1", "128"}};
  facts.divisors = {{"i0", 8}};
  facts.alignment = {{"in0", 16}, {"out0", 16}};
  EXPECT_EQ(facts.text(), "exact i0 / 4, i1 / 128; i0%8, in0@16, out0@16; narrow");
}

TEST(Summarize, CountsAndVectors) {
  const BiasCase test(64, 256);
  const std::shared_ptr<Kernel> kernel = test.kernel();
  const Problem p = summarize(*kernel, values_of(test, *kernel), aligned(*kernel));
  EXPECT_EQ(p.points, 64 * 256);
  EXPECT_EQ(p.bytes, 4 * (2 * 64 * 256 + 256));
  EXPECT_EQ(p.full_inputs, 1);
  EXPECT_EQ(p.place, 4);
  EXPECT_EQ(p.run, 256);
  EXPECT_FALSE(p.transposed);
  ASSERT_EQ(p.buffers.size(), 3u);
  for (const ProblemBuffer& buffer : p.buffers) {
    EXPECT_EQ(buffer.max_vector, 4);
  }
  EXPECT_EQ(p.issue, 4 * (1 + 4 + 1) + 2 * 3 + 4) << "add, tanh, mul an element; three accesses and addresses a place";
  EXPECT_EQ(p.special, 4 * 2);
}

TEST(Summarize, Transposed) {
  const TransposeCase test(64, 30);
  const std::shared_ptr<Kernel> kernel = test.kernel();
  const Problem p = summarize(*kernel, values_of(test, *kernel), aligned(*kernel));
  EXPECT_TRUE(p.transposed);
  EXPECT_EQ(p.inner, 64);
  EXPECT_EQ(p.other, 30);
  ASSERT_EQ(p.buffers.size(), 2u);
  EXPECT_TRUE(p.buffers[0].other);
  EXPECT_EQ(p.buffers[0].max_vector, 0) << "neighbours of the flat order are a row apart";
  EXPECT_EQ(p.buffers[0].max_vector_tile, 2);
  EXPECT_EQ(p.buffers[1].max_vector, 4);
  EXPECT_EQ(p.buffers[1].max_vector_tile, 4);
}

}  // namespace
}  // namespace nvfuser
