// SPDX-License-Identifier: Apache-2.0
// The evaluator's operations of three and four operands.
#include "nvfuser/ir/evaluate_rows.h"

namespace nvfuser {

extern const BlockTable kManyRows;
constinit const BlockTable kManyRows = make_block_table([](const PointwiseInfo& row) { return row.arity > 2; });

}  // namespace nvfuser
