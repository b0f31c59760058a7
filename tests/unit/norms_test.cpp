// SPDX-License-Identifier: Apache-2.0
// Composites from C++: types and axes of results, that unused ones leave nothing behind, errors.
#include "nvfuser/ops/norms.h"

#include <algorithm>

#include "builder_fixture.h"
#include "error_message.h"
#include "nvfuser/ops/activations.h"
#include "nvfuser/ops/losses.h"
#include "nvfuser/ops/result.h"
#include "nvfuser/ops/softmax.h"

namespace nvfuser {
namespace {

class Composites : public BuilderTest {
 protected:
  void TearDown() override { verify(*fusion_); }

  int64_t live(ReductionOp op) {
    const std::vector<Expr*> exprs = fusion_->live_exprs();
    return std::count_if(exprs.begin(), exprs.end(), [&](const Expr* expr) {
      return expr->kind() == ExprKind::reduce && expr->attribute<ReductionOp>(0) == op;
    });
  }
};

TEST_F(Composites, ResultsAreRoundedOnce) {
  TensorView* x = input({-1, 64}, DataType::BFloat16);
  TensorView* y = softmax(x, -1);
  EXPECT_EQ(y->dtype(), DataType::BFloat16);
  EXPECT_EQ(y->definition()->kind(), ExprKind::cast);
  EXPECT_EQ(y->definition()->input(0)->dtype(), DataType::Float);
  EXPECT_EQ(gelu(x, GeluForm::hyperbolic, DataType::Double)->dtype(), DataType::Double);
  EXPECT_EQ(log_softmax(x, 0, DataType::Float)->definition()->kind(), ExprKind::pointwise);
}

TEST_F(Composites, StatisticsKeepTheirAxes) {
  TensorView* x = input({4, -1, 64}, DataType::Half);
  const NormResult layer = layer_norm(x, {integer(-1), integer(64)});
  EXPECT_EQ(layer.mean->rank(), 3);
  EXPECT_EQ(layer.rstd->dtype(), DataType::Float);
  EXPECT_TRUE(axes_of(layer.rstd)[1]->is_broadcast() && !axes_of(layer.rstd)[0]->is_broadcast());
  EXPECT_EQ(rms_norm(x, {integer(64)}).mean, nullptr);
  const NormResult group = group_norm(x, 2);
  EXPECT_EQ(group.mean->rank(), 2);
  EXPECT_EQ(group.y->rank(), 3);
  EXPECT_EQ(extents_of(group.y)[1], extents_of(x)[1]);
  EXPECT_EQ(batch_norm(x, {}, nullptr, nullptr, true).mean->rank(), 1);
}

TEST_F(Composites, OnlyWhatIsUsedIsComputed) {
  TensorView *grad = input({8, 64}), *x = input({8, 64}), *mean = input({8}), *rstd = input({8});
  const NormGradients all = layer_norm_backward(grad, x, mean, rstd, {integer(64)});
  fusion_->add_output(all.bias);
  EXPECT_EQ(live(ReductionOp::sum), 1);
  fusion_->add_output(all.x);
  EXPECT_EQ(live(ReductionOp::sum), 3);
}

TEST_F(Composites, RunningStatisticsAreHiddenOutputs) {
  TensorView *x = input({8, 3}), *mean = input({3}), *var = input({3});
  fusion_->add_output(batch_norm(x, {mean, var}, nullptr, nullptr, true).y);
  ASSERT_EQ(fusion_->outputs().size(), 3u);
  EXPECT_EQ(fusion_->alias(0)->input, mean);
  EXPECT_TRUE(fusion_->alias(1)->hidden);
  EXPECT_EQ(fusion_->alias(2), nullptr);
}

TEST_F(Composites, Errors) {
  TensorView *x = input({8, 6}), *v = input({6}), *classes = input({8}, DataType::Int);
  const auto says = [](ErrorKind kind, const std::string& part, auto call) {
    EXPECT_TRUE(contains(message_of(kind, call), part)) << part;
  };
  says(ErrorKind::dtype, "softmax takes floating tensors", [&] { softmax(classes, 0); });
  says(ErrorKind::shape, "normalized_shape says 8", [&] { layer_norm(x, {integer(8)}); });
  says(ErrorKind::shape, "4 groups", [&] { group_norm(x, 4); });
  says(ErrorKind::dtype, "classes of an integer type", [&] { cross_entropy(x, v); });
  says(ErrorKind::definition, "an operand is missing", [&] { silu_backward(nullptr, x); });
  EXPECT_EQ(cross_entropy(x, classes).loss->rank(), 0);
}

}  // namespace
}  // namespace nvfuser
