// SPDX-License-Identifier: Apache-2.0
// For tests of ops/: a fusion with short names for what they define.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "nvfuser/ops/define.h"
#include "nvfuser/ops/pointwise_builder.h"

namespace nvfuser {

class BuilderTest : public testing::Test {
 protected:
  TensorView* input(const std::vector<int64_t>& shape, DataType dtype = DataType::Float,
                    const std::vector<int64_t>& order = {}) {
    TensorView* tensor = define_tensor(*fusion_, shape, true, dtype, false, order);
    fusion_->add_input(tensor);
    return tensor;
  }
  Val* scalar(DataType dtype) {
    Val* value = define_scalar(*fusion_, dtype);
    fusion_->add_input(value);
    return value;
  }
  Val* number(ScalarValue value) { return make_constant(*fusion_, value); }
  Val* number(double value) { return number(ScalarValue(value)); }
  Val* integer(int64_t value) { return number(ScalarValue(value)); }
  TensorView* op(PointwiseOp op, std::vector<Val*> operands) {
    return static_cast<TensorView*>(pointwise(op, std::move(operands)));
  }

  std::shared_ptr<Fusion> fusion_ = Fusion::make();
};

}  // namespace nvfuser
