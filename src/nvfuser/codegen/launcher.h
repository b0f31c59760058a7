// SPDX-License-Identifier: Apache-2.0
// Entry functions that unpack the argument image: `emulate_<name>` around a gpu kernel, `<name>` around the tasks of a
// cpu kernel.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "nvfuser/lower/program.h"

namespace nvfuser {

/// k_<name>, in which a kernel and its entry stand.
std::string kernel_namespace(const Program& program);

/// `extern "C" void <name>(const void* image, const long long* grid, long long begin, long long end)`, to stand in the
/// kernel's namespace.
std::string task_entry(const Program& program);

/// `extern "C" int emulate_<name>(const void* image, const rt::EmulatorLaunch* launch)`.  `arrays`: lines, counted from
/// 1 in the whole unit, of local arrays; `first_line`: the line at which this text will stand there.
std::string emulator_entry(const Program& program, const std::vector<std::pair<int, std::string>>& arrays,
                           int first_line);

}  // namespace nvfuser
