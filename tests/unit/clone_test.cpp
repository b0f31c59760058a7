// SPDX-License-Identifier: Apache-2.0
// Copies of fusions.
#include <gtest/gtest.h>

#include "hand_built.h"

namespace nvfuser::testing {
namespace {

class Line : public Location {
 public:
  std::string text() const override { return "model.py:12"; }
};

TEST(Clone, KeepsNumbersLayoutsAliasesAndLocations) {
  HandBuilt g;
  g->locator = [] { return std::make_shared<Line>(); };
  TensorView* x = g.input({-1, 3}, DataType::Half);
  TensorView* w = g.input({1, 3});
  x->domain()->set_allocation({x->logical()[1], x->logical()[0]}, {true, false});
  w->logical()[0]->parallelize(ParallelType::block_x);
  g.pointwise(PointwiseOp::exp, {w});  // dead code is copied too
  TensorView* y = g.pointwise(PointwiseOp::add, {g.cast(x, DataType::Float), w});
  TensorView* z = g.cast(y, DataType::Half);
  g->add_output(y);
  g->add_output(z, x);
  g->add_output(g.permute(y, {1, 0}));
  std::vector<std::pair<const Val*, Val*>> map;
  const std::shared_ptr<Fusion> copy = clone(*g, &map);
  verify(*copy);
  EXPECT_EQ(print_math(*copy, false), print_math(*g, false));
  EXPECT_TRUE(structurally_equal(*g, *copy));
  EXPECT_EQ(copy->vals().size(), g->vals().size());
  EXPECT_EQ(copy->exprs()[0]->location()->text(), "model.py:12");
  for (const auto& [old, fresh] : map) {
    EXPECT_EQ(old->fusion(), g.fusion.get());
    EXPECT_EQ(fresh->fusion(), copy.get());
    EXPECT_EQ(to_string(*old), to_string(*fresh));
  }
}

TEST(Clone, VisibleAliasesAndRepeatedOutputs) {
  HandBuilt g;
  TensorView* x = g.input({3});
  TensorView* y = g.pointwise(PointwiseOp::neg, {x});
  g->add_output(y);
  g->add_output(y, x);
  g->add_output(y);
  const std::shared_ptr<Fusion> copy = clone(*g);
  EXPECT_EQ(print_math(*copy), print_math(*g));
  ASSERT_EQ(copy->outputs().size(), 2u);
  EXPECT_FALSE(copy->alias(0)->hidden);
  EXPECT_FALSE(copy->alias(1)->hidden);
}

TEST(Clone, IsIndependent) {
  HandBuilt g;
  TensorView* x = g.input({3});
  g->add_output(g.pointwise(PointwiseOp::neg, {x}));
  const std::shared_ptr<Fusion> copy = clone(*g);
  g->add_output(g.pointwise(PointwiseOp::abs, {x}));
  EXPECT_EQ(copy->outputs().size(), 1u);
  EXPECT_FALSE(structurally_equal(*g, *copy));
}

}  // namespace
}  // namespace nvfuser::testing
