// SPDX-License-Identifier: Apache-2.0
// NVRTC, opened at first use, and compilation of a unit to a cubin.  Needs no device and no driver.
#pragma once

#include <cstdint>
#include <string>

#include "nvfuser/backend/cuda/cuda_types.h"
#include "nvfuser/base/hash.h"

namespace nvfuser {

struct NvrtcApi {
#define NVRTC_FUNCTION(returns, name, symbol, arguments, required) returns(*name) arguments = nullptr;
#include "nvfuser/backend/cuda/nvrtc_api.def"
};

struct Nvrtc {
  NvrtcApi api;
  int major = 0, minor = 0;
  std::string path;   ///< file it was loaded from
  int64_t bytes = 0;  ///< of that file: releases of one version differ in it
};

/// NVRTC as the options and registered folders give it now; null when there is none, and `why` lists all that was
/// tried.
const Nvrtc* nvrtc(std::string* why = nullptr);

/// Everything but the text that a cubin depends on: NVRTC's version, flags, device headers, architecture.
Hash128 nvrtc_identity(const Nvrtc& nvrtc, int arch);

/// Bytes of the cubin.  `arch` is the compute capability * 10.  ErrorKind::compile with NVRTC's log.
std::string compile_nvrtc(const Nvrtc& nvrtc, const std::string& text, int arch);

}  // namespace nvfuser
