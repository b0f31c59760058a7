// SPDX-License-Identifier: Apache-2.0
// Reductions in two steps: what each accumulates over, where states lie, and what is refused.
#include "kernel_fixture.h"
#include "nvfuser/ops/reduce.h"
#include "nvfuser/transform/tuple_shape.h"

namespace nvfuser {
namespace {

template <class Do>
std::string refusal(const Do& what) {
  try {
    what();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::schedule) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was refused";
  return "";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Reductions of x[M, N] over N.
struct Rows : KernelCase {
  explicit Rows(ReductionOp op) {
    TensorView* x = input({6, 1000});
    if (op == ReductionOp::welford) {
      const WelfordResult w = welford(x, {1});
      output(w.average);
      output(w.squares);
      output(w.count);
    } else {
      output(reduce(op, x, {{1}}));
    }
  }
};

Tensor& first_reduce(const Kernel& kernel) {
  return **std::find_if(kernel.tensors.begin(), kernel.tensors.end(),
                        [](const Tensor* t) { return t->op == TensorOp::reduce; });
}

std::vector<const Tensor*> with_op(const Kernel& kernel, TensorOp op) {
  std::vector<const Tensor*> found;
  std::copy_if(kernel.tensors.begin(), kernel.tensors.end(), std::back_inserter(found),
               [&](const Tensor* t) { return t->op == op; });
  return found;
}

TEST(Rfactor, FieldsAreThoseOfTheTuple) {
  const auto fields = [](ReductionOp op, DataType type) {
    const TupleShape& shape = tuple_shape(op, type);
    return std::vector<DataType>(shape.fields.begin(), shape.fields.begin() + shape.count);
  };
  using Types = std::vector<DataType>;
  EXPECT_EQ(fields(ReductionOp::sum, DataType::Double), Types{DataType::Double});
  EXPECT_EQ(fields(ReductionOp::max, DataType::Bool), Types{DataType::Bool});
  EXPECT_EQ(fields(ReductionOp::any, DataType::Float), Types{DataType::Int32});
  EXPECT_EQ(fields(ReductionOp::argmin, DataType::Int32), (Types{DataType::Int32, DataType::Int}));
  EXPECT_EQ(fields(ReductionOp::welford, DataType::ComplexFloat),
            (Types{DataType::ComplexFloat, DataType::Float, DataType::Float}));
  EXPECT_EQ(fields(ReductionOp::softmax_sums, DataType::Float), (Types{DataType::Float, DataType::Float}));
  EXPECT_EQ(tuple_shape(ReductionOp::welford, DataType::Float).bytes, 12);
}

TEST(Rfactor, APartialTakesWhatIsLeft) {
  Rows test(ReductionOp::sum);
  const auto kernel = test.kernel();
  Tensor& sum = first_reduce(*kernel);
  const Loops loops(*kernel, kernel->main());
  Id* columns = loops[1];
  const auto [chunk, lane] = loops.split(columns, 4);
  const auto [turn, share] = loops.split(chunk, 8);
  const std::vector<Tensor*> states = rfactor(*kernel, sum, {share});
  ASSERT_EQ(states.size(), 1U);
  const Reduction &partial = *states[0]->reduction, &merging = *sum.reduction;
  EXPECT_TRUE(partial.partial && !partial.merges);
  EXPECT_EQ(partial.axes, (std::vector<Id*>{turn, lane}));
  EXPECT_EQ(partial.whole, std::vector<Id*>{columns}) << "elements beyond the row are tested";
  EXPECT_TRUE(merging.merges && !merging.partial);
  EXPECT_EQ(merging.axes, std::vector<Id*>{share});
  EXPECT_EQ(sum.operands[0].tensor, states[0]);
  EXPECT_EQ(needs(*states[0]), (std::vector<Id*>{loops[0], share}));
  EXPECT_EQ(needs(sum), std::vector<Id*>{loops[0]});
  EXPECT_EQ(kernel->workspaces.size(), 0U);
}

TEST(Rfactor, StatesGoThroughWorkspaces) {
  Rows test(ReductionOp::welford);
  const auto kernel = test.kernel();
  Tensor& leader = first_reduce(*kernel);
  const std::vector<Tensor*> parts = leader.reduction->parts;
  ASSERT_EQ(parts.size(), 3U);
  const Loops loops(*kernel, kernel->main());
  const auto [share, rest] = loops.split(loops[1], 125);
  rfactor(*kernel, leader, {share});
  Id* shares = make_id(*kernel, "u", share->extent);
  through_workspaces(*kernel, leader, {shares});
  ASSERT_EQ(kernel->workspaces.size(), 3U);
  EXPECT_EQ(leader.reduction->parts, parts) << "who reads them reads the same tensors as before";
  EXPECT_EQ(leader.reduction->axes, std::vector<Id*>{shares});
  const std::vector<const Tensor*> loads = with_op(*kernel, TensorOp::load);
  ASSERT_EQ(loads.size(), 4U) << "x and three states";
  EXPECT_EQ(loads[1]->workspace, kernel->workspaces[0]);
  EXPECT_EQ(kernel->buffer_of(loads[1]), kernel->workspaces[0]);
  EXPECT_EQ(loads[1]->map, (std::vector<Index>{kernel->main().roots[0]->leaf, shares->leaf}));
  const auto stores = with_op(*kernel, TensorOp::store);
  ASSERT_EQ(stores.size(), 6U);
  EXPECT_EQ(stores[0]->map, (std::vector<Index>{kernel->main().roots[0]->leaf, share->leaf}));
  EXPECT_EQ(to_string(kernel->workspaces[0]->allocation->dims[0].stride), to_string(share->extent));
}

TEST(Rfactor, SharesMayBeTheOutermostAxis) {
  Rows test(ReductionOp::sum);
  const auto kernel = test.kernel();
  Tensor& sum = first_reduce(*kernel);
  const Loops loops(*kernel, kernel->main());
  const auto [share, rest] = loops.split(loops[1], 125);
  rfactor(*kernel, sum, {share});
  through_workspaces(*kernel, sum, {make_id(*kernel, "u", share->extent)}, true);
  const std::vector<Allocation::Dim>& dims = kernel->workspaces[0]->allocation->dims;
  EXPECT_EQ(dims[0].extent, share->extent);
  EXPECT_TRUE(dims[1].stride->is(1)) << "rows";
}

TEST(Rfactor, RefusesWhatHasNoMeaning) {
  Rows test(ReductionOp::sum);
  const auto kernel = test.kernel();
  Tensor& sum = first_reduce(*kernel);
  const Loops loops(*kernel, kernel->main());
  EXPECT_TRUE(contains(refusal([&] { rfactor(*kernel, *kernel->tensors[0], {loops[1]}); }), "only a reduction"));
  EXPECT_TRUE(contains(refusal([&] { rfactor(*kernel, sum, {loops[0]}); }), "which it does not reduce"));
  EXPECT_TRUE(contains(refusal([&] { through_workspaces(*kernel, sum, {loops[1]}); }), "only states"));
  const auto [share, rest] = loops.split(loops[1], 125);
  const std::vector<Tensor*> states = rfactor(*kernel, sum, {share});
  EXPECT_TRUE(contains(refusal([&] { rfactor(*kernel, *states[0], {rest}); }), "split already"));
  EXPECT_TRUE(contains(refusal([&] { privatise(*kernel, *states[0], {&sum}); }), "second computation"));
}

/// The shares of a row accumulate one after the other in one kernel, which the emulator and the host can run.
TEST(Rfactor, StatesMayStayInTheKernel) {
  Rows test(ReductionOp::max);
  const auto kernel = test.kernel();
  Tensor& most = first_reduce(*kernel);
  const Loops loops(*kernel, kernel->main());
  loops.parallelize(loops[0], ParallelType::grid_x);
  const auto [share, rest] = loops.split(loops[1], 125);
  const std::vector<Tensor*> states = rfactor(*kernel, most, {share});
  inline_at(most, 1);
  inline_at(*states[0], 2);
  inline_at(*kernel->tensors[0], 3);
  const std::string text = to_string(lowered(test, kernel, true, Target::cpu));
  EXPECT_TRUE(contains(text, "for ko < i1 / 125\n")) << text;
  EXPECT_TRUE(contains(text, "T1[0] = state 0 of T1_acc[0]\n")) << text;
  EXPECT_TRUE(contains(text, "T2_acc[0] joins T1[0]\n")) << text;
  EXPECT_LT(text.find("T2_acc[0] = neutral"), text.find("for ko")) << text;
  EXPECT_LT(text.find("for ko"), text.find("T1_acc[0] = neutral")) << text;
}

}  // namespace
}  // namespace nvfuser
