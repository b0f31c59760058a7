// SPDX-License-Identifier: Apache-2.0
// IR text.
#include <gtest/gtest.h>

#include <cmath>

#include "hand_built.h"

namespace nvfuser::testing {
namespace {

TEST(Print, Fusion) {
  HandBuilt g;
  TensorView* x = g.input({-1, 1});
  Val* factor = g.scalar_input(DataType::Double);
  TensorView* y = g.pointwise(PointwiseOp::add, {x, g.real(0.5)});
  TensorView* z = g.pointwise(PointwiseOp::mul, {y, factor});
  g.pointwise(PointwiseOp::exp, {x});
  g->add_output(z);
  EXPECT_EQ(print_math(*g),
            "inputs:\n"
            "  T0_g_float[iS0{i0}, bS1{1}]\n"
            "  d1\n"
            "outputs:\n"
            "  T2_g_float[iS4{i0}, bS5{1}]\n"
            "expressions:\n"
            "  T1_l_float[iS2{i0}, bS3{1}] = add(T0_g_float[iS0{i0}, bS1{1}], 0.5);\n"
            "  T2_g_float[iS4{i0}, bS5{1}] = mul(T1_l_float[iS2{i0}, bS3{1}], d1);\n");
  EXPECT_TRUE(contains(print_math(*g, false), "T3_l_float[iS6{i0}, bS7{1}] = exp(T0_g_float[iS0{i0}, bS1{1}]);"));
}

TEST(Print, Attributes) {
  HandBuilt g;
  TensorView* x = g.input({2, 3});
  EXPECT_EQ(to_string(*g.permute(x, {1, 0})->definition()),
            "T1_l_float[iS2{3}, iS3{2}] = permute(T0_g_float[iS0{2}, iS1{3}], order={1, 0});");
  EXPECT_EQ(to_string(*g.cast(x, DataType::Half)->definition()),
            "T2_l_half[iS4{2}, iS5{3}] = cast(T0_g_float[iS0{2}, iS1{3}], dtype=Half);");
  EXPECT_EQ(to_string(*g.broadcast(x, {false, true, false})->definition()),
            "T3_l_float[iS6{2}, bS7{1}, iS8{3}] = broadcast(T0_g_float[iS0{2}, iS1{3}], flags={false, true, false});");
  EXPECT_EQ(to_string(*g.slice(x, {g.index(0), g.index(1)}, {g.index(2), g.index(2)})->definition()),
            "T4_l_float[iS9{2}, iS10{2}] = slice(T0_g_float[iS0{2}, iS1{3}], 0, 1, 2, 2);");
  EXPECT_TRUE(contains(to_string(*g.cat({x, x}, 0, g.index(4))->definition()), ", axis=0);"));
  EXPECT_EQ(to_string(*g.reduce(ReductionOp::sum, {x}, {false, true})[0]->definition()),
            "T6_l_float[iS13{2}, rS14{3}] = sum(T0_g_float[iS0{2}, iS1{3}], axes={false, true});");
  TensorView* one = g.input({1});
  EXPECT_TRUE(contains(to_string(*g.expand(one, {g.index(7)})), "{1 ex 7}]"));
  EXPECT_EQ(to_string(*x->domain()), "[iS0{2}, iS1{3}]");
  x->logical()[0]->parallelize(ParallelType::grid_x);
  EXPECT_EQ(to_string(*x->logical()[0]), "iblockIdx.x0{2}");
}

TEST(Print, LayoutAndAliases) {
  HandBuilt g;
  TensorView* x = g.input({2, 3});
  x->domain()->set_allocation({x->logical()[1], x->logical()[0]}, {true, false});
  g->add_output(g.pointwise(PointwiseOp::neg, {x}), x);
  const std::string text = print_math(*g);
  EXPECT_TRUE(contains(text, "T0_g_float[iS0{2}, iS1{3}] allocation [iS1{3}, iS0{2}] contiguity {true, false}\n"))
      << text;
  EXPECT_TRUE(contains(text, " into T0, hidden\n")) << text;
}

TEST(Print, Scalars) {
  HandBuilt g;
  EXPECT_EQ(to_string(*g.real(3.0)), "3.0");
  EXPECT_EQ(to_string(*g.real(0.1)), "0.1");
  EXPECT_EQ(to_string(*g.real(1e300)), "1e+300");
  EXPECT_EQ(to_string(*g.real(-INFINITY)), "-inf");
  EXPECT_EQ(to_string(*g.real(NAN)), "nan");
  EXPECT_EQ(to_string(*g.integer(-4)), "-4");
  EXPECT_EQ(to_string(*g->constant(true, DataType::Bool)), "true");
  EXPECT_EQ(to_string(*g->constant(std::complex<double>(1, -2), DataType::ComplexFloat)), "(1.0,-2.0)");
  Val* a = g->symbolic(DataType::Int);
  EXPECT_EQ(to_string(*a), "i0");
  EXPECT_EQ(to_string(*g->symbolic(DataType::Half)), "d1");
  EXPECT_EQ(to_string(*g->symbolic(DataType::Bool)), "b2");
  EXPECT_EQ(to_string(*g->symbolic(DataType::ComplexFloat)), "c3");
  EXPECT_EQ(to_string(*g.scalar(PointwiseOp::add, {a, g.integer(1)}, DataType::Int)->definition()), "i4 = add(i0, 1);");
}

}  // namespace
}  // namespace nvfuser::testing
