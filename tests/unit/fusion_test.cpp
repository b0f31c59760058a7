// SPDX-License-Identifier: Apache-2.0
// The graph: nodes, boundary, aliases, liveness, verification.
#include "nvfuser/ir/fusion.h"

#include <gtest/gtest.h>

#include "hand_built.h"
#include "nvfuser/ir/nodes.h"
#include "nvfuser/ir/pointwise.h"

namespace nvfuser::testing {
namespace {

TEST(FusionGraph, DefinitionsAndUses) {
  HandBuilt g;
  TensorView* x = g.input({-1, 4});
  TensorView* y = g.pointwise(PointwiseOp::mul, {x, x});
  ASSERT_NE(y->definition(), nullptr);
  EXPECT_EQ(y->definition()->input(0), x);
  EXPECT_EQ(y->definition()->output(0), y);
  EXPECT_EQ(x->uses(), std::vector<Expr*>{y->definition()});
  EXPECT_EQ(x->definition(), nullptr);
  EXPECT_TRUE(x->is_fusion_input());
  EXPECT_FALSE(y->is_fusion_input());
  EXPECT_EQ(x->memory_type(), MemoryType::global);
  EXPECT_EQ(y->memory_type(), MemoryType::local);
  EXPECT_EQ(x->rank(), 2);
  EXPECT_TRUE(contains(error_of([&] { y->definition()->input(2); }), "operand 2"));
  verify(*g);
}

TEST(FusionGraph, ConstantsOfIndexAreOneNode) {
  HandBuilt g;
  EXPECT_EQ(g.index(3), g.index(3));
  EXPECT_EQ(g->constant(int64_t{3}, DataType::Index), g.index(3));
  EXPECT_NE(g.integer(3), g.integer(3));
  EXPECT_EQ(g.index(3)->constant_int(), 3);
  EXPECT_THROW(g.real(0.5)->constant_int(), Error);
  EXPECT_THROW(g->symbolic(DataType::Index)->constant_int(), Error);
  EXPECT_THROW(g->constant(0.5, DataType::Int), Error);
}

TEST(FusionGraph, RejectsWrongOperands) {
  HandBuilt g, other;
  TensorView* x = g.input({4});
  TensorView* unused = g.input({4});
  TensorView* foreign = other.input({4});
  EXPECT_TRUE(contains(error_of([&] { g.pointwise(PointwiseOp::neg, {foreign}); }), "another fusion"));
  TensorView* y = g.pointwise(PointwiseOp::neg, {x});
  EXPECT_TRUE(
      contains(error_of([&] { g->expr(ExprKind::pointwise, {x}, {y}, {PointwiseOp::abs}); }), "has a definition"));
  EXPECT_TRUE(contains(error_of([&] { g->expr(ExprKind::pointwise, {y}, {unused}, {PointwiseOp::abs}); }),
                       "input of the fusion"));
  EXPECT_THROW(g->tensor(g->domain(std::vector<IterDomain*>{g.axis(g.index(4))}), DataType::Float, true), Error);
  EXPECT_THROW(g->axis(g.real(2.0)), Error);
  EXPECT_THROW(g->axis(g.index(-2)), Error);
}

TEST(FusionBoundary, Inputs) {
  HandBuilt g, other;
  TensorView* x = g.input({4});
  EXPECT_TRUE(contains(error_of([&] { g->add_input(x); }), "is an input already"));
  EXPECT_TRUE(contains(error_of([&] { g->add_input(g.real(1.0)); }), "constant"));
  EXPECT_TRUE(contains(error_of([&] { g->add_input(other.input({4})); }), "another fusion"));
  EXPECT_THROW(g->add_input(g.pointwise(PointwiseOp::neg, {x})), Error);
}

TEST(FusionBoundary, Outputs) {
  HandBuilt g;
  TensorView* x = g.input({4});
  TensorView* y = g.pointwise(PointwiseOp::neg, {x});
  EXPECT_TRUE(contains(error_of([&] { g->add_output(g.real(1.0)); }), "Non-TensorView outputs are not supported"));
  g->add_output(y);
  g->add_output(y);
  g->add_output(static_cast<Val*>(x));
  EXPECT_EQ(g->outputs(), (std::vector<TensorView*>{y, y, x}));
  EXPECT_EQ(g->alias(0), nullptr);
  EXPECT_THROW(g->alias(3), Error);
  EXPECT_EQ(y->memory_type(), MemoryType::global);
  verify(*g);
}

TEST(FusionBoundary, AliasIsHiddenUntilAddedAgain) {
  HandBuilt g;
  TensorView* x = g.input({4});
  TensorView* y = g.pointwise(PointwiseOp::neg, {x});
  TensorView* z = g.pointwise(PointwiseOp::abs, {x});
  g->add_output(y, x);
  ASSERT_NE(g->alias(0), nullptr);
  EXPECT_TRUE(g->alias(0)->hidden);
  EXPECT_EQ(g->alias(0)->input, x);
  g->add_output(z);
  g->add_output(y);  // visible at the new position
  EXPECT_EQ(g->outputs(), (std::vector<TensorView*>{z, y}));
  EXPECT_EQ(g->alias(0), nullptr);
  ASSERT_NE(g->alias(1), nullptr);
  EXPECT_FALSE(g->alias(1)->hidden);
  g->add_output(y);
  EXPECT_EQ(g->outputs().size(), 3u);
  EXPECT_FALSE(g->alias(2)->hidden);
}

TEST(FusionBoundary, AliasOfAnOutputIsVisible) {
  HandBuilt g;
  TensorView* x = g.input({4});
  TensorView* y = g.pointwise(PointwiseOp::neg, {x});
  g->add_output(y);
  g->add_output(y, x);
  EXPECT_EQ(g->outputs().size(), 1u);
  EXPECT_FALSE(g->alias(0)->hidden);
}

TEST(FusionBoundary, AliasTakesTheAllocationOfTheInput) {
  HandBuilt g;
  TensorView* x = g.input({2, 3});
  x->domain()->set_allocation({x->logical()[1], x->logical()[0]}, {true, false});
  TensorView* y = g.pointwise(PointwiseOp::neg, {x});
  g->add_output(y, x);
  EXPECT_EQ(y->domain()->allocation(), (std::vector<IterDomain*>{y->logical()[1], y->logical()[0]}));
  EXPECT_EQ(y->domain()->contiguity()[1], std::optional(false));
}

TEST(FusionBoundary, AliasRejects) {
  HandBuilt g;
  TensorView* x = g.input({4});
  TensorView* matrix = g.input({4, 4});
  TensorView* y = g.pointwise(PointwiseOp::neg, {x});
  TensorView* z = g.pointwise(PointwiseOp::neg, {x});
  EXPECT_THROW(g->add_output(y, z), Error);       // not an input
  EXPECT_THROW(g->add_output(x, x), Error);       // callers put a copy between
  EXPECT_THROW(g->add_output(y, matrix), Error);  // other rank
  g->add_output(y, x);
  EXPECT_TRUE(contains(error_of([&] { g->add_output(z, x); }), "is written by"));
}

TEST(FusionDomain, Allocation) {
  HandBuilt g;
  TensorView* x = g.input({2, 1, 3});
  TensorDomain* domain = x->domain();
  EXPECT_TRUE(domain->is_row_major());
  EXPECT_EQ(domain->contiguity(), (std::vector<std::optional<bool>>{true, std::nullopt, true}));
  const auto axes = domain->logical();
  EXPECT_THROW(domain->set_allocation({axes[0], axes[1]}, {true, std::nullopt}), Error);
  EXPECT_THROW(domain->set_allocation({axes[0], axes[1], axes[2]}, {true, true, true}), Error);
  EXPECT_THROW(domain->set_allocation({axes[0], axes[1], axes[2]}, {true, std::nullopt}), Error);
  domain->set_allocation({axes[2], axes[1], axes[0]}, {false, std::nullopt, true});
  EXPECT_FALSE(domain->is_row_major());
}

TEST(FusionDomain, ReductionAxesAreNoPartOfTheRank) {
  HandBuilt g;
  IterDomain* kept = g.axis(g.index(3));
  IterDomain* reduced = g->axis(g.index(5), IterType::reduction);
  TensorView* t = g.of_axes({kept, reduced}, DataType::Float);
  EXPECT_EQ(t->rank(), 1);
  EXPECT_EQ(t->domain()->no_reductions(), std::vector<IterDomain*>{kept});
}

TEST(FusionTraversal, LiveExprs) {
  HandBuilt g;
  TensorView* x = g.input({-1});
  TensorView* dead = g.pointwise(PointwiseOp::exp, {x});
  Val* doubled = g.scalar(PointwiseOp::mul, {x->logical()[0]->extent(), g.index(2)}, DataType::Index);
  TensorView* filled = g.full({doubled}, g.real(1.0), DataType::Float);
  TensorView* out = g.pointwise(PointwiseOp::neg, {filled});
  g->add_output(out);
  EXPECT_EQ(g->exprs().size(), 4u);
  EXPECT_EQ(g->live_exprs(), (std::vector<Expr*>{doubled->definition(), filled->definition(), out->definition()}));
  EXPECT_EQ(dead->definition()->kind(), ExprKind::pointwise);
  verify(*g);
}

TEST(FusionVerify, FindsBrokenExpressions) {
  HandBuilt g;
  TensorView* x = g.input({2, 3});
  TensorView* y = g.of_axes({g.axis(g.index(2))}, DataType::Float);
  g->expr(ExprKind::pointwise, {x}, {y}, {PointwiseOp::neg});
  EXPECT_TRUE(contains(error_of([&] { verify(*g); }), "rank of the result"));
  HandBuilt h;
  TensorView* a = h.input({2, 3});
  h->expr(ExprKind::permute, {a}, {h.of_axes({h.axis(h.index(2)), h.axis(h.index(3))}, DataType::Float)},
          {std::vector<int64_t>{0, 0}});
  EXPECT_TRUE(contains(error_of([&] { verify(*h); }), "permutation"));
}

TEST(FusionTables, RowsAreInOrder) {
  EXPECT_EQ(info(PointwiseOp::where).name, "where");
  EXPECT_EQ(info(PointwiseOp::where).arity, 3);
  EXPECT_EQ(expression_of(PointwiseOp::lt), "(a < b)");
  EXPECT_EQ(find_pointwise("addcmul"), PointwiseOp::addcmul);
  EXPECT_EQ(find_pointwise("none"), std::nullopt);
  for (const PointwiseInfo& row : kPointwiseOps) {
    EXPECT_EQ(find_pointwise(row.name), row.op);
    EXPECT_FALSE(row.doc.empty());
  }
  for (int k = 0; k < kNodeCount; ++k) {
    EXPECT_EQ(static_cast<int>(kNodes[k].kind), k);
  }
}

TEST(FusionTables, OperationTypes) {
  using enum DataType;
  EXPECT_EQ(operation_type(PointwiseOp::add, {Half, Half}, {false, false}, Float), Float);
  EXPECT_EQ(operation_type(PointwiseOp::relu, {BFloat16}, {false}, BFloat16), Float);
  EXPECT_EQ(operation_type(PointwiseOp::lt, {Float, Double}, {false, true}, Bool), Float);
  EXPECT_EQ(operation_type(PointwiseOp::lt, {Int, Double}, {false, true}, Bool), Double);
  EXPECT_EQ(operation_type(PointwiseOp::lt, {Int32, Int}, {true, true}, Bool), Int);
  EXPECT_EQ(operation_type(PointwiseOp::logical_and, {Int, Bool}, {false, false}, Bool), Bool);
  EXPECT_EQ(operation_type(PointwiseOp::abs, {ComplexFloat}, {false}, Float), ComplexFloat);
  EXPECT_EQ(operation_type(PointwiseOp::complex, {Double, Double}, {false, false}, ComplexDouble), Double);
  EXPECT_EQ(result_type(PointwiseOp::abs, ComplexDouble), Double);
  EXPECT_EQ(result_type(PointwiseOp::complex, Float), ComplexFloat);
  EXPECT_EQ(result_type(PointwiseOp::eq, Int), Bool);
}

}  // namespace
}  // namespace nvfuser::testing
