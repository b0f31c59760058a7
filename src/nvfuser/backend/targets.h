// SPDX-License-Identifier: Apache-2.0
// What this machine has for each target.
#pragma once

#include <array>
#include <string>

namespace nvfuser {

struct TargetStatus {
  const char* target;  ///< "cuda", "host", "emulator", "evaluator"
  bool found = false;
  std::string text;  ///< what compiles for it, or why it was not found
};

/// Asks for compilers and devices; it may wait for a search of another thread.
std::array<TargetStatus, 4> target_status();

}  // namespace nvfuser
