// SPDX-License-Identifier: Apache-2.0
// Promotion against torch's rules: a table of cases, one a line.
#include "nvfuser/ops/promotion.h"

#include <gtest/gtest.h>

#include "nvfuser/base/errors.h"

namespace nvfuser {
namespace {

using enum DataType;
constexpr auto kScalar = OperandCategory::scalar, kZeroDim = OperandCategory::zero_dim,
               kTensor = OperandCategory::tensor;

struct CommonCase {
  OperandType a, b;
  DataType result;
};

// torch.result_type of the same operands, where torch knows the types
constexpr CommonCase kCommon[] = {
    {{Float, kTensor}, {Float, kTensor}, Float},
    {{Float, kTensor}, {Double, kTensor}, Double},
    {{Half, kTensor}, {Float, kTensor}, Float},
    {{Half, kTensor}, {BFloat16, kTensor}, Float},
    {{Half, kTensor}, {Half, kTensor}, Half},
    {{Half, kTensor}, {Int, kTensor}, Half},
    {{Bool, kTensor}, {Bool, kTensor}, Bool},
    {{Bool, kTensor}, {Int32, kTensor}, Int32},
    {{Int32, kTensor}, {Int, kTensor}, Int},
    {{Int, kTensor}, {Float, kTensor}, Float},
    {{Double, kTensor}, {ComplexFloat, kTensor}, ComplexDouble},
    {{Float, kTensor}, {ComplexFloat, kTensor}, ComplexFloat},
    {{Int, kTensor}, {ComplexFloat, kTensor}, ComplexFloat},
    {{ComplexFloat, kTensor}, {ComplexDouble, kTensor}, ComplexDouble},
    // scalars change only the kind
    {{Int32, kTensor}, {Int, kScalar}, Int32},
    {{Int32, kTensor}, {Index, kScalar}, Int32},
    {{Bool, kTensor}, {Int, kScalar}, Int},
    {{Bool, kTensor}, {Index, kScalar}, Int},
    {{Bool, kTensor}, {Double, kScalar}, Float},
    {{Int, kTensor}, {Double, kScalar}, Float},
    {{Int32, kTensor}, {Bool, kScalar}, Int32},
    {{Float, kTensor}, {Double, kScalar}, Float},
    {{Half, kTensor}, {Double, kScalar}, Half},
    {{Float, kTensor}, {ComplexDouble, kScalar}, ComplexFloat},
    {{Double, kTensor}, {ComplexDouble, kScalar}, ComplexDouble},
    {{Int, kTensor}, {ComplexDouble, kScalar}, ComplexFloat},
    {{ComplexFloat, kTensor}, {ComplexDouble, kScalar}, ComplexFloat},
    {{UInt64, kTensor}, {Int, kScalar}, UInt64},
    // tensors without axes stand between
    {{Float, kTensor}, {Double, kZeroDim}, Float},
    {{Int, kTensor}, {Double, kZeroDim}, Double},
    {{Int, kTensor}, {Half, kZeroDim}, Half},
    {{Int32, kTensor}, {Int, kZeroDim}, Int32},
    {{Bool, kTensor}, {Int, kZeroDim}, Int},
    {{Half, kTensor}, {ComplexFloat, kZeroDim}, ComplexFloat},
    {{Double, kTensor}, {ComplexFloat, kZeroDim}, ComplexDouble},
    {{Float, kZeroDim}, {Double, kScalar}, Float},
    {{Int, kZeroDim}, {Double, kScalar}, Float},
    {{Float, kZeroDim}, {Double, kZeroDim}, Double},
    // scalars among themselves keep their types
    {{Double, kScalar}, {Int, kScalar}, Double},
    {{Int, kScalar}, {Index, kScalar}, Index},
    {{Float, kScalar}, {Double, kScalar}, Double},
    {{Bool, kScalar}, {Bool, kScalar}, Bool},
    {{Double, kScalar}, {ComplexDouble, kScalar}, ComplexDouble},
};

TEST(Promotion, CommonType) {
  for (const CommonCase& c : kCommon) {
    EXPECT_EQ(common_type({c.a, c.b}), c.result) << name_of(c.a.dtype) << " and " << name_of(c.b.dtype);
    EXPECT_EQ(common_type({c.b, c.a}), c.result) << name_of(c.b.dtype) << " and " << name_of(c.a.dtype);
  }
}

TEST(Promotion, CommonTypeIgnoresOrderOfThree) {
  const std::vector<OperandType> operands = {{Int, kTensor}, {Double, kZeroDim}, {ComplexDouble, kScalar}};
  EXPECT_EQ(common_type(operands), ComplexDouble);
  EXPECT_EQ(common_type({operands[2], operands[1], operands[0]}), ComplexDouble);
}

struct RuleCase {
  PointwiseOp op;
  std::vector<OperandType> operands;
  std::vector<DataType> cast_to;
  DataType result;
};

const std::vector<RuleCase> kRules = {
    {PointwiseOp::exp, {{Int, kTensor}}, {Float}, Float},
    {PointwiseOp::exp, {{Bool, kTensor}}, {Float}, Float},
    {PointwiseOp::exp, {{BFloat16, kTensor}}, {Float}, Float},
    {PointwiseOp::exp, {{Float8_e4m3fn, kTensor}}, {Float}, Float},
    {PointwiseOp::exp, {{Double, kTensor}}, {Double}, Double},
    {PointwiseOp::exp, {{ComplexFloat, kTensor}}, {ComplexFloat}, ComplexFloat},
    {PointwiseOp::exp, {{Int, kScalar}}, {Double}, Double},
    {PointwiseOp::truediv, {{Int, kTensor}, {Int, kTensor}}, {Float, Float}, Float},
    {PointwiseOp::add, {{Half, kTensor}, {Half, kTensor}}, {Float, Float}, Float},
    {PointwiseOp::add, {{Half, kTensor}, {Double, kScalar}}, {Float, Float}, Float},
    {PointwiseOp::add, {{Int, kTensor}, {Int32, kTensor}}, {Int, Int}, Int},
    {PointwiseOp::neg, {{Half, kTensor}}, {Float}, Float},
    {PointwiseOp::pow, {{Int, kTensor}, {Int, kScalar}}, {Int, Int}, Int},
    {PointwiseOp::relu, {{Half, kTensor}}, {Half}, Half},
    {PointwiseOp::clamp, {{Int, kTensor}, {Double, kScalar}, {Double, kScalar}}, {Int, Int, Int}, Int},
    {PointwiseOp::abs, {{ComplexDouble, kTensor}}, {ComplexDouble}, Double},
    {PointwiseOp::abs, {{Half, kTensor}}, {Half}, Half},
    {PointwiseOp::imag, {{ComplexFloat, kTensor}}, {ComplexFloat}, Float},
    {PointwiseOp::lt, {{Half, kTensor}, {Double, kScalar}}, {Float, Float}, Bool},
    {PointwiseOp::eq, {{Int, kTensor}, {Float, kTensor}}, {Float, Float}, Bool},
    {PointwiseOp::isnan, {{ComplexFloat, kTensor}}, {ComplexFloat}, Bool},
    {PointwiseOp::logical_and, {{Int, kTensor}, {Float, kTensor}}, {Bool, Bool}, Bool},
    {PointwiseOp::bitwise_and, {{Bool, kTensor}, {Bool, kTensor}}, {Bool, Bool}, Bool},
    {PointwiseOp::bitwise_and, {{Bool, kTensor}, {Int32, kTensor}}, {Int32, Int32}, Int32},
    {PointwiseOp::gcd, {{Int, kTensor}, {Int32, kTensor}}, {Int, Int}, Int},
    {PointwiseOp::nextafter, {{Float, kTensor}, {Double, kScalar}}, {Float, Float}, Float},
    {PointwiseOp::complex, {{Double, kTensor}, {Double, kTensor}}, {Double, Double}, ComplexDouble},
    {PointwiseOp::complex, {{Float, kScalar}, {Float, kScalar}}, {Float, Float}, ComplexFloat},
    {PointwiseOp::where, {{Bool, kTensor}, {Half, kTensor}, {Double, kScalar}}, {Bool, Half, Half}, Half},
    {PointwiseOp::where, {{Bool, kTensor}, {Int, kTensor}, {Double, kScalar}}, {Bool, Float, Float}, Float},
    {PointwiseOp::where, {{Bool, kTensor}, {Double, kScalar}, {Double, kScalar}}, {Bool, Double, Double}, Double},
    {PointwiseOp::where, {{Bool, kTensor}, {Half, kTensor}, {BFloat16, kTensor}}, {Bool, Float, Float}, Float},
};

TEST(Promotion, Rules) {
  for (const RuleCase& c : kRules) {
    const PromotedTypes promoted = promote(c.op, c.operands);
    EXPECT_EQ(promoted.operands, c.cast_to) << name_of(c.op);
    EXPECT_EQ(promoted.result, c.result) << name_of(c.op);
  }
}

struct ErrorCase {
  PointwiseOp op;
  std::vector<OperandType> operands;
};

const std::vector<ErrorCase> kErrors = {
    {PointwiseOp::bitwise_and, {{Float, kTensor}, {Int, kTensor}}},
    {PointwiseOp::bitwise_not, {{Float, kTensor}}},
    {PointwiseOp::gcd, {{Bool, kTensor}, {Bool, kTensor}}},
    {PointwiseOp::bitwise_left_shift, {{Bool, kTensor}, {Bool, kTensor}}},
    {PointwiseOp::nextafter, {{Half, kTensor}, {Half, kTensor}}},
    {PointwiseOp::nextafter, {{Int, kTensor}, {Int, kTensor}}},
    {PointwiseOp::complex, {{Float, kTensor}, {Double, kTensor}}},
    {PointwiseOp::complex, {{Float, kTensor}, {Float, kScalar}}},
    {PointwiseOp::complex, {{Half, kTensor}, {Half, kTensor}}},
    {PointwiseOp::where, {{Int, kTensor}, {Float, kTensor}, {Float, kTensor}}},
    {PointwiseOp::imag, {{Float, kTensor}}},
};

TEST(Promotion, Errors) {
  for (const ErrorCase& c : kErrors) {
    try {
      promote(c.op, c.operands);
      ADD_FAILURE() << name_of(c.op) << " accepted its operands";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::dtype);
      EXPECT_NE(std::string(error.what()).find(name_of(c.op)), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find(name_of(c.operands[0].dtype)), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace nvfuser
