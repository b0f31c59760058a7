// SPDX-License-Identifier: Apache-2.0
// Arguments, outputs and profiles in words, for who looks at them.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

#include "nvfuser/runtime/profiler.h"

namespace nvfuser {

/// Such as `Float [2, 3], strides [3, 1], cpu`.
std::string description_of(const TensorArgument& argument);
std::string description_of(const OutputSpec& spec);
/// Name and value of every member of interest.
std::string description_of(const KernelProfile& profile);
/// The same, and its kernels, a line each: the first 100.
std::string description_of(const FusionProfile& profile);
/// Such as `[2, 3]`.
std::string list_text(std::span<const int64_t> numbers);

}  // namespace nvfuser
