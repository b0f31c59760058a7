// SPDX-License-Identifier: Apache-2.0
// The rt:: headers that kernels include, as strings: ("rt/types.h", text).  Defined in embedded_device.cpp, which the
// build generates from the folders beside this file (cmake/embed.cmake).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace nvfuser {

/// Which implementation of rt:: a unit is compiled against.
enum class Flavor : uint8_t { cuda, cpu, emulator };

/// Every header of a flavor, sorted by name; generic ones included.
std::span<const std::pair<std::string_view, std::string_view>> device_headers(Flavor flavor);

}  // namespace nvfuser
