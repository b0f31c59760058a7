// SPDX-License-Identifier: Apache-2.0
// The embedded device headers as files, for compilers that read files.
#pragma once

#include <string>

#include "nvfuser/base/hash.h"
#include "nvfuser/device/embedded.h"

namespace nvfuser {

/// Hash of the names and texts of a flavor's headers.
Hash128 device_header_hash(Flavor flavor);

/// A folder for -I that holds them under rt/: in the disk cache under their hash, where there is one that can be
/// written, otherwise in this process's scratch folder.
std::string header_folder(Flavor flavor);

}  // namespace nvfuser
