// SPDX-License-Identifier: Apache-2.0
// A fusion as the Python function that builds it again.
#pragma once

#include <string>

#include "nvfuser/ir/fusion.h"

namespace nvfuser {

/// Source of `def nvfuser_fusion(fd : FusionDefinition) -> None :`, which builds a structurally equal fusion with equal
/// memory orders.  Inputs come first, then what outputs depend on in order of creation, then outputs.  Scalars are
/// written where they are first needed.
std::string python_source(const Fusion& fusion);

/// A number as a Python literal that reads back as the same value.
std::string python_literal(const ScalarValue& value);

}  // namespace nvfuser
