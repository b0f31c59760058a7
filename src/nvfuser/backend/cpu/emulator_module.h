// SPDX-License-Identifier: Apache-2.0
// GPU kernels run on the CPU, a fiber per thread, every access checked.  A fault is an error that names buffer,
// element, block and thread.
#pragma once

#include <memory>
#include <vector>

#include "nvfuser/backend/module.h"
#include "nvfuser/backend/shared_library.h"

namespace nvfuser {

std::shared_ptr<Module> make_emulator_module(std::shared_ptr<SharedLibrary> unit,
                                             const std::vector<KernelEntry>& kernels);

}  // namespace nvfuser
