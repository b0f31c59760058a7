// SPDX-License-Identifier: Apache-2.0
// The scheduling language: loop transforms, placement, and the loops that tensors end up with.
#include "kernel_fixture.h"

namespace nvfuser {
namespace {

TensorView* unary(PointwiseOp op, Val* a) { return static_cast<TensorView*>(pointwise(op, {a})); }
TensorView* binary(PointwiseOp op, Val* a, Val* b) { return static_cast<TensorView*>(pointwise(op, {a, b})); }

std::string loops_text(const Reference& reference) {
  std::string text;
  for (const Id* loop : reference.loops) {
    text += (text.empty() ? "" : " ") + loop->name + ":" + to_string(loop->extent);
  }
  return text;
}

std::string loops_text(const Tensor& t) {
  std::string text;
  for (const Id* loop : t.loop) {
    text += (text.empty() ? "" : " ") + (loop == nullptr ? "-" : to_string(loop->extent));
  }
  return text;
}

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

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// x[M, N] + b[N] with loads kept apart.
struct BiasAdd : KernelCase {
  TensorView* x = input({8, 12});
  TensorView* b = input({12});
  BiasAdd() { output(binary(PointwiseOp::add, x, broadcast(b, {true, false}))); }
};

TEST(Transform, ShiftIsWiderAndReadsOtherAxes) {
  BiasAdd test;
  const auto kernel = test.kernel();
  const Loops loops(*kernel, kernel->main());
  IndexPool& pool = *kernel->pool;
  Id *row = loops[0], *column = loops[1];
  const auto below_8 = [&](const Id* axis) {
    const Index start = pool.scale(axis->leaf, 3);
    return pool.sub(start, pool.scale(Algebra(pool).div(start, pool.constant(8)), 8));
  };
  Id* shifted = loops.shift(column, below_8(row), 7);
  EXPECT_EQ(loops_text(kernel->main()), "j:i0 ks:i1 + 7");
  const auto refused = [&](Id* loop, Index by) { return refusal([&] { loops.shift(loop, by, 7); }); };
  EXPECT_TRUE(contains(refused(row, below_8(row)), "depends on the loop itself"));
  EXPECT_TRUE(contains(refused(row, below_8(column)), "depends on the loop itself")) << "the column is shifted by rows";
  EXPECT_TRUE(contains(refused(row, below_8(shifted)), "depends on the loop itself")) << "the same";
  EXPECT_EQ(needs(*kernel->tensors[1]).size(), 2u) << "where a column stands depends on the row";
}

TEST(Transform, ShiftReadsLoopsOfOtherAxes) {
  BiasAdd test;
  const auto kernel = test.kernel();
  const Loops loops(*kernel, kernel->main());
  Id* const column = loops[1];
  const auto [round, share] = loops.split(loops[0], 4);
  loops.shift(column, share->leaf, 3);
  EXPECT_EQ(loops_text(kernel->main()), "jo:(i0 + 3) / 4 ji:4 ks:i1 + 3");
  const std::vector<Id*> mine = needs(*kernel->tensors[1]);
  EXPECT_TRUE(std::find(mine.begin(), mine.end(), share) != mine.end()) << "where a column stands depends on it";
  const std::string itself = refusal([&] { loops.shift(round, share->leaf, 3); });
  EXPECT_TRUE(contains(itself, "depends on the loop itself")) << itself << ": both are of one axis";
  const std::string foreign = refusal([&] { loops.shift(round, make_id(*kernel, "u", share->extent)->leaf, 3); });
  EXPECT_TRUE(contains(foreign, "is no axis of this reference")) << foreign;
}

TEST(Transform, SplitMergeReorder) {
  BiasAdd test;
  const auto kernel = test.kernel();
  const Loops loops(*kernel, kernel->main());
  EXPECT_EQ(loops_text(kernel->main()), "j:i0 k:i1");
  const auto [outer, inner] = loops.split(loops[1], 4);
  EXPECT_EQ(loops_text(kernel->main()), "j:i0 ko:(i1 + 3) / 4 ki:4");
  loops.reorder({outer, loops[0], inner});
  EXPECT_EQ(loops_text(kernel->main()), "ko:(i1 + 3) / 4 j:i0 ki:4");
  Id* merged = loops.merge(loops[1], outer);  // not beside it
  EXPECT_EQ(loops_text(kernel->main()), "jko:" + to_string(merged->extent) + " ki:4");
  EXPECT_EQ(loops.position(inner), 1);
  EXPECT_EQ(loops_below(kernel->main(), kernel->main().roots[1]), (std::vector<Id*>{merged, inner}));
}

TEST(Transform, SplitOuterAndFit) {
  BiasAdd test;
  const auto kernel = test.kernel();
  const Loops loops(*kernel, kernel->main());
  const auto [outer, inner] = loops.split_outer(loops[0], 3);
  EXPECT_TRUE(outer->extent->is(3));
  EXPECT_EQ(to_string(inner->extent), "(i0 + 2) / 3");
  Id* row = loops.fit(loops[2], 16);
  EXPECT_TRUE(row->extent->is(16));
  ASSERT_EQ(kernel->main().fits.size(), 1u);
  EXPECT_EQ(to_string(kernel->main().fits[0].extent), "i1");
}

TEST(Transform, MergeAll) {
  KernelCase test;
  test.output(unary(PointwiseOp::relu, test.input({2, 3, 4})));
  const auto kernel = test.kernel();
  const Loops loops(*kernel, kernel->main());
  loops.merge_all(kernel->main().loops);
  EXPECT_EQ(loops_text(kernel->main()), "jkl:i0*i1*i2");
  EXPECT_TRUE(contains(refusal([&] { loops.merge_all({}); }), "no loops"));
}

TEST(Transform, RefusedLoops) {
  BiasAdd test;
  const auto kernel = test.kernel();
  const Loops loops(*kernel, kernel->main());
  EXPECT_TRUE(contains(refusal([&] { loops.parallelize(loops[0], ParallelType::block_x); }), "constant extent: j{i0}"));
  EXPECT_TRUE(contains(refusal([&] { loops.split(loops[0], 0); }), "at least 1"));
  EXPECT_TRUE(contains(refusal([&] { loops.reorder({loops[0]}); }), "each of the 2 loops"));
  loops.parallelize(loops[0], ParallelType::grid_x);
  EXPECT_TRUE(contains(refusal([&] { loops.parallelize(loops[1], ParallelType::grid_x); }), "grid_x"));
}

TEST(Transform, ForeignLoopsVanishOrAreReplayed) {
  BiasAdd test;
  const auto kernel = test.kernel();
  Tensor* bias = kernel->tensors[1];
  const Loops loops(*kernel, kernel->main());
  assign_loops(*kernel);
  EXPECT_EQ(loops_text(*bias), "- i1");  // no merge: the foreign loop vanishes
  Id* flat = loops.merge(loops[0], loops[1]);
  loops.split(flat, 4);
  inline_at(*bias, 0);
  assign_loops(*kernel);
  EXPECT_EQ(loops_text(*bias), "(i1 + 3) / 4 4");  // own replay: the foreign axis has extent 1
  EXPECT_EQ(bias->loop[0]->mirror, kernel->main().loops[0]);
  inline_at(*bias, 1);
  assign_loops(*kernel);
  EXPECT_EQ(loops_text(*bias), "(i0*i1 + 3) / 4 4");  // shared: promoted to the consumers' loop
}

TEST(Transform, ThreadLoopsTieLocalValuesButNotSharedOnes) {
  BiasAdd test;
  const auto kernel = test.kernel();
  Tensor* bias = kernel->tensors[1];
  const Loops loops(*kernel, kernel->main());
  Id* flat = loops.merge(loops[0], loops[1]);
  loops.parallelize(loops.split(flat, 4).second, ParallelType::block_x);
  inline_at(*bias, 0);
  assign_loops(*kernel);
  EXPECT_EQ(bias->loop[1], kernel->main().loops[1]);
  bias->memory = MemoryType::shared;
  assign_loops(*kernel);
  EXPECT_NE(bias->loop[1], kernel->main().loops[1]);
  EXPECT_EQ(bias->loop[1]->parallel, ParallelType::block_x);
}

TEST(Transform, ForeignAxesStayOneThroughSplits) {
  BiasAdd test;
  const auto kernel = test.kernel();
  Tensor* bias = kernel->tensors[1];
  const Loops loops(*kernel, kernel->main());
  const auto [outer, inner] = loops.split(loops[0], 2);
  loops.merge(inner, loops[2]);
  inline_at(*bias, 0);
  assign_loops(*kernel);
  EXPECT_EQ(loops_text(*bias), "- i1");
  (void)outer;
}

TEST(Transform, ForkSharesAPrefix) {
  BiasAdd test;
  const auto kernel = test.kernel();
  const Loops loops(*kernel, kernel->main());
  const auto [outer, inner] = loops.split(loops[1], 4);
  loops.reorder({outer, loops[0], inner});
  Reference& other = fork(*kernel, kernel->main());
  const Loops forked(*kernel, other);
  forked.reorder({forked[0], forked[2], forked[1]});
  Tensor* x = kernel->tensors[0];
  place({x}, other);
  inline_at(*x, 1);
  assign_loops(*kernel);
  EXPECT_EQ(x->loop[0], outer);
  inline_at(*x, 2);
  EXPECT_TRUE(contains(refusal([&] { assign_loops(*kernel); }), "not shareable at position 1"));
}

TEST(Transform, OneIndexTwiceInAReferenceIsRefused) {
  BiasAdd test;
  const auto kernel = test.kernel();
  const Loops loops(*kernel, kernel->main());
  Reference& other = fork(*kernel, kernel->main());
  loops.parallelize(loops[0], ParallelType::grid_x);
  Loops(*kernel, other).reorder({loops[1], loops[0]});
  loops[1]->parallel = ParallelType::grid_x;  // what two references could do to one id
  EXPECT_TRUE(contains(refusal([&] { assign_loops(*kernel); }), "grid_x"));
}

TEST(Transform, CacheAndPrivatise) {
  BiasAdd test;
  const auto kernel = test.kernel();
  Tensor *x = kernel->tensors[0], *add = kernel->tensors[2];
  Tensor& copy = cache(*kernel, *x, {}, MemoryType::shared);
  EXPECT_EQ(kernel->tensors[1], &copy);
  EXPECT_EQ(copy.memory, MemoryType::shared);
  EXPECT_EQ(add->operands[0].tensor, &copy);
  EXPECT_EQ(copy.map, x->map);
  Tensor& twin = privatise(*kernel, *x, {&copy});
  EXPECT_EQ(twin.op, TensorOp::load);
  EXPECT_EQ(copy.operands[0].tensor, &twin);
  EXPECT_TRUE(contains(refusal([&] { privatise(*kernel, *x, {add}); }), "does not read"));
  EXPECT_TRUE(contains(refusal([&] { cache(*kernel, *kernel->outputs[0]); }), "output"));
}

TEST(Transform, AllocationIsRowMajorWithPadAndSwizzle) {
  BiasAdd test;
  const auto kernel = test.kernel();
  const Loops loops(*kernel, kernel->main());
  Id* row = loops.split(loops[0], 8).second;
  Id* column = loops.split(loops[2], 16).second;
  Tensor& copy = cache(*kernel, *kernel->tensors[0], {}, MemoryType::shared);
  set_allocation(*kernel, copy, {row, column}, 1);
  EXPECT_TRUE(copy.allocation->dims[0].stride->is(17));
  set_allocation(*kernel, copy, {row, column}, 0, true, 4);
  EXPECT_EQ(copy.allocation->swizzle_column, column);
  EXPECT_TRUE(contains(refusal([&] { set_allocation(*kernel, copy, {row, loops[0]}); }), "expected a constant"));
  EXPECT_TRUE(contains(refusal([&] { set_allocation(*kernel, copy, {row, column}, 0, true, 3); }), "power of two"));
}

}  // namespace
}  // namespace nvfuser
