// SPDX-License-Identifier: Apache-2.0
// Bytes of a shared object become functions of this process.
#pragma once

#include <memory>

#include "nvfuser/backend/disk_cache.h"
#include "nvfuser/backend/shared_library.h"

namespace nvfuser {

/// Opens the entry's file, or, where it has none or its folder may not be executed from, a copy in the scratch folder
/// or in memory.  ErrorKind::compile when nothing of that loads: what the compiler made is of no use here.
std::shared_ptr<SharedLibrary> load_unit(const CacheEntry& entry);

/// The address of `name`; ErrorKind::internal when the unit lacks it.
void* unit_symbol(const SharedLibrary& unit, const std::string& name);

}  // namespace nvfuser
