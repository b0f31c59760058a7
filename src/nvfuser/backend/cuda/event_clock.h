// SPDX-License-Identifier: Apache-2.0
// Times between marks in a CUDA stream, by events.
#pragma once

#include <memory>

#include "nvfuser/backend/cuda/driver.h"
#include "nvfuser/backend/stream_clock.h"

namespace nvfuser {

/// Null while the stream is being captured: an event in a graph has no time.  `api` outlives the clock.
std::unique_ptr<StreamClock> make_event_clock(const CudaApi& api, int device, void* stream);

}  // namespace nvfuser
