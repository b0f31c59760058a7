// SPDX-License-Identifier: Apache-2.0
// Builders: what they insert, the axes and the memory order of results, and their errors.
#include <limits>

#include "builder_fixture.h"
#include "nvfuser/ops/cast.h"
#include "nvfuser/ops/factory.h"
#include "nvfuser/ops/resize.h"
#include "nvfuser/ops/result.h"
#include "nvfuser/ops/shape.h"

namespace nvfuser {
namespace {

using Flags = std::vector<std::optional<bool>>;

class Ops : public BuilderTest {
 protected:
  std::vector<Val*> sizes(const std::vector<int64_t>& values) {
    std::vector<Val*> result;
    for (const int64_t value : values) {
      result.push_back(integer(value));
    }
    return result;
  }
  void TearDown() override { verify(*fusion_); }
};

/// -1 for extents that are not known.
std::vector<int64_t> shape_of(const TensorView* tensor) {
  std::vector<int64_t> result;
  for (const Val* extent : extents_of(tensor)) {
    result.push_back(extent->is_constant() ? extent->constant_int() : -1);
  }
  return result;
}

/// B broadcast, E expanded broadcast, I any other.
std::string kinds_of(const TensorView* tensor) {
  std::string result;
  for (const IterDomain* axis : axes_of(tensor)) {
    result += !axis->is_broadcast() ? 'I' : axis->expanded_extent() ? 'E' : 'B';
  }
  return result;
}

template <class Call>
void expect_error(ErrorKind kind, const std::vector<std::string>& parts, Call call) {
  try {
    call();
    ADD_FAILURE() << "no error that says " << parts.front();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    for (const std::string& part : parts) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  }
}

ExprKind kind_of_definition(const Val* val) { return val->definition()->kind(); }

// ---- pointwise ----

TEST_F(Ops, CastsAreExpressions) {
  const TensorView* sum = op(PointwiseOp::add, {input({2, 3}, DataType::Half), input({2, 3}, DataType::Half)});
  EXPECT_EQ(sum->dtype(), DataType::Float);
  for (const Val* operand : sum->definition()->inputs()) {
    EXPECT_EQ(kind_of_definition(operand), ExprKind::cast);
    EXPECT_EQ(operand->dtype(), DataType::Float);
  }
  EXPECT_EQ(op(PointwiseOp::relu, {input({2}, DataType::Half)})->dtype(), DataType::Half);
}

TEST_F(Ops, ScalarsTakeTheTensorsType) {
  const TensorView* sum = op(PointwiseOp::add, {input({2, 3}), number(0.1)});
  const Val* constant = sum->definition()->input(1);
  EXPECT_EQ(constant->dtype(), DataType::Float);
  EXPECT_EQ(std::get<double>(*constant->constant()), static_cast<double>(0.1f));
  const TensorView* product = op(PointwiseOp::mul, {input({2}, DataType::Int), number(2.5)});
  EXPECT_EQ(product->dtype(), DataType::Float);
  const TensorView* scaled = op(PointwiseOp::mul, {input({2}), scalar(DataType::Double)});
  EXPECT_EQ(kind_of_definition(scaled->definition()->input(1)), ExprKind::cast);
}

TEST_F(Ops, RanksAlignWithLeadingAxes) {
  const TensorView* sum = op(PointwiseOp::add, {input({4, -1, 3}), input({3})});
  EXPECT_EQ(shape_of(sum), (std::vector<int64_t>{4, -1, 3}));
  const Val* bias = sum->definition()->input(1);
  EXPECT_EQ(kind_of_definition(bias), ExprKind::broadcast);
  EXPECT_EQ(bias->definition()->attribute<std::vector<bool>>(0), (std::vector<bool>{true, true, false}));
  EXPECT_EQ(op(PointwiseOp::add, {input({}), input({2})})->rank(), 1);
}

TEST_F(Ops, ExtentsComeFromTheOperandThatKnowsMost) {
  EXPECT_EQ(shape_of(op(PointwiseOp::add, {input({-1, 1}), input({5, 7})})), (std::vector<int64_t>{5, 7}));
  EXPECT_EQ(shape_of(op(PointwiseOp::add, {input({1, 1}), input({1, -1})})), (std::vector<int64_t>{1, -1}));
  expect_error(ErrorKind::shape, {"add", "axis 1", "Float [2, 3]", "Float [2, 4]"},
               [&] { op(PointwiseOp::add, {input({2, 3}), input({2, 4})}); });
}

TEST_F(Ops, ExpandedAxesResolveOnlyAgainstRealOnes) {
  TensorView* expanded = define_tensor(*fusion_, {4, 3}, Flags{std::nullopt, true});
  fusion_->add_input(expanded);
  EXPECT_EQ(kinds_of(op(PointwiseOp::exp, {expanded})), "EI");
  EXPECT_EQ(kinds_of(op(PointwiseOp::add, {expanded, input({1, 3})})), "EI");
  EXPECT_EQ(kinds_of(op(PointwiseOp::add, {expanded, input({-1, 3})})), "II");
  EXPECT_EQ(shape_of(op(PointwiseOp::add, {expanded, input({-1, 3})})), (std::vector<int64_t>{4, 3}));
  expect_error(ErrorKind::shape, {"add"}, [&] { op(PointwiseOp::add, {expanded, input({5, 3})}); });
}

TEST_F(Ops, ConstantsFoldAndScalarsStayScalars) {
  const Val* folded = pointwise(PointwiseOp::add, {integer(2), integer(3)});
  EXPECT_EQ(folded->constant_int(), 5);
  EXPECT_EQ(folded->dtype(), DataType::Int);
  EXPECT_EQ(std::get<double>(*pointwise(PointwiseOp::sqrt, {integer(9)})->constant()), 3.0);
  EXPECT_TRUE(std::get<bool>(*pointwise(PointwiseOp::lt, {number(1.0), integer(2)})->constant()));
  const TensorView* tensor = input({-1, -1});
  const Val* count =
      pointwise(PointwiseOp::mul, {size(tensor, 0), pointwise(PointwiseOp::add, {size(tensor, 1), integer(1)})});
  EXPECT_TRUE(count->is_scalar());
  EXPECT_EQ(count->dtype(), DataType::Index);
  EXPECT_EQ(kind_of_definition(count), ExprKind::pointwise);
}

TEST_F(Ops, ClampAndScalarOperands) {
  TensorView* x = input({3});
  const Expr* clamp = op(PointwiseOp::clamp, {x, nullptr, number(2.0)})->definition();
  EXPECT_EQ(std::get<double>(*clamp->input(1)->constant()), -std::numeric_limits<double>::infinity());
  const Expr* integers = op(PointwiseOp::clamp, {input({3}, DataType::Int32), integer(0), nullptr})->definition();
  EXPECT_EQ(integers->input(2)->constant_int(), std::numeric_limits<int32_t>::max());
  expect_error(ErrorKind::definition, {"clamp", "operand 1", "scalar"},
               [&] { op(PointwiseOp::clamp, {x, x, nullptr}); });
  expect_error(ErrorKind::definition, {"threshold"}, [&] { op(PointwiseOp::threshold, {x, number(0.0), x}); });
  expect_error(ErrorKind::definition, {"addcmul"}, [&] { op(PointwiseOp::addcmul, {x, x, x, x}); });
  EXPECT_EQ(op(PointwiseOp::addcmul, {x, x, x, number(0.5)})->dtype(), DataType::Float);
}

TEST_F(Ops, RealOfRealIsACopy) {
  EXPECT_EQ(kind_of_definition(op(PointwiseOp::real, {input({3})})), ExprKind::set);
  EXPECT_EQ(op(PointwiseOp::real, {input({3}, DataType::ComplexFloat)})->dtype(), DataType::Float);
}

TEST_F(Ops, OperandErrorsNameTheOp) {
  const auto other = Fusion::make();
  TensorView* stranger = define_tensor(*other, {3});
  expect_error(ErrorKind::definition, {"mul", "another fusion", "Float [3]"},
               [&] { op(PointwiseOp::mul, {input({3}), stranger}); });
  expect_error(ErrorKind::definition, {"mul", "missing"}, [&] { op(PointwiseOp::mul, {input({3}), nullptr}); });
  expect_error(ErrorKind::definition, {"mul", "missing"}, [&] { op(PointwiseOp::mul, {nullptr, input({3})}); });
  expect_error(ErrorKind::definition, {"mul", "2 operands"}, [&] { op(PointwiseOp::mul, {input({3})}); });
  expect_error(ErrorKind::definition, {"permute", "missing"}, [&] { permute(nullptr, {}); });
}

// ---- memory order ----

TEST_F(Ops, ChannelsLastStaysChannelsLast) {
  const std::vector<int64_t> channels_last = {3, 0, 2, 1};
  const AllocationOrder order = {0, 2, 3, 1};
  TensorView* image = input({2, 3, 4, 5}, DataType::Half, channels_last);
  TensorView* plain = input({2, 3, 4, 5});
  TensorView* bias = input({3, 1, 1});
  EXPECT_EQ(allocation_order(op(PointwiseOp::exp, {image})), order);
  EXPECT_EQ(allocation_order(op(PointwiseOp::add, {plain, image})), order);
  EXPECT_EQ(allocation_order(op(PointwiseOp::add, {bias, image})), order);
  EXPECT_EQ(allocation_order(op(PointwiseOp::add, {plain, bias})), row_major(4));
  EXPECT_EQ(allocation_order(set(image)), order);
  EXPECT_EQ(allocation_order(static_cast<TensorView*>(cast(image, DataType::Float))), order);
  // an operand with fewer axes of its own does not decide
  EXPECT_EQ(allocation_order(op(PointwiseOp::add, {plain, input({1, 3, 4, 1}, DataType::Float, channels_last)})),
            row_major(4));
}

TEST_F(Ops, ViewsKeepTheMemoryOrder) {
  TensorView* x = input({2, 3, 4});
  EXPECT_EQ(allocation_order(permute(x, {2, 0, 1})), (AllocationOrder{1, 2, 0}));
  EXPECT_EQ(allocation_order(stride_order(x, {0, 2, 1})), (AllocationOrder{1, 2, 0}));
  TensorView* turned = input({2, 3}, DataType::Float, {0, 1});
  EXPECT_EQ(allocation_order(broadcast(turned, {true, false, false, true})), (AllocationOrder{2, 0, 1, 3}));
  EXPECT_EQ(allocation_order(broadcast(x, {false, true, false, false})), row_major(4));
  EXPECT_EQ(allocation_order(squeeze(broadcast(turned, {true, false, false}), {0})), (AllocationOrder{1, 0}));
  EXPECT_EQ(allocation_order(slice(turned, sizes({0, 1}), sizes({2, 3}))), (AllocationOrder{1, 0}));
  EXPECT_EQ(allocation_order(pad(turned, sizes({1, 1}))), (AllocationOrder{1, 0}));
}

TEST_F(Ops, StrideOrder) {
  TensorView* x = input({2, 3, 4}, DataType::Float, {0, 1, 2});
  EXPECT_TRUE(stride_order(x, {2, 1, 0})->domain()->is_row_major());
  EXPECT_EQ(allocation_order(stride_order(x, {})), (AllocationOrder{2, 1, 0}));
  expect_error(ErrorKind::shape, {"stride_order"}, [&] { stride_order(x, {0, 1}); });
  expect_error(ErrorKind::shape, {"stride_order"}, [&] { stride_order(x, {0, 1, 1}); });
  expect_error(ErrorKind::shape, {"stride_order"}, [&] { stride_order(x, {0, 1, 3}); });
}

// ---- axes ----

TEST_F(Ops, Broadcast) {
  TensorView* x = input({2, 3});
  EXPECT_EQ(broadcast(x, {false, false}), x);
  EXPECT_EQ(kinds_of(broadcast(x, {true, false, false, true})), "BIIB");
  expect_error(ErrorKind::shape, {"broadcast", "Float [2, 3]"}, [&] { broadcast(x, {true, false}); });
}

TEST_F(Ops, BroadcastInDim) {
  TensorView* x = input({2, 1});
  TensorView* y = broadcast_in_dim(x, sizes({4, 2, 5}), {1, 2});
  EXPECT_EQ(kinds_of(y), "EIE");
  EXPECT_EQ(shape_of(y), (std::vector<int64_t>{4, 2, 5}));
  EXPECT_EQ(kind_of_definition(y), ExprKind::expand);
  // no expand where the broadcast has the shape already
  EXPECT_EQ(kind_of_definition(broadcast_in_dim(x, sizes({1, 2, 1}), {1, -1})), ExprKind::broadcast);
  EXPECT_EQ(broadcast_in_dim(x, sizes({2, 1}), {0, 1}), x);
  EXPECT_EQ(kinds_of(broadcast_in_dim(input({}), sizes({3}), {})), "E");
  expect_error(ErrorKind::shape, {"broadcast_in_dim"}, [&] { broadcast_in_dim(x, sizes({2, 1}), {0}); });
  expect_error(ErrorKind::shape, {"broadcast_in_dim"}, [&] { broadcast_in_dim(x, sizes({2}), {0, 1}); });
  expect_error(ErrorKind::shape, {"broadcast_in_dim"}, [&] { broadcast_in_dim(x, sizes({2, 1}), {1, 0}); });
  expect_error(ErrorKind::shape, {"broadcast_in_dim"}, [&] { broadcast_in_dim(x, sizes({2, 1}), {0, 2}); });
  expect_error(ErrorKind::shape, {"broadcast_in_dim"}, [&] { broadcast_in_dim(x, sizes({3, 1}), {0, 1}); });
}

TEST_F(Ops, Expand) {
  TensorView* x = input({-1, 1, 3});
  TensorView* y = expand(x, {integer(-1), size(x, 0), integer(3)});
  EXPECT_EQ(kinds_of(y), "IEI");
  EXPECT_EQ(size(y, 1), size(x, 0));
  EXPECT_EQ(kind_of_definition(expand(x, sizes({-1, 1, -1}))), ExprKind::set);
  EXPECT_EQ(shape_of(expand(x, sizes({7, 0, 3}))), (std::vector<int64_t>{7, 0, 3}));
  expect_error(ErrorKind::shape, {"expand", "axis 2"}, [&] { expand(x, sizes({-1, 1, 4})); });
  expect_error(ErrorKind::shape, {"expand"}, [&] { expand(x, sizes({-1, -2, 3})); });
  expect_error(ErrorKind::shape, {"expand"}, [&] { expand(x, sizes({-1, 1})); });
  expect_error(ErrorKind::dtype, {"expand", "Double"}, [&] { expand(x, {number(2.0), integer(1), integer(3)}); });
}

TEST_F(Ops, Squeeze) {
  TensorView* x = input({1, 3, 1});
  EXPECT_EQ(kinds_of(squeeze(x, {0, -1})), "I");
  TensorView* grown = expand(x, sizes({4, 3, 1}));
  EXPECT_EQ(kinds_of(squeeze(grown, {0}, true)), "IB");
  expect_error(ErrorKind::shape, {"squeeze", "expanded"}, [&] { squeeze(grown, {0}); });
  expect_error(ErrorKind::shape, {"squeeze", "axis 1"}, [&] { squeeze(x, {1}); });
  expect_error(ErrorKind::shape, {"squeeze", "rank 3"}, [&] { squeeze(x, {3}); });
  expect_error(ErrorKind::shape, {"squeeze"}, [&] { squeeze(x, {0, 0}); });
}

TEST_F(Ops, Permute) {
  TensorView* x = input({2, 1, 4});
  EXPECT_EQ(shape_of(permute(x, {-1, 0, 1})), (std::vector<int64_t>{4, 2, 1}));
  EXPECT_EQ(kinds_of(permute(x, {1, 0, 2})), "BII");
  EXPECT_EQ(kind_of_definition(permute(x, {0, 1, 2})), ExprKind::set);
  expect_error(ErrorKind::shape, {"permute"}, [&] { permute(x, {0, 1}); });
  expect_error(ErrorKind::shape, {"permute", "twice"}, [&] { permute(x, {0, 1, 1}); });
  expect_error(ErrorKind::shape, {"permute", "axis 3"}, [&] { permute(x, {0, 1, 3}); });
}

TEST_F(Ops, Size) {
  TensorView* x = input({2, -1});
  EXPECT_EQ(size(x, -2)->constant_int(), 2);
  EXPECT_EQ(shape(x)[1], size(x, 1));
  expect_error(ErrorKind::shape, {"size"}, [&] { size(x, 2); });
  expect_error(ErrorKind::shape, {"size"}, [&] { size(x, -3); });
}

TEST_F(Ops, Reshape) {
  TensorView* x = input({4, 6});
  EXPECT_EQ(shape_of(reshape(x, sizes({2, -1, 1}))), (std::vector<int64_t>{2, 12, 1}));
  EXPECT_EQ(kinds_of(reshape(x, sizes({24, 1}))), "IB");
  EXPECT_EQ(kind_of_definition(reshape(x, sizes({4, 6}))), ExprKind::set);
  EXPECT_EQ(shape_of(reshape(input({}), sizes({1, 1}))), (std::vector<int64_t>{1, 1}));
  EXPECT_EQ(kind_of_definition(reshape(input({0, 3}), sizes({3, 0}))), ExprKind::full);
  EXPECT_EQ(shape_of(reshape(input({0, 3}), sizes({-1, 5}))), (std::vector<int64_t>{0, 5}));
  expect_error(ErrorKind::shape, {"reshape", "-1"}, [&] { reshape(x, sizes({-1, -1})); });
  expect_error(ErrorKind::shape, {"reshape", "24", "20"}, [&] { reshape(x, sizes({4, 5})); });
  expect_error(ErrorKind::shape, {"reshape"}, [&] { reshape(x, sizes({5, -1})); });
  expect_error(ErrorKind::shape, {"reshape", "0"}, [&] { reshape(input({0, 3}), sizes({0, -1})); });
}

TEST_F(Ops, ReshapeOfUnknownSizes) {
  TensorView* x = input({-1, 4, -1});
  TensorView* merged = reshape(x, {size(x, 0), integer(-1)});
  EXPECT_EQ(kind_of_definition(size(merged, 1)), ExprKind::pointwise);
  EXPECT_EQ(size(reshape(merged, {integer(-1), size(merged, 1)}), 0), size(x, 0));
  // the product of the kept extents cancels
  EXPECT_EQ(shape_of(reshape(x, {size(x, 2), integer(2), integer(-1), size(x, 0)})),
            (std::vector<int64_t>{-1, 2, 2, -1}));
}

TEST_F(Ops, ReshapeKeepsTheOrderOfGroups) {
  TensorView* image = input({2, 6, 4, 5}, DataType::Float, {3, 0, 2, 1});
  EXPECT_EQ(allocation_order(reshape(image, sizes({2, 2, 3, 4, 5}))), (AllocationOrder{0, 3, 4, 1, 2}));
  EXPECT_EQ(allocation_order(reshape(image, sizes({2, 6, 20}))), (AllocationOrder{0, 2, 1}));
  EXPECT_EQ(allocation_order(reshape(image, sizes({12, 4, 5}))), row_major(3));
}

// ---- cuts and joins ----

TEST_F(Ops, Slice) {
  TensorView* x = input({5, -1, 1});
  TensorView* y = slice(x, sizes({1, 2, 0}), sizes({9, 4, 1}));
  EXPECT_EQ(shape_of(y), (std::vector<int64_t>{4, -1, 1}));
  EXPECT_EQ(kinds_of(y), "IIB");
  EXPECT_EQ(kinds_of(slice(x, sizes({1, 0, 0}), {integer(2), size(x, 1), integer(1)})), "BIB");
  EXPECT_EQ(kind_of_definition(slice(x, sizes({0, 0, 0}), shape(x))), ExprKind::set);
  EXPECT_EQ(kinds_of(slice(expand(x, sizes({-1, -1, 8})), sizes({0, 0, 2}), {integer(5), size(x, 1), integer(4)})),
            "IIE");
  TensorView* manual = slice(x, sizes({0, 1, 0}), {integer(5), size(x, 1), integer(1)}, sizes({1, 1, 1}), true);
  EXPECT_EQ(size(manual, 1)->definition()->attribute<PointwiseOp>(0), PointwiseOp::sub);
}

TEST_F(Ops, SliceErrors) {
  TensorView* x = input({5, 5});
  const auto expect = [&](const std::string& text, const std::vector<int64_t>& from, const std::vector<int64_t>& to,
                          const std::vector<int64_t>& by) {
    expect_error(ErrorKind::shape, {text}, [&] { slice(x, sizes(from), sizes(to), sizes(by)); });
  };
  expect("Slice operation start_indices must be greater than or equal to 0", {-1, 0}, {2, 2}, {});
  expect("Slice operation end_indices must be greater than or equal to start_indices", {3, 0}, {2, 2}, {});
  expect("All slice operation strides must be of const size 1", {0, 0}, {2, 2}, {1, 2});
  expect("Number of tensor dimensions does not match slice dimensions", {0, 0, 0}, {2, 2, 2}, {});
  expect("Slice start_indices and strides don't match", {0, 0}, {2, 2}, {1});
  expect("Slice indexing attribute dimensions don't match", {0, 0}, {2}, {});
}

TEST_F(Ops, Pad) {
  TensorView* x = input({2, 3});
  EXPECT_EQ(shape_of(pad(x, sizes({1, 2, -1, 0}))), (std::vector<int64_t>{1, 6}));
  EXPECT_EQ(kinds_of(pad(x, sizes({1, 2, -1, 0}))), "BI");
  EXPECT_EQ(kind_of_definition(pad(x, sizes({0, 0}))), ExprKind::set);
  EXPECT_EQ(std::get<double>(*pad(x, sizes({1, 1}))->definition()->input(1)->constant()), 0.0);
  EXPECT_EQ(pad(input({2}, DataType::Half), sizes({1, 1}), number(2.0))->definition()->input(1)->dtype(),
            DataType::Half);
  expect_error(ErrorKind::shape, {"pad"}, [&] { pad(x, sizes({1})); });
  expect_error(ErrorKind::shape, {"pad", "many"}, [&] { pad(x, sizes({1, 1, 1, 1, 1, 1})); });
  expect_error(ErrorKind::shape, {"pad", "-1"}, [&] { pad(x, sizes({-4, 0})); });
  expect_error(ErrorKind::dtype, {"pad", "Int scalar 1"}, [&] { pad(x, sizes({1, 1}), integer(1)); });
}

TEST_F(Ops, Cat) {
  TensorView* x = input({2, 3});
  TensorView* y = input({2, -1});
  EXPECT_EQ(shape_of(cat({x, y, x}, 1)), (std::vector<int64_t>{2, -1}));
  EXPECT_EQ(shape_of(cat({x, x}, -2)), (std::vector<int64_t>{4, 3}));
  EXPECT_EQ(kind_of_definition(cat({x}, 0)), ExprKind::set);
  TensorView* left = pad(x, sizes({0, 3}));
  TensorView* right = pad(x, sizes({3, 0}));
  EXPECT_EQ(cat({left, right}, 1, true)->definition()->input(0), x);
  expect_error(ErrorKind::definition, {"cat", "manual_padding"}, [&] { cat({x, y}, 1, true); });
  expect_error(ErrorKind::definition, {"cat", "empty"}, [&] { cat({}, 0); });
  expect_error(ErrorKind::shape, {"cat", "axis 2"}, [&] { cat({x, x}, 2); });
  expect_error(ErrorKind::shape, {"cat", "rank"}, [&] { cat({x, input({2})}, 0); });
  expect_error(ErrorKind::shape, {"cat", "axis 1"}, [&] { cat({x, input({2, 4})}, 0); });
  expect_error(ErrorKind::dtype, {"cat"}, [&] { cat({x, input({2, 3}, DataType::Int)}, 0); });
}

// ---- factories and casts ----

TEST_F(Ops, Full) {
  TensorView* x = full(sizes({2, 1, 0}), integer(3), DataType::Half);
  EXPECT_EQ(kinds_of(x), "IBI");
  EXPECT_EQ(std::get<double>(*x->definition()->input(0)->constant()), 3.0);
  EXPECT_EQ(full({}, number(ScalarValue(true)), DataType::Bool)->rank(), 0);
  EXPECT_EQ(full(sizes({2}), integer(0), DataType::Float8_e4m3fn)->dtype(), DataType::Float8_e4m3fn);
  expect_error(ErrorKind::shape, {"full", "-2"}, [&] { full(sizes({-2}), integer(3), DataType::Int); });
}

TEST_F(Ops, Iota) {
  TensorView* x = iota(integer(4));
  EXPECT_EQ(x->dtype(), DataType::Int);
  EXPECT_EQ(shape_of(x), (std::vector<int64_t>{4}));
  EXPECT_EQ(x->definition()->input(1)->constant_int(), 1);
  EXPECT_EQ(iota(scalar(DataType::Int), number(0.5), number(0.25), DataType::Float)->dtype(), DataType::Float);
  expect_error(ErrorKind::dtype, {"iota", "length"}, [&] { iota(number(4.0)); });
  expect_error(ErrorKind::dtype, {"iota", "start"}, [&] { iota(integer(4), number(1.0)); });
  expect_error(ErrorKind::dtype, {"iota", "step"}, [&] { iota(integer(4), nullptr, integer(1), DataType::Double); });
  expect_error(ErrorKind::definition, {"iota", "step"}, [&] { iota(integer(4), nullptr, integer(0)); });
  expect_error(ErrorKind::definition, {"iota", "finite"}, [&] {
    iota(integer(4), number(std::numeric_limits<double>::infinity()), number(1.0), DataType::Double);
  });
}

TEST_F(Ops, Cast) {
  TensorView* x = input({3}, DataType::ComplexFloat);
  expect_error(ErrorKind::dtype, {"cast", "ComplexFloat", "Float"}, [&] { cast(x, DataType::Float); });
  EXPECT_EQ(cast(x, DataType::ComplexDouble)->dtype(), DataType::ComplexDouble);
  EXPECT_EQ(kind_of_definition(cast(x, DataType::ComplexFloat)), ExprKind::set);
  TensorView* tiny = input({3}, DataType::Float8_e5m2);
  EXPECT_EQ(cast(tiny, DataType::BFloat16)->dtype(), DataType::BFloat16);
  expect_error(ErrorKind::dtype, {"cast", "Float8_e5m2", "Int"}, [&] { cast(tiny, DataType::Int); });
  expect_error(ErrorKind::dtype, {"cast"}, [&] { cast(tiny, DataType::Float8_e4m3fn); });
  expect_error(ErrorKind::dtype, {"cast"}, [&] { cast(tiny, DataType::Null); });
}

TEST_F(Ops, ConstantsRoundWhenCast) {
  const auto rounded = [&](double value, DataType dtype) {
    return std::get<double>(*cast(number(value), dtype)->constant());
  };
  EXPECT_EQ(rounded(0.1, DataType::Half), 0x1.998p-4);
  EXPECT_EQ(rounded(2049.0, DataType::Half), 2048.0);
  EXPECT_EQ(rounded(65520.0, DataType::Half), std::numeric_limits<double>::infinity());
  EXPECT_EQ(rounded(65519.0, DataType::Half), 65504.0);
  EXPECT_EQ(rounded(0x1p-24, DataType::Half), 0x1p-24);
  EXPECT_EQ(rounded(0x1p-26, DataType::Half), 0.0);
  EXPECT_EQ(rounded(1.00390625, DataType::BFloat16), 1.0);
  EXPECT_EQ(std::get<int64_t>(*cast(number(-2.7), DataType::Int)->constant()), -2);
  EXPECT_EQ(std::get<int64_t>(*cast(integer((int64_t{1} << 32) + 5), DataType::Int32)->constant()), 5);
  EXPECT_TRUE(std::get<bool>(*cast(number(0.5), DataType::Bool)->constant()));
}

}  // namespace
}  // namespace nvfuser
