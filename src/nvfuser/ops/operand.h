// SPDX-License-Identifier: Apache-2.0
// Operands of builders: checks that name the op, and the text by which errors speak of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "nvfuser/ir/fusion.h"

namespace nvfuser {

/// Such as `Float [2, ?, 1]`, `Double scalar` or `Int scalar 3`; a symbolic extent is a `?`.
std::string describe(const Val* operand);

/// As describe, joined by `, `.
std::string describe(const std::vector<Val*>& operands);

/// ErrorKind::definition unless the operand is a scalar or tensor of `fusion`.
void check_operand(std::string_view op, const Fusion* fusion, const Val* operand);

/// The fusion of an op whose first operand this is; error for null.
Fusion& fusion_of(std::string_view op, const Val* operand);

/// Checks that every entry is an integer scalar of the fusion; constants come back as Index constants, so that equal
/// sizes are one node.
std::vector<Val*> integer_scalars(std::string_view op, std::string_view what, Fusion& fusion,
                                  const std::vector<Val*>& values);

/// An expression over scalars: the result of an equal expression that exists already, or of a new one.  Equal extents
/// are one node thereby.
Val* scalar_expr(ExprKind kind, const std::vector<Val*>& operands, Attribute attribute, DataType dtype);

/// A position of one of `rank` axes, negative ones counted from the end; ErrorKind::shape when out of range.
int64_t wrapped_axis(std::string_view op, int64_t axis, int64_t rank);

/// Null when the value is no constant integer.
std::optional<int64_t> known_integer(const Val* value);

}  // namespace nvfuser
