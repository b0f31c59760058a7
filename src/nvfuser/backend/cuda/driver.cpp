// SPDX-License-Identifier: Apache-2.0
// Finds libcuda: where the option says, else what the process has loaded already, else by its soname.
#include "nvfuser/backend/cuda/driver.h"

#include <map>
#include <memory>
#include <utility>

#include "nvfuser/backend/shared_library.h"
#include "nvfuser/base/errors.h"
#include "nvfuser/base/fork_mutex.h"
#include "nvfuser/base/options.h"

namespace nvfuser {
namespace {

constexpr const char* kSoname = "libcuda.so.1";

struct Driver {
  CudaApi api;
  int version = 0;
  std::string why;  ///< empty: usable
};

std::string error_text(const CudaApi& api, CUresult result) {
  const char* name = nullptr;
  const char* text = nullptr;
  if (api.cuGetErrorName) {
    api.cuGetErrorName(result, &name);
  }
  if (api.cuGetErrorString) {
    api.cuGetErrorString(result, &text);
  }
  return (name ? std::string(name) : "error " + std::to_string(result)) + (text ? std::string(" (") + text + ")" : "");
}

/// The reason for which the driver cannot be used, or empty.
std::string start(Driver& driver, const std::string& chosen) {
  std::shared_ptr<SharedLibrary> library;
  std::string why;
  if (chosen.empty()) {
    library = SharedLibrary::find_loaded(kSoname);
    if (!library) {
      library = SharedLibrary::open(kSoname, &why);
    }
    if (!library) {
      return "no CUDA driver: " + why;
    }
  } else {
    library = SharedLibrary::open(chosen, &why);
    if (!library) {
      return "no CUDA driver: " + why + " (NVFUSER_LIBCUDA)";
    }
  }
  library->keep_forever();
  const std::string missing = load_cuda_api(driver.api, *library);
  if (!missing.empty()) {
    return "the CUDA driver is too old: it lacks " + missing;
  }
  CUresult result = driver.api.cuInit(0);
  if (result != kCudaSuccess) {
    return "the CUDA driver does not start: " + error_text(driver.api, result);
  }
  int devices = 0;
  result = driver.api.cuDeviceGetCount(&devices);
  if (result != kCudaSuccess) {
    return "the CUDA driver counts no devices: " + error_text(driver.api, result);
  }
  if (devices == 0) {
    return "the CUDA driver finds no device";
  }
  driver.api.cuDriverGetVersion(&driver.version);
  return {};
}

const Driver& driver() {
  // By option; never destroyed: handed out.
  static auto& guarded = *new LongGuarded<std::map<std::string, std::unique_ptr<Driver>>>;
  const std::string chosen = options().libcuda;
  const auto known = guarded.lock();
  std::unique_ptr<Driver>& driver = (*known)[chosen];
  if (!driver) {
    auto started = std::make_unique<Driver>();
    started->why = start(*started, chosen);
    driver = std::move(started);
  }
  return *driver;
}

}  // namespace

std::string load_cuda_api(CudaApi& api, const SharedLibrary& library) {
#define CUDA_FUNCTION(returns, name, symbol_name, arguments, required)            \
  api.name = reinterpret_cast<returns(*) arguments>(library.symbol(symbol_name)); \
  if (required && !api.name)                                                      \
    return symbol_name;
#include "nvfuser/backend/cuda/cuda_api.def"
  return {};
}

const CudaApi* cuda_api(std::string* why) {
  const Driver& found = driver();
  if (why) {
    *why = found.why;
  }
  return found.why.empty() ? &found.api : nullptr;
}

int cuda_driver_major() {
  const Driver& found = driver();
  return found.why.empty() ? found.version / 1000 : 0;
}

void check_cuda(const CudaApi& api, CUresult result, const char* call, const std::string& about) {
  if (result != kCudaSuccess) [[unlikely]] {
    fail(ErrorKind::device, call, " failed: ", error_text(api, result), about.empty() ? "" : "; ", about);
  }
}

bool is_captured(const CudaApi& api, CUstream stream) {
  CUstreamCaptureStatus status = kNotCapturing;
  const CUresult result = api.cuStreamIsCapturing(stream, &status);
  return result == kCudaCaptureImplicit || (result == kCudaSuccess && status != kNotCapturing);
}

}  // namespace nvfuser
