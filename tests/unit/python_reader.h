// SPDX-License-Identifier: Apache-2.0
// Reads the Python that python_source writes, and builds the fusion with the C++ builders: the round trip without
// Python.
#pragma once

#include <memory>
#include <string>

#include "nvfuser/ir/fusion.h"

namespace nvfuser {

std::shared_ptr<Fusion> read_python(const std::string& source);

}  // namespace nvfuser
