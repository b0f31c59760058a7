// SPDX-License-Identifier: Apache-2.0
// Arithmetic on extents: scalar pointwise expressions from which neutral elements vanish and in which constants fold.
#pragma once

#include "nvfuser/ir/fusion.h"

namespace nvfuser {

/// The same value for sure: one node or equal constants.
bool same_scalar(const Val* a, const Val* b);
/// The same integer for sure, also where one is converted to Index.
bool same_integer(const Val* a, const Val* b);
/// Of two extents that are equal in every legal call the one that says more: a constant, then an input's own extent.
Val* better_extent(Val* a, Val* b);

Val* extent_sum(Val* a, Val* b);
Val* extent_difference(Val* a, Val* b);
Val* extent_product(Val* a, Val* b);
Val* extent_quotient(Val* a, Val* b);
Val* extent_minimum(Val* a, Val* b);

}  // namespace nvfuser
