// SPDX-License-Identifier: Apache-2.0
// Rewrites: where each rule applies and where it must not, and that results stay what the original gives.
#include "nvfuser/fuse/rewrite.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "hand_built.h"
#include "nvfuser/ir/evaluate.h"
#include "nvfuser/ir/nodes.h"
#include "nvfuser/ir/pointwise.h"
#include "nvfuser/ops/cast.h"
#include "nvfuser/ops/pointwise_builder.h"
#include "nvfuser/ops/reduce.h"
#include "nvfuser/ops/shape.h"

namespace nvfuser::testing {
namespace {

constexpr int64_t kRows = 8, kColumns = 32;

/// Values of all sizes and both signs, with the special ones first.
std::vector<float> samples(std::mt19937& random, double largest) {
  std::vector<float> values{0.0f, -0.0f, 1.0f, -1.0f, 0.5f, -9.0f, 9.0f, std::numeric_limits<float>::quiet_NaN()};
  if (largest > 1e30) {
    values.insert(values.end(), {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(), 3e38f,
                                 1e-38f, 1e-44f});
  }
  std::uniform_real_distribution<double> exponent(-8.0, std::log10(largest)), sign(-1.0, 1.0);
  while (values.size() < kRows * kColumns) {
    values.push_back(static_cast<float>(std::copysign(std::pow(10.0, exponent(random)), sign(random))));
  }
  return values;
}

/// A fusion of Float inputs [rows, columns], built with the ops that users call.
class Rewrite : public ::testing::Test {
 protected:
  TensorView* input(DataType dtype = DataType::Float) { return g.input({kRows, kColumns}, dtype); }
  Val* op(PointwiseOp op, std::vector<Val*> operands) { return pointwise(op, std::move(operands)); }
  Val* real(double value) { return g.real(value); }
  void output(Val* v) { g->add_output(static_cast<TensorView*>(v)); }

  std::shared_ptr<Fusion> rewritten() {
    verify(*g);
    std::shared_ptr<Fusion> result = rewrite(g.fusion);
    verify(*result);
    EXPECT_EQ(result->inputs().size(), g->inputs().size());
    EXPECT_EQ(result->outputs().size(), g->outputs().size());
    EXPECT_EQ(rewrite(result), result) << "a second time nothing changes";
    return result;
  }

  /// Names of what the first output is made by, operands first.
  static std::string ops_of(const Fusion& fusion) {
    std::string text;
    for (const Expr* expr : fusion.live_exprs()) {
      if (expr->output(0)->is_tensor()) {
        text += text.empty() ? "" : " ";
        text += expr->kind() == ExprKind::pointwise ? name_of(expr->attribute<PointwiseOp>(0)) : name_of(expr->kind());
      }
    }
    return text;
  }
  std::string ops() { return ops_of(*rewritten()); }
  bool stays() { return rewrite(g.fusion) == g.fusion; }

  template <class T>
  static std::vector<T> evaluated(const Fusion& fusion, std::vector<std::vector<float>>& inputs,
                                  EvaluatePrecision precision = EvaluatePrecision::kernel) {
    std::vector<HostArgument> arguments;
    for (std::vector<float>& values : inputs) {
      arguments.push_back(HostTensor{values.data(), DataType::Float, {kRows, kColumns}, {kColumns, 1}});
    }
    std::vector<std::vector<T>> results(fusion.outputs().size(), std::vector<T>(kRows * kColumns));
    std::vector<HostTensor> views;
    for (size_t k = 0; k < results.size(); ++k) {
      const DataType dtype = sizeof(T) == 8 ? DataType::Double : fusion.outputs()[k]->dtype();
      views.push_back({results[k].data(), dtype, {kRows, kColumns}, {kColumns, 1}});
    }
    evaluate(fusion, arguments, views, precision);
    std::vector<T> all;
    for (const std::vector<T>& result : results) {
      all.insert(all.end(), result.begin(), result.end());
    }
    return all;
  }

  HandBuilt g;
};

int64_t ulps(float a, float b) {
  if (std::isnan(a) || std::isnan(b)) {
    return std::isnan(a) == std::isnan(b) ? 0 : int64_t{1} << 32;
  }
  const auto ordered = [](float x) -> int64_t {
    const auto bits = std::bit_cast<int32_t>(x);
    return bits < 0 ? -static_cast<int64_t>(bits & 0x7fffffff) : bits;
  };
  return std::abs(ordered(a) - ordered(b));
}

int64_t most_ulps(const std::vector<float>& a, const std::vector<float>& b) {
  int64_t most = 0;
  for (size_t k = 0; k < a.size(); ++k) {
    most = std::max(most, ulps(a[k], b[k]));
  }
  return most;
}

// ---- what users write

TEST_F(Rewrite, GeluOfPrimitivesBecomesOneLogistic) {
  Val* t = input();
  Val* cube = op(PointwiseOp::mul, {op(PointwiseOp::mul, {op(PointwiseOp::mul, {t, t}), t}), real(0.044715)});
  Val* inner = op(PointwiseOp::mul, {op(PointwiseOp::add, {t, cube}), real(0.7978845608)});
  Val* outer = op(PointwiseOp::add, {op(PointwiseOp::tanh, {inner}), real(1.0)});
  output(op(PointwiseOp::mul, {op(PointwiseOp::mul, {t, real(0.5)}), outer}));
  const std::shared_ptr<Fusion> result = rewritten();
  EXPECT_EQ(ops_of(*result), "mul mul mul add mul sigmoid mul");

  std::mt19937 random(1);
  std::vector<std::vector<float>> inputs{samples(random, 10.0)};
  const std::vector<float> got = evaluated<float>(*result, inputs);
  for (size_t k = 0; k < got.size(); ++k) {
    const double x = inputs[0][k], want = x / (1.0 + std::exp(-2.0 * 0.7978845608 * (x + 0.044715 * x * x * x)));
    if (!std::isnan(x)) {
      EXPECT_NEAR(got[k], want, 3e-5 * std::abs(want) + 1e-37) << "of " << x;
    }
  }
}

TEST_F(Rewrite, GeluInOtherOrders) {
  Val* t = input();
  const auto tail = [&] { return op(PointwiseOp::add, {real(1.0), op(PointwiseOp::tanh, {t})}); };
  output(op(PointwiseOp::mul, {real(0.5), op(PointwiseOp::mul, {t, tail()})}));
  EXPECT_EQ(ops(), "mul sigmoid mul");
  g = {};
  t = input();
  output(op(PointwiseOp::mul, {t, op(PointwiseOp::mul, {tail(), real(0.5)})}));
  EXPECT_EQ(ops(), "mul sigmoid mul");
  g = {};
  t = input();
  output(op(PointwiseOp::mul, {op(PointwiseOp::truediv, {t, real(2.0)}), tail()}));
  EXPECT_EQ(ops(), "mul sigmoid mul");
}

TEST_F(Rewrite, NarrowInputsAreWidenedOnce) {
  Val* x = input(DataType::BFloat16);
  output(cast(op(PointwiseOp::mul, {op(PointwiseOp::mul, {x, op(PointwiseOp::sigmoid, {x})}), x}), DataType::BFloat16));
  EXPECT_EQ(ops(), "cast sigmoid mul mul cast");
}

// ---- algebra

TEST_F(Rewrite, OneMinus) {
  Val* x = input();
  output(op(PointwiseOp::sub, {real(1.0), op(PointwiseOp::tanh, {x})}));
  EXPECT_EQ(ops(), "mul sigmoid mul");
  g = {};
  x = input();
  output(op(PointwiseOp::sub, {real(1.0), op(PointwiseOp::sigmoid, {x})}));
  EXPECT_EQ(ops(), "neg sigmoid");
  g = {};
  x = input();
  output(op(PointwiseOp::sub, {op(PointwiseOp::sigmoid, {x}), real(1.0)}));
  EXPECT_TRUE(stays());
}

TEST_F(Rewrite, TanhThatIsReadElsewhereStays) {
  Val* t = op(PointwiseOp::tanh, {input()});
  output(op(PointwiseOp::add, {t, real(1.0)}));
  output(op(PointwiseOp::exp, {t}));
  EXPECT_TRUE(stays());
  g = {};
  t = op(PointwiseOp::tanh, {input()});
  output(op(PointwiseOp::add, {t, real(1.0)}));
  output(t);
  EXPECT_TRUE(stays());
  g = {};
  output(op(PointwiseOp::add, {op(PointwiseOp::tanh, {input()}), real(2.0)}));
  EXPECT_TRUE(stays());
}

TEST_F(Rewrite, ConstantsMeetWhereOneIsAPowerOfTwo) {
  Val* x = input();
  output(op(PointwiseOp::mul, {real(4.0), op(PointwiseOp::mul, {x, real(0.3)})}));
  const std::shared_ptr<Fusion> result = rewritten();
  EXPECT_EQ(ops_of(*result), "mul");
  const Expr* product = result->outputs()[0]->definition();
  EXPECT_EQ(std::get<double>(*product->input(1)->constant()), static_cast<double>(0.3f) * 4.0);
  g = {};
  x = input();
  output(op(PointwiseOp::mul, {op(PointwiseOp::mul, {x, real(0.3)}), real(3.0)}));
  EXPECT_TRUE(stays()) << "two roundings";
  g = {};
  x = input();
  output(op(PointwiseOp::mul, {op(PointwiseOp::mul, {x, real(3e38)}), real(2.0)}));
  EXPECT_TRUE(stays()) << "the product of the constants overflows";
  g = {};
  x = input();
  output(op(PointwiseOp::mul, {op(PointwiseOp::mul, {x, real(1.5e-38)}), real(0.5)}));
  EXPECT_TRUE(stays()) << "the product of the constants is denormal";
}

TEST_F(Rewrite, ConstantsCancelOnlyBetweenTwoFactors) {
  Val *x = input(), *y = input(), *z = input();
  output(op(PointwiseOp::mul, {op(PointwiseOp::mul, {x, real(0.25)}), op(PointwiseOp::mul, {y, real(4.0)})}));
  EXPECT_EQ(ops(), "mul");
  output(op(
      PointwiseOp::mul,
      {op(PointwiseOp::mul, {op(PointwiseOp::mul, {x, real(0x1p-90)}), op(PointwiseOp::mul, {y, z})}), real(0x1p90)}));
  EXPECT_EQ(ops(), "mul mul mul mul mul") << "x y z may overflow";
  g = {};
  x = input(), y = input();
  output(op(PointwiseOp::mul, {op(PointwiseOp::mul, {x, real(0.25)}), op(PointwiseOp::mul, {y, real(2.0)})}));
  EXPECT_TRUE(stays()) << "a constant is left, x y may underflow";
  g = {};
  x = input(), y = input();
  output(op(PointwiseOp::mul, {op(PointwiseOp::mul, {x, real(-0.5)}), op(PointwiseOp::mul, {real(-2.0), y})}));
  EXPECT_EQ(ops(), "mul");
}

TEST_F(Rewrite, Quotients) {
  Val* x = input();
  output(op(PointwiseOp::truediv, {x, real(8.0)}));
  output(op(PointwiseOp::div, {x, real(-0.25)}));
  output(op(PointwiseOp::truediv, {real(1.0), x}));
  EXPECT_EQ(ops(), "mul mul reciprocal");
  g = {};
  x = input();
  output(op(PointwiseOp::truediv, {x, real(3.0)}));
  output(op(PointwiseOp::truediv, {x, real(0x1p127)}));
  output(op(PointwiseOp::truediv, {real(2.0), x}));
  EXPECT_TRUE(stays());
}

TEST_F(Rewrite, NeutralOperands) {
  Val* x = input();
  Val* same = op(PointwiseOp::sub, {op(PointwiseOp::mul, {x, real(1.0)}), real(0.0)});
  same = op(PointwiseOp::neg, {op(PointwiseOp::neg, {op(PointwiseOp::truediv, {same, real(1.0)})})});
  output(op(PointwiseOp::exp, {op(PointwiseOp::add, {same, real(-0.0)})}));
  EXPECT_EQ(ops(), "exp");
  g = {};
  x = input();
  output(op(PointwiseOp::add, {x, real(0.0)}));
  output(op(PointwiseOp::sub, {real(0.0), x}));
  EXPECT_TRUE(stays()) << "-0 + 0 is 0";
}

TEST_F(Rewrite, SmallPowers) {
  Val* x = input();
  for (const double exponent : {2.0, 3.0, -1.0}) {
    output(op(PointwiseOp::pow, {x, real(exponent)}));
  }
  output(op(PointwiseOp::exp, {op(PointwiseOp::pow, {x, real(1.0)})}));
  EXPECT_EQ(ops(), "mul mul reciprocal exp") << "the square is made once";
  g = {};
  x = input();
  output(op(PointwiseOp::pow, {x, real(0.5)}));
  output(op(PointwiseOp::pow, {real(2.0), x}));
  EXPECT_TRUE(stays());
}

TEST_F(Rewrite, IntegersAndComplexStay) {
  for (const DataType dtype : {DataType::Int, DataType::Int32, DataType::ComplexFloat}) {
    g = {};
    Val* x = input(dtype);
    const auto constant = [&](int64_t v) { return g.integer(v); };
    output(op(PointwiseOp::mul, {op(PointwiseOp::mul, {x, constant(2)}), constant(4)}));
    output(op(PointwiseOp::mul, {x, constant(1)}));
    output(op(PointwiseOp::sub, {x, constant(0)}));
    EXPECT_TRUE(stays()) << name_of(dtype);
  }
}

TEST_F(Rewrite, RoundedIntermediatesStay) {
  TensorView* x = g.input({kRows, kColumns}, DataType::BFloat16);
  TensorView* t = g.pointwise(PointwiseOp::tanh, {x}, DataType::BFloat16);
  output(g.pointwise(PointwiseOp::add, {t, g.real(1.0)}, DataType::Float));
  output(g.pointwise(PointwiseOp::mul, {x, g.real(1.0)}, DataType::Float));
  EXPECT_TRUE(stays());
}

// ---- casts

TEST_F(Rewrite, CastsBackFromAWiderTypeGo) {
  TensorView* x = g.input({kRows, kColumns}, DataType::BFloat16);
  output(g.pointwise(PointwiseOp::exp, {g.cast(g.cast(x, DataType::Float), DataType::BFloat16)}));
  EXPECT_EQ(ops(), "exp");
  g = {};
  x = g.input({kRows, kColumns}, DataType::Half);
  output(g.cast(g.cast(x, DataType::Float), DataType::Double));
  output(g.cast(g.cast(x, DataType::Float), DataType::BFloat16));
  EXPECT_EQ(ops(), "cast cast");
  const std::shared_ptr<Fusion> result = rewritten();
  for (const Expr* expr : result->live_exprs()) {
    EXPECT_EQ(expr->input(0)->dtype(), DataType::Half);
  }
}

TEST_F(Rewrite, CastsThatRoundStay) {
  const std::pair<DataType, DataType> kept[] = {
      {DataType::Float, DataType::BFloat16}, {DataType::Half, DataType::BFloat16}, {DataType::Int, DataType::Double},
      {DataType::Int32, DataType::Float},    {DataType::Int, DataType::UInt64},    {DataType::Float, DataType::Int}};
  for (const auto& [from, through] : kept) {
    g = {};
    output(g.cast(g.cast(g.input({kRows, kColumns}, from), through), from));
    EXPECT_TRUE(stays()) << name_of(from) << " through " << name_of(through);
  }
}

TEST_F(Rewrite, EveryValueSurvivesALosslessPair) {
  const std::pair<DataType, DataType> pairs[] = {
      {DataType::Float8_e4m3fn, DataType::Half},  {DataType::Float8_e4m3fn, DataType::BFloat16},
      {DataType::Float8_e5m2, DataType::Half},    {DataType::Float8_e5m2, DataType::Float},
      {DataType::Half, DataType::Float},          {DataType::BFloat16, DataType::Double},
      {DataType::Float8_e4m3fn, DataType::Double}};
  for (const auto& [from, through] : pairs) {
    HandBuilt pair;
    TensorView* x = pair.input({65536}, from);
    TensorView* wide = pair.cast(x, through);
    pair->add_output(pair.cast(pair.cast(x, through), DataType::Float));
    pair->add_output(pair.cast(pair.cast(wide, from), DataType::Float));
    const std::shared_ptr<Fusion> result = rewrite(pair.fusion);
    EXPECT_NE(result, pair.fusion);
    std::vector<uint16_t> halves(65536);
    std::vector<uint8_t> bytes(65536);
    for (size_t k = 0; k < 65536; ++k) {
      halves[k] = static_cast<uint16_t>(k);
      bytes[k] = static_cast<uint8_t>(k);
    }
    void* const data = bytes_of(from) == 1 ? static_cast<void*>(bytes.data()) : halves.data();
    std::vector<float> values[4];
    for (int k = 0; k < 4; k += 2) {
      values[k].resize(65536), values[k + 1].resize(65536);
      evaluate(k == 0 ? *pair : *result, {HostTensor{data, from, {65536}, {1}}},
               {HostTensor{values[k].data(), DataType::Float, {65536}, {1}},
                HostTensor{values[k + 1].data(), DataType::Float, {65536}, {1}}});
    }
    EXPECT_EQ(most_ulps(values[0], values[2]), 0) << name_of(from) << " through " << name_of(through);
    EXPECT_EQ(most_ulps(values[1], values[3]), 0) << name_of(from) << " through " << name_of(through);
  }
}

// ---- duplicates, copies, dead code

TEST_F(Rewrite, EqualExpressionsAreMadeOnce) {
  Val *x = input(), *y = input();
  Val* a = op(PointwiseOp::mul, {x, y});
  Val* b = op(PointwiseOp::mul, {y, x});
  op(PointwiseOp::cosh, {a});
  output(op(PointwiseOp::add, {op(PointwiseOp::exp, {a}), op(PointwiseOp::exp, {b})}));
  std::vector<std::pair<const Val*, Val*>> map;
  const std::shared_ptr<Fusion> result = rewrite(g.fusion, &map);
  EXPECT_EQ(ops_of(*result), "mul exp add");
  EXPECT_EQ(result->exprs().size(), 3u) << "dead code is gone";
  const auto at = [&](const Val* old) {
    const auto found = std::find_if(map.begin(), map.end(), [&](const auto& entry) { return entry.first == old; });
    return found == map.end() ? nullptr : found->second;
  };
  EXPECT_NE(at(a), nullptr);
  EXPECT_EQ(at(a), at(b));
  EXPECT_EQ(at(x), result->inputs()[0]);
  EXPECT_EQ(at(g->outputs()[0]), result->outputs()[0]);
}

TEST_F(Rewrite, OrderMattersElsewhere) {
  Val *x = input(), *y = input();
  output(op(PointwiseOp::sub, {op(PointwiseOp::maximum, {x, y}), op(PointwiseOp::maximum, {y, x})}));
  EXPECT_TRUE(stays());
  g = {};
  Val *u = input(DataType::ComplexFloat), *v = input(DataType::ComplexFloat);
  output(op(PointwiseOp::sub, {op(PointwiseOp::mul, {u, v}), op(PointwiseOp::mul, {v, u})}));
  EXPECT_TRUE(stays());
}

TEST_F(Rewrite, EqualOutputsKeepTheirMemory) {
  Val* x = input();
  output(op(PointwiseOp::exp, {x}));
  output(op(PointwiseOp::exp, {x}));
  output(set(static_cast<TensorView*>(x)));
  EXPECT_TRUE(stays());
}

TEST_F(Rewrite, CutsStay) {
  Val* x = input();
  Val* cut = segment_set(static_cast<TensorView*>(op(PointwiseOp::tanh, {x})));
  Val* again = segment_set(static_cast<TensorView*>(op(PointwiseOp::tanh, {x})));
  output(op(PointwiseOp::sub, {op(PointwiseOp::add, {cut, real(1.0)}), again}));
  EXPECT_EQ(ops(), "tanh set set add sub");
  g = {};
  x = input();
  cut = segment_set(static_cast<TensorView*>(op(PointwiseOp::mul, {x, real(2.0)})));
  output(op(PointwiseOp::mul, {cut, real(0.5)}));
  EXPECT_TRUE(stays());
}

TEST_F(Rewrite, CopiesGo) {
  auto* x = input();
  TensorView* copy = stride_order(set(x), {0, 1});
  output(op(PointwiseOp::exp, {copy}));
  const std::shared_ptr<Fusion> result = rewritten();
  EXPECT_EQ(ops_of(*result), "exp");
  EXPECT_FALSE(result->outputs()[0]->domain()->is_row_major()) << "the output keeps its memory order";
}

// ---- boundary

TEST_F(Rewrite, OutputsKeepDtypeLayoutAndAliases) {
  TensorView* x = g.input({-1, -1}, DataType::BFloat16);
  TensorView* target = g.input({-1, -1}, DataType::BFloat16);
  x->domain()->set_allocation({x->logical()[1], x->logical()[0]}, {true, true});
  TensorView* back = static_cast<TensorView*>(cast(cast(x, DataType::Float), DataType::BFloat16));
  TensorView* other = static_cast<TensorView*>(cast(op(PointwiseOp::mul, {x, real(1.0)}), DataType::BFloat16));
  g->add_output(back);
  g->add_output(other, target);
  g->add_output(x);
  const std::shared_ptr<Fusion> result = rewritten();
  EXPECT_EQ(ops_of(*result), "set set") << "an output is made, even as a copy";
  for (size_t k = 0; k < g->outputs().size(); ++k) {
    const TensorView *before = g->outputs()[k], *after = result->outputs()[k];
    EXPECT_EQ(after->dtype(), before->dtype());
    EXPECT_EQ(after->memory_type(), before->memory_type());
    EXPECT_EQ(after->domain()->is_row_major(), before->domain()->is_row_major());
    EXPECT_EQ(after->domain()->contiguity(), before->domain()->contiguity());
  }
  ASSERT_NE(result->alias(1), nullptr);
  EXPECT_EQ(result->alias(1)->input, result->inputs()[1]);
  EXPECT_TRUE(result->alias(1)->hidden);
  EXPECT_EQ(result->outputs()[2], result->inputs()[0]);
  ScalarBinding binding(*result);
  binding.bind_tensor(0, {3, 5});
  binding.bind_tensor(1, {3, 5});
  EXPECT_EQ(binding.sizes(result->outputs()[0]), (std::vector<int64_t>{3, 5}));
}

TEST_F(Rewrite, LocationsStay) {
  class Line : public Location {
   public:
    std::string text() const override { return "model.py:7"; }
  };
  Val* x = input();
  g->locator = [] { return std::make_shared<Line>(); };
  output(op(PointwiseOp::add, {op(PointwiseOp::tanh, {x}), real(1.0)}));
  const std::shared_ptr<Fusion> result = rewritten();
  for (const Expr* expr : result->exprs()) {
    ASSERT_NE(expr->location(), nullptr);
    EXPECT_EQ(expr->location()->text(), "model.py:7");
  }
}

TEST_F(Rewrite, ScalarsOfACallAreNoConstants) {
  Val* x = input();
  Val* s = g.scalar_input(DataType::Double);
  output(op(PointwiseOp::mul, {op(PointwiseOp::mul, {x, s}), real(2.0)}));
  EXPECT_TRUE(stays());
  output(op(PointwiseOp::exp,
            {op(PointwiseOp::mul, {op(PointwiseOp::mul, {s, s}), op(PointwiseOp::mul, {x, real(1.0)})})}));
  const std::shared_ptr<Fusion> result = rewritten();
  EXPECT_TRUE(result->inputs()[1]->is_scalar());
}

// ---- any graph

/// A graph of pointwise operations, casts and copies, drawn so that rules have much to do.
void draw(HandBuilt& g, std::mt19937& random) {
  const auto upto = [&](size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random); };
  std::vector<Val*> values{g.input({kRows, kColumns}), g.input({kRows, kColumns})};
  const double constants[] = {1.0, 2.0, 0.5, 0.25, 0.3, -2.0, 0.0, -0.0, 4.0, 3.0, -1.0};
  const PointwiseOp unary[] = {PointwiseOp::neg, PointwiseOp::tanh, PointwiseOp::sigmoid, PointwiseOp::relu,
                               PointwiseOp::abs};
  const PointwiseOp binary[] = {PointwiseOp::mul, PointwiseOp::mul, PointwiseOp::add, PointwiseOp::sub,
                                PointwiseOp::truediv};
  for (int k = 0; k < 14; ++k) {
    Val* a = values[values.size() - 1 - upto(std::min<size_t>(values.size(), 4))];
    const bool constant = upto(2) == 0;
    Val* b = constant ? g.real(constants[upto(std::size(constants))]) : values[upto(values.size())];
    switch (upto(8)) {
      case 0:
        values.push_back(pointwise(unary[upto(std::size(unary))], {a}));
        break;
      case 1:
        values.push_back(cast(cast(a, upto(2) ? DataType::Double : DataType::BFloat16), DataType::Float));
        break;
      case 2:
        values.push_back(upto(4) ? set(static_cast<TensorView*>(a)) : segment_set(static_cast<TensorView*>(a)));
        break;
      case 3:
        values.push_back(pointwise(PointwiseOp::sub, {b, a}));
        break;
      default:
        values.push_back(pointwise(binary[upto(std::size(binary))], {a, b}));
    }
  }
  g->add_output(static_cast<TensorView*>(values.back()));
  g->add_output(static_cast<TensorView*>(values[values.size() - 1 - upto(values.size() - 2)]));
}

/// The rewritten graph is as close to the value without rounding as the original: its error is bounded by the change of
/// the original under a change of every constant and input by some units in the last place, which the two evaluations
/// in float and double show.  Where the original is exact, so is the copy.
TEST_F(Rewrite, RandomGraphsKeepTheirValues) {
  int changed = 0;
  for (unsigned seed = 0; seed < 600; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    g = {};
    draw(g, random);
    const std::shared_ptr<Fusion> result = rewritten();
    changed += result != g.fusion;
    EXPECT_LE(result->live_exprs().size(), g->live_exprs().size() + 3);
    std::vector<std::vector<float>> inputs{samples(random, 100.0), samples(random, 100.0)};
    const std::vector<float> original = evaluated<float>(*g, inputs), got = evaluated<float>(*result, inputs);
    const std::vector<double> exact = evaluated<double>(*g, inputs, EvaluatePrecision::float64);
    const std::vector<double> kept = evaluated<double>(*result, inputs, EvaluatePrecision::float64);
    int64_t bad = 0;
    for (size_t k = 0; k < got.size(); ++k) {
      const double unit = std::max(std::abs(exact[k]) * 0x1p-23, 0x1p-149);
      const bool close = ulps(got[k], original[k]) <= 2 ||
                         std::abs(got[k] - exact[k]) <= 2 * std::abs(original[k] - exact[k]) + 4 * unit;
      const bool same = std::isnan(exact[k]) == std::isnan(kept[k]) &&
                        (std::isnan(exact[k]) || exact[k] == kept[k] ||
                         std::abs(exact[k] - kept[k]) <= 1e-9 * std::abs(exact[k]) + 1e-12);
      bad += !close || !same;
      if (bad == 1 && (!close || !same)) {
        ADD_FAILURE() << "element " << k << ": " << got[k] << ", originally " << original[k] << "; in double "
                      << kept[k] << ", originally " << exact[k] << "\n"
                      << print_math(*g) << print_math(*result);
      }
    }
    if (bad > 0) {
      break;
    }
  }
  EXPECT_GT(changed, 300);
}

TEST_F(Rewrite, EqualStatisticsAreComputedOnce) {
  TensorView* x = input();
  const auto scaled = [&](int64_t axis) {
    const VarMean moments = var_mean(x, {axis}, 0, true);
    return op(PointwiseOp::mul, {op(PointwiseOp::sub, {x, moments.mean}), moments.var});
  };
  output(scaled(1));
  output(scaled(1));
  output(scaled(0));
  const std::shared_ptr<Fusion> result = rewritten();
  const std::vector<Expr*> exprs = result->live_exprs();
  EXPECT_EQ(std::count_if(exprs.begin(), exprs.end(), [](const Expr* e) { return e->kind() == ExprKind::reduce; }), 2);
}

TEST_F(Rewrite, StatisticsThatAreStoredTwiceHaveMemoryEach) {
  TensorView* x = input();
  for (int k = 0; k < 2; ++k) {
    const WelfordResult moments = welford(x, {1});
    output(moments.average);
    output(moments.squares);
  }
  EXPECT_TRUE(stays());
}

// ---- errors that are rounded away

/// exp(x - max x) / sum of it, rows of a matrix; the sum over another axis where `other`.
TensorView* softmax(TensorView* x, bool other = false) {
  const auto along = [](TensorView* v, int64_t axis) { return broadcast(v, {axis == 0, axis == 1}); };
  Val* distance = pointwise(PointwiseOp::sub, {x, along(max(x, {{1}}), 1)});
  auto* terms = static_cast<TensorView*>(pointwise(PointwiseOp::exp, {distance}));
  const int64_t axis = other ? 0 : 1;
  return static_cast<TensorView*>(pointwise(PointwiseOp::truediv, {terms, along(sum(terms, {{axis}}), axis)}));
}

TEST_F(Rewrite, ARoundedSoftmaxTakesOneReciprocalARow) {
  output(cast(softmax(input()), DataType::BFloat16));
  EXPECT_EQ(ops(), "reduce broadcast sub mul exp2 reduce broadcast reciprocal mul cast");
}

TEST_F(Rewrite, ASoftmaxThatIsStoredAsItIsStays) {
  output(softmax(input()));
  EXPECT_TRUE(stays());
}

TEST_F(Rewrite, ASumThatMayBeSmallIsDividedBy) {
  output(cast(softmax(input(), true), DataType::BFloat16));
  EXPECT_EQ(ops(), "reduce broadcast sub mul exp2 reduce broadcast truediv cast");
}

TEST_F(Rewrite, AnExponentialThatOthersSeeIsExact) {
  Val* e = op(PointwiseOp::exp, {input()});
  output(cast(op(PointwiseOp::sub, {e, real(1.0)}), DataType::BFloat16));  // may cancel
  EXPECT_TRUE(stays());
}

}  // namespace
}  // namespace nvfuser::testing
