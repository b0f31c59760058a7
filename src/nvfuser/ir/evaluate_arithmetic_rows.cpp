// SPDX-License-Identifier: Apache-2.0
// The evaluator's arithmetic of two operands.
#include "nvfuser/ir/evaluate_rows.h"

namespace nvfuser {

extern const BlockTable kArithmeticRows;
constinit const BlockTable kArithmeticRows = make_block_table([](const PointwiseInfo& row) {
  return row.arity == 2 && row.rule != PromotionRule::predicate && row.rule != PromotionRule::logical &&
         row.rule != PromotionRule::integral;
});

}  // namespace nvfuser
