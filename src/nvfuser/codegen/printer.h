// SPDX-License-Identifier: Apache-2.0
// One kernel as text, and what a unit needs to know of it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "nvfuser/lower/program.h"

namespace nvfuser {

struct KernelText {
  std::string text;                                 ///< from the comment to the closing namespace
  std::vector<std::pair<int, std::string>> arrays;  ///< (line, counted from 0, and name) of local arrays
  bool converts = false;                            ///< needs rt/convert.h
  bool computes = false;                            ///< needs rt/math.h
  bool reduces = false;                             ///< needs rt/reduce.h
  bool clusters = false;                            ///< needs rt/cluster.h
  bool far = false;                                 ///< needs rt/far.h
  bool waits = false;                               ///< needs rt/ring.h
  bool meets = false;                               ///< needs rt/grid.h
};

KernelText kernel_text(const Program& program);

/// "rt::Global<const rt::float32>", "Index", ...
std::string parameter_type(const Program& program, const Parameter& parameter);

}  // namespace nvfuser
