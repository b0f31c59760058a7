// SPDX-License-Identifier: Apache-2.0
// Values of tensors and scalars as C++ text: literals, conversions, and the expressions of the op table.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "nvfuser/ir/fusion.h"

namespace nvfuser {

/// "rt::float32".
std::string type_text(DataType type);
/// `text`, whose type is `from`, as a value of type `to`.
std::string convert_text(const std::string& text, DataType from, DataType to);
/// A constant of type `from` as a value of type `to`, exact: nothing is lost in the decimal text.
std::string literal_text(const ScalarValue& value, DataType from, DataType to);
/// An expression of pointwise.def with its operands put in place of the words a, b, c, d.
std::string expression_text(std::string_view expression, const std::vector<std::string>& operands);

}  // namespace nvfuser
