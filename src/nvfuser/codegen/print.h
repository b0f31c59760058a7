// SPDX-License-Identifier: Apache-2.0
// One printer, two dialects as data.  Text of gpu programs is the same byte for byte for NVRTC and for the emulator;
// only what `#include "rt/memory.h"` resolves to differs.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "nvfuser/lower/program.h"

namespace nvfuser {

/// A compilable unit of several kernels of one target.
struct UnitText {
  std::string text;                ///< includes of the rt/ headers that are used, then the kernels
  std::string emulator_launchers;  ///< gpu target: entry functions `emulate_<name>`, for the emulator only
  std::vector<std::string> names;  ///< kernel names in order
};

UnitText print_unit(std::span<const Program* const> programs);
/// One kernel without includes.
std::string print_kernel(const Program& program);

}  // namespace nvfuser
