// SPDX-License-Identifier: Apache-2.0
// Cubins on a device: load, launch, and what the driver says about the device.  Everything runs in the device's primary
// context, the one that frameworks use; the caller's current context is as before after every call.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "nvfuser/backend/cuda/driver.h"
#include "nvfuser/backend/module.h"

namespace nvfuser {

/// `api` outlives the module.
std::shared_ptr<Module> make_cuda_module(const CudaApi& api, const std::string& cubin,
                                         const std::vector<KernelEntry>& kernels, int device);

/// As the driver states them; bandwidths come from the table of known devices, or from the memory clock.
DeviceProps query_device_props(const CudaApi& api, int ordinal);

/// GB/s of the device's memory by its data sheet; 0 where the driver does not tell.
double query_peak_bandwidth(const CudaApi& api, int ordinal);

}  // namespace nvfuser
