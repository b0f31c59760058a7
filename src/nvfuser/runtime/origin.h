// SPDX-License-Identifier: Apache-2.0
// Where a kernel comes from, in the user's words: the end of errors about schedules, lowering and compilers.
#pragma once

#include <string>

#include "nvfuser/fuse/segment.h"
#include "nvfuser/lower/program.h"

namespace nvfuser {

/// Such as `; in the kernel nvf_add_relu_0 of add (model.py:12 in block), relu (model.py:13 in block)`.
std::string origin_text(const std::string& name, const Group& group);
std::string origin_text(const Program& program);

}  // namespace nvfuser
