// SPDX-License-Identifier: Apache-2.0
// The CUDA driver, opened at first use.  A missing driver is a value with a reason, never an exception; nothing is
// opened when the library is loaded.
#pragma once

#include <string>

#include "nvfuser/backend/cuda/cuda_types.h"

namespace nvfuser {

struct CudaApi {
#define CUDA_FUNCTION(returns, name, symbol, arguments, required) returns(*name) arguments = nullptr;
#include "nvfuser/backend/cuda/cuda_api.def"
};

/// The driver, initialised; null when it is missing, lacks a required entry point or finds no device, and `why` says
/// so.
const CudaApi* cuda_api(std::string* why = nullptr);

/// Fills the struct from a library; the name of the first required symbol that it lacks, or empty.
std::string load_cuda_api(CudaApi& api, const class SharedLibrary& library);

/// Major version of the driver's CUDA, from 1; 0 when there is no driver.
int cuda_driver_major();

/// Throws ErrorKind::device with the driver's name for the error unless `result` is success.
void check_cuda(const CudaApi& api, CUresult result, const char* call, const std::string& about = {});

/// Is work on the stream recorded into a graph?  Also true for the legacy stream while another one is captured, when
/// nothing may be issued on it.  Leaves the capture alone.
bool is_captured(const CudaApi& api, CUstream stream);

}  // namespace nvfuser
