// SPDX-License-Identifier: Apache-2.0
// Docstrings of operations in numpy's style: from the rows of the op tables, and from notes beside the written ones.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "nvfuser/ir/pointwise.h"
#include "nvfuser/ir/reduction.h"

namespace nvfuser::python {

/// Names of a pointwise operation's arguments; as many as its arity says.
const std::array<const char*, 4>& argument_names(const PointwiseInfo& row);
/// May be left out?
constexpr bool is_optional(PointwiseOp op, int argument) { return op == PointwiseOp::clamp && argument > 0; }

[[gnu::cold]] std::string docstring(const PointwiseInfo& row);
/// Of the forms typed, kept and place: one for all overloads.
[[gnu::cold]] std::string docstring(const ReductionInfo& row);
/// Of an operation that is written out: `text` (a summary, parameters, returns) with what it raises, and the row of
/// op_notes.cpp of that name: what to see, an example.
[[gnu::cold]] std::string op_docstring(std::string_view name, std::string_view text);

/// See Also and Examples of an operation that is written out.
struct OpNotes {
  std::string_view see, example;
};
[[gnu::cold]] OpNotes notes_of(std::string_view name);

}  // namespace nvfuser::python
