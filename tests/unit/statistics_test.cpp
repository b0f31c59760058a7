// SPDX-License-Identifier: Apache-2.0
// Chains of statistics: which are found, in every way in which an average may be written, and which are not; what
// becomes of one.
#include "nvfuser/graph/statistics.h"

#include "nvfuser/transform/passes.h"
#include "row_cases.h"

namespace nvfuser {
namespace {

using row_programs::column;
using row_programs::number;
using row_programs::stored;
using row_programs::wide;

constexpr auto kMul = PointwiseOp::mul, kSub = PointwiseOp::sub, kOver = PointwiseOp::truediv;

/// Every step of a chain may be written otherwise.
struct Written {
  const char* what;
  bool found;
  void (*build)(KernelCase&);
};

Val* extent(TensorView* x, int axis) { return extents_of(x)[axis]; }
TensorView* square(TensorView* x) { return binary(kMul, x, x); }
/// The sum of squared distances of x from `mean`, which has an axis of one element.
void output_squares(KernelCase& test, TensorView* x, TensorView* mean) {
  test.output(sum(square(binary(kSub, x, mean)), {{1}}));
}
TensorView* fixed_input(KernelCase& test, const Sizes& sizes) {
  std::vector<IterDomain*> axes;
  for (const int64_t n : sizes) {
    axes.push_back(test.fusion->axis(test.fusion->index_constant(n)));
  }
  TensorView* x = test.fusion->tensor(test.fusion->domain(axes), DataType::Float);
  test.fusion->add_input(x);
  test.input_sizes.push_back(sizes);
  test.layouts.push_back(row_major(*x));
  return x;
}

constexpr Written kWritten[] = {
    {"over the extent", true,
     [](KernelCase& t) {
       TensorView* x = t.input({5, 7});
       output_squares(t, x, binary(kOver, sum(x, {{1}}, true), extent(x, 1)));
     }},
    {"averaged before the axis is back", true,
     [](KernelCase& t) {
       TensorView* x = t.input({5, 7});
       output_squares(t, x, column(binary(kOver, sum(x, {{1}}), extent(x, 1))));
     }},
    {"times the reciprocal of the extent", true,
     [](KernelCase& t) {
       TensorView* x = t.input({5, 7});
       Val* share = pointwise(PointwiseOp::reciprocal, {cast(extent(x, 1), DataType::Float)});
       output_squares(t, x, static_cast<TensorView*>(pointwise(kMul, {share, sum(x, {{1}}, true)})));
     }},
    {"times one over the extent", true,
     [](KernelCase& t) {
       TensorView* x = t.input({5, 7});
       Val* share = pointwise(kOver, {number(t, 1), extent(x, 1)});
       output_squares(t, x, binary(kMul, sum(x, {{1}}, true), share));
     }},
    {"a power, the other way round", true,
     [](KernelCase& t) {
       TensorView* x = t.input({5, 7});
       TensorView* mean = binary(kOver, sum(x, {{1}}, true), extent(x, 1));
       t.output(sum(binary(PointwiseOp::pow, binary(kSub, mean, x), number(t, 2)), {{1}}));
     }},
    {"over a number", true,
     [](KernelCase& t) {
       TensorView* x = fixed_input(t, {5, 7});
       output_squares(t, x, binary(kOver, sum(x, {{1}}, true), number(t, 7)));
     }},
    {"times a number", true,
     [](KernelCase& t) {
       TensorView* x = fixed_input(t, {5, 7});
       output_squares(t, x, binary(kMul, sum(x, {{1}}, true), number(t, 1. / 7)));
     }},
    {"over a power of two, which becomes a product", true,
     [](KernelCase& t) {
       TensorView* x = fixed_input(t, {5, 8});
       output_squares(t, x, binary(kOver, sum(x, {{1}}, true), number(t, 8)));
     }},
    {"over two axes", true,
     [](KernelCase& t) {
       TensorView* x = t.input({5, 7, 3});
       Val* count = pointwise(kMul, {extent(x, 2), extent(x, 1)});
       TensorView* mean = binary(kOver, sum(x, {{1, 2}}, true), count);
       t.output(sum(square(binary(kSub, x, mean)), {{1, 2}}));
     }},
    {"in Float of what is stored in BFloat16", true,
     [](KernelCase& t) {
       TensorView* x = t.input({5, 7}, DataType::BFloat16);
       output_squares(t, wide(x), binary(kOver, sum(wide(x), {{1}}, true), extent(x, 1)));
     }},
    {"over another number", false,
     [](KernelCase& t) {
       TensorView* x = fixed_input(t, {5, 7});
       output_squares(t, x, binary(kOver, sum(x, {{1}}, true), number(t, 6)));
     }},
    {"times another number", false,
     [](KernelCase& t) {
       TensorView* x = fixed_input(t, {5, 7});
       output_squares(t, x, binary(kMul, sum(x, {{1}}, true), number(t, 1. / 6)));
     }},
    {"over a number, of any extent", false,
     [](KernelCase& t) {
       TensorView* x = t.input({5, 7});
       output_squares(t, x, binary(kOver, sum(x, {{1}}, true), number(t, 7)));
     }},
    {"over the extent of another axis", false,
     [](KernelCase& t) {
       TensorView* x = t.input({5, 7});
       output_squares(t, x, binary(kOver, sum(x, {{1}}, true), extent(x, 0)));
     }},
    {"the extent over the sum", false,
     [](KernelCase& t) {
       TensorView* x = t.input({5, 7});
       output_squares(t, x, static_cast<TensorView*>(pointwise(kOver, {extent(x, 1), sum(x, {{1}}, true)})));
     }},
    {"squares over fewer axes", false,
     [](KernelCase& t) {
       TensorView* x = t.input({5, 7, 3});
       Val* count = pointwise(kMul, {extent(x, 1), extent(x, 2)});
       TensorView* mean = binary(kOver, sum(x, {{1, 2}}, true), count);
       t.output(sum(square(binary(kSub, x, mean)), {{1}}));
     }},
    {"squares over the other axis", false,
     [](KernelCase& t) {
       TensorView* x = t.input({5, 7});
       TensorView* mean = binary(kOver, sum(x, {{1}}, true), extent(x, 1));
       t.output(sum(square(binary(kSub, x, mean)), {{0}}));
     }},
    {"distances of another input", false,
     [](KernelCase& t) {
       TensorView *x = t.input({5, 7}), *y = t.input({5, 7});
       output_squares(t, binary(PointwiseOp::add, x, y), binary(kOver, sum(x, {{1}}, true), extent(x, 1)));
     }},
    {"an average that is rounded", false,
     [](KernelCase& t) {
       TensorView* x = t.input({5, 7}, DataType::BFloat16);
       TensorView* mean = stored(binary(kOver, sum(wide(x), {{1}}, true), extent(x, 1)), DataType::BFloat16);
       t.output(mean);
       output_squares(t, wide(x), wide(mean));
     }},
    {"products of two distances", false,
     [](KernelCase& t) {
       TensorView* x = t.input({5, 7});
       TensorView* distance = binary(kSub, x, binary(kOver, sum(x, {{1}}, true), extent(x, 1)));
       t.output(sum(binary(kMul, distance, x), {{1}}));
     }},
};

TEST(Statistics, AveragesAreFoundHoweverTheyAreWritten) {
  for (const Written& written : kWritten) {
    KernelCase test;
    written.build(test);
    test.fusion = rewrite(test.fusion);
    std::shared_ptr<Kernel> kernel;
    try {
      kernel = test.kernel();
    } catch (const Error&) {
      EXPECT_FALSE(written.found) << written.what;
      continue;
    }
    const std::vector<Chain> chains = find_chains(*kernel);
    ASSERT_EQ(chains.size(), written.found ? 1U : 0U) << written.what;
    EXPECT_TRUE(chains.empty() || chains[0].joined == ReductionOp::moment_sums) << written.what;
  }
}

/// The variance of squared distances: its first sum is the second of another chain.
TEST(Statistics, OneReductionIsInOneChain) {
  KernelCase test;
  TensorView* x = test.input({5, 7});
  TensorView* distance = square(binary(kSub, x, binary(kOver, sum(x, {{1}}, true), extent(x, 1))));
  TensorView* again = binary(kSub, distance, binary(kOver, sum(distance, {{1}}, true), extent(x, 1)));
  test.output(sum(square(again), {{1}}));
  const std::shared_ptr<Kernel> kernel = test.kernel();
  const std::vector<Chain> chains = find_chains(*kernel);
  ASSERT_EQ(chains.size(), 1U);
  EXPECT_EQ(chains[0].first->operands[0].tensor->op, TensorOp::load);
}

TEST(Statistics, AStreamingChainIsOneReduction) {
  KernelCase test = row_case(row_program("written norm"), {4, 64}, DataType::Float);
  const std::shared_ptr<Kernel> kernel = test.kernel();
  const std::vector<Chain> chains = find_chains(*kernel);
  ASSERT_EQ(chains.size(), 1U);
  make_streaming(*kernel, chains[0]);
  std::vector<const Tensor*> reductions;
  for (const Tensor* t : kernel->tensors) {
    if (t->op == TensorOp::reduce) {
      reductions.push_back(t);
    }
  }
  ASSERT_EQ(reductions.size(), 2U);
  EXPECT_EQ(reductions[0]->reduction, reductions[1]->reduction);
  EXPECT_EQ(reductions[1]->part, 1);
  EXPECT_EQ(levels_of(*kernel).at(reductions[1]), 1);
}

}  // namespace
}  // namespace nvfuser
