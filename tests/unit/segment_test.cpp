// SPDX-License-Identifier: Apache-2.0
// Segmentation: every row of the legality table, what is computed again, where cuts are narrow, and covers of random
// graphs.
#include "nvfuser/fuse/segment.h"

#include <functional>
#include <map>
#include <random>
#include <set>

#include "builder_fixture.h"
#include "nvfuser/fuse/group_search.h"
#include "nvfuser/ops/cast.h"
#include "nvfuser/ops/reduce.h"
#include "nvfuser/ops/shape.h"

namespace nvfuser {
namespace {

class Segment : public BuilderTest {
 protected:
  TensorView* matrix(DataType dtype = DataType::Float) { return input({-1, -1}, dtype); }
  TensorView* column(TensorView* t) { return broadcast(t, {false, true}); }
  TensorView* row(TensorView* t) { return broadcast(t, {true, false}); }
  TensorView* add(Val* a, Val* b) { return op(PointwiseOp::add, {a, b}); }
  TensorView* mul(Val* a, Val* b) { return op(PointwiseOp::mul, {a, b}); }
  TensorView* sum_of(TensorView* t, int64_t axis) { return sum(t, ReducedAxes{{axis}}); }
  TensorView* as(TensorView* t, DataType dtype) { return static_cast<TensorView*>(cast(t, dtype)); }
  TensorView* heavy(TensorView* t, int times) {
    for (int k = 0; k < times; ++k) {
      t = op(PointwiseOp::lgamma, {t});
    }
    return t;
  }
  void output(Val* v) { fusion_->add_output(v); }
  void start() { fusion_ = Fusion::make(); }

  std::vector<Group> groups() {
    verify(*fusion_);
    return segment(*fusion_);
  }
};

/// All atoms as one group.
GroupSummary everything(const Dataflow& flow) {
  GroupSummary all = summarize(flow, 0);
  for (size_t k = 1; k < flow.atoms.size(); ++k) {
    all = merge(flow, all, summarize(flow, static_cast<int>(k)));
  }
  return all;
}

/// A graph that one row of the table refuses.
struct RuleCase {
  GroupKind kind;
  std::string measure;
  std::function<void()> build;
  bool apart = false;  ///< cuts keep its outputs apart
};

class SegmentRules : public Segment {
 protected:
  TensorView* many_inputs(int count, const std::vector<int64_t>& shape, bool dense) {
    TensorView* total = nullptr;
    for (int k = 0; k < count; ++k) {
      TensorView* t = define_tensor(*fusion_, shape, dense, DataType::Float);
      fusion_->add_input(t);
      total = total == nullptr ? t : add(total, t);
    }
    return total;
  }

  std::vector<RuleCase> pointwise_cases() {
    const auto stores = [this] {
      TensorView* f = mul(matrix(), matrix());
      output(f);
      output(op(PointwiseOp::exp, {reshape(f, {integer(-1)})}));
    };
    return {
        {GroupKind::pointwise, "stored_spaces", stores},
        {GroupKind::pointwise, "small_work", [this] { output(add(matrix(), row(heavy(input({-1}), 2)))); }},
        {GroupKind::pointwise, "parameter_bytes", [this] { output(many_inputs(100, kWide, false)); }},
        {GroupKind::pointwise, "live_values", [this] { output(many_inputs(140, {-1, -1}, true)); }},
        {GroupKind::pointwise, "operations", [this] { output(heavy(matrix(), 17)); }},
    };
  }

  /// Reductions over that axis of a matrix.
  std::vector<RuleCase> reduction_cases(GroupKind kind, int64_t axis) {
    const auto back = [this, axis](TensorView* t) { return axis == 1 ? column(t) : row(t); };
    const auto across = [this, axis](TensorView* t) { return axis == 1 ? row(t) : column(t); };
    const auto both = [this, axis] {
      TensorView* x = matrix();
      output(sum_of(x, axis));
      output(sum(x, ReducedAxes{{0, 1}}));
    };
    const auto tangled = [this, axis] {
      TensorView* x = axis == 1 ? input({8, 8}) : input({8, 8, 4});
      TensorView* y = add(x, permute(x, axis == 1 ? std::vector<int64_t>{1, 0} : std::vector<int64_t>{1, 0, 2}));
      output(mul(y, axis == 1 ? column(sum_of(y, 1)) : broadcast(sum_of(y, 0), {true, false, false})));
    };
    const auto deep = [this, axis, back] {
      TensorView* x = matrix();
      for (int k = 0; k < 9; ++k) {
        x = mul(x, back(sum_of(x, axis)));
      }
      output(x);
    };
    return {
        {kind, "signatures", both},
        {kind, "foreign_stores", [=, this] { output(mul(matrix(), back(sum_of(matrix(), axis)))); }},
        {kind, "tangled_stores", tangled},
        {kind, "levels", deep},
        {kind, "small_work", [=, this] { output(sum_of(mul(matrix(), across(heavy(input({-1}), 2))), axis)); }},
        {kind, "parameter_bytes", [=, this] { output(sum_of(many_inputs(100, kWide, false), 5 * axis)); }},
        {kind, "live_values", [=, this] { output(sum_of(many_inputs(140, {-1, -1}, true), axis)); }},
        {kind, "operations", [=, this] { output(sum_of(heavy(matrix(), 17), axis)); }},
    };
  }

  /// Reductions along the rows of a matrix and across them.
  std::vector<RuleCase> mixed_cases() {
    constexpr GroupKind kKind = GroupKind::mixed;
    const auto sums = [this](TensorView* x) {
      output(sum_of(x, 1));
      output(sum_of(x, 0));
    };
    const auto tangled = [this] {
      TensorView* x = input({8, 8, 4});
      TensorView* y = add(x, permute(x, {1, 0, 2}));
      output(sum(y, ReducedAxes{{0, 1}}));
      output(mul(y, broadcast(sum_of(y, 2), {false, false, true})));
    };
    const auto deep = [this] {
      TensorView* x = matrix();
      for (int k = 0; k < 9; ++k) {
        x = mul(x, column(sum_of(x, 1)));
      }
      output(x);
      output(sum_of(x, 0));
    };
    const auto many_axes = [this] {
      TensorView* x = many_inputs(100, kWide, false);
      output(sum_of(x, 5));
      output(sum(x, ReducedAxes{{0, 1, 2, 3, 4}}));
    };
    const auto foreign = [=, this] {
      TensorView* x = matrix();
      sums(x);
      output(mul(matrix(), column(max(x, ReducedAxes{{1}}))));
    };
    const auto behind = [this] {
      TensorView* x = matrix();
      output(sum_of(mul(x, row(sum_of(x, 0))), 1));
    };
    return {
        {kKind, "apart", [=, this] { sums(matrix()); }, true},
        {kKind, "behind_columns", behind},
        {kKind, "foreign_stores", foreign},
        {kKind, "tangled_stores", tangled},
        {kKind, "levels", deep},
        {kKind, "small_work", [=, this] { sums(mul(matrix(), row(heavy(input({-1}), 2)))); }},
        {kKind, "parameter_bytes", many_axes},
        {kKind, "live_values", [=, this] { sums(many_inputs(140, {-1, -1}, true)); }},
        {kKind, "operations", [=, this] { sums(heavy(matrix(), 17)); }},
    };
  }

  const std::vector<int64_t> kWide = std::vector<int64_t>(6, -1);
};

TEST_F(SegmentRules, EveryRowOfTheTableIsReached) {
  std::vector<RuleCase> cases = pointwise_cases();
  for (const std::vector<RuleCase>& more :
       {reduction_cases(GroupKind::rows, 1), reduction_cases(GroupKind::columns, 0), mixed_cases()}) {
    cases.insert(cases.end(), more.begin(), more.end());
  }
  std::set<std::pair<GroupKind, std::string_view>> reached;
  for (const RuleCase& c : cases) {
    start();
    c.build();
    verify(*fusion_);
    CutSet cuts;
    for (const TensorView* result : c.apart ? fusion_->outputs() : std::vector<TensorView*>{}) {
      cuts.apart.insert(result);
    }
    const Dataflow flow(*fusion_, cuts);
    GroupSummary all = everything(flow);
    const std::string what = std::string(name_of(c.kind)) + " " + c.measure;
    ASSERT_EQ(kind_of(flow, all), c.kind) << what;
    const std::string_view reason = refusal(flow, all);
    for (const LegalityRule& rule : legality_rules()) {
      if (rule.kind == c.kind && rule.measure_name == c.measure) {
        EXPECT_EQ(reason, rule.reason) << what;
        EXPECT_GT(rule.measure(flow, all), rule.limit) << what;
        reached.emplace(rule.kind, rule.measure_name);
      }
    }
    EXPECT_GT(segment(*fusion_, cuts).size(), 1u) << what;
  }
  EXPECT_EQ(reached.size(), legality_rules().size());
}

TEST_F(Segment, NormsWithSeveralOutputsAreOneGroup) {
  TensorView* x = matrix(DataType::BFloat16);
  TensorView* wide = as(x, DataType::Float);
  const VarMean moments = var_mean(wide, {1}, 0);
  TensorView* scale = op(PointwiseOp::rsqrt, {add(moments.var, number(1e-5))});
  TensorView* normal = mul(op(PointwiseOp::sub, {wide, column(moments.mean)}), column(scale));
  TensorView* share = op(PointwiseOp::exp, {op(PointwiseOp::sub, {normal, column(max(normal, ReducedAxes{{1}}))})});
  output(as(normal, DataType::BFloat16));
  output(moments.mean);
  output(scale);
  output(op(PointwiseOp::truediv, {share, column(sum_of(share, 1))}));
  const std::vector<Group> found = groups();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].kind, GroupKind::rows);
  EXPECT_EQ(found[0].outputs.size(), 4u);
}

TEST_F(Segment, AxesOfOneElementAreNoAxes) {
  TensorView *x = input({-1}), *y = broadcast(x, {false, true});
  output(op(PointwiseOp::truediv, {sum_of(x, 0), sum(y, ReducedAxes{{0, 1}})}));
  EXPECT_EQ(groups().size(), 1u);
}

TEST_F(Segment, ReshapesCountTheSamePoints) {
  TensorView *x = input({-1, 12, 5, 6}), *w = input({12});
  TensorView* pieces = reshape(x, {size(x, 0), integer(4), integer(3), integer(5), integer(6)});
  TensorView* mean = broadcast(sum(pieces, ReducedAxes{{2, 3, 4}}), {false, false, true, true, true});
  TensorView* back = reshape(op(PointwiseOp::sub, {pieces, mean}), shape(x));
  output(mul(back, broadcast(w, {true, false, true, true})));
  const std::vector<Group> found = groups();
  ASSERT_EQ(found.size(), 1u) << "channels are groups and what is in them";
  start();
  x = input({4, 6});
  TensorView* turned = reshape(x, {integer(6), integer(4)});
  output(mul(turned, row(sum_of(turned, 0))));
  output(mul(x, column(sum_of(x, 1))));
  EXPECT_EQ(groups().size(), 2u) << "two ways to count the same points";
}

TEST_F(Segment, CutsAreNarrow) {
  TensorView *a = matrix(DataType::BFloat16), *b = matrix(DataType::BFloat16);
  TensorView* narrow = as(mul(as(a, DataType::Float), as(b, DataType::Float)), DataType::BFloat16);
  TensorView* wide = as(narrow, DataType::Float);
  output(sum_of(wide, 1));
  output(sum(wide, ReducedAxes{{0, 1}}));
  const std::vector<Group> found = groups();
  ASSERT_EQ(found.size(), 2u);
  ASSERT_EQ(found[0].stored_for.size(), 1u);
  EXPECT_EQ(found[0].stored_for[0].tensor, narrow) << "after the cast down, before the cast up";
  EXPECT_EQ(found[0].stored_for[0].reason, "reductions over different axes");
  EXPECT_EQ(found[1].inputs, std::vector<const TensorView*>{narrow});
}

TEST_F(Segment, ABroadcastIsReadBeforeItGrows) {
  TensorView *x = matrix(), *z = matrix();
  TensorView* total = sum_of(x, 1);
  output(mul(column(total), z));
  const std::vector<Group> found = groups();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].outputs, std::vector<const TensorView*>{total});
  EXPECT_EQ(found[0].stored_for.at(0).reason, "a stored value has other axes than the reductions");
}

TEST_F(Segment, WhatIsCheapIsComputedAgain) {
  TensorView* x = matrix();
  TensorView* y = op(PointwiseOp::relu, {add(x, row(input({-1})))});
  output(sum_of(y, 1));
  output(sum(y, ReducedAxes{{0, 1}}));
  for (const Group& group : groups()) {
    EXPECT_TRUE(group.stored_for.empty());
    EXPECT_EQ(group.inputs.size(), 2u);
  }
  start();
  x = matrix();
  y = heavy(x, 1);
  output(sum_of(y, 1));
  output(sum(y, ReducedAxes{{0, 1}}));
  EXPECT_EQ(groups().at(0).stored_for.at(0).tensor, y) << "too many instructions to do it twice";
}

TEST_F(Segment, TwoReadersOfOtherAxesEachComputeTheProduct) {
  TensorView* product = mul(input({6, 4}), input({6, 4}));
  output(op(PointwiseOp::exp, {reshape(product, {integer(24)})}));
  output(op(PointwiseOp::sin, {reshape(product, {integer(2), integer(12)})}));
  const std::vector<Group> found = groups();
  ASSERT_EQ(found.size(), 2u) << "4 reads and 2 stores, not 4 reads and 3 stores in 3 kernels";
  EXPECT_EQ(found[0].inputs.size() + found[1].inputs.size(), 4u);
}

TEST_F(Segment, NoGroupWaitsForItself) {
  TensorView* a = mul(matrix(), matrix());
  TensorView* along = sum_of(a, 1);
  TensorView* all = segment_set(sum(mul(a, column(along)), ReducedAxes{{0, 1}}));
  output(mul(heavy(a, 1), broadcast(all, {true, true})));
  output(along);
  const std::vector<Group> found = groups();
  ASSERT_EQ(found.size(), 3u);
  std::map<int, std::string_view> reasons;
  for (const Group::Border& border : found[0].stored_for) {
    reasons[border.other] = border.reason;
  }
  EXPECT_EQ(reasons[1], "reductions over different axes");
  EXPECT_EQ(reasons[2], "it would wait for itself");
}

TEST_F(Segment, SegmentSetCuts) {
  TensorView* x = matrix();
  TensorView* middle = segment_set(mul(x, number(2.0)));
  output(add(middle, x));
  const std::vector<Group> found = groups();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].outputs, std::vector<const TensorView*>{middle});
  EXPECT_EQ(found[0].stored_for.at(0).reason, "segment_set");
  EXPECT_EQ(found[1].inputs, (std::vector<const TensorView*>{middle, x}));
}

TEST_F(Segment, ARefusedGroupIsCutBehindItsReductionsThenEverywhere) {
  TensorView* x = matrix();
  TensorView* most = max(x, ReducedAxes{{1}});
  TensorView* share = op(PointwiseOp::exp, {op(PointwiseOp::sub, {x, column(most)})});
  output(share);
  const std::vector<Group> whole = groups();
  ASSERT_EQ(whole.size(), 1u);
  CutSet cuts;
  ASSERT_TRUE(cut_again(whole[0], cuts));
  EXPECT_EQ(cuts, (CutSet{{most}, {}}));
  const std::vector<Group> parts = segment(*fusion_, cuts);
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_FALSE(cut_again(parts[0], cuts)) << "a reduction of an input";
  ASSERT_TRUE(cut_again(parts[1], cuts));
  EXPECT_EQ(segment(*fusion_, cuts).size(), 4u) << "max, broadcast, sub, exp";
}

TEST_F(Segment, RowsReducedBothWaysAreOneGroupUntilItIsRefused) {
  TensorView *x = matrix(), *y = matrix();
  TensorView* total = sum_of(mul(x, y), 1);
  output(sum_of(mul(x, y), 0));
  output(add(x, column(total)));
  const std::vector<Group> whole = groups();
  ASSERT_EQ(whole.size(), 1u);
  EXPECT_EQ(whole[0].kind, GroupKind::mixed);
  CutSet cuts;
  ASSERT_TRUE(cut_again(whole[0], cuts));
  EXPECT_TRUE(cuts.values.empty());
  const std::vector<Group> parts = segment(*fusion_, cuts);
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_NE(parts[0].kind, parts[1].kind);
  for (const Group& part : parts) {
    EXPECT_EQ(part.inputs.size(), 2u);
    EXPECT_EQ(part.outputs.size(), 1u);
  }
}

TEST_F(Segment, OperationsOfOneSpaceAreOneGroupHoweverManyThereAre) {
  TensorView *x = matrix(), *y = matrix(), *value = x;
  for (int k = 0; k < 1000; ++k) {
    value = k % 2 == 0 ? add(value, y) : mul(value, x);
  }
  output(value);
  const std::vector<Group> found = groups();
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].inputs.size(), 2u);
}

TEST_F(Segment, ManyInputsAreReadInTurns) {
  TensorView* total = matrix();
  for (int k = 0; k < 1000; ++k) {
    total = add(total, matrix());
  }
  output(total);
  const std::vector<Group> found = groups();
  EXPECT_LE(found.size(), 9u);
  for (const Group& group : found) {
    EXPECT_LE(group.inputs.size(), 129u);
    EXPECT_EQ(group.outputs.size(), 1u);
  }
}

TEST_F(Segment, SixtyLayersMoveLessThanAKernelEachWould) {
  const auto wide = [](const std::vector<const TensorView*>& tensors) {
    return std::count_if(tensors.begin(), tensors.end(), [](const TensorView* t) {
      return t->domain()->no_reductions().size() == 2 && !t->domain()->no_reductions()[1]->is_broadcast();
    });
  };
  TensorView* x = matrix();
  for (int k = 0; k < 60; ++k) {
    const VarMean moments = var_mean(x, {1}, 0, true);
    TensorView* normal = mul(op(PointwiseOp::sub, {x, moments.mean}), op(PointwiseOp::rsqrt, {moments.var}));
    normal = add(mul(normal, row(input({-1}))), row(input({-1})));
    TensorView* share = op(PointwiseOp::exp, {op(PointwiseOp::sub, {normal, column(max(normal, ReducedAxes{{1}}))})});
    TensorView* gate = mul(op(PointwiseOp::truediv, {share, column(sum_of(share, 1))}), matrix());
    x = add(x, mul(gate, op(PointwiseOp::sigmoid, {gate})));
    if (k % 2 == 1) {
      output(sum_of(x, 0));
    }
  }
  output(x);
  const std::vector<Group> found = groups();
  EXPECT_LE(found.size(), 61u) << "a kernel a layer and one a sum over rows: 90";
  int64_t moved = 0;
  for (const Group& group : found) {
    moved += wide(group.inputs) + wide(group.outputs);
  }
  EXPECT_LE(moved, 180) << "a kernel a layer reads x and its gate and stores x, a sum over rows reads x: 210";
}

/// A cover: what a group reads lies in memory by then, every output is stored once, no group is illegal.
void check_cover(const Fusion& fusion, const std::vector<Group>& groups, const std::string& what) {
  std::set<const Val*> there(fusion.inputs().begin(), fusion.inputs().end()), stored;
  for (const Group& group : groups) {
    for (const TensorView* input : group.inputs) {
      EXPECT_TRUE(there.contains(input)) << what << ": " << to_string(*input) << " is read before it is stored";
    }
    EXPECT_FALSE(group.outputs.empty()) << what;
    for (const TensorView* output : group.outputs) {
      EXPECT_TRUE(stored.insert(output).second) << what << ": " << to_string(*output) << " is stored twice";
    }
    there.insert(group.outputs.begin(), group.outputs.end());
    for (const Group::Border& border : group.stored_for) {
      EXPECT_NE(border.reason, "no bytes saved") << what;
    }
  }
  for (const TensorView* output : fusion.outputs()) {
    EXPECT_TRUE(stored.contains(output)) << what << ": " << to_string(*output) << " is not stored";
  }
}

TEST_F(Segment, RandomGraphsAreCovered) {
  size_t most = 0;
  for (unsigned seed = 0; seed < 200; ++seed) {
    start();
    std::mt19937 random(seed);
    const auto draw = [&](size_t below) { return static_cast<size_t>(random() % below); };
    std::vector<TensorView*> pool{matrix(), matrix(DataType::BFloat16), matrix()};
    const size_t operations = 5 + draw(60), outputs = 1 + draw(6);
    for (size_t k = 0; k < operations; ++k) {
      TensorView *a = pool[pool.size() - 1 - draw(std::min<size_t>(pool.size(), 6))], *b = pool[draw(pool.size())];
      switch (draw(8)) {
        case 0:
          pool.push_back(column(sum_of(a, 1)));
          break;
        case 1:
          pool.push_back(row(sum_of(a, 0)));
          break;
        case 2:
          pool.push_back(as(a, draw(2) != 0 ? DataType::BFloat16 : DataType::Float));
          break;
        case 3:
          pool.push_back(segment_set(a));
          break;
        case 4:
          pool.push_back(heavy(as(a, DataType::Float), 1));
          break;
        default:
          pool.push_back(op(draw(2) != 0 ? PointwiseOp::mul : PointwiseOp::add, {a, b}));
      }
    }
    for (size_t k = 0; k < outputs; ++k) {
      output(pool[pool.size() - 1 - draw(pool.size() - 3)]);
    }
    const std::vector<Group> found = groups();
    check_cover(*fusion_, found, "seed " + std::to_string(seed));
    most = std::max(most, found.size());
  }
  EXPECT_GT(most, 6u) << "the graphs are no test";
}

}  // namespace
}  // namespace nvfuser
