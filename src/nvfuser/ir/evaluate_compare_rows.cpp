// SPDX-License-Identifier: Apache-2.0
// The evaluator's comparisons, logic and bits of two operands.
#include "nvfuser/ir/evaluate_rows.h"

namespace nvfuser {

extern const BlockTable kCompareRows;
constinit const BlockTable kCompareRows = make_block_table([](const PointwiseInfo& row) {
  return row.arity == 2 && (row.rule == PromotionRule::predicate || row.rule == PromotionRule::logical ||
                            row.rule == PromotionRule::integral);
});

}  // namespace nvfuser
