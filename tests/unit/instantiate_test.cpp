// SPDX-License-Identifier: Apache-2.0
// Access maps: how many tensors a fusion becomes, and where each is read.
#include "kernel_fixture.h"

namespace nvfuser {
namespace {

TensorView* unary(PointwiseOp op, Val* a) { return static_cast<TensorView*>(pointwise(op, {a})); }
TensorView* binary(PointwiseOp op, Val* a, Val* b) { return static_cast<TensorView*>(pointwise(op, {a, b})); }

int count(const Kernel& kernel, TensorOp op) {
  int n = 0;
  for (const Tensor* t : kernel.tensors) {
    n += t->op == op;
  }
  return n;
}

std::string map_text(const Tensor& t) {
  std::string text;
  for (Index p : t.map) {
    text += (text.empty() ? "" : ", ") + to_string(p);
  }
  return text;
}

const Tensor* first(const Kernel& kernel, TensorOp op, int skip = 0) {
  for (const Tensor* t : kernel.tensors) {
    if (t->op == op && skip-- == 0) {
      return t;
    }
  }
  return nullptr;
}

TEST(Instantiate, BiasAddSharesOneExtentAndReadsTheBiasOnce) {
  KernelCase test;
  TensorView* x = test.input({4, 8});
  TensorView* b = test.input({8});
  test.output(binary(PointwiseOp::add, x, broadcast(b, {true, false})));
  const auto kernel = test.kernel();
  ASSERT_EQ(kernel->tensors.size(), 4u);  // two loads, add, store
  EXPECT_EQ(kernel->main().roots.size(), 2u);
  EXPECT_EQ(kernel->tensors[0]->map,
            (std::vector<Index>{kernel->main().roots[0]->leaf, kernel->main().roots[1]->leaf}));
  EXPECT_EQ(kernel->tensors[1]->map, (std::vector<Index>{kernel->main().roots[1]->leaf}));
  EXPECT_EQ(to_string(kernel->main().roots[0]->extent), "i0");
  EXPECT_EQ(to_string(kernel->main().roots[1]->extent), "i1");
  EXPECT_EQ(kernel->extents.at(b->logical()[0]->extent()), kernel->main().roots[1]->extent);
  EXPECT_EQ(to_string(kernel->inputs[0]->allocation->dims[0].stride), "i1");
  EXPECT_EQ(to_string(kernel->outputs[0]->allocation->dims[1].stride), "1");
}

TEST(Instantiate, OuterSumReadsOneTensorAtTwoMaps) {
  KernelCase test;
  TensorView* x = test.input({5});
  TensorView* y = unary(PointwiseOp::exp, x);
  test.output(binary(PointwiseOp::add, broadcast(y, {false, true}), broadcast(y, {true, false})));
  const auto kernel = test.kernel();
  EXPECT_EQ(count(*kernel, TensorOp::load), 2);     // x[j] and x[k]
  EXPECT_EQ(count(*kernel, TensorOp::compute), 3);  // exp at both, add
  EXPECT_NE(first(*kernel, TensorOp::load)->map, first(*kernel, TensorOp::load, 1)->map);
  EXPECT_EQ(kernel->inputs.size(), 1u);
}

TEST(Instantiate, TransposeOfItselfIsTwoReads) {
  KernelCase test;
  TensorView* x = test.input({6, 6});
  test.output(binary(PointwiseOp::add, x, permute(x, {1, 0})));
  const auto kernel = test.kernel();
  ASSERT_EQ(count(*kernel, TensorOp::load), 2);
  const Tensor *a = first(*kernel, TensorOp::load), *b = first(*kernel, TensorOp::load, 1);
  EXPECT_EQ(a->map[0], b->map[1]);
  EXPECT_EQ(a->map[1], b->map[0]);
  // x and its transpose are added, so both axes have one extent.
  EXPECT_EQ(kernel->main().roots[0]->extent, kernel->main().roots[1]->extent);
}

TEST(Instantiate, EqualMapsThroughPermutesAreOneTensor) {
  KernelCase test;
  TensorView* x = test.input({2, 3, 4});
  TensorView* y = unary(PointwiseOp::exp, x);
  TensorView* a = permute(permute(y, {1, 2, 0}), {2, 0, 1});  // the identity
  test.output(binary(PointwiseOp::mul, y, a));
  const auto kernel = test.kernel();
  EXPECT_EQ(count(*kernel, TensorOp::load), 1);
  EXPECT_EQ(count(*kernel, TensorOp::compute), 2);
  const Tensor* mul = first(*kernel, TensorOp::compute, 1);
  EXPECT_EQ(mul->operands[0].tensor, mul->operands[1].tensor);
}

TEST(Instantiate, TwoPermutesAreTwoTensors) {
  KernelCase test;
  TensorView* x = test.input({3, 3, 3});
  TensorView* y = unary(PointwiseOp::exp, x);
  test.output(binary(PointwiseOp::mul, permute(y, {1, 2, 0}), permute(y, {2, 0, 1})));
  const auto kernel = test.kernel();
  EXPECT_EQ(count(*kernel, TensorOp::load), 2);
  EXPECT_EQ(count(*kernel, TensorOp::compute), 3);
}

TEST(Instantiate, SetAndViewsAreNoTensors) {
  KernelCase test;
  TensorView* x = test.input({4, 6});
  test.output(set(reshape(set(x), {test.fusion->index_constant(24)})));
  const auto kernel = test.kernel();
  ASSERT_EQ(kernel->tensors.size(), 2u);  // load, store
}

TEST(Instantiate, ReshapeOfConstantSizesComposesDigits) {
  KernelCase test;
  Fusion& f = *test.fusion;
  TensorView* x = f.tensor(f.domain({f.axis(f.index_constant(4)), f.axis(f.index_constant(6))}), DataType::Float);
  f.add_input(x);
  test.input_sizes.push_back({4, 6});
  test.layouts.push_back(row_major(*x));
  test.output(reshape(unary(PointwiseOp::neg, x), {f.index_constant(24)}));
  const auto kernel = test.kernel();
  EXPECT_EQ(map_text(*first(*kernel, TensorOp::load)), "j / 6, j % 6");
}

/// rope: x * cos + cat(-x[half:], x[:half]) * sin.
TEST(Instantiate, RopeReadsItsInputAtThreeMaps) {
  KernelCase test;
  TensorView* x = test.input({3, 8});
  TensorView* cosines = test.input({3, 8});
  TensorView* sines = test.input({3, 8});
  Fusion& f = *test.fusion;
  const auto at = [&](int64_t n) { return f.index_constant(n); };
  Val* rows = x->logical()[0]->extent();
  TensorView* low = slice(x, {at(0), at(0)}, {rows, at(4)});
  TensorView* high = slice(x, {at(0), at(4)}, {rows, at(8)});
  TensorView* turned = cat({unary(PointwiseOp::neg, high), low}, 1);
  test.output(binary(PointwiseOp::add, binary(PointwiseOp::mul, x, cosines), binary(PointwiseOp::mul, turned, sines)));
  const auto kernel = test.kernel();
  int reads = 0;
  for (const Tensor* t : kernel->tensors) {
    reads += t->op == TensorOp::load && t->view == x;
  }
  EXPECT_EQ(reads, 3);
  const Tensor* select = first(*kernel, TensorOp::select);
  ASSERT_NE(select, nullptr);
  ASSERT_EQ(select->conditions.size(), 2u);
  EXPECT_FALSE(select->conditions[0].empty());
  EXPECT_TRUE(select->conditions[1].empty());  // the ranges cover the axis
}

TEST(Instantiate, SliceOfPadCancels) {
  KernelCase test;
  TensorView* x = test.input({4, 7});
  Fusion& f = *test.fusion;
  const auto at = [&](int64_t n) { return f.index_constant(n); };
  const auto extents = shape(x);
  TensorView* padded = pad(unary(PointwiseOp::exp, x), {at(0), at(0), at(2), at(3)}, f.constant(1.5, DataType::Float));
  const auto wide = shape(padded);
  test.output(slice(padded, {at(0), at(0)}, {wide[0], wide[1]}));
  const auto kernel = test.kernel();
  const Tensor* select = first(*kernel, TensorOp::select);
  ASSERT_NE(select, nullptr);
  ASSERT_EQ(select->operands.size(), 2u);
  EXPECT_NE(select->operands[1].scalar, nullptr);
  EXPECT_EQ(select->operands[0].tensor->tests.size(), 2u);
}

TEST(Instantiate, UnknownStridesAreSizes) {
  KernelCase test;
  TensorView* x = test.input({4, 6});
  test.layouts[0].strides = {Layout::Stride::free, Layout::Stride::dense};
  test.output(unary(PointwiseOp::relu, x));
  const auto kernel = test.kernel();
  EXPECT_EQ(to_string(kernel->inputs[0]->allocation->dims[0].stride), "in0_s0");
  test.layouts[0] = {{1, 0}, {Layout::Stride::dense, Layout::Stride::free}};
  EXPECT_EQ(to_string(test.kernel()->inputs[0]->allocation->dims[0].stride), "1");
  EXPECT_EQ(to_string(test.kernel()->inputs[0]->allocation->dims[1].stride), "in0_s1");
}

TEST(Instantiate, ReferenceFollowsTheMemoryOrderOfItsOutput) {
  KernelCase test;
  TensorView* x = test.input({4, 6});
  test.output(permute(unary(PointwiseOp::relu, x), {1, 0}));
  InstantiateRequest request;
  request.fusion = test.fusion;
  request.outputs = {test.fusion->outputs()[0]};
  request.inputs = {x};
  request.input_layouts = test.layouts;
  request.output_layouts = {{{1, 0}, {Layout::Stride::dense, Layout::Stride::dense}}};
  const auto kernel = instantiate(request);
  // The output's axis 1 is outermost in memory, so the input is read in its own order.
  EXPECT_EQ(kernel->tensors[0]->map,
            (std::vector<Index>{kernel->main().roots[0]->leaf, kernel->main().roots[1]->leaf}));
}

TEST(Instantiate, SliceFromZeroIsNoEqualExtent) {
  KernelCase test;
  TensorView* x = test.input({9});
  Fusion& f = *test.fusion;
  TensorView* y = slice(x, {f.index_constant(0)}, {f.index_constant(5)});
  test.output(y);
  const AxisClasses classes(f);
  EXPECT_FALSE(classes.same(x->logical()[0], y->logical()[0]));
  EXPECT_EQ(test.kernel()->extents.at(x->logical()[0]->extent())->is_constant(), false);
}

TEST(Instantiate, MissingInputIsAnInternalError) {
  KernelCase test;
  test.output(unary(PointwiseOp::relu, test.input({4})));
  InstantiateRequest request;
  request.fusion = test.fusion;
  request.outputs = {test.fusion->outputs()[0]};
  request.output_layouts = {row_major(*request.outputs[0])};
  EXPECT_THROW(instantiate(request), Error);
}

}  // namespace
}  // namespace nvfuser
