// SPDX-License-Identifier: Apache-2.0
// Types of reductions: see wide_sums.h.
#include "nvfuser/transform/wide_sums.h"

#include <algorithm>
#include <array>

namespace nvfuser {

namespace {

/// What is computed in the first type, and may be in the second.
struct Widening {
  DataType from, to;
};
constexpr std::array<Widening, 2> kWidenings = {
    {{DataType::Float, DataType::Double}, {DataType::ComplexFloat, DataType::ComplexDouble}}};

}  // namespace

bool rounds(ReductionOp row) {
  constexpr std::array kRounding = {ReductionOp::sum, ReductionOp::prod, ReductionOp::welford,
                                    ReductionOp::softmax_sums, ReductionOp::moment_sums};
  return std::find(kRounding.begin(), kRounding.end(), row) != kRounding.end();
}

void widen_sums(Kernel& kernel) {
  for (const Tensor* t : kernel.tensors) {
    if (t->op != TensorOp::reduce || is_later_part(*t) || !rounds(t->reduction->row)) {
      continue;
    }
    const auto* wider = std::find_if(kWidenings.begin(), kWidenings.end(),
                                     [&](const Widening& w) { return w.from == t->reduction->type; });
    if (wider == kWidenings.end()) {
      continue;
    }
    auto reduction = std::make_shared<Reduction>(*t->reduction);
    reduction->type = wider->to;
    for (Tensor* part : reduction->parts) {
      part->reduction = reduction;
    }
  }
}

bool is_widened(const Tensor& reduce) {
  const Tensor* operand = reduce.operands[0].tensor;
  return operand != nullptr && !reduce.reduction->merges &&
         std::any_of(kWidenings.begin(), kWidenings.end(), [&](const Widening& w) {
           return w.to == reduce.reduction->type && w.from == compute_type(operand->dtype);
         });
}

}  // namespace nvfuser
