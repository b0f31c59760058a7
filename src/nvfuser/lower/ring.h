// SPDX-License-Identifier: Apache-2.0
// The ring: loads in shared memory that bulk copies bring, a row a turn, some turns ahead.
#pragma once

#include "nvfuser/lower/lowering.h"

namespace nvfuser {

/// Fills Lowering::ring and places what counts its bytes.  A schedule error where rows are no whole pieces of memory
/// such as bulk copies take.
void find_ring(Lowering& state);
/// Copies of a load for turn `turn` (fill), or for so many turns ahead (refill), by one thread.
BulkCopy copy_row(Lowering& state, const Tensor& load, Role role, int turn);
std::vector<Test> copy_tests(Lowering& state, const Tensor& load, Role role, int turn);
/// Under which tests a turn's row exists, the same for all threads.
std::vector<Test> turn_tests(Lowering& state, const Tensor& load);

}  // namespace nvfuser
