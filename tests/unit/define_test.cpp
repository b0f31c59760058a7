// SPDX-License-Identifier: Apache-2.0
// Definitions of tensors and scalars, and the classification of layouts.
#include "nvfuser/ops/define.h"

#include <gtest/gtest.h>

#include "nvfuser/ops/result.h"

namespace nvfuser {
namespace {

using Flags = std::vector<std::optional<bool>>;
using Sizes = std::vector<int64_t>;

struct LayoutCase {
  Sizes sizes, strides;
  Flags contiguity;
  Sizes stride_order;
};

const std::vector<LayoutCase> kLayouts = {
    {{}, {}, {}, {}},
    {{2, 3}, {3, 1}, {true, true}, {1, 0}},
    {{2, 3}, {1, 2}, {true, true}, {0, 1}},
    {{2, 3}, {6, 2}, {true, false}, {1, 0}},
    {{2, 3}, {4, 1}, {false, true}, {1, 0}},
    {{2, 1, 3}, {3, 3, 1}, {true, std::nullopt, true}, {2, 1, 0}},
    {{2, 5, 3}, {3, 0, 1}, {true, std::nullopt, true}, {2, 1, 0}},
    {{2, 3, 4, 5}, {60, 1, 15, 3}, {true, true, true, true}, {3, 0, 2, 1}},
    {{2, 1, 3, 1, 4}, {24, 4, 8, 4, 2}, {true, true, std::nullopt, std::nullopt, false}, {4, 2, 3, 1, 0}},
    {{4}, {0}, {std::nullopt}, {0}},
};

TEST(Define, TensorDescriptor) {
  for (const LayoutCase& c : kLayouts) {
    const TensorDescriptor descriptor = compute_tensor_descriptor(c.sizes, c.strides);
    EXPECT_EQ(descriptor.contiguity, c.contiguity);
    EXPECT_EQ(descriptor.stride_order, c.stride_order);
  }
  EXPECT_THROW(compute_tensor_descriptor({2, 3}, {3}), Error);
  EXPECT_THROW(compute_tensor_descriptor({2, 3}, {-3, 1}), Error);
}

TEST(Define, ShapeDecidesAxes) {
  const auto fusion = Fusion::make();
  const TensorView* tensor =
      define_tensor(*fusion, {-1, 0, 1, 7}, Flags{true, true, std::nullopt, false}, DataType::Half);
  EXPECT_EQ(tensor->dtype(), DataType::Half);
  const auto& axes = tensor->logical();
  ASSERT_EQ(axes.size(), 4u);
  EXPECT_TRUE(axes[0]->extent()->is_symbolic());
  EXPECT_EQ(axes[1]->extent()->constant_int(), 0);
  EXPECT_TRUE(axes[2]->is_broadcast());
  EXPECT_EQ(axes[2]->expanded_extent(), nullptr);
  EXPECT_EQ(axes[3]->extent()->constant_int(), 7);
  EXPECT_EQ(tensor->domain()->contiguity(), (Flags{true, true, std::nullopt, false}));
  EXPECT_TRUE(tensor->domain()->is_row_major());
}

TEST(Define, MissingContiguityMeansExpanded) {
  const auto fusion = Fusion::make();
  const TensorView* tensor = define_tensor(*fusion, {4, -1, 1}, Flags{std::nullopt, std::nullopt, std::nullopt});
  EXPECT_EQ(tensor->logical()[0]->expanded_extent()->constant_int(), 4);
  EXPECT_TRUE(tensor->logical()[1]->expanded_extent()->is_symbolic());
  EXPECT_EQ(tensor->logical()[2]->expanded_extent(), nullptr);
}

TEST(Define, ContiguityStandsInMemoryOrder) {
  const auto fusion = Fusion::make();
  const TensorView* tensor =
      define_tensor(*fusion, {2, 3, 1}, Flags{false, std::nullopt, true}, DataType::Float, false, {0, 2, 1});
  EXPECT_EQ(allocation_order(tensor), (AllocationOrder{1, 2, 0}));
  EXPECT_EQ(tensor->domain()->contiguity(), (Flags{false, std::nullopt, true}));
  // a flag for all skips axes of extent 1 wherever they stand
  const TensorView* flat = define_tensor(*fusion, {2, 3, 1}, true, DataType::Float, false, {0, 2, 1});
  EXPECT_EQ(flat->domain()->contiguity(), (Flags{true, std::nullopt, true}));
}

TEST(Define, StridedTensor) {
  const auto fusion = Fusion::make();
  const TensorView* symbolic = define_strided_tensor(*fusion, {2, 1, 3}, {3, 3, 1});
  EXPECT_TRUE(symbolic->logical()[0]->extent()->is_symbolic());
  EXPECT_TRUE(symbolic->logical()[1]->is_broadcast());
  const TensorView* fixed = define_strided_tensor(*fusion, {2, 1, 3}, {1, 1, 2}, DataType::Int, true);
  EXPECT_EQ(fixed->logical()[2]->extent()->constant_int(), 3);
  EXPECT_EQ(allocation_order(fixed), (AllocationOrder{2, 0, 1}));
}

TEST(Define, PackedTypeDoublesTheFastestAxis) {
  const auto fusion = Fusion::make();
  const TensorView* tensor = define_tensor(*fusion, {4, 8}, true, DataType::Float4_e2m1fn_x2, false, {0, 1});
  EXPECT_EQ(tensor->dtype(), DataType::Float4_e2m1fn);
  EXPECT_EQ(tensor->logical()[0]->extent()->constant_int(), 8);
  EXPECT_EQ(tensor->logical()[1]->extent()->constant_int(), 8);
}

TEST(Define, Errors) {
  const auto fusion = Fusion::make();
  EXPECT_THROW(define_tensor(*fusion, {-2}, Flags{true}), Error);
  EXPECT_THROW(define_tensor(*fusion, {2, 3}, Flags{true}), Error);
  EXPECT_THROW(define_tensor(*fusion, {2}, Flags{true}, DataType::Float, true), Error);
  EXPECT_THROW(define_tensor(*fusion, {2, 3}, Flags{true, true}, DataType::Float, false, {0, 0}), Error);
  EXPECT_THROW(define_tensor(*fusion, {2, 3}, Flags{true, true}, DataType::Float, false, {0, 2}), Error);
  EXPECT_THROW(define_tensor(*fusion, {2, 3}, Flags{true, true}, DataType::Float, false, {0}), Error);
  EXPECT_TRUE(define_tensor(*fusion, {}, Flags{}, DataType::Float, true)->is_cpu_scalar());
}

TEST(Define, Scalars) {
  const auto fusion = Fusion::make();
  EXPECT_TRUE(define_scalar(*fusion)->is_symbolic());
  EXPECT_EQ(define_scalar(*fusion)->dtype(), DataType::Double);
  EXPECT_EQ(define_scalar(*fusion, ScalarValue(true))->dtype(), DataType::Bool);
  EXPECT_EQ(define_scalar(*fusion, ScalarValue(int64_t{3}))->dtype(), DataType::Int);
  EXPECT_EQ(define_scalar(*fusion, ScalarValue(3.0))->dtype(), DataType::Double);
  EXPECT_EQ(define_scalar(*fusion, ScalarValue(std::complex<double>(1, 2)))->dtype(), DataType::ComplexDouble);
  const Val* narrow = define_scalar(*fusion, ScalarValue(0.1), DataType::Float);
  EXPECT_EQ(std::get<double>(*narrow->constant()), static_cast<double>(0.1f));
  EXPECT_EQ(std::get<double>(*define_scalar(*fusion, ScalarValue(int64_t{2}), DataType::Double)->constant()), 2.0);
  EXPECT_THROW(define_scalar(*fusion, ScalarValue(std::complex<double>(1, 2)), DataType::Float), Error);
}

}  // namespace
}  // namespace nvfuser
