// SPDX-License-Identifier: Apache-2.0
// Short names of a fusion and of its inputs, for messages and for who looks at an object.
#pragma once

#include <string>

#include "nvfuser/ir/fusion.h"

namespace nvfuser {

/// Such as `1 inputs, 2 expressions, 1 outputs`.
std::string summary_of(const Fusion& fusion);
/// An input with the line of the user's program that made it: `T0_g_float[iS0{i0}] (model.py:12 in block)`; empty where
/// there is no such input.
std::string describe_input(const Fusion& fusion, size_t position);

}  // namespace nvfuser
