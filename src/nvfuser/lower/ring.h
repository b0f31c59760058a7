// SPDX-License-Identifier: Apache-2.0
// The ring: loads in shared memory that bulk copies bring, a row a turn, some turns ahead.
#pragma once

#include "nvfuser/lower/lowering.h"

namespace nvfuser {

/// Fills Lowering::ring and places what counts its bytes.  A schedule error where rows are no whole pieces of memory
/// such as bulk copies take.
void find_ring(Lowering& state);
/// Rows that a load brings in a turn, a copy each.
int pieces_of(const Tensor& load);
/// What the operations of a ring's turn do: a copy of a load, a row that is claimed, its number.
BulkCopy copy_row(Lowering& state, const Operation& operation);
Claim claim_row(Lowering& state, const Tensor& load);
Post post_row(Lowering& state, const Operation& operation);
/// Under which tests one thread does them.
std::vector<Test> first_thread_tests(Lowering& state, const Operation& operation);
/// Under which tests a turn's row exists, the same for all threads.
std::vector<Test> turn_tests(Lowering& state, const Tensor& load);

}  // namespace nvfuser
