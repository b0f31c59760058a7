// SPDX-License-Identifier: Apache-2.0
// Structural hash and equality: what counts and what does not.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "hand_built.h"

namespace nvfuser::testing {
namespace {

using Build = std::function<void(HandBuilt&)>;

void expect(bool equal, const Build& a, const Build& b) {
  HandBuilt first, second;
  a(first);
  b(second);
  EXPECT_EQ(structurally_equal(*first, *second), equal) << print_math(*first) << print_math(*second);
  EXPECT_EQ(structural_hash(*first) == structural_hash(*second), equal);
}

Build scaled(double factor, PointwiseOp op = PointwiseOp::mul, DataType dtype = DataType::Float, int64_t size = -1) {
  return [=](HandBuilt& g) { g->add_output(g.pointwise(op, {g.input({size, 4}, dtype), g.real(factor)}, dtype)); };
}

TEST(Structure, SameBuildIsEqual) {
  expect(true, scaled(2.0), scaled(2.0));
  expect(true, scaled(NAN), scaled(-NAN));
}

TEST(Structure, ConstantsOpsDtypesAndExtentsCount) {
  expect(false, scaled(2.0), scaled(3.0));
  expect(false, scaled(0.0), scaled(-0.0));
  expect(false, scaled(2.0), scaled(2.0, PointwiseOp::add));
  expect(false, scaled(2.0), scaled(2.0, PointwiseOp::mul, DataType::Double));
  expect(false, scaled(2.0), scaled(2.0, PointwiseOp::mul, DataType::Float, 8));
  expect(false, scaled(2.0, PointwiseOp::mul, DataType::Float, 8), scaled(2.0, PointwiseOp::mul, DataType::Float, 1));
}

TEST(Structure, UnusedNodesAndOrderOfCreationDoNotCount) {
  expect(
      true,
      [](HandBuilt& g) {
        TensorView* x = g.input({4});
        TensorView* a = g.pointwise(PointwiseOp::exp, {x});
        TensorView* b = g.pointwise(PointwiseOp::sin, {x});
        g->add_output(g.pointwise(PointwiseOp::add, {a, b}));
      },
      [](HandBuilt& g) {
        TensorView* x = g.input({4});
        TensorView* b = g.pointwise(PointwiseOp::sin, {x});
        g.pointwise(PointwiseOp::cos, {x});
        TensorView* a = g.pointwise(PointwiseOp::exp, {x});
        g->add_output(g.pointwise(PointwiseOp::add, {a, b}));
      });
}

TEST(Structure, SharingOfExtentsCounts) {
  const auto build = [](bool shared) {
    return [=](HandBuilt& g) {
      TensorView* x = g.input({-1});
      TensorView* y = shared ? g.tensor({x->logical()[0]->extent()}, DataType::Float)
                             : g.tensor({g->symbolic(DataType::Index)}, DataType::Float);
      g->add_input(y);
      g->add_output(g.pointwise(PointwiseOp::add, {x, y}));
    };
  };
  expect(true, build(true), build(true));
  expect(false, build(true), build(false));
}

TEST(Structure, OrderOfInputsAndOutputsCounts) {
  const auto build = [](bool swap_inputs, bool swap_outputs) {
    return [=](HandBuilt& g) {
      TensorView* x = g.input({4});
      TensorView* y = g.input({4});
      TensorView* a = g.pointwise(PointwiseOp::sub, {swap_inputs ? y : x, swap_inputs ? x : y});
      TensorView* b = g.pointwise(PointwiseOp::exp, {a});
      g->add_output(swap_outputs ? b : a);
      g->add_output(swap_outputs ? a : b);
    };
  };
  expect(true, build(false, false), build(false, false));
  expect(false, build(false, false), build(true, false));
  expect(false, build(false, false), build(false, true));
}

TEST(Structure, LayoutsCount) {
  const auto build = [](std::vector<int> order, std::vector<std::optional<bool>> contiguity) {
    return [=](HandBuilt& g) {
      TensorView* x = g.input({2, 3});
      std::vector<IterDomain*> allocation;
      for (const int k : order) {
        allocation.push_back(x->logical()[k]);
      }
      x->domain()->set_allocation(allocation, contiguity);
      g->add_output(g.pointwise(PointwiseOp::neg, {x}));
    };
  };
  expect(true, build({0, 1}, {true, true}), build({0, 1}, {true, true}));
  expect(false, build({0, 1}, {true, true}), build({1, 0}, {true, true}));
  expect(false, build({0, 1}, {true, true}), build({0, 1}, {false, true}));
}

TEST(Structure, AliasesCount) {
  const auto build = [](int how) {
    return [=](HandBuilt& g) {
      TensorView* x = g.input({4});
      TensorView* y = g.pointwise(PointwiseOp::neg, {x});
      if (how != 1) {
        g->add_output(y);
      }
      if (how != 0) {
        g->add_output(y, x);
      }
    };
  };
  expect(true, build(1), build(1));
  expect(false, build(0), build(1));
  expect(false, build(0), build(2));
  expect(false, build(1), build(2));
}

TEST(Structure, AttributesCount) {
  const auto build = [](std::vector<int64_t> order) {
    return [=](HandBuilt& g) { g->add_output(g.permute(g.input({4, 4, 4}), order)); };
  };
  expect(true, build({1, 2, 0}), build({1, 2, 0}));
  expect(false, build({1, 2, 0}), build({2, 0, 1}));
}

TEST(Structure, LongChains) {
  const Build chain = [](HandBuilt& g) {
    TensorView* x = g.input({4});
    for (int k = 0; k < 20000; ++k) {
      x = g.pointwise(PointwiseOp::neg, {x});
    }
    g->add_output(x);
  };
  expect(true, chain, chain);
}

}  // namespace
}  // namespace nvfuser::testing
