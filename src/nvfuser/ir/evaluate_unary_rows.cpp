// SPDX-License-Identifier: Apache-2.0
// The evaluator's other operations of one operand: signs, rounding, tests, logic.
#include "nvfuser/ir/evaluate_rows.h"

namespace nvfuser {

extern const BlockTable kUnaryRows;
constinit const BlockTable kUnaryRows =
    make_block_table([](const PointwiseInfo& row) { return row.arity == 1 && row.rule != PromotionRule::real; });

}  // namespace nvfuser
