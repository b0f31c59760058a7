// SPDX-License-Identifier: Apache-2.0
// Passes: the operations of all tensors with their order, and the loop nest around them.
#pragma once

#include "nvfuser/lower/lowering.h"

namespace nvfuser {

/// Lists what each tensor does, the real serial loops around it, and what must come first: allocation before use,
/// writer before reader, every read of a buffer before the store in place of it.
void list_operations(Lowering& state);
/// Is a reduction's loop bound to a thread index, or to the blocks of a cluster?  Then its accumulators are joined.
bool crosses_threads(const Tensor& reduce);
/// Clusters operations by loop, outermost first, in dependency order; a cycle is an inlining without meaning.
void build_nest(Lowering& state);

}  // namespace nvfuser
