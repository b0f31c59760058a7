// SPDX-License-Identifier: Apache-2.0
// One module of the driver per unit and device.  The argument image goes to the driver as it is: its layout is that of
// the kernel's parameters.
#include "nvfuser/backend/cuda/cuda_module.h"

#include <atomic>
#include <mutex>
#include <sstream>

#include "nvfuser/backend/cuda/cuda_context.h"
#include "nvfuser/backend/cuda/stream_semaphores.h"
#include "nvfuser/base/errors.h"

namespace nvfuser {
namespace {

constexpr int64_t kSharedWithoutOptin = 48 << 10;

struct CudaKernel {
  std::string name;
  int image_bytes = 0;
  std::vector<int> offsets;  ///< of the parameters in the image
  CUfunction function = nullptr;
  std::atomic<int64_t> shared_limit{kSharedWithoutOptin};  ///< dynamic shared memory that launches may ask for
};

class CudaModule final : public Module {
 public:
  CudaModule(const CudaApi& api, const std::string& cubin, const std::vector<KernelEntry>& kernels, int device)
      : api_(api), context_(api, device), kernels_(kernels.size()) {
    const CurrentContext current(api_, context_.get());
    load(cubin);
    for (size_t i = 0; i < kernels.size(); ++i) {
      kernels_[i].name = kernels[i].name;
      kernels_[i].image_bytes = kernels[i].image_bytes;
      kernels_[i].offsets = kernels[i].offsets;
      const CUresult result = api_.cuModuleGetFunction(&kernels_[i].function, module_, kernels[i].name.c_str());
      if (result != kCudaSuccess) {
        api_.cuModuleUnload(module_);
      }
      check_cuda(api_, result, "cuModuleGetFunction", "kernel " + kernels[i].name);
    }
  }

  ~CudaModule() override {
    // At exit the driver may be gone already: its refusal is not an error.
    CUcontext popped = nullptr;
    if (api_.cuCtxPushCurrent(context_.get()) != kCudaSuccess) {
      return;
    }
    api_.cuModuleUnload(module_);
    api_.cuCtxPopCurrent(&popped);
  }

  void launch(int kernel, const LaunchRequest& request) override {
    ensure(kernel >= 0 && kernel < static_cast<int>(kernels_.size()), "launch of kernel ", kernel, " of ",
           kernels_.size());
    CudaKernel& entry = kernels_[kernel];
    const CurrentContext current(api_, context_.get());
    if (request.shared_bytes > entry.shared_limit.load(std::memory_order_acquire)) [[unlikely]] {
      raise_shared_limit(entry, request.shared_bytes);
    }
    size_t bytes = request.image_bytes;
    void* extra[] = {kLaunchBuffer, const_cast<void*>(request.image), kLaunchBufferSize, &bytes, kLaunchEnd};
    if (request.cooperative || request.dependent) {
      return launch_extended(entry, request, extra);
    }
    const auto& grid = request.grid;
    const auto& block = request.block;
    const CUresult result = api_.cuLaunchKernel(
        entry.function, static_cast<unsigned>(grid[0]), static_cast<unsigned>(grid[1]), static_cast<unsigned>(grid[2]),
        static_cast<unsigned>(block[0]), static_cast<unsigned>(block[1]), static_cast<unsigned>(block[2]),
        static_cast<unsigned>(request.shared_bytes), static_cast<CUstream>(request.stream), nullptr, extra);
    if (result != kCudaSuccess) [[unlikely]] {
      check_cuda(api_, result, "cuLaunchKernel", describe(entry, request));
    }
  }

  void* semaphores(int64_t words, void* stream) override {
    const CurrentContext current(api_, context_.get());
    return stream_semaphores(api_, context_.get(), static_cast<CUstream>(stream), words);
  }

  void clear(void* data, int64_t bytes, void* stream) override {
    const CurrentContext current(api_, context_.get());
    check_cuda(api_,
               api_.cuMemsetD8Async(reinterpret_cast<CUdeviceptr>(data), 0, static_cast<size_t>(bytes),
                                    static_cast<CUstream>(stream)),
               "cuMemsetD8Async");
  }

  Way way() const override { return Way::cuda; }

  KernelResources resources(int kernel) const override {
    const CurrentContext current(api_, context_.get());
    const auto get = [&](CUfunction_attribute attribute) {
      int value = 0;
      check_cuda(api_, api_.cuFuncGetAttribute(&value, attribute, kernels_.at(kernel).function), "cuFuncGetAttribute");
      return value;
    };
    return {get(kRegisters), get(kStaticSharedBytes), get(kLocalBytes)};
  }

 private:
  /// With attributes.  A kernel that may start early may as well start late.  A cooperative one gets its parameters one
  /// by one: drivers refuse to capture it with an image.
  void launch_extended(const CudaKernel& entry, const LaunchRequest& request, void** extra) const {
    std::vector<void*> parameters;
    if (request.cooperative) {
      for (const int offset : entry.offsets) {
        parameters.push_back(static_cast<char*>(const_cast<void*>(request.image)) + offset);
      }
      extra = nullptr;
    }
    CUlaunchAttribute attributes[2] = {};
    unsigned count = 0;
    const auto add = [&](CUlaunchAttributeID id) {
      attributes[count].id = id;
      attributes[count++].value.flag = 1;
    };
    if (request.cooperative) {
      add(kLaunchCooperative);
    }
    if (request.dependent && !is_captured(api_, static_cast<CUstream>(request.stream))) {
      add(kLaunchProgrammaticSerialization);
    }
    CUlaunchConfig config{
        {}, {}, static_cast<unsigned>(request.shared_bytes), static_cast<CUstream>(request.stream), attributes, count};
    for (int d = 0; d < 3; ++d) {
      config.grid[d] = static_cast<unsigned>(request.grid[d]);
      config.block[d] = static_cast<unsigned>(request.block[d]);
    }
    check(api_.cuLaunchKernelEx != nullptr || !request.cooperative, ErrorKind::device,
          "the CUDA driver is too old: it lacks cuLaunchKernelEx");
    const CUresult result =
        api_.cuLaunchKernelEx != nullptr
            ? api_.cuLaunchKernelEx(&config, entry.function, parameters.data(), extra)
            : api_.cuLaunchKernel(entry.function, config.grid[0], config.grid[1], config.grid[2], config.block[0],
                                  config.block[1], config.block[2], config.shared_bytes, config.stream, nullptr, extra);
    if (result != kCudaSuccess) [[unlikely]] {
      check_cuda(api_, result, "cuLaunchKernelEx", describe(entry, request));
    }
  }

  void load(const std::string& cubin) {
    char log[4096] = "";
    CUjit_option keys[] = {kErrorLogBuffer, kErrorLogBytes};
    void* values[] = {log, reinterpret_cast<void*>(sizeof log)};
    const CUresult result = api_.cuModuleLoadDataEx(&module_, cubin.data(), 2, keys, values);
    log[sizeof log - 1] = 0;
    check_cuda(api_, result, "cuModuleLoadDataEx", log);
  }

  void raise_shared_limit(CudaKernel& entry, int64_t bytes) {
    const std::lock_guard lock(mutex_);
    if (bytes <= entry.shared_limit.load(std::memory_order_relaxed)) {
      return;
    }
    const CUresult result = api_.cuFuncSetAttribute(entry.function, kMaxDynamicSharedBytes, static_cast<int>(bytes));
    if (result != kCudaSuccess) {
      check_cuda(api_, result, "cuFuncSetAttribute",
                 "kernel " + entry.name + " asks for " + std::to_string(bytes) + " bytes of shared memory");
    }
    entry.shared_limit.store(bytes, std::memory_order_release);
  }

  static std::string describe(const CudaKernel& entry, const LaunchRequest& request) {
    std::ostringstream text;
    const auto& [gx, gy, gz] = request.grid;
    const auto& [bx, by, bz] = request.block;
    text << "kernel " << entry.name << ", grid (" << gx << ", " << gy << ", " << gz << "), block (" << bx << ", " << by
         << ", " << bz << "), " << request.shared_bytes << " bytes of shared memory, " << request.image_bytes
         << " bytes of arguments";
    return text.str();
  }

  const CudaApi& api_;
  PrimaryContext context_;
  CUmodule module_ = nullptr;
  std::vector<CudaKernel> kernels_;
  std::mutex mutex_;
};

/// Names of base/device_props.cpp's rows, as they stand in the driver's names once spaces are gone.
constexpr const char* kKnownDevices[] = {"A100", "H100", "H200", "B200", "RTX5090"};

/// Bytes a second on the bus of the device's memory: two transfers a clock.  0 where the driver does not tell.
double bus_bytes_per_second(const CudaApi& api, CUdevice device) {
  int khz = 0, bits = 0;
  api.cuDeviceGetAttribute(&khz, kMemoryClockKhz, device);
  api.cuDeviceGetAttribute(&bits, kMemoryBusBits, device);
  return 2 * khz * 1e3 * bits / 8;
}

/// The table's row, or a row by the memory clock.
DeviceProps row_of(const CudaApi& api, CUdevice device, const std::string& name) {
  std::string compact = name;
  std::erase(compact, ' ');
  for (const char* known : kKnownDevices) {
    if (compact.find(known) != std::string::npos) {
      return known_device(known);
    }
  }
  DeviceProps props;
  // Copies sustain about nine tenths of the peak, and writes a little less than reads.
  props.read_tbps = 0.90 * bus_bytes_per_second(api, device) * 1e-12;
  props.write_tbps = 0.85 * bus_bytes_per_second(api, device) * 1e-12;
  return props;
}

}  // namespace

std::shared_ptr<Module> make_cuda_module(const CudaApi& api, const std::string& cubin,
                                         const std::vector<KernelEntry>& kernels, int device) {
  return std::make_shared<CudaModule>(api, cubin, kernels, device);
}

double query_peak_bandwidth(const CudaApi& api, int ordinal) {
  CUdevice device = 0;
  check_cuda(api, api.cuDeviceGet(&device, ordinal), "cuDeviceGet", "device " + std::to_string(ordinal));
  return bus_bytes_per_second(api, device) * 1e-9;
}

DeviceProps query_device_props(const CudaApi& api, int ordinal) {
  CUdevice device = 0;
  check_cuda(api, api.cuDeviceGet(&device, ordinal), "cuDeviceGet", "device " + std::to_string(ordinal));
  char name[256] = "";
  check_cuda(api, api.cuDeviceGetName(name, sizeof name, device), "cuDeviceGetName");
  const auto get = [&](CUdevice_attribute attribute) {
    int value = 0;
    check_cuda(api, api.cuDeviceGetAttribute(&value, attribute, device), "cuDeviceGetAttribute",
               "attribute " + std::to_string(attribute));
    return value;
  };
  DeviceProps props = row_of(api, device, name);
  props.name = name;
  props.gpu = true;
  props.arch = 10 * get(kComputeMajor) + get(kComputeMinor);
  props.sms = get(kMultiprocessors);
  if (props.clock_ghz == 0) {
    // Of known devices the table says what the estimate was fitted with: kernels do not sustain the clock that the
    // driver names.
    props.clock_ghz = get(kClockKhz) * 1e-6;
    props.l2_bytes = get(kL2Bytes);
  }
  props.shared_per_sm = get(kSharedPerMultiprocessor);
  props.shared_per_block = get(kSharedPerBlockOptin);
  if (props.l1_bytes == 0) {
    props.l1_bytes = props.shared_per_sm;  // one memory serves both
  }
  props.registers_per_sm = get(kRegistersPerMultiprocessor);
  props.threads_per_sm = get(kThreadsPerMultiprocessor);
  props.blocks_per_sm = get(kBlocksPerMultiprocessor);
  props.threads_per_block = get(kThreadsPerBlock);
  return props;
}

}  // namespace nvfuser
