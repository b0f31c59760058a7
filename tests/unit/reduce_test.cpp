// SPDX-License-Identifier: Apache-2.0
// Reductions as nodes: the table, builders, invariants, copies, what one pass of the rewrites keeps, combiners by
// themselves.
#include "nvfuser/ops/reduce.h"

#include <cmath>
#include <limits>

#include "builder_fixture.h"
#include "error_message.h"
#include "hand_built.h"
#include "nvfuser/fuse/rewrite.h"
#include "nvfuser/ir/evaluate_reduce.h"
#include "nvfuser/ops/result.h"

namespace nvfuser {
namespace {

using testing::error_of;
using testing::HandBuilt;

TEST(ReductionTable, RowsAreInOrder) {
  for (int k = 0; k < kReductionCount; ++k) {
    const ReductionInfo& row = kReductions[k];
    EXPECT_EQ(static_cast<int>(row.op), k);
    EXPECT_EQ(find_reduction(row.name), row.op);
    EXPECT_FALSE(row.doc.empty());
    EXPECT_GE(row.parts.count, 1);
  }
  EXPECT_EQ(find_reduction("none"), std::nullopt);
  EXPECT_EQ(part_type(ReductionOp::welford, 1, DataType::ComplexDouble), DataType::Double);
  EXPECT_EQ(part_type(ReductionOp::welford, 2, DataType::Float), DataType::Index);
  EXPECT_EQ(part_type(ReductionOp::argmax, 0, DataType::Half), DataType::Int);
}

TEST(ReductionTable, TypesForWhichCombinersAreDefined) {
  EXPECT_TRUE(is_supported(ReductionOp::sum, DataType::ComplexFloat));
  EXPECT_TRUE(is_supported(ReductionOp::max, DataType::Bool));
  EXPECT_TRUE(is_supported(ReductionOp::max, DataType::UInt64));
  EXPECT_FALSE(is_supported(ReductionOp::max, DataType::ComplexFloat));
  EXPECT_FALSE(is_supported(ReductionOp::sum, DataType::Bool));
  EXPECT_FALSE(is_supported(ReductionOp::welford, DataType::Int));
  EXPECT_FALSE(is_supported(ReductionOp::softmax_sums, DataType::ComplexDouble));
}

class Reductions : public BuilderTest {
 protected:
  void TearDown() override { verify(*fusion_); }
};

TEST_F(Reductions, AxesOfResults) {
  TensorView* x = input({-1, 3, 5}, DataType::Half, {1, 0, 2});
  TensorView* y = sum(x, {{-1, 0}});
  EXPECT_EQ(y->rank(), 1);
  EXPECT_EQ(y->dtype(), DataType::Half);
  EXPECT_EQ(y->logical().size(), 3u) << "reduced axes stay in the domain";
  EXPECT_TRUE(y->logical()[0]->is_reduction() && y->logical()[2]->is_reduction());
  EXPECT_EQ(y->logical()[0]->extent(), x->logical()[0]->extent());
  EXPECT_EQ(y->domain()->allocation()[0], y->logical()[2]) << "memory order is the operand's";
  TensorView* kept = max(x, {{1}}, true);
  EXPECT_EQ(kept->rank(), 3);
  EXPECT_TRUE(axes_of(kept)[1]->is_broadcast());
  EXPECT_EQ(sum(x)->rank(), 0);
}

TEST_F(Reductions, Types) {
  EXPECT_EQ(sum(input({4}, DataType::Bool))->dtype(), DataType::Int);
  EXPECT_EQ(prod(input({4}, DataType::Int32))->dtype(), DataType::Int);
  EXPECT_EQ(sum(input({4}, DataType::Int32), {}, false, DataType::Double)->dtype(), DataType::Double);
  EXPECT_EQ(sum(input({4}, DataType::Int32), {}, false, DataType::Int32)->dtype(), DataType::Int32);
  EXPECT_EQ(max(input({4}, DataType::BFloat16))->dtype(), DataType::BFloat16);
  EXPECT_EQ(any(input({4}, DataType::ComplexFloat))->dtype(), DataType::Bool);
  EXPECT_EQ(argmin(input({4}, DataType::Half))->dtype(), DataType::Int);
  const VarMean moments = var_mean(input({4}, DataType::ComplexFloat), {0});
  EXPECT_EQ(moments.var->dtype(), DataType::Float);
  EXPECT_EQ(moments.mean->dtype(), DataType::ComplexFloat);
  EXPECT_EQ(welford(input({4}, DataType::Double), {0}).count->dtype(), DataType::Index);
}

TEST_F(Reductions, OneElementIsTheResult) {
  TensorView* x = input({7, 1});
  EXPECT_EQ(sum(x, {{1}})->definition()->kind(), ExprKind::squeeze);
  EXPECT_EQ(max(x, {{1}}, true)->definition()->kind(), ExprKind::set);
  EXPECT_EQ(prod(input({}))->definition()->kind(), ExprKind::set);
  EXPECT_EQ(sum(x)->definition()->kind(), ExprKind::reduce);
  EXPECT_EQ(any(x, {{1}})->definition()->kind(), ExprKind::reduce) << "its result has another type";
}

TEST_F(Reductions, Errors) {
  TensorView* x = input({4, 3});
  const auto message = [&](auto&& call) { return error_of(call); };
  EXPECT_EQ(message([&] { sum(x, {{2}}); }), "sum: axis 2 is out of range for a tensor of rank 2");
  EXPECT_EQ(message([&] { sum(x, {{1, -1}}); }), "sum: axis -1 is given twice");
  EXPECT_TRUE(contains(message([&] { prod(x, std::vector<int64_t>{}); }), "prod: no axes are given for Float [4, 3]"));
  EXPECT_TRUE(contains(message([&] { max(input({2}, DataType::ComplexDouble)); }),
                       "max has no meaning for ComplexDouble: ComplexDouble [2]"));
  EXPECT_TRUE(contains(message([&] { reduce(ReductionOp::max, x, {}, false, DataType::Int); }), "max takes no dtype"));
  EXPECT_TRUE(contains(message([&] { var(input({2}, DataType::Half), {0}); }), "cast to Float first"));
  EXPECT_TRUE(contains(message([&] { var_mean(input({2}, DataType::Int), {0}); }), "var_mean takes Float"));
  EXPECT_TRUE(contains(message([&] { var(x, {0}, -1); }), "var: the correction is -1"));
  EXPECT_TRUE(contains(message([&] { welford(input({}), {}); }), "welford: no axes are given"));
  EXPECT_TRUE(contains(message([&] { reduce(ReductionOp::sum, {x}, {true}); }), "sum: 1 flags for Float [4, 3]"));
}

TEST(ReduceVerify, BrokenNodes) {
  const auto broken = [](auto&& change) {
    HandBuilt g;
    TensorView* x = g.input({4, 3});
    change(g, x);
    return error_of([&] { verify(*g); });
  };
  const auto axes = [](HandBuilt& g, IterType second) {
    return std::vector{g->axis(g.index(4)), g->axis(g.index(3), second)};
  };
  EXPECT_TRUE(contains(broken([&](HandBuilt& g, TensorView* x) {
                         g->expr(ExprKind::reduce, {x}, {g.of_axes(axes(g, IterType::iteration), DataType::Float)},
                                 {ReductionOp::sum, std::vector<bool>{false, true}});
                       }),
                       "reduced axes and only they are reductions"));
  EXPECT_TRUE(contains(broken([&](HandBuilt& g, TensorView* x) {
                         g->expr(ExprKind::reduce, {x}, {g.of_axes(axes(g, IterType::reduction), DataType::Double)},
                                 {ReductionOp::sum, std::vector<bool>{false, true}});
                       }),
                       "results have the dtypes of their parts"));
  EXPECT_TRUE(contains(broken([&](HandBuilt& g, TensorView* x) {
                         std::vector<Val*> parts;
                         for (const DataType dtype : {DataType::Float, DataType::Float, DataType::Index}) {
                           parts.push_back(g.of_axes(axes(g, IterType::reduction), dtype));
                         }
                         g->expr(ExprKind::reduce, {x}, parts, {ReductionOp::welford, std::vector<bool>{false, true}});
                       }),
                       "the results of a reduction share their axes"));
  EXPECT_TRUE(contains(broken([&](HandBuilt& g, TensorView* x) {
                         g->expr(ExprKind::reduce, {x}, {g.of_axes(axes(g, IterType::reduction), DataType::Int)},
                                 {ReductionOp::argmax, std::vector<bool>{false, true}});
                       }),
                       "argmax takes 2 operands"));
}

TEST(ReduceCopies, TuplesStayTogether) {
  HandBuilt g;
  TensorView* x = g.input({-1, 3});
  const std::vector<TensorView*> moments = g.reduce(ReductionOp::welford, {x}, {false, true});
  TensorView* twice = g.reduce(ReductionOp::sum, {x}, {false, true})[0];
  TensorView* again = g.reduce(ReductionOp::sum, {x}, {false, true})[0];
  g->add_output(moments[1]);
  g->add_output(g.pointwise(PointwiseOp::add, {g.pointwise(PointwiseOp::mul, {twice, moments[0]}), again}));
  for (const std::shared_ptr<Fusion>& copy : {clone(*g), rewrite(g.fusion)}) {
    verify(*copy);
    const TensorView* squares = copy->outputs()[0];
    EXPECT_EQ(squares->definition()->outputs().size(), 3u);
    EXPECT_EQ(squares->definition()->output(1), squares);
  }
  const std::string text = print_math(*rewrite(g.fusion));
  EXPECT_EQ(text.find("= sum("), text.rfind("= sum(")) << "equal reductions are one\n" << text;
}

/// The result of elements in the order of `order`, folded into as many tuples as there are numbers in `at`.
double folded(ReductionOp op, int part, std::vector<float> elements, const std::vector<int64_t>& at, int tuples) {
  const ReduceFunctions& functions = *find_reduce(op, DataType::Float);
  std::vector<std::max_align_t> memory(tuples * functions.tuple_bytes / sizeof(std::max_align_t) + 1);
  functions.begin(memory.data(), tuples);
  std::vector<int64_t> positions(elements.size());
  for (size_t k = 0; k < positions.size(); ++k) {
    positions[k] = static_cast<int64_t>(k);
  }
  const void* operands[] = {elements.data(), positions.data()};
  functions.fold(memory.data(), at.data(), operands, static_cast<int64_t>(elements.size()));
  alignas(16) std::byte value[16 * 8];
  functions.finish(memory.data(), part, value, tuples);
  switch (part_type(op, part, DataType::Float)) {
    case DataType::Float:
      return *reinterpret_cast<float*>(value);
    case DataType::Bool:
      return *reinterpret_cast<bool*>(value);
    default:
      return static_cast<double>(*reinterpret_cast<int64_t*>(value));
  }
}

double over_all(ReductionOp op, std::vector<float> elements, int part = 0) {
  const std::vector<int64_t> at(elements.size(), 0);
  return folded(op, part, std::move(elements), at, 1);
}

constexpr float kInf = std::numeric_limits<float>::infinity(), kNan = std::numeric_limits<float>::quiet_NaN();

TEST(Combiners, NoElements) {
  EXPECT_EQ(over_all(ReductionOp::sum, {}), 0);
  EXPECT_EQ(over_all(ReductionOp::prod, {}), 1);
  EXPECT_EQ(over_all(ReductionOp::max, {}), -kInf);
  EXPECT_EQ(over_all(ReductionOp::min, {}), kInf);
  EXPECT_EQ(over_all(ReductionOp::any, {}), 0);
  EXPECT_EQ(over_all(ReductionOp::all, {}), 1);
  EXPECT_EQ(over_all(ReductionOp::argmax, {}), 0);
  EXPECT_TRUE(std::isnan(over_all(ReductionOp::welford, {}, 0)));
  EXPECT_EQ(over_all(ReductionOp::welford, {}, 1), 0);
  EXPECT_EQ(over_all(ReductionOp::welford, {}, 2), 0);
  EXPECT_EQ(over_all(ReductionOp::softmax_sums, {}, 0), -kInf);
  EXPECT_EQ(over_all(ReductionOp::softmax_sums, {}, 1), 0);
}

TEST(Combiners, NanAndTies) {
  EXPECT_TRUE(std::isnan(over_all(ReductionOp::max, {1, kNan, 3})));
  EXPECT_TRUE(std::isnan(over_all(ReductionOp::min, {kNan, 1, 3})));
  EXPECT_EQ(over_all(ReductionOp::argmax, {1, 5, 5, 2}), 1);
  EXPECT_EQ(over_all(ReductionOp::argmin, {4, 1, 1, 2}), 1);
  EXPECT_EQ(over_all(ReductionOp::argmax, {9, kNan, kInf, kNan}), 1);
  EXPECT_EQ(over_all(ReductionOp::argmin, {kNan, -kInf}), 0);
  EXPECT_EQ(over_all(ReductionOp::argmax, {-kInf, -kInf}), 0) << "elements win over none";
  EXPECT_EQ(over_all(ReductionOp::any, {0, kNan}), 1);
}

TEST(Combiners, SumsOfSoftmax) {
  EXPECT_EQ(over_all(ReductionOp::softmax_sums, {-kInf, -kInf}, 1), 0);
  EXPECT_EQ(over_all(ReductionOp::softmax_sums, {-kInf, 2, -kInf}, 1), 1);
  EXPECT_NEAR(over_all(ReductionOp::softmax_sums, {1, 3, 2}, 1), 1 + std::exp(-1) + std::exp(-2), 1e-6);
  EXPECT_TRUE(std::isnan(over_all(ReductionOp::softmax_sums, {1, kInf, kInf}, 1)));
}

TEST(Combiners, SumsOfMoments) {
  EXPECT_EQ(over_all(ReductionOp::moment_sums, {}, 0), 0);
  EXPECT_EQ(over_all(ReductionOp::moment_sums, {}, 1), 0);
  EXPECT_EQ(over_all(ReductionOp::moment_sums, {1, 2, 6}, 0), 9);
  EXPECT_EQ(over_all(ReductionOp::moment_sums, {1, 2, 6}, 1), 14);
}

/// Every way to part elements into runs gives the same result, as combining is associative.
TEST(Combiners, AnyPartingGivesTheSame) {
  const std::vector<float> elements{3, -1, 4, 1, -5, 9, 2, -6, 5, 3, 5, -8};
  const std::vector<std::vector<int64_t>> runs{
      {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, {0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1}, {0, 0, 0, 1, 0, 0, 2, 2, 2, 0, 0, 3}};
  for (const ReductionInfo& row : kReductions) {
    for (int part = 0; part < row.parts.count; ++part) {
      for (const std::vector<int64_t>& at : runs) {
        std::vector<float> mine;
        for (size_t k = 0; k < at.size(); ++k) {
          if (at[k] == 0) {
            mine.push_back(elements[k]);
          }
        }
        std::vector<int64_t> places(mine.size(), 0);
        const double whole = folded(row.op, part, mine, places, 1);
        if (row.form == ReductionForm::place) {
          continue;  // positions are those of the run
        }
        EXPECT_NEAR(folded(row.op, part, elements, at, 4), whole, 1e-5 * std::max(1.0, std::abs(whole))) << row.name;
      }
    }
  }
}

}  // namespace
}  // namespace nvfuser
