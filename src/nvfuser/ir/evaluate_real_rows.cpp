// SPDX-License-Identifier: Apache-2.0
// The evaluator's real functions of one operand.
#include "nvfuser/ir/evaluate_rows.h"

namespace nvfuser {

extern const BlockTable kRealRows;
constinit const BlockTable kRealRows =
    make_block_table([](const PointwiseInfo& row) { return row.arity == 1 && row.rule == PromotionRule::real; });

}  // namespace nvfuser
