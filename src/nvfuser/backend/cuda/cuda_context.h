// SPDX-License-Identifier: Apache-2.0
// Scopes in which a device's primary context, the one that frameworks use, is current.
#pragma once

#include <string>

#include "nvfuser/backend/cuda/driver.h"

namespace nvfuser {

/// Makes `context` current for a scope; costs one query when it is already.
class CurrentContext {
 public:
  CurrentContext(const CudaApi& api, CUcontext context) : api_(api) {
    CUcontext current = nullptr;
    check_cuda(api, api.cuCtxGetCurrent(&current), "cuCtxGetCurrent");
    if (current == context) {
      return;
    }
    check_cuda(api, api.cuCtxPushCurrent(context), "cuCtxPushCurrent");
    pushed_ = true;
  }
  ~CurrentContext() {
    CUcontext popped = nullptr;
    if (pushed_) {
      api_.cuCtxPopCurrent(&popped);
    }
  }
  CurrentContext(const CurrentContext&) = delete;
  CurrentContext& operator=(const CurrentContext&) = delete;

 private:
  const CudaApi& api_;
  bool pushed_ = false;
};

/// Holds the primary context of a device.
class PrimaryContext {
 public:
  PrimaryContext(const CudaApi& api, int ordinal) : api_(api) {
    check_cuda(api, api.cuDeviceGet(&device_, ordinal), "cuDeviceGet", "device " + std::to_string(ordinal));
    check_cuda(api, api.cuDevicePrimaryCtxRetain(&context_, device_), "cuDevicePrimaryCtxRetain",
               "device " + std::to_string(ordinal));
  }
  ~PrimaryContext() { api_.cuDevicePrimaryCtxRelease(device_); }
  PrimaryContext(const PrimaryContext&) = delete;
  PrimaryContext& operator=(const PrimaryContext&) = delete;
  CUcontext get() const { return context_; }

 private:
  const CudaApi& api_;
  CUdevice device_ = 0;
  CUcontext context_ = nullptr;
};

}  // namespace nvfuser
