// SPDX-License-Identifier: Apache-2.0
// Fusions as Python source: the text, and that it builds an equal fusion with equal memory orders.
#include "nvfuser/ops/python_source.h"

#include <cmath>
#include <limits>

#include "builder_fixture.h"
#include "nvfuser/ops/cast.h"
#include "nvfuser/ops/factory.h"
#include "nvfuser/ops/reduce.h"
#include "nvfuser/ops/resize.h"
#include "nvfuser/ops/result.h"
#include "nvfuser/ops/shape.h"
#include "python_reader.h"

namespace nvfuser {
namespace {

constexpr char kHeader[] = "def nvfuser_fusion(fd : FusionDefinition) -> None :\n";

class PythonSource : public BuilderTest {
 protected:
  void output(Val* val) { fusion_->add_output(val); }

  std::string source() { return python_source(*fusion_); }
  void expect_body(const std::string& body) { EXPECT_EQ(source(), kHeader + body); }

  /// Every test ends with the round trip.
  void TearDown() override {
    verify(*fusion_);
    const std::string text = source();
    const std::shared_ptr<Fusion> again = read_python(text);
    verify(*again);
    EXPECT_EQ(python_source(*again), text);
    EXPECT_TRUE(structurally_equal(*fusion_, *again))
        << text << print_math(*fusion_, false) << print_math(*again, false);
    EXPECT_EQ(structural_hash(*fusion_), structural_hash(*again));
    ASSERT_EQ(again->outputs().size(), fusion_->outputs().size());
    for (size_t k = 0; k < again->outputs().size(); ++k) {
      EXPECT_EQ(allocation_order(again->outputs()[k]), allocation_order(fusion_->outputs()[k])) << text;
    }
  }
};

TEST_F(PythonSource, Basic) {
  TensorView* x = input({-1, 1, 3});
  TensorView* y = input({3});
  output(op(PointwiseOp::add, {op(PointwiseOp::mul, {x, number(3.0)}), y}));
  expect_body(
      "    tv0 = fd.define_tensor(shape=[-1, 1, 3], contiguity=[True, None, True], dtype=DataType.Float, "
      "is_cpu=False)\n"
      "    tv1 = fd.define_tensor(shape=[3], contiguity=[True], dtype=DataType.Float, is_cpu=False)\n"
      "    tv2 = fd.ops.mul(tv0, 3.00000)\n"
      "    tv3 = fd.ops.broadcast(tv1, is_broadcast_dim=[True, True, False])\n"
      "    tv4 = fd.ops.add(tv2, tv3)\n"
      "    fd.add_output(tv4)\n");
}

TEST_F(PythonSource, Reductions) {
  TensorView* x = input({-1, 3}, DataType::Double, {0, 1});
  output(max(sum(x, {{-1}}, true)));
  output(sum(input({4, 2}, DataType::Int32), {}, false, DataType::Int32));
  const VarMean moments = var_mean(x, {0}, 0);
  output(moments.var);
  output(moments.mean);
  output(argmax(x, {{1}}));
  output(all(sum(x)));
  const std::string text = source();
  for (const char* line : {
           "tv2 = fd.ops.sum(tv0, dims=[1])\n",
           "fd.ops.sum(tv1, dims=[0, 1], dtype=DataType.Int32)\n",
           "tv6, tv7, tv8 = fd.ops.welford(tv0, dims=[0])\n",
           "fd.ops.argmax(tv0, dims=[1])\n",
       }) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
  EXPECT_EQ(text.find("iota"), std::string::npos) << "positions are made by argmax\n" << text;
}

TEST_F(PythonSource, Empty) { expect_body("    pass\n"); }

TEST_F(PythonSource, LayoutsAndTypes) {
  TensorView* x = input({2, 3, 4}, DataType::Half, {0, 2, 1});
  TensorView* y =
      define_tensor(*fusion_, {2, 3, -1}, std::vector<std::optional<bool>>{false, std::nullopt, std::nullopt});
  fusion_->add_input(y);
  TensorView* z = define_tensor(*fusion_, {}, true, DataType::Double, true);
  fusion_->add_input(z);
  output(cast(op(PointwiseOp::add, {op(PointwiseOp::add, {x, y}), z}), DataType::Half));
  output(op(PointwiseOp::relu, {x}));
  expect_body(
      "    tv0 = fd.define_tensor(shape=[2, 3, 4], contiguity=[True, True, True], dtype=DataType.Half, is_cpu=False, "
      "stride_order=[0, 2, 1])\n"
      "    tv1 = fd.define_tensor(shape=[2, 3, -1], contiguity=[False, None, None], dtype=DataType.Float, "
      "is_cpu=False)\n"
      "    tv2 = fd.define_tensor(shape=[], contiguity=[], dtype=DataType.Double, is_cpu=True)\n"
      "    tv3 = fd.ops.cast(tv0, dtype=DataType.Float)\n"
      "    tv4 = fd.ops.add(tv3, tv1)\n"
      "    tv5 = fd.ops.cast(tv2, dtype=DataType.Float)\n"
      "    tv6 = fd.ops.broadcast(tv5, is_broadcast_dim=[True, True, True])\n"
      "    tv7 = fd.ops.add(tv4, tv6)\n"
      "    tv8 = fd.ops.cast(tv7, dtype=DataType.Half)\n"
      "    tv9 = fd.ops.relu(tv0)\n"
      "    fd.add_output(tv8)\n"
      "    fd.add_output(tv9)\n");
}

TEST_F(PythonSource, ScalarsAreWrittenWhereTheyAreNeeded) {
  TensorView* x = input({-1, -1});
  Val* s = scalar(DataType::Double);
  Val* unused = pointwise(PointwiseOp::mul, {size(x, 0), integer(7)});
  (void)unused;
  output(expand(broadcast(op(PointwiseOp::mul, {x, s}), {false, false, true}),
                {integer(-1), integer(-1), pointwise(PointwiseOp::add, {size(x, 1), integer(2)})}));
  expect_body(
      "    tv0 = fd.define_tensor(shape=[-1, -1], contiguity=[True, True], dtype=DataType.Float, is_cpu=False)\n"
      "    c0 = fd.define_scalar(None, dtype=DataType.Double)\n"
      "    c1 = fd.ops.cast(c0, dtype=DataType.Float)\n"
      "    tv1 = fd.ops.mul(tv0, c1)\n"
      "    tv2 = fd.ops.broadcast(tv1, is_broadcast_dim=[False, False, True])\n"
      "    c2 = fd.ops.size(tv0, dim=0)\n"
      "    c3 = fd.ops.size(tv0, dim=1)\n"
      "    c4 = fd.ops.add(c3, 2)\n"
      "    tv3 = fd.ops.expand(tv2, shape=[c2, c3, c4])\n"
      "    fd.add_output(tv3)\n");
}

TEST_F(PythonSource, ShapeOps) {
  TensorView* x = input({2, 1, 6});
  TensorView* grown = broadcast_in_dim(x, {integer(2), integer(5), integer(6), integer(1)}, {0, 1, 2});
  output(squeeze(grown, {1, 3}, true));
  output(squeeze(x, {1}));
  output(permute(x, {2, 0, 1}));
  output(stride_order(x, {0, 1, 2}));
  output(segment_set(set(x)));
  output(reshape(x, {integer(4), integer(-1)}));
  expect_body(
      "    tv0 = fd.define_tensor(shape=[2, 1, 6], contiguity=[True, None, True], dtype=DataType.Float, is_cpu=False)\n"
      "    tv1 = fd.ops.broadcast(tv0, is_broadcast_dim=[False, False, False, True])\n"
      "    tv2 = fd.ops.expand(tv1, shape=[2, 5, 6, 1])\n"
      "    tv3 = fd.ops.squeeze(tv2, dims=[1, 3], squeeze_expanded=True)\n"
      "    tv4 = fd.ops.squeeze(tv0, dims=[1])\n"
      "    tv5 = fd.ops.permute(tv0, dims=[2, 0, 1])\n"
      "    tv6 = fd.ops.stride_order(tv0, stride_order=[0, 1, 2])\n"
      "    tv7 = fd.ops.set(tv0)\n"
      "    tv8 = fd.ops.segment_set(tv7)\n"
      "    tv9 = fd.ops.reshape(tv0, new_shape=[4, 3])\n"
      "    fd.add_output(tv3)\n"
      "    fd.add_output(tv4)\n"
      "    fd.add_output(tv5)\n"
      "    fd.add_output(tv6)\n"
      "    fd.add_output(tv8)\n"
      "    fd.add_output(tv9)\n");
}

TEST_F(PythonSource, CutsAndJoins) {
  TensorView* x = input({4, 5});
  TensorView* left = slice(x, {integer(0), integer(1)}, {integer(4), integer(3)});
  TensorView* wide = pad(left, {integer(1), integer(2)}, number(-1.5));
  output(cat({wide, x}, 1));
  expect_body(
      "    tv0 = fd.define_tensor(shape=[4, 5], contiguity=[True, True], dtype=DataType.Float, is_cpu=False)\n"
      "    tv1 = fd.ops.slice(tv0, start_indices=[0, 1], end_indices=[4, 3], manual_normalization=True)\n"
      "    tv2 = fd.ops.pad(tv1, pad_widths=[1, 2, 0, 0], value=-1.50000)\n"
      "    tv3 = fd.ops.cat([tv2, tv0], dim=1)\n"
      "    fd.add_output(tv3)\n");
}

TEST_F(PythonSource, CutsOfUnknownSizes) {
  TensorView* x = input({-1, -1, 8});
  Val* s = scalar(DataType::Int);
  TensorView* y = slice(x, {integer(2), s, s}, {integer(7), size(x, 1), integer(6)});
  TensorView* z = slice(x, {s, integer(0), integer(0)}, {pointwise(PointwiseOp::add, {s, integer(3)}), size(x, 1), s});
  TensorView* manual = slice(x, {s, integer(1), integer(0)}, {size(x, 0), s, integer(8)}, {}, true);
  TensorView* joined = cat({pad(y, {s, integer(1)}), pad(z, {integer(0), integer(0), s, s})}, 1);
  output(joined);
  output(manual);
  output(full({size(joined, 1), size(y, 0)}, s, DataType::Float));
}

TEST_F(PythonSource, ReshapeOfUnknownSizes) {
  TensorView* x = input({-1, 4, -1});
  TensorView* merged = reshape(x, {size(x, 0), integer(-1)});
  output(merged);
  output(reshape(merged, {integer(-1), integer(2)}));
  output(broadcast_in_dim(input({-1}), {size(merged, 1), size(x, 0)}, {1}));
}

TEST_F(PythonSource, Factories) {
  Val* n = scalar(DataType::Int);
  output(full({integer(2), n, integer(1)}, number(0.1), DataType::BFloat16));
  output(full({integer(2)}, number(ScalarValue(true)), DataType::Bool));
  output(full({}, number(ScalarValue(std::complex<double>(1, -2))), DataType::ComplexFloat));
  output(full({integer(0)}, number(0.5), DataType::Float8_e4m3fn));
  output(iota(n, nullptr, nullptr));
  output(iota(integer(4), number(0.5), scalar(DataType::Double), DataType::Float));
}

TEST_F(PythonSource, ConstantsKeepTheirTypes) {
  TensorView* x = input({3});
  TensorView* mask = input({3}, DataType::Bool);
  Val* narrow = define_scalar(*fusion_, ScalarValue(0.25), DataType::Float);
  Val* shared = define_scalar(*fusion_, ScalarValue(0.125), DataType::Double);
  Val* s = scalar(DataType::Float);
  TensorView* wide = input({3}, DataType::Double);
  output(op(PointwiseOp::mul, {x, pointwise(PointwiseOp::add, {s, narrow})}));
  output(op(PointwiseOp::where, {mask, number(1.0), narrow}));
  output(op(PointwiseOp::where, {mask, narrow, define_scalar(*fusion_, ScalarValue(int64_t{2}), DataType::Float)}));
  output(op(PointwiseOp::add, {wide, shared}));
  output(op(PointwiseOp::mul, {wide, shared}));
  output(op(PointwiseOp::clamp, {x, nullptr, number(0.1)}));
  output(op(PointwiseOp::clamp, {input({3}, DataType::Int), nullptr, nullptr}));
  output(op(PointwiseOp::bitwise_and, {mask, number(ScalarValue(true))}));
  output(op(PointwiseOp::bitwise_and, {input({3}, DataType::Int32), integer(-3)}));
}

TEST_F(PythonSource, MixedRanksAndKinds) {
  TensorView* x = input({}, DataType::Half);
  TensorView* y = input({2, -1}, DataType::Int32);
  Val* s = scalar(DataType::ComplexDouble);
  output(op(PointwiseOp::add, {x, y}));
  output(op(PointwiseOp::mul, {y, s}));
  output(op(PointwiseOp::lt, {x, y}));
  output(op(PointwiseOp::logical_and, {x, y}));
  output(op(PointwiseOp::pow, {y, size(y, 1)}));
  output(op(PointwiseOp::truediv, {y, pointwise(PointwiseOp::truediv, {size(y, 1), integer(3)})}));
}

TEST_F(PythonSource, ChannelsLastThroughout) {
  TensorView* image = input({2, 6, 4, 5}, DataType::Half, {3, 0, 2, 1});
  TensorView* y = op(PointwiseOp::add, {image, input({6, 1, 1})});
  output(reshape(y, {integer(2), integer(2), integer(3), integer(4), integer(5)}));
  output(permute(y, {0, 2, 3, 1}));
  output(cat({y, pad(y, {integer(0), integer(0), integer(1), integer(1)})}, 2));
  output(stride_order(y, {3, 2, 1, 0}));
}

TEST_F(PythonSource, Outputs) {
  TensorView* x = input({3});
  TensorView* y = input({3});
  TensorView* z = input({2, 3}, DataType::Float, {0, 1});
  TensorView* hidden = op(PointwiseOp::exp, {x});
  TensorView* seen = op(PointwiseOp::neg, {x});
  fusion_->add_output(hidden, x);
  output(seen);
  fusion_->add_output(seen, y);
  output(seen);
  output(y);
  fusion_->add_output(op(PointwiseOp::add, {input({2, 3}), number(1.0)}), z);
  expect_body(
      "    tv0 = fd.define_tensor(shape=[3], contiguity=[True], dtype=DataType.Float, is_cpu=False)\n"
      "    tv1 = fd.define_tensor(shape=[3], contiguity=[True], dtype=DataType.Float, is_cpu=False)\n"
      "    tv2 = fd.define_tensor(shape=[2, 3], contiguity=[True, True], dtype=DataType.Float, is_cpu=False, "
      "stride_order=[0, 1])\n"
      "    tv3 = fd.define_tensor(shape=[2, 3], contiguity=[True, True], dtype=DataType.Float, is_cpu=False)\n"
      "    tv4 = fd.ops.exp(tv0)\n"
      "    tv5 = fd.ops.neg(tv0)\n"
      "    tv6 = fd.ops.add(tv3, 1.00000)\n"
      "    fd.add_output(tv4, tv0)\n"
      "    fd.add_output(tv5)\n"
      "    fd.add_output(tv5)\n"
      "    fd.add_output(tv1)\n"
      "    fd.add_output(tv6, tv2)\n"
      "    fd.add_output(tv5, tv1)\n");
}

TEST(PythonLiteral, ReadsBack) {
  EXPECT_EQ(python_literal(true), "True");
  EXPECT_EQ(python_literal(int64_t{-7}), "-7");
  EXPECT_EQ(python_literal(3.0), "3.00000");
  EXPECT_EQ(python_literal(-0.5), "-0.500000");
  EXPECT_EQ(python_literal(123456.0), "123456.0");
  EXPECT_EQ(python_literal(1e-6), "1.00000e-06");
  EXPECT_EQ(python_literal(static_cast<double>(0.1f)), "0.10000000149011612");
  EXPECT_EQ(python_literal(1e300), "1.00000e+300");
  EXPECT_EQ(python_literal(-std::numeric_limits<double>::infinity()), "float(\"-inf\")");
  EXPECT_EQ(python_literal(std::nan("")), "float(\"nan\")");
  EXPECT_EQ(python_literal(std::complex<double>(1, -0.5)), "complex(1.00000, -0.500000)");
}

}  // namespace
}  // namespace nvfuser
