// SPDX-License-Identifier: Apache-2.0
// The evaluator on hand-built graphs: types, rounding, wrap-around, views, strides, aliases, empty and 0-dim tensors.
#include "nvfuser/ir/evaluate.h"

#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <numeric>

#include "hand_built.h"
#include "nvfuser/ir/pointwise.h"

namespace nvfuser::testing {
namespace {

using Sizes = std::vector<int64_t>;

Sizes row_major(const Sizes& sizes) {
  Sizes strides(sizes.size());
  int64_t step = 1;
  for (size_t k = sizes.size(); k-- > 0; step *= sizes[k]) {
    strides[k] = step;
  }
  return strides;
}

/// Elements in row-major order and the view of them.
template <class T>
struct Buffer {
  std::vector<T> data;
  Sizes sizes;

  explicit Buffer(Sizes s, T fill = T{}) : sizes(std::move(s)) {
    data.assign(std::accumulate(sizes.begin(), sizes.end(), int64_t{1}, std::multiplies<>()), fill);
  }
  Buffer(Sizes s, std::vector<T> values) : data(std::move(values)), sizes(std::move(s)) {}
  HostTensor view(DataType dtype) { return {data.data(), dtype, sizes, row_major(sizes)}; }
};

Buffer<float> counted(Sizes sizes, float start = 0) {
  Buffer<float> result(std::move(sizes));
  std::iota(result.data.begin(), result.data.end(), start);
  return result;
}

/// The only output, of that element type.
template <class T>
std::vector<T> run(HandBuilt& g, const std::vector<HostArgument>& arguments, Sizes sizes,
                   EvaluatePrecision precision = EvaluatePrecision::kernel) {
  verify(*g);
  Buffer<T> result(std::move(sizes));
  DataType dtype = g->outputs().at(0)->dtype();
  if (precision == EvaluatePrecision::float64 && is_floating(dtype)) {
    dtype = DataType::Double;
  }
  evaluate(*g, arguments, {result.view(dtype)}, precision);
  return result.data;
}

float from_bfloat16(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

TEST(Evaluate, BroadcastAddOverManyBlocks) {
  HandBuilt g;
  TensorView* x = g.input({-1, -1});
  TensorView* row = g.input({1, -1});
  TensorView* column = g.input({-1, 1});
  g->add_output(g.pointwise(PointwiseOp::add, {g.pointwise(PointwiseOp::add, {x, row}), column}));
  constexpr int64_t kRows = 77, kColumns = 61;
  Buffer<float> a = counted({kRows, kColumns}), b = counted({1, kColumns}), c = counted({kRows, 1});
  const auto out =
      run<float>(g, {a.view(DataType::Float), b.view(DataType::Float), c.view(DataType::Float)}, {kRows, kColumns});
  for (int64_t i = 0; i < kRows; ++i) {
    for (int64_t j = 0; j < kColumns; ++j) {
      ASSERT_EQ(out[i * kColumns + j], static_cast<float>(i * kColumns + j + j + i));
    }
  }
}

TEST(Evaluate, NarrowFloatsRoundAfterEachOperation) {
  HandBuilt g;
  TensorView* x = g.input({3}, DataType::BFloat16);
  TensorView* y = g.cast(g.pointwise(PointwiseOp::add, {x, g.real(0.001)}), DataType::BFloat16);
  g->add_output(g.cast(g.pointwise(PointwiseOp::sub, {y, x}), DataType::Float));
  Buffer<uint16_t> in({3}, std::vector<uint16_t>{0x3f80, 0x0000, 0x4000});  // 1, 0, 2
  const auto out = run<float>(g, {in.view(DataType::BFloat16)}, {3});
  EXPECT_EQ(out[0], 0.0f);  // 1.001 is 1 in bfloat16
  EXPECT_FLOAT_EQ(out[1], from_bfloat16(0x3a83));
  EXPECT_EQ(out[2], 0.0f);
  const auto wide = run<double>(g, {in.view(DataType::BFloat16)}, {3}, EvaluatePrecision::float64);
  EXPECT_DOUBLE_EQ(wide[0], 1.001 - 1.0);
}

TEST(Evaluate, NarrowResults) {
  HandBuilt g;
  g->add_output(g.pointwise(PointwiseOp::relu, {g.input({4}, DataType::Half)}, DataType::Half));
  Buffer<uint16_t> in({4}, std::vector<uint16_t>{0x3c00, 0xbc00, 0x7bff, 0x0001});
  EXPECT_EQ(run<uint16_t>(g, {in.view(DataType::Half)}, {4}), (std::vector<uint16_t>{0x3c00, 0, 0x7bff, 1}));
}

TEST(Evaluate, CastsSaturateAndTruncateAsTypesSay) {
  HandBuilt g;
  TensorView* x = g.input({4}, DataType::Double);
  g->add_output(g.cast(x, DataType::Int32));
  g->add_output(g.cast(x, DataType::Bool));
  g->add_output(g.cast(x, DataType::Half));
  Buffer<double> in({4}, std::vector<double>{-1.75, 0.0, 2.5, 65504.0});
  Buffer<int32_t> ints({4});
  Buffer<uint8_t> bools({4});
  Buffer<uint16_t> halves({4});
  evaluate(*g, {in.view(DataType::Double)},
           {ints.view(DataType::Int32), bools.view(DataType::Bool), halves.view(DataType::Half)});
  EXPECT_EQ(ints.data, (std::vector<int32_t>{-1, 0, 2, 65504}));
  EXPECT_EQ(bools.data, (std::vector<uint8_t>{1, 0, 1, 1}));
  EXPECT_EQ(halves.data, (std::vector<uint16_t>{0xbf00, 0, 0x4100, 0x7bff}));
}

TEST(Evaluate, IntegersWrapAround) {
  HandBuilt g;
  TensorView* x = g.input({2}, DataType::Int32);
  TensorView* y = g.input({2}, DataType::Int);
  g->add_output(g.pointwise(PointwiseOp::add, {x, g.integer(1)}, DataType::Int32));
  g->add_output(g.pointwise(PointwiseOp::mul, {y, g.integer(2)}, DataType::Int));
  Buffer<int32_t> a({2}, std::vector<int32_t>{std::numeric_limits<int32_t>::max(), 5});
  Buffer<int64_t> b({2}, std::vector<int64_t>{std::numeric_limits<int64_t>::max(), -3});
  Buffer<int32_t> sum({2});
  Buffer<int64_t> product({2});
  evaluate(*g, {a.view(DataType::Int32), b.view(DataType::Int)},
           {sum.view(DataType::Int32), product.view(DataType::Int)});
  EXPECT_EQ(sum.data, (std::vector<int32_t>{std::numeric_limits<int32_t>::min(), 6}));
  EXPECT_EQ(product.data, (std::vector<int64_t>{-2, -6}));
}

TEST(Evaluate, UnsignedIntegers) {
  HandBuilt g;
  TensorView* x = g.input({2}, DataType::UInt64);
  g->add_output(g.pointwise(PointwiseOp::bitwise_right_shift, {x, g.integer(1, DataType::UInt64)}, DataType::UInt64));
  g->add_output(g.pointwise(PointwiseOp::gt, {x, g.integer(7, DataType::UInt64)}, DataType::Bool));
  Buffer<uint64_t> in({2}, std::vector<uint64_t>{~uint64_t{0}, 7}), shifted({2});
  Buffer<uint8_t> greater({2});
  evaluate(*g, {in.view(DataType::UInt64)}, {shifted.view(DataType::UInt64), greater.view(DataType::Bool)});
  EXPECT_EQ(shifted.data, (std::vector<uint64_t>{~uint64_t{0} >> 1, 3}));
  EXPECT_EQ(greater.data, (std::vector<uint8_t>{1, 0}));
}

TEST(Evaluate, ComplexValues) {
  HandBuilt g;
  TensorView* x = g.input({2}, DataType::ComplexFloat);
  TensorView* square = g.pointwise(PointwiseOp::mul, {x, x}, DataType::ComplexFloat);
  g->add_output(g.pointwise(PointwiseOp::imag, {square}, DataType::Float));
  g->add_output(g.pointwise(PointwiseOp::abs, {x}, DataType::Float));
  Buffer<std::complex<float>> in({2}, std::vector<std::complex<float>>{{3, 4}, {1, -2}});
  Buffer<float> imag({2}), abs({2});
  evaluate(*g, {in.view(DataType::ComplexFloat)}, {imag.view(DataType::Float), abs.view(DataType::Float)});
  EXPECT_EQ(imag.data, (std::vector<float>{24, -4}));
  EXPECT_FLOAT_EQ(abs.data[0], 5.0f);
}

TEST(Evaluate, WhereKeepsItsCondition) {
  HandBuilt g;
  TensorView* x = g.input({4});
  TensorView* negative = g.pointwise(PointwiseOp::lt, {x, g.real(0.0)}, DataType::Bool);
  g->add_output(g.pointwise(PointwiseOp::where, {negative, g.real(-1.0), x}));
  Buffer<float> in({4}, std::vector<float>{-5, 0.5, -0.25, 7});
  EXPECT_EQ(run<float>(g, {in.view(DataType::Float)}, {4}), (std::vector<float>{-1, 0.5, -1, 7}));
}

TEST(Evaluate, PermuteReshapeSlice) {
  HandBuilt g;
  TensorView* x = g.input({-1, 3, 4});
  TensorView* flat =
      g.reshape(g.permute(x, {2, 0, 1}),
                {g.index(4), g.scalar(PointwiseOp::mul, {x->logical()[0]->extent(), g.index(3)}, DataType::Index)});
  g->add_output(g.slice(flat, {g.index(1), g.index(2)}, {g.index(2), g.index(3)}));
  Buffer<float> in = counted({2, 3, 4});
  const auto out = run<float>(g, {in.view(DataType::Float)}, {2, 3});
  std::vector<float> expected;
  for (int64_t c = 1; c < 3; ++c) {
    for (int64_t ab = 2; ab < 5; ++ab) {
      expected.push_back(static_cast<float>(ab * 4 + c));
    }
  }
  EXPECT_EQ(out, expected);
}

TEST(Evaluate, PadAndCat) {
  HandBuilt g;
  TensorView* x = g.input({2, 2});
  TensorView* y = g.input({2, 1});
  TensorView* padded = g.pad(x, {{1, 0}, {-1, 2}}, g.real(9.0));
  g->add_output(padded);
  g->add_output(g.cat({x, y, x}, 1, g.index(5)));
  Buffer<float> a = counted({2, 2}, 1), b = counted({2, 1}, 100), first({3, 3}), second({2, 5});
  evaluate(*g, {a.view(DataType::Float), b.view(DataType::Float)},
           {first.view(DataType::Float), second.view(DataType::Float)});
  EXPECT_EQ(first.data, (std::vector<float>{9, 9, 9, 2, 9, 9, 4, 9, 9}));
  EXPECT_EQ(second.data, (std::vector<float>{1, 2, 100, 1, 2, 3, 4, 101, 3, 4}));
}

TEST(Evaluate, RotatedHalves) {
  HandBuilt g;
  TensorView* x = g.input({-1, 16});
  Val* n = x->logical()[0]->extent();
  TensorView* t = g.permute(g.reshape(x, {n, g.index(2), g.index(8)}), {1, 0, 2});
  const std::vector<Val*> half{g.index(2), n, g.index(4)};
  TensorView* low = g.slice(t, {g.index(0), g.index(0), g.index(0)}, half);
  TensorView* high = g.slice(t, {g.index(0), g.index(0), g.index(4)}, half);
  g->add_output(g.pointwise(PointwiseOp::add, {t, g.cat({g.pointwise(PointwiseOp::neg, {high}), low}, 2, g.index(8))}));
  constexpr int64_t kRows = 300;
  Buffer<float> in = counted({kRows, 16});
  const auto out = run<float>(g, {in.view(DataType::Float)}, {2, kRows, 8});
  for (int64_t h = 0; h < 2; ++h) {
    for (int64_t s = 0; s < kRows; ++s) {
      for (int64_t d = 0; d < 8; ++d) {
        const auto at = [&](int64_t e) { return in.data[s * 16 + h * 8 + e]; };
        ASSERT_EQ(out[(h * kRows + s) * 8 + d], at(d) + (d < 4 ? -at(d + 4) : at(d - 4)));
      }
    }
  }
}

TEST(Evaluate, BroadcastExpandSqueeze) {
  HandBuilt g;
  TensorView* x = g.input({2});
  TensorView* wide = g.expand(g.broadcast(x, {true, false}), {g.index(3), g.index(2)});
  g->add_output(g.pointwise(PointwiseOp::neg, {wide}));
  g->add_output(g.squeeze(g.broadcast(x, {true, false}), {true, false}));
  g->add_output(g.reshape(wide, {g.index(6)}));
  Buffer<float> in = counted({2}, 1), first({3, 2}), second({2}), third({6});
  evaluate(*g, {in.view(DataType::Float)},
           {first.view(DataType::Float), second.view(DataType::Float), third.view(DataType::Float)});
  EXPECT_EQ(first.data, (std::vector<float>{-1, -2, -1, -2, -1, -2}));
  EXPECT_EQ(second.data, (std::vector<float>{1, 2}));
  EXPECT_EQ(third.data, (std::vector<float>{1, 2, 1, 2, 1, 2}));
}

TEST(Evaluate, FullAndIota) {
  HandBuilt g;
  Val* n = g.scalar_input(DataType::Int);
  g->add_output(g.full({g.index(2)}, g.real(0.1), DataType::Half));
  g->add_output(g.iota(g.integer(10), g.integer(-3), n, DataType::Int));
  g->add_output(g.iota(g.real(0.5), g.real(0.25), n, DataType::Float));
  Buffer<uint16_t> half({2});
  Buffer<int64_t> ints({5});
  Buffer<float> floats({5});
  evaluate(*g, {ScalarValue(int64_t{5})},
           {half.view(DataType::Half), ints.view(DataType::Int), floats.view(DataType::Float)});
  EXPECT_EQ(half.data, (std::vector<uint16_t>{0x2e66, 0x2e66}));
  EXPECT_EQ(ints.data, (std::vector<int64_t>{10, 7, 4, 1, -2}));
  EXPECT_EQ(floats.data, (std::vector<float>{0.5, 0.75, 1, 1.25, 1.5}));
}

TEST(Evaluate, StridedAndExpandedInputs) {
  HandBuilt g;
  TensorView* x = g.input({-1, -1});
  TensorView* y = g.of_axes(
      {g->axis(g.index(1), IterType::broadcast, x->logical()[0]->extent()), g.copy(x->logical()[1])}, DataType::Float);
  g->add_input(y);
  g->add_output(g.pointwise(PointwiseOp::add, {x, y}));
  Buffer<float> a = counted({12}), b = counted({3}, 100);
  const HostTensor transposed{a.data.data(), DataType::Float, {2, 3}, {1, 4}};
  const HostTensor expanded{b.data.data(), DataType::Float, {2, 3}, {0, 1}};
  EXPECT_EQ(run<float>(g, {transposed, expanded}, {2, 3}), (std::vector<float>{100, 105, 110, 101, 106, 111}));
  const HostTensor reversed{a.data.data() + 11, DataType::Float, {2, 3}, {-4, -1}};
  EXPECT_EQ(run<float>(g, {reversed, expanded}, {2, 3}), (std::vector<float>{111, 111, 111, 107, 107, 107}));
}

TEST(Evaluate, StridedResults) {
  HandBuilt g;
  g->add_output(g.pointwise(PointwiseOp::neg, {g.input({2, 3})}));
  Buffer<float> in = counted({2, 3}), out({6});
  evaluate(*g, {in.view(DataType::Float)}, {HostTensor{out.data.data(), DataType::Float, {2, 3}, {1, 2}}});
  EXPECT_EQ(out.data, (std::vector<float>{-0.0f, -3, -1, -4, -2, -5}));
}

TEST(Evaluate, EmptyAndZeroDim) {
  HandBuilt g;
  TensorView* x = g.input({-1, 3});
  TensorView* s = g.input({});
  TensorView* y = g.input({2, 3});
  g->add_output(g.pointwise(PointwiseOp::neg, {x}));
  g->add_output(g.pointwise(PointwiseOp::exp, {s}));
  g->add_output(g.cat({x, y}, 0, g.scalar(PointwiseOp::add, {x->logical()[0]->extent(), g.index(2)}, DataType::Index)));
  Buffer<float> a({0, 3}), b({}, std::vector<float>{0.0f}), c = counted({2, 3}), first({0, 3}), second({}),
                                                            third({2, 3});
  evaluate(*g, {a.view(DataType::Float), b.view(DataType::Float), c.view(DataType::Float)},
           {first.view(DataType::Float), second.view(DataType::Float), third.view(DataType::Float)});
  EXPECT_EQ(second.data[0], 1.0f);
  EXPECT_EQ(third.data, c.data);
}

TEST(Evaluate, PadOfEmpty) {
  HandBuilt g;
  g->add_output(g.pad(g.input({0}), {{1, 1}}, g.real(4.0)));
  Buffer<float> in(Sizes{0});
  EXPECT_EQ(run<float>(g, {in.view(DataType::Float)}, {2}), (std::vector<float>{4, 4}));
}

TEST(Evaluate, AliasedResultsAreWrittenLast) {
  HandBuilt g;
  TensorView* x = g.input({-1});
  TensorView* next = g.pointwise(PointwiseOp::add, {x, g.real(1.0)});
  g->add_output(next, x);
  g->add_output(g.reshape(g.pointwise(PointwiseOp::mul, {next, x}), {g.index(1), x->logical()[0]->extent()}));
  Buffer<float> in = counted({1500}), product({1, 1500});
  const HostTensor view = in.view(DataType::Float);
  evaluate(*g, {view}, {view, product.view(DataType::Float)});
  for (int64_t i = 0; i < 1500; ++i) {
    ASSERT_EQ(in.data[i], static_cast<float>(i + 1));
    ASSERT_EQ(product.data[i], static_cast<float>(i + 1) * static_cast<float>(i));
  }
}

TEST(Evaluate, LongChainsAndManyReadPoints) {
  HandBuilt g;
  TensorView* x = g.input({4});
  for (int k = 0; k < 5000; ++k) {
    x = g.pointwise(PointwiseOp::add, {x, g.real(1.0)});
  }
  for (int64_t k = 0; k < 12; ++k) {  // each level reads the one below at two points: 2^12 without sharing
    TensorView* shifted = g.pad(g.slice(x, {g.index(1)}, {g.index(3)}), {{0, 1}}, g.real(0.0));
    x = g.pointwise(PointwiseOp::add, {x, shifted});
  }
  g->add_output(x);
  Buffer<float> in({4}, std::vector<float>{0, 0, 0, 1});
  const auto out = run<float>(g, {in.view(DataType::Float)}, {4});
  std::vector<float> expected{5000, 5000, 5000, 5001};
  for (int k = 0; k < 12; ++k) {
    for (size_t i = 0; i + 1 < 4; ++i) {
      expected[i] += expected[i + 1];
    }
  }
  EXPECT_EQ(out, expected);
}

TEST(Evaluate, ScalarInputsAndExpressions) {
  HandBuilt g;
  TensorView* x = g.input({-1});
  Val* a = g.scalar_input(DataType::Double);
  Val* b = g.scalar_input(DataType::Int);
  Val* mean = g.scalar(PointwiseOp::truediv, {a, g.real(3.0)}, DataType::Double);
  g->add_output(g.pointwise(PointwiseOp::add, {g.pointwise(PointwiseOp::mul, {x, mean}), b}));
  Buffer<float> in = counted({3});
  EXPECT_EQ(run<float>(g, {in.view(DataType::Float), ScalarValue(6.0), ScalarValue(int64_t{1})}, {3}),
            (std::vector<float>{1, 3, 5}));
  EXPECT_EQ(run<float>(g, {in.view(DataType::Float), ScalarValue(int64_t{3}), ScalarValue(true)}, {3}),
            (std::vector<float>{1, 2, 3}));
}

TEST(Evaluate, ErrorsNameTheInput) {
  HandBuilt g;
  TensorView* x = g.input({-1, 4});
  g.scalar_input(DataType::Double);
  TensorView* y = g.tensor({x->logical()[0]->extent()}, DataType::Float);
  g->add_input(y);
  g->add_output(x);
  Buffer<float> a({2, 4}), narrow({2, 3}), b({3}), c({2});
  const HostArgument one = ScalarValue(1.0);
  const auto message = [&](const HostArgument& first, const HostArgument& second, const HostArgument& third) {
    Buffer<float> out({2, 4});
    return error_of([&] { evaluate(*g, {first, second, third}, {out.view(DataType::Float)}); });
  };
  const HostTensor good = a.view(DataType::Float), two = c.view(DataType::Float);
  EXPECT_EQ(message(good, one, two), "");
  EXPECT_TRUE(contains(message(narrow.view(DataType::Float), one, two),
                       "Expected input 0, T0_g_float[iS0{i0}, iS1{4}], to have size 4 in axis 1"));
  EXPECT_TRUE(contains(message(good, one, b.view(DataType::Float)),
                       "to have size 2 in axis 0 as axis 0 of input 0 has, but got size 3"));
  EXPECT_TRUE(contains(message(one, one, two), "to be an at::Tensor but got scalar 1.0"));
  EXPECT_TRUE(contains(message(good, two, two), "Expected input 1, d1, to be a scalar but got tensor of rank 1"));
  EXPECT_TRUE(contains(message(good, ScalarValue(std::complex<double>(2, 1)), two), "not compatible"));
  EXPECT_TRUE(contains(message(two, one, two), "to have rank 2"));
  HostTensor other = two;
  other.dtype = DataType::Int32;
  EXPECT_TRUE(contains(message(good, one, other), "dtype Float, but got a tensor of dtype Int32"));
}

TEST(Evaluate, SizesThatDisagreeAreErrors) {
  HandBuilt g;
  TensorView* x = g.input({-1});
  TensorView* y = g.input({-1});
  g->add_output(g.pointwise(PointwiseOp::add, {x, y}));
  Buffer<float> a({3}), b({4}), out({3});
  EXPECT_TRUE(contains(
      error_of([&] { evaluate(*g, {a.view(DataType::Float), b.view(DataType::Float)}, {out.view(DataType::Float)}); }),
      "add: the operands differ at axis 0: T1_g_float[iS1{i1}] has size 4, but T0_g_float[iS0{i0}] has size 3"));
  HandBuilt h;
  Val* start = h.scalar_input(DataType::Int);
  h->add_output(h.slice(h.input({4}), {start}, {h.index(3)}));
  Buffer<float> in = counted({4});
  EXPECT_EQ(run<float>(h, {ScalarValue(int64_t{1}), in.view(DataType::Float)}, {3}), (std::vector<float>{1, 2, 3}));
  EXPECT_TRUE(contains(error_of([&] { run<float>(h, {ScalarValue(int64_t{2}), in.view(DataType::Float)}, {3}); }),
                       "has size 4, but 3 elements from 2 on are taken"));
}

TEST(EvaluateScalar, OperationsByType) {
  using enum PointwiseOp;
  const auto i = [](int64_t v) { return ScalarValue(v); };
  EXPECT_EQ(evaluate_scalar(add, {i(2147483647), i(1)}, DataType::Int32), i(-2147483648));
  EXPECT_EQ(evaluate_scalar(add, {i(2147483647), i(1)}, DataType::Index), i(2147483648));
  EXPECT_EQ(evaluate_scalar(div, {i(-7), i(2)}, DataType::Int), i(-3));
  EXPECT_EQ(evaluate_scalar(div, {i(7), i(0)}, DataType::Int), i(0));
  EXPECT_EQ(evaluate_scalar(truediv, {i(1), i(4)}, DataType::Double), ScalarValue(0.25));
  EXPECT_EQ(evaluate_scalar(lt, {i(1), i(4)}, DataType::Int), ScalarValue(true));
  EXPECT_EQ(evaluate_scalar(where, {ScalarValue(false), i(1), i(4)}, DataType::Int), i(4));
  EXPECT_EQ(evaluate_scalar(add, {ScalarValue(1.0), ScalarValue(0.001)}, DataType::BFloat16), ScalarValue(1.0));
  EXPECT_EQ(evaluate_scalar(add, {ScalarValue(0.1), ScalarValue(0.2)}, DataType::Float),
            ScalarValue(static_cast<double>(0.1f + 0.2f)));
  EXPECT_EQ(evaluate_scalar(abs, {ScalarValue(std::complex<double>(3, 4))}, DataType::ComplexDouble), ScalarValue(5.0));
  EXPECT_THROW(evaluate_scalar(add, {i(1)}, DataType::Int), Error);
  EXPECT_THROW(evaluate_scalar(gcd, {ScalarValue(1.0), ScalarValue(2.0)}, DataType::Float), Error);
  EXPECT_EQ(cast_scalar(ScalarValue(2.75), DataType::Int), i(2));
  EXPECT_EQ(cast_scalar(ScalarValue(0.1), DataType::Half), ScalarValue(0.0999755859375));
}

TEST(EvaluateTables, EveryOperationHasATypeOfItsRule) {
  for (const PointwiseInfo& row : kPointwiseOps) {
    const bool any = is_supported(row.op, DataType::Float) || is_supported(row.op, DataType::Int) ||
                     is_supported(row.op, DataType::Bool) || is_supported(row.op, DataType::ComplexFloat);
    EXPECT_TRUE(any) << row.name;
    if (row.rule == PromotionRule::real || row.rule == PromotionRule::precise ||
        row.rule == PromotionRule::arithmetic) {
      EXPECT_TRUE(is_supported(row.op, DataType::Float)) << row.name;
      EXPECT_TRUE(is_supported(row.op, DataType::Double)) << row.name;
    }
    EXPECT_EQ(is_supported(row.op, DataType::Half), is_supported(row.op, DataType::Float)) << row.name;
  }
}

}  // namespace
}  // namespace nvfuser::testing
