// SPDX-License-Identifier: Apache-2.0
// Index expressions of operations: the one indexer.  Values of ids at a tensor, offsets in local and shared memory,
// addresses in global memory.
#pragma once

#include "nvfuser/lower/lowering.h"

namespace nvfuser {

/// Index of an axis, or of any id made from it, at t's loops: up through the transforms of t's loops, else down by the
/// id's definition; loops that vanished stand at 0.
/// `role`: of which operation the loops are.
Index value_of(Lowering& state, const Tensor& t, const Id* id, Role role = Role::main);
/// An expression over reference axes with t's loop indices put in.
Index index_at(Lowering& state, const Tensor& t, Index p, Role role = Role::main);
/// Element of `owner`'s layout that `accessor` touches.
Index offset_of(Lowering& state, const Tensor& owner, const Tensor& accessor, Role role = Role::main);
/// Element at which a ring's load has the stage of a turn.
Index stage_offset(Lowering& state, const Tensor& load, Index turn);
/// Element of a global buffer that t (a load or a store) touches.
Index address_of(Lowering& state, const Allocation& buffer, const Tensor& t);

}  // namespace nvfuser
