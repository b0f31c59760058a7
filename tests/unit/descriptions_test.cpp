// SPDX-License-Identifier: Apache-2.0
// Arguments and outputs in words, and descriptions in the place of arguments.
#include "nvfuser/runtime/descriptions.h"

#include <gtest/gtest.h>

#include "nvfuser/base/options_page.h"
#include "nvfuser/ir/titles.h"
#include "nvfuser/ops/define.h"
#include "nvfuser/runtime/imagined.h"
#include "nvfuser/runtime/reference.h"

namespace nvfuser {
namespace {

TEST(DescriptionsTest, SayDtypeLayoutAndDevice) {
  const TensorArgument argument{nullptr, DataType::Half, {Device::Kind::cuda, 1}, {2, 3}, {3, 1}};
  EXPECT_EQ(description_of(argument), "Half [2, 3], strides [3, 1], cuda:1");
  EXPECT_EQ(list_text({}), "[]");
}

TEST(DescriptionsTest, AFusionProfileShowsAHundredKernels) {
  FusionProfile profile;
  profile.kernels.resize(102);
  EXPECT_TRUE(description_of(profile).ends_with("\n  ... and 2 more])"));
}

TEST(DescriptionsTest, TheOptionsPageHasARowForEachOption) {
  EXPECT_NE(options_page().find("| `NVFUSER_CACHE_DIR` | "), std::string::npos);
}

TEST(ImaginedTest, ADenseArgumentHasTheOrderOfTheDefinition) {
  const auto fusion = Fusion::make();
  fusion->add_input(define_tensor(*fusion, {-1, 3}, true));
  const TensorArgument argument = dense_argument(*fusion, 0, {2, 3}, {});
  EXPECT_EQ(argument.strides, (std::vector<int64_t>{3, 1}));
  EXPECT_NE(argument.data, imagined_address(1));
  EXPECT_THROW(dense_argument(*fusion, 1, {2, 3}, {}), Error);
  EXPECT_THROW(dense_argument(*fusion, 0, {2}, {}), Error);
}

TEST(ReferenceTest, OutputsAreComputedInDouble) {
  const auto fusion = Fusion::make();
  TensorView* x = define_tensor(*fusion, {2}, true);
  fusion->add_input(x);
  fusion->add_output(x);
  float value[2] = {0.5F, 3.0F};
  double result[2] = {};
  const uintptr_t address = reinterpret_cast<uintptr_t>(result);
  evaluate_float64(*fusion, {TensorArgument{value, DataType::Float, {}, {2}, {1}}}, {&address, 1});
  EXPECT_EQ(result[1], 3.0);
  EXPECT_THROW(evaluate_float64(*fusion, {TensorArgument{value, DataType::Float, {}, {2}, {1}}}, {}), Error);
}

}  // namespace
}  // namespace nvfuser
