// SPDX-License-Identifier: Apache-2.0
// From a scheduled kernel and its Facts to a Program.  lower.cpp is the table of passes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nvfuser/lower/program.h"

namespace nvfuser {

struct LowerRequest {
  std::shared_ptr<Kernel> kernel;  ///< scheduled; loops assigned
  std::string name;
  Target target = Target::gpu;
  Facts facts;
  int min_blocks_per_sm = 0;
  /// (position in Kernel::inputs, position in Kernel::outputs) of buffers written in place; illegal ones are an error
  /// (ErrorKind::schedule) and the caller falls back to a temporary.
  std::vector<std::pair<int, int>> aliases;
  std::optional<int> phase = {};           ///< the only one of the kernel's that the program does; none: all
  GridFinish finish = GridFinish::second;  ///< what leads from one phase to the next
};

/// Throws ErrorKind::schedule when the schedule has no meaning, ErrorKind::internal when an invariant breaks.
Program lower(const LowerRequest& request);
/// Text of a program for people and golden tests.
std::string to_string(const Program& program);
/// Bytes of the argument image and the offset of each parameter, aligned as the parameter's C++ type: buffers are
/// 8-byte pointers, sizes 4 or 8 bytes by `wide`, divisors {divisor, multiplier, shift} of 3 x 4 or (wide) 3 x 8 bytes,
/// complex scalars aligned as one part.
struct ImageLayout {
  std::vector<int> offsets;
  int bytes = 0;
};
ImageLayout image_layout(const Program& program);

}  // namespace nvfuser
