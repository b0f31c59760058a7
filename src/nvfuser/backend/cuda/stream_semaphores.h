// SPDX-License-Identifier: Apache-2.0
// Words of device memory that are 0 between launches: kernels whose blocks meet count in them.  Each stream has its
// own, for what it runs runs in order.
#pragma once

#include <cstdint>

#include "nvfuser/backend/cuda/driver.h"

namespace nvfuser {

/// At least so many words for the next launch on the stream; null while the stream is being captured, when nothing may
/// be allocated and a graph may run beside the stream.  `context`, the device's, is current.
void* stream_semaphores(const CudaApi& api, CUcontext context, CUstream stream, int64_t words);

}  // namespace nvfuser
