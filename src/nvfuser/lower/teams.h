// SPDX-License-Identifier: Apache-2.0
// Teams: the threads that share a reduction's result, and the shared memory through which they exchange.
#pragma once

#include "nvfuser/lower/lowering.h"

namespace nvfuser {

/// Loops that a reduction sums over.
std::vector<const Id*> reduced_loops(const Tensor& reduce);
/// Position in Program::teams of the threads that differ only in what the reduction sums over.
int team_of(Lowering& state, const Tensor& reduce);
/// Bytes of an accumulator: the combiner's tuple.
int64_t tuple_bytes(ReductionOp row, DataType type);
/// Pass: room for the widest collective, twice, for collectives take turns between two halves.
void place_slots(Lowering& state);

}  // namespace nvfuser
