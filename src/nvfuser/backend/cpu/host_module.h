// SPDX-License-Identifier: Apache-2.0
// Kernels of the cpu target: `void name(const void* image, const int64_t* grid, int64_t begin, int64_t end)` runs grid
// points begin .. end - 1; point t stands for bx = t % gx, by = t / gx % gy, bz = t / gx / gy.
#pragma once

#include <memory>
#include <vector>

#include "nvfuser/backend/module.h"
#include "nvfuser/backend/shared_library.h"

namespace nvfuser {

std::shared_ptr<Module> make_host_module(std::shared_ptr<SharedLibrary> unit, const std::vector<KernelEntry>& kernels);

}  // namespace nvfuser
