// SPDX-License-Identifier: Apache-2.0
// Conversions between element types.
#pragma once

#include "nvfuser/ir/fusion.h"

namespace nvfuser {

/// Whether a value of one type may be converted to another.  Complex converts to complex and Bool only; eight- and
/// four-bit floats convert to and from Float, Double, Half and BFloat16 only; nothing converts to Null or packed types.
bool can_cast(DataType from, DataType to);

/// Converts a tensor or scalar; constants fold.  The same type gives a copy of a tensor and a scalar itself.
Val* cast(Val* operand, DataType dtype);

/// A number as the alternative of ScalarValue that stands for `dtype`, rounded to it (not for floats of eight bits and
/// less, which keep their value).
ScalarValue convert_scalar(const ScalarValue& value, DataType dtype);

}  // namespace nvfuser
