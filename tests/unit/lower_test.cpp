// SPDX-License-Identifier: Apache-2.0
// Lowered programs: their text where a schedule's shape matters, and runs against the evaluator over many sizes.
#include "nvfuser/ops/factory.h"
#include "schedule_cases.h"

namespace nvfuser {
namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

template <class Do>
std::string refusal(const Do& what) {
  try {
    what();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::schedule) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return "";
}

const std::vector<std::pair<int64_t, int64_t>> kOdd = {{1, 1},   {1, 5},   {3, 1},    {7, 260}, {8, 256},
                                                       {5, 259}, {33, 31}, {16, 128}, {2, 1024}};

// ---- text ----

TEST(Lower, FlatWithFacts) {
  BiasCase test(8, 260);
  const auto kernel = test.kernel();
  schedule_flat(*kernel, 32, 4);
  EXPECT_EQ(to_string(lowered(test, kernel)), R"(gpu k(in0: Float, in1: Float, out0: Float, i0, i1, i1_div = i1)
  grid (((i0*i1) / 4) + 31) / 32, 1, 1; block 32, 1, 1
  local T0: Float[4]
  local T1: Float[4]
  local T4: Float[4]
  if tx*4 + bx*128 < i0*i1
    T0[0] = move<4> in0[tx*4 + bx*128]
    T1[0] = move<4> in1[(tx*4 + bx*128) % i1]
    vectorize for jki3 < 4
      local T2: Float[1]
      local T3: Float[1]
      T2[0] = add(T0[jki3], T1[jki3])
      T3[0] = tanh(T2[0])
      T4[jki3] = mul(T3[0], T2[0])
    out0[tx*4 + bx*128] = move<4> T4[0]
)");
}

TEST(Lower, RowsWithFactsLoadTheBiasOnce) {
  BiasCase test(8, 260);
  const auto kernel = test.kernel();
  schedule_rows(*kernel, 32, 4, 4);
  EXPECT_EQ(to_string(lowered(test, kernel)), R"(gpu k(in0: Float, in1: Float, out0: Float, i1)
  grid (i1 + 127) / 128, i0 / 4, 1; block 32, 1, 1
  local T0: Float[16]
  local T1: Float[4]
  if tx*4 + bx*128 < i1
    unroll for ji < 4
      T0[ji*4] = move<4> in0[i1*ji + i1*by*4 + tx*4 + bx*128]
    T1[0] = move<4> in1[tx*4 + bx*128]
    unroll for ji2 < 4
      local T4: Float[4]
      vectorize for kii3 < 4
        local T2: Float[1]
        local T3: Float[1]
        T2[0] = add(T0[ji2*4 + kii3], T1[kii3])
        T3[0] = tanh(T2[0])
        T4[kii3] = mul(T3[0], T2[0])
      out0[i1*ji2 + i1*by*4 + tx*4 + bx*128] = move<4> T4[0]
)");
}

TEST(Lower, WithoutFactsEveryElementIsTested) {
  BiasCase test(8, 260);
  const auto kernel = test.kernel();
  schedule_rows(*kernel, 32, 4, 4);
  const std::string text = to_string(lowered(test, kernel, false));
  EXPECT_FALSE(contains(text, "move"));
  EXPECT_TRUE(contains(text, "if by*4 + ji < i0\n      vectorize for kii < 4\n        if tx*4 + bx*128 + kii < i1\n"));
}

TEST(Lower, TransposeThroughShared) {
  TransposeCase test(32, 48);
  const auto kernel = test.kernel();
  schedule_transpose(*kernel, 16, 4, 2, false, 0);
  EXPECT_EQ(to_string(lowered(test, kernel)), R"(gpu k(in0: Float, out0: Float, i0, i1)
  grid i1 / 16, ((i0 / 16) + 1) / 2, 1; block 64, 1, 1
  shared T1: Float[256] at 0
  for koi < 2
    local T0: Float[4]
    local T2: Float[4]
    T0[0] = move<4> in0[i1*koi*16 + i1*by*32 + i1*(tx / 4) + bx*16 + (tx % 4)*4]
    sync
    T1[tx*4] = move<4> T0[0]
    sync
    vectorize for jikii < 4
      T2[jikii] = relu(T1[jikii*16 + (tx / 4) + (tx % 4)*64])
    out0[i0*bx*16 + i0*(tx / 4) + koi*16 + by*32 + (tx % 4)*4] = move<4> T2[0]
)");
}

TEST(Lower, SwizzleInGroupsKeepsVectorWrites) {
  TransposeCase test(32, 48);
  const auto kernel = test.kernel();
  schedule_transpose(*kernel, 16, 4, 1, true, 0, 4);
  const std::string text = to_string(lowered(test, kernel));
  EXPECT_TRUE(contains(text, "T1[(tx / 4)*16 + ((tx % 4) ^ ((tx / 4) % 4))*4] = move<4> T0[0]"));
  EXPECT_TRUE(contains(text, "T2[jikii] = relu(T1[jikii*16 + (tx % 4)*64 + ((tx / 4) % 4) + ((tx / 16) ^ jikii)*4])"));
}

TEST(Lower, CpuLanesEndAtALimit) {
  BiasCase test(7, 37);
  const auto kernel = test.kernel();
  schedule_tasks(*kernel, 64);
  EXPECT_EQ(to_string(lowered(test, kernel, true, Target::cpu)),
            R"(cpu k(in0: Float, in1: Float, out0: Float, i0, i1, i1_div = i1)
  grid (i0*i1 + 63) / 64, 1, 1; block 1, 1, 1
  vectorize for jki < 64, at most i0*i1 - bx*64
    local T0: Float[1]
    local T1: Float[1]
    local T2: Float[1]
    local T3: Float[1]
    local T4: Float[1]
    T0[0] = in0[bx*64 + jki]
    T1[0] = in1[(bx*64 + jki) % i1]
    T2[0] = add(T0[0], T1[0])
    T3[0] = tanh(T2[0])
    T4[0] = mul(T3[0], T2[0])
    out0[bx*64 + jki] = T4[0]
)");
}

TEST(Lower, CpuLanesEndAtEveryLimit) {
  // A lane is tested against its part of a row and against the row.
  for (int64_t n : {1, 4, 5, 7, 37}) {
    KernelCase test;
    test.output(unary(PointwiseOp::relu, test.input({n})));
    const auto kernel = test.kernel();
    const Loops loops(*kernel, kernel->main());
    const auto [part, rest] = loops.split(loops[0], 5);
    const auto [step, lane] = loops.split(rest, 4);
    loops.parallelize(part, ParallelType::grid_x);
    loops.parallelize(lane, ParallelType::vectorize);
    inline_all(*kernel, 3, 3);
    const Program program = lowered(test, kernel, false, Target::cpu);
    EXPECT_EQ(to_string(program), R"(cpu k(in0: Float, out0: Float, i0)
  grid (i0 + 4) / 5, 1, 1; block 1, 1, 1
  for jio < 2
    vectorize for jii < 4, at most -jio*4 + 5, i0 - bx*5 - jio*4
      local T0: Float[1]
      local T1: Float[1]
      T0[0] = in0[bx*5 + jio*4 + jii]
      T1[0] = relu(T0[0])
      out0[bx*5 + jio*4 + jii] = T1[0]
)");
    EXPECT_EQ(run_program(test, program), "");
  }
}

TEST(Lower, UnswitchPrintsBothCopies) {
  KernelCase test;
  test.output(unary(PointwiseOp::relu, test.input({1000})));
  const auto kernel = test.kernel();
  const Loops loops(*kernel, kernel->main());
  const auto [grid, rest] = loops.split(loops[0], 128);
  const auto [all, step] = loops.split(rest, 128);
  const auto [unroll, thread] = loops.split(step, 32);
  loops.parallelize(grid, ParallelType::grid_x);
  loops.parallelize(all, ParallelType::unswitch);
  loops.parallelize(unroll, ParallelType::unroll);
  loops.parallelize(thread, ParallelType::block_x);
  inline_all(*kernel, 2, 4);
  const Program program = lowered(test, kernel, false);
  EXPECT_EQ(to_string(program), R"(gpu k(in0: Float, out0: Float, i0)
  grid (i0 + 127) / 128, 1, 1; block 32, 1, 1
  if tx + bx*128 + 96 < i0
    local T0: Float[4]
    unroll for jiio < 4
      T0[jiio] = in0[tx + bx*128 + jiio*32]
    unroll for jiio2 < 4
      local T1: Float[1]
      T1[0] = relu(T0[jiio2])
      out0[tx + bx*128 + jiio2*32] = T1[0]
  else
    if tx + bx*128 < i0
      local T0: Float[4]
      unroll for jiio < 4
        if tx + bx*128 + jiio*32 < i0
          T0[jiio] = in0[tx + bx*128 + jiio*32]
      unroll for jiio2 < 4
        local T1: Float[1]
        if tx + bx*128 + jiio2*32 < i0
          T1[0] = relu(T0[jiio2])
          out0[tx + bx*128 + jiio2*32] = T1[0]
)");
  EXPECT_EQ(run_program(test, program), "");
}

// ---- runs ----

TEST(Lower, BiasOverManySizes) {
  for (const auto& [m, n] : kOdd) {
    for (const bool facts : {true, false}) {
      BiasCase test(m, n);
      const auto flat = test.kernel(), rows = test.kernel(), tasks = test.kernel();
      schedule_flat(*flat, 32, 4);
      EXPECT_EQ(run_program(test, lowered(test, flat, facts)), "") << m << "x" << n;
      schedule_rows(*rows, 32, 4, 4);
      EXPECT_EQ(run_program(test, lowered(test, rows, facts)), "") << m << "x" << n;
      schedule_tasks(*tasks, 64);
      EXPECT_EQ(run_program(test, lowered(test, tasks, facts, Target::cpu)), "") << m << "x" << n;
    }
  }
}

TEST(Lower, TransposeOverManySizes) {
  for (const auto& [m, n] : kOdd) {
    for (int variant = 0; variant < 4; ++variant) {
      TransposeCase test(m, n);
      const auto kernel = test.kernel();
      const bool swizzle = variant == 1 || variant == 2;
      schedule_transpose(*kernel, 16, 4, variant == 3 ? 3 : 1, swizzle, variant == 3 ? 1 : 0, variant == 2 ? 4 : 1);
      const Program program = lowered(test, kernel);
      EXPECT_TRUE(program.has_barrier);
      EXPECT_EQ(run_program(test, program), "") << m << "x" << n << " variant " << variant;
    }
  }
}

TEST(Lower, AMissingBarrierIsSeen) {
  TransposeCase test(16, 16);
  const auto kernel = test.kernel();
  schedule_transpose(*kernel, 16, 4, 1, false, 0);
  Program program = lowered(test, kernel);
  std::vector<Node>& nodes = program.body.nodes;
  nodes.erase(std::find_if(nodes.begin(), nodes.end(), [](const Node& n) { return std::holds_alternative<Sync>(n); }));
  EXPECT_TRUE(contains(run_program(test, program), "no barrier between write and read of T1"));
}

TEST(Lower, NoElements) {
  for (const auto& [m, n] : {std::pair<int64_t, int64_t>{0, 5}, {5, 0}, {0, 0}}) {
    BiasCase test(m, n);
    const auto kernel = test.kernel();
    schedule_flat(*kernel, 32, 4);
    const Program program = lowered(test, kernel);
    const auto sizes = test.sizes(*kernel);
    // No division fact holds for an extent of 0, so every statement stands under a test that fails.
    EXPECT_TRUE(contains(to_string(program), "< i0*i1"));
    ProgramInterpreter interpreter(program, sizes);
    std::vector<InterpretedBuffer> empty(3);
    interpreter.bind(Parameter::Kind::input, 0, empty[0]);
    interpreter.bind(Parameter::Kind::input, 1, empty[1]);
    interpreter.bind(Parameter::Kind::output, 0, empty[2]);
    EXPECT_EQ(interpreter.run(), "");
  }
}

TEST(Lower, PadCatAndIota) {
  for (const auto& [m, n] : kOdd) {
    KernelCase test;
    Fusion& f = *test.fusion;
    TensorView* x = test.input({m, n});
    const auto at = [&](int64_t k) { return f.index_constant(k); };
    TensorView* padded = pad(unary(PointwiseOp::neg, x), {at(2), at(1)}, f.constant(1.5, DataType::Float));
    TensorView* joined = cat({padded, unary(PointwiseOp::relu, padded)}, 0);
    TensorView* numbers = static_cast<TensorView*>(cast(iota(padded->logical()[1]->extent()), DataType::Float));
    test.output(binary(PointwiseOp::mul, joined, broadcast(numbers, {true, false})));
    for (const Target target : {Target::gpu, Target::cpu}) {
      const auto kernel = test.kernel();
      if (target == Target::gpu) {
        schedule_flat(*kernel, 32, 4);
      } else {
        schedule_tasks(*kernel, 64);
      }
      const Program program = lowered(test, kernel, true, target);
      EXPECT_EQ(run_program(test, program), "") << to_string(program);
    }
  }
}

TEST(Lower, StridedInputs) {
  KernelCase test;
  TensorView* x = test.input({5, 6});
  test.layouts[0] = {{1, 0}, {Layout::Stride::free, Layout::Stride::free}};
  test.output(unary(PointwiseOp::relu, x));
  for (const auto& [row, column] : {std::pair<int64_t, int64_t>{7, 1}, {0, 1}, {1, 0}, {1, 5}, {20, 3}}) {
    test.strides = {{"in0_s0", row}, {"in0_s1", column}};
    const auto kernel = test.kernel();
    schedule_flat(*kernel, 16, 2);
    EXPECT_EQ(run_program(test, lowered(test, kernel)), "") << row << ", " << column;
  }
}

// ---- moves ----

/// The widths of all moves between a global buffer and registers, first to last.
std::vector<int> widths(const Block& block) {
  std::vector<int> found;
  for (const Node& node : block.nodes) {
    std::vector<int> more;
    if (const auto* n = std::get_if<Move>(&node)) {
      more = {n->width};
    } else if (const auto* n = std::get_if<Loop>(&node)) {
      more = widths(*n->body);
    } else if (const auto* n = std::get_if<Guard>(&node)) {
      more = widths(*n->body);
    }
    found.insert(found.end(), more.begin(), more.end());
  }
  return found;
}

TEST(Lower, WidthFollowsAlignmentOfEachBuffer) {
  BiasCase test(8, 256, DataType::Half);
  const auto kernel = test.kernel();
  schedule_rows(*kernel, 32, 1, 8);
  assign_loops(*kernel);
  Facts facts = facts_of(*kernel, test.sizes(*kernel));
  facts.alignment = {{"in0", 16}, {"in1", 4}, {"out0", 16}};
  const auto text = [&] { return to_string(lower({kernel, "k", Target::gpu, facts, 0, {}})); };
  EXPECT_EQ(widths(lower({kernel, "k", Target::gpu, facts, 0, {}}).body), (std::vector<int>{8, 8, 8}));
  EXPECT_TRUE(contains(text(), "= move<8> in0[")) << text();
  EXPECT_TRUE(contains(text(), "= unaligned move<8> in1[")) << text();
  facts.alignment = {{"in0", 4}, {"in1", 4}, {"out0", 8}};
  EXPECT_EQ(widths(lower({kernel, "k", Target::gpu, facts, 0, {}}).body), (std::vector<int>{8, 8, 2})) << text();
  facts.alignment.clear();
  EXPECT_EQ(widths(lower({kernel, "k", Target::gpu, facts, 0, {}}).body), (std::vector<int>{8, 8})) << text();
}

/// What stands around the elements of another thread may be written meanwhile.
TEST(Lower, WhatIsWrittenInPlaceIsReadByAlignedVectors) {
  BiasCase test(8, 256);
  const auto kernel = test.kernel();
  schedule_rows(*kernel, 32, 1, 4);
  assign_loops(*kernel);
  Facts facts = facts_of(*kernel, test.sizes(*kernel));
  facts.alignment.clear();
  const std::string apart = to_string(lower({kernel, "k", Target::gpu, facts, 0, {}})),
                    in_place = to_string(lower({kernel, "k", Target::gpu, facts, 0, {{0, 0}}}));
  EXPECT_TRUE(contains(apart, "unaligned move<4> in0[") && contains(apart, "unaligned move<4> in1[")) << apart;
  EXPECT_TRUE(!contains(in_place, "move<4> in0[") && contains(in_place, "unaligned move<4> in1[")) << in_place;
}

TEST(Lower, WideRunsAreOneMoveWhereAllIsDivisible) {
  BiasCase test(4, 1024);
  const auto kernel = test.kernel();
  schedule_rows(*kernel, 32, 1, 16);
  EXPECT_EQ(widths(lowered(test, kernel).body), (std::vector<int>{16, 16, 16}));
  BiasCase narrow(4, 1032);  // rows start at multiples of 8 elements
  const auto other = narrow.kernel();
  schedule_rows(*other, 32, 1, 16);
  const Program program = lowered(narrow, other);
  EXPECT_EQ(widths(program.body), (std::vector<int>{8, 8, 8}));
  EXPECT_EQ(run_program(narrow, program), "");
}

TEST(Lower, AShiftedReadIsAnUnalignedVector) {
  KernelCase test;
  Fusion& f = *test.fusion;
  TensorView* x = test.input({65});
  test.output(unary(PointwiseOp::relu, slice(x, {f.index_constant(1)}, {f.index_constant(65)})));
  const auto kernel = test.kernel();
  schedule_flat(*kernel, 8, 4);
  const Program program = lowered(test, kernel);
  EXPECT_EQ(widths(program.body), (std::vector<int>{4, 4})) << to_string(program);
  EXPECT_TRUE(contains(to_string(program), "unaligned move<4> in0[")) << to_string(program);
  EXPECT_EQ(run_program(test, program), "");
}

// ---- parameters ----

TEST(Lower, ParametersStandInOrder) {
  KernelCase test;
  Fusion& f = *test.fusion;
  Val* factor = f.symbolic(DataType::Double);
  TensorView* x = test.input({4, 6, 8});
  f.add_input(factor);
  TensorView* b = test.input({8});
  TensorView* scaled = static_cast<TensorView*>(pointwise(PointwiseOp::mul, {x, factor}));
  test.output(binary(PointwiseOp::add, scaled, broadcast(b, {true, true, false})));
  const auto kernel = test.kernel();
  schedule_flat(*kernel, 32, 1);
  assign_loops(*kernel);
  Facts facts = no_facts();
  const Program program = lower({kernel, "k", Target::gpu, facts, 0, {}});
  std::string names;
  for (const Parameter& p : program.parameters) {
    names += p.name + " ";
  }
  EXPECT_EQ(names, "in0 in1 out0 i0 i1 i2 i2_div s0 ");
  const ImageLayout narrow = image_layout(program);
  EXPECT_EQ(narrow.offsets, (std::vector<int>{0, 8, 16, 24, 28, 32, 36, 48}));
  EXPECT_EQ(narrow.bytes, 52);  // the builder brought the scalar to Float
  facts.wide = true;
  const ImageLayout wide = image_layout(lower({kernel, "k", Target::gpu, facts, 0, {}}));
  EXPECT_EQ(wide.offsets, (std::vector<int>{0, 8, 16, 24, 32, 40, 48, 72}));
  EXPECT_EQ(wide.bytes, 76);
}

TEST(Lower, ProductsOfSizesAreOneDivisor) {
  KernelCase test;
  TensorView* x = test.input({4, 6, 8});
  TensorView* b = test.input({4});
  test.output(binary(PointwiseOp::add, x, broadcast(b, {false, true, true})));
  const auto kernel = test.kernel();
  schedule_flat(*kernel, 32, 1);
  const std::string text = to_string(lowered(test, kernel));
  EXPECT_TRUE(contains(text, "i1_i2_div = i1*i2")) << text;
}

// ---- aliases ----

TEST(Lower, InPlace) {
  KernelCase test;
  test.output(unary(PointwiseOp::relu, test.input({8, 260})));
  const auto kernel = test.kernel();
  schedule_flat(*kernel, 32, 4);
  const Program program = lowered(test, kernel, true, Target::gpu, {{0, 0}});
  EXPECT_EQ(program.aliases.size(), 1u);
  EXPECT_EQ(run_program(test, program), "");
}

TEST(Lower, InPlaceWithAnotherMapIsRefused) {
  KernelCase test;
  TensorView* x = test.input({9, 9});
  test.output(binary(PointwiseOp::add, x, permute(x, {1, 0})));
  const auto kernel = test.kernel();
  schedule_flat(*kernel, 32, 1);
  EXPECT_TRUE(contains(refusal([&] { lowered(test, kernel, true, Target::gpu, {{0, 0}}); }), "different maps"));
}

TEST(Lower, InPlaceReadByManyThreadsIsRefused) {
  KernelCase test;
  TensorView* x = test.input({9});
  TensorView* b = test.input({4, 9});
  test.output(unary(PointwiseOp::relu, x));
  test.output(binary(PointwiseOp::add, broadcast(x, {true, false}), b));
  const auto kernel = test.kernel(1);
  const Loops loops(*kernel, kernel->main());
  loops.parallelize(loops.split(loops[0], 4).second, ParallelType::block_y);
  loops.parallelize(loops.split(loops[2], 8).second, ParallelType::block_x);
  for (Tensor* t : kernel->tensors) {
    inline_at(*t, loops.size());
  }
  EXPECT_EQ(run_program(test, lowered(test, kernel)), "");
  EXPECT_TRUE(contains(refusal([&] { lowered(test, kernel, true, Target::gpu, {{0, 0}}); }), "in place of in0"));
}

TEST(Lower, InPlaceReadsOfAnotherLoopComeFirst) {
  KernelCase test;
  TensorView* x = test.input({9, 9});
  test.output(unary(PointwiseOp::relu, x));
  test.output(unary(PointwiseOp::neg, x));
  const auto kernel = test.kernel();
  const Loops loops(*kernel, kernel->main());
  loops.parallelize(loops.split(loops[1], 8).second, ParallelType::block_x);
  privatise(*kernel, *kernel->tensors[0], {kernel->outputs[1]->operands[0].tensor});
  for (Tensor* t : kernel->tensors) {
    inline_at(*t, loops.size());
  }
  const auto stored_first = [&](const Program& program) {
    const std::string text = to_string(program);
    return text.find("out0[") < text.find("out1[");
  };
  EXPECT_TRUE(stored_first(lowered(test, kernel)));
  const Program program = lowered(test, kernel, true, Target::gpu, {{0, 0}});
  EXPECT_FALSE(stored_first(program)) << to_string(
      program);  // the loop that only reads runs before the one that writes
  EXPECT_EQ(run_program(test, program), "");
}

// ---- refusals ----

TEST(Lower, LocalValuesCrossNoThreads) {
  TransposeCase test(32, 48);
  const auto kernel = test.kernel();
  schedule_transpose(*kernel, 16, 4, 1, false, 0);
  kernel->tensors[1]->memory = MemoryType::local;
  kernel->tensors[1]->allocation.reset();
  const std::string why = refusal([&] { lowered(test, kernel); });
  EXPECT_TRUE(contains(why, "T1 (local) crosses block_x on its way to T2")) << why;
}

TEST(Lower, RegistersNeedConstantExtents) {
  BiasCase test(8, 8);
  const auto kernel = test.kernel();
  inline_all(*kernel, 0, 0);
  EXPECT_TRUE(contains(refusal([&] { lowered(test, kernel); }), "needs a constant extent on loop"));
}

TEST(Lower, InconsistentInlining) {
  KernelCase test;
  TensorView* x = test.input({4, 4});
  TensorView* a = unary(PointwiseOp::neg, x);
  TensorView* m = unary(PointwiseOp::relu, a);
  TensorView* q = unary(PointwiseOp::tanh, m);
  test.output(binary(PointwiseOp::add, a, q));
  const auto kernel = test.kernel();
  const Loops loops(*kernel, kernel->main());
  for (Id* loop : std::vector<Id*>(kernel->main().loops)) {
    loops.fit(loop, 4);
  }
  for (Tensor* t : kernel->tensors) {
    inline_at(*t, t->view == m || t->view == q ? 0 : 4);
  }
  // a puts m and the sum into one loop; q stands between them in loops of its own.
  EXPECT_TRUE(contains(refusal([&] { lowered(test, kernel); }), "inlining inconsistent among"));
}

TEST(Lower, CpuHasNeitherThreadsNorSharedMemory) {
  BiasCase test(8, 8);
  const auto kernel = test.kernel();
  schedule_flat(*kernel, 32, 4);
  EXPECT_TRUE(contains(refusal([&] { lowered(test, kernel, true, Target::cpu); }), "thread index"));
}

TEST(Lower, EqualKernelsHaveEqualText) {
  std::string texts[2];
  for (std::string& text : texts) {
    BiasCase test(8, 260);
    const auto kernel = test.kernel();
    schedule_rows(*kernel, 32, 4, 4);
    lowered(test, kernel, false);
    text = to_string(lowered(test, kernel));  // lowering again changes nothing
  }
  EXPECT_EQ(texts[0], texts[1]);
}

}  // namespace
}  // namespace nvfuser
