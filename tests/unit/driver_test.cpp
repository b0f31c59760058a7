// SPDX-License-Identifier: Apache-2.0
// The driver's loader takes all required entry points or none; launches go through a fake driver that records them.
#include "nvfuser/backend/cuda/driver.h"

#include <cstring>
#include <fstream>
#include <map>

#include "backend_fixture.h"
#include "nvfuser/backend/cpu/host_compiler.h"
#include "nvfuser/backend/cuda/cuda_module.h"
#include "nvfuser/backend/cuda/event_clock.h"
#include "nvfuser/backend/module.h"
#include "nvfuser/ops/define.h"
#include "nvfuser/ops/pointwise_builder.h"
#include "nvfuser/runtime/executor.h"

namespace nvfuser {
namespace {

CUcontext context_of(int device) { return reinterpret_cast<CUcontext>(intptr_t{1000} + device); }

/// What the fake driver has been told.  One at a time.
struct FakeCuda {
  CudaApi api;
  std::vector<CUcontext> contexts{nullptr};  ///< the stack of current contexts
  int retained = 0, modules = 0;
  std::string cubin, kernel;
  std::string image;  ///< of the last launch
  std::array<unsigned, 7> shape{};
  CUstream stream = nullptr;
  CUcontext launched_in = nullptr;
  std::vector<int> shared_limits;
  CUresult launch_result = kCudaSuccess, load_result = kCudaSuccess;
  std::map<int, int> attributes;
  std::string device_name = "NVIDIA H200";
  int events = 0, destroyed = 0;
  std::string event_calls;  ///< "r1@7 r2@7 s2 e12": event 1 recorded on stream 7, ..., waited for 2, time from 1 to 2
  CUstreamCaptureStatus capture = kNotCapturing;
  std::vector<CUlaunchAttributeID> launch_attributes;  ///< of the last launch that had any
  CUdeviceptr allocated = 0;                           ///< bytes, from address 4096 on
  std::string clears;                                  ///< "4096+64@7": 64 bytes at 4096 in stream 7

  static FakeCuda* now;
  FakeCuda() {
    now = this;
    fill_contexts();
    fill_modules();
    fill_devices();
    fill_events();
    fill_memory();
  }
  ~FakeCuda() { now = nullptr; }

  void fill_events();
  void fill_memory();

  void fill_contexts() {
    api.cuDevicePrimaryCtxRetain = [](CUcontext* context, CUdevice device) {
      ++now->retained;
      *context = context_of(device);
      return kCudaSuccess;
    };
    api.cuDevicePrimaryCtxRelease = [](CUdevice) {
      --now->retained;
      return kCudaSuccess;
    };
    api.cuCtxGetCurrent = [](CUcontext* context) {
      *context = now->contexts.back();
      return kCudaSuccess;
    };
    api.cuCtxPushCurrent = [](CUcontext context) {
      now->contexts.push_back(context);
      return kCudaSuccess;
    };
    api.cuCtxPopCurrent = [](CUcontext* context) {
      *context = now->contexts.back();
      now->contexts.pop_back();
      return kCudaSuccess;
    };
  }

  void fill_modules() {
    api.cuModuleLoadDataEx = [](CUmodule*, const void* image, unsigned, CUjit_option* options, void** values) {
      if (now->load_result != kCudaSuccess && options[0] == kErrorLogBuffer) {
        std::strcpy(static_cast<char*>(values[0]), "the image is from elsewhere");
        return now->load_result;
      }
      now->cubin = static_cast<const char*>(image);
      ++now->modules;
      return kCudaSuccess;
    };
    api.cuModuleUnload = [](CUmodule) {
      --now->modules;
      return kCudaSuccess;
    };
    api.cuModuleGetFunction = [](CUfunction*, CUmodule, const char* name) {
      now->kernel = name;
      return std::string(name) == "missing" ? 500 : kCudaSuccess;
    };
    api.cuFuncSetAttribute = [](CUfunction, CUfunction_attribute attribute, int value) {
      EXPECT_EQ(attribute, kMaxDynamicSharedBytes);
      now->shared_limits.push_back(value);
      return kCudaSuccess;
    };
    api.cuFuncGetAttribute = [](int* value, CUfunction_attribute attribute, CUfunction) {
      *value = attribute == kRegisters ? 40 : attribute == kStaticSharedBytes ? 1024 : -1;
      return kCudaSuccess;
    };
    api.cuLaunchKernel = [](CUfunction, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                            unsigned shared, CUstream stream, void** arguments, void** extra) {
      EXPECT_EQ(arguments, nullptr);
      EXPECT_EQ(extra[0], kLaunchBuffer);
      EXPECT_EQ(extra[2], kLaunchBufferSize);
      EXPECT_EQ(extra[4], kLaunchEnd);
      now->image.assign(static_cast<const char*>(extra[1]), *static_cast<size_t*>(extra[3]));
      now->shape = {gx, gy, gz, bx, by, bz, shared};
      now->stream = stream;
      now->launched_in = now->contexts.back();
      return now->launch_result;
    };
  }

  void fill_devices() {
    api.cuDeviceGet = [](CUdevice* device, int ordinal) {
      *device = ordinal;
      return ordinal < 2 ? kCudaSuccess : 101;
    };
    api.cuDeviceGetName = [](char* name, int, CUdevice) {
      std::strcpy(name, now->device_name.c_str());
      return kCudaSuccess;
    };
    api.cuDeviceGetAttribute = [](int* value, CUdevice_attribute attribute, CUdevice) {
      *value = now->attributes[attribute];
      return kCudaSuccess;
    };
    api.cuGetErrorName = [](CUresult error, const char** text) {
      *text = error == 1 ? "CUDA_ERROR_INVALID_VALUE" : "CUDA_ERROR_OTHER";
      return kCudaSuccess;
    };
    api.cuGetErrorString = [](CUresult, const char** text) {
      *text = "told by the driver";
      return kCudaSuccess;
    };
  }
};

/// Events are their numbers, from 1 on.
intptr_t number(const void* handle) { return reinterpret_cast<intptr_t>(handle); }

void FakeCuda::fill_events() {
  api.cuEventCreate = [](CUevent* event, unsigned flags) {
    EXPECT_EQ(flags, 0u);  // with times, not only order
    EXPECT_EQ(now->contexts.back(), context_of(1));
    *event = reinterpret_cast<CUevent>(intptr_t{++now->events});
    return kCudaSuccess;
  };
  api.cuEventRecord = [](CUevent event, CUstream stream) {
    now->event_calls += "r" + std::to_string(number(event)) + "@" + std::to_string(number(stream)) + " ";
    return kCudaSuccess;
  };
  api.cuEventSynchronize = [](CUevent event) {
    now->event_calls += "s" + std::to_string(number(event)) + " ";
    return kCudaSuccess;
  };
  api.cuEventElapsedTime = [](float* time, CUevent first, CUevent last) {
    now->event_calls += "e" + std::to_string(number(first)) + std::to_string(number(last)) + " ";
    *time = 0.5f * static_cast<float>(number(last));
    return kCudaSuccess;
  };
  api.cuEventDestroy = [](CUevent) {
    EXPECT_EQ(now->contexts.back(), context_of(1));
    ++now->destroyed;
    return kCudaSuccess;
  };
  api.cuStreamIsCapturing = [](CUstream, CUstreamCaptureStatus* status) {
    *status = now->capture;
    return kCudaSuccess;
  };
}

void FakeCuda::fill_memory() {
  api.cuMemAlloc = [](CUdeviceptr* address, size_t bytes) {
    *address = 4096 + now->allocated;
    now->allocated += bytes;
    return kCudaSuccess;
  };
  api.cuMemsetD8Async = [](CUdeviceptr address, unsigned char value, size_t bytes, CUstream stream) {
    EXPECT_EQ(value, 0);
    now->clears += std::to_string(address) + "+" + std::to_string(bytes) + "@" + std::to_string(number(stream)) + " ";
    return kCudaSuccess;
  };
  api.cuStreamGetId = [](CUstream stream, unsigned long long* id) {
    *id = static_cast<unsigned long long>(number(stream)) % 100;
    return kCudaSuccess;
  };
  api.cuLaunchKernelEx = [](const CUlaunchConfig* config, CUfunction, void** arguments, void** extra) {
    EXPECT_NE(arguments == nullptr, extra == nullptr);
    if (extra != nullptr) {
      EXPECT_EQ(extra[0], kLaunchBuffer);
      now->image.assign(static_cast<const char*>(extra[1]), *static_cast<size_t*>(extra[3]));
    } else {  // the test's kernel has two parameters of 4 bytes
      now->image = std::string(static_cast<const char*>(arguments[0]), 4) + "," +
                   std::string(static_cast<const char*>(arguments[1]), 4);
    }
    const unsigned *grid = config->grid, *block = config->block;
    now->shape = {grid[0], grid[1], grid[2], block[0], block[1], block[2], config->shared_bytes};
    now->stream = config->stream;
    now->launched_in = now->contexts.back();
    now->launch_attributes.clear();
    for (unsigned k = 0; k < config->count; ++k) {
      EXPECT_EQ(config->attributes[k].value.flag, 1);
      now->launch_attributes.push_back(config->attributes[k].id);
    }
    return now->launch_result;
  };
}

FakeCuda* FakeCuda::now = nullptr;

TEST(CudaModule, PassesTheImageThrough) {
  FakeCuda fake;
  const auto module = make_cuda_module(fake.api, "cubin bytes", {{"k", 24, false}}, 1);
  EXPECT_EQ(module->way(), Way::cuda);
  EXPECT_EQ(fake.cubin, "cubin bytes");
  EXPECT_EQ(fake.kernel, "k");
  const char image[] = "an image of 24 bytes....";
  LaunchRequest launch;
  launch.grid = {7, 5, 3};
  launch.block = {128, 2, 1};
  launch.shared_bytes = 4096;
  launch.image = image;
  launch.image_bytes = 24;
  launch.stream = &fake;
  module->launch(0, launch);
  EXPECT_EQ(fake.image, std::string(image, 24));
  EXPECT_EQ(fake.shape, (std::array<unsigned, 7>{7, 5, 3, 128, 2, 1, 4096}));
  EXPECT_EQ(fake.stream, reinterpret_cast<CUstream>(&fake));
  EXPECT_EQ(fake.launched_in, context_of(1));
  EXPECT_TRUE(fake.shared_limits.empty());
}

TEST(CudaModule, LeavesTheCurrentContextAsItWas) {
  FakeCuda fake;
  fake.contexts = {context_of(0)};
  {
    const auto module = make_cuda_module(fake.api, "cubin", {{"k", 0, false}}, 1);
    EXPECT_EQ(fake.contexts, std::vector<CUcontext>{context_of(0)});
    module->launch(0, {});
    EXPECT_EQ(fake.launched_in, context_of(1));
    fake.launch_result = 1;
    EXPECT_THROW(module->launch(0, {}), Error);
    EXPECT_EQ(fake.contexts, std::vector<CUcontext>{context_of(0)});
    EXPECT_THROW(make_cuda_module(fake.api, "cubin", {{"missing", 0, false}}, 1), Error);
    EXPECT_EQ(fake.modules, 1);
  }
  EXPECT_EQ(fake.contexts, std::vector<CUcontext>{context_of(0)});
  EXPECT_EQ(fake.modules, 0);
  EXPECT_EQ(fake.retained, 0);
}

TEST(CudaModule, AsksForLargeSharedMemoryOnce) {
  FakeCuda fake;
  const auto module = make_cuda_module(fake.api, "cubin", {{"k", 0, false}}, 0);
  LaunchRequest launch;
  for (const int64_t bytes : {48 << 10, 100000, 90000, 100000, 200000}) {
    launch.shared_bytes = bytes;
    module->launch(0, launch);
    EXPECT_EQ(fake.shape[6], bytes);
  }
  EXPECT_EQ(fake.shared_limits, (std::vector<int>{100000, 200000}));
}

TEST(CudaModule, ErrorsNameKernelAndShape) {
  FakeCuda fake;
  const auto module = make_cuda_module(fake.api, "cubin", {{"scale", 0, false}}, 0);
  fake.launch_result = 1;
  LaunchRequest launch;
  launch.block = {2048, 1, 1};
  const std::string message = message_of(ErrorKind::device, [&] { module->launch(0, launch); });
  for (const char* part : {"cuLaunchKernel", "CUDA_ERROR_INVALID_VALUE", "told by the driver", "scale", "2048"}) {
    EXPECT_TRUE(contains(message, part)) << message;
  }
  fake.load_result = 200;
  EXPECT_TRUE(contains(message_of(ErrorKind::device, [&] { make_cuda_module(fake.api, "cubin", {}, 0); }),
                       "the image is from elsewhere"));
  EXPECT_TRUE(contains(message_of(ErrorKind::device, [&] { make_cuda_module(fake.api, "cubin", {}, 9); }), "device 9"));
}

TEST(CudaModule, AttributesGoWithTheLaunch) {
  static_assert(sizeof(CUlaunchAttribute) == 72 && sizeof(CUlaunchConfig) == 56, "as the driver has them");
  FakeCuda fake;
  const auto module = make_cuda_module(fake.api, "cubin", {{"k", 8, false, {0, 4}}}, 1);
  const char image[] = "8 bytes.";
  LaunchRequest launch;
  launch.grid = {7, 5, 3};
  launch.block = {128, 2, 1};
  launch.shared_bytes = 4096;
  launch.image = image;
  launch.image_bytes = 8;
  launch.stream = reinterpret_cast<void*>(7);
  launch.cooperative = true;
  module->launch(0, launch);
  using Attributes = std::vector<CUlaunchAttributeID>;
  EXPECT_EQ(fake.launch_attributes, Attributes{kLaunchCooperative});
  EXPECT_EQ(fake.image, "8 by,tes.") << "one by one";
  EXPECT_EQ(fake.shape, (std::array<unsigned, 7>{7, 5, 3, 128, 2, 1, 4096}));
  EXPECT_EQ(fake.stream, launch.stream);
  EXPECT_EQ(fake.launched_in, context_of(1));
  launch.cooperative = false;
  launch.dependent = true;
  module->launch(0, launch);
  EXPECT_EQ(fake.launch_attributes, Attributes{kLaunchProgrammaticSerialization});
  EXPECT_EQ(fake.image, "8 bytes.") << "as one image";
  fake.capture = static_cast<CUstreamCaptureStatus>(1);
  module->launch(0, launch);
  EXPECT_EQ(fake.launch_attributes, Attributes{}) << "a graph has its own edges";
}

TEST(CudaModule, OldDriversLaunchLate) {
  FakeCuda fake;
  fake.api.cuLaunchKernelEx = nullptr;
  const auto module = make_cuda_module(fake.api, "cubin", {{"k", 0, false}}, 0);
  LaunchRequest launch;
  launch.grid = {3, 1, 1};
  launch.dependent = true;
  module->launch(0, launch);
  EXPECT_EQ(fake.shape[0], 3U);
  launch.cooperative = true;
  EXPECT_TRUE(contains(message_of(ErrorKind::device, [&] { module->launch(0, launch); }), "too old"));
}

TEST(CudaModule, StreamsHaveSemaphoresOfTheirOwn) {
  FakeCuda fake;
  const auto module = make_cuda_module(fake.api, "cubin", {}, 0), other = make_cuda_module(fake.api, "cubin", {}, 0);
  const auto stream = [](intptr_t k) { return reinterpret_cast<void*>(k); };
  void* const first = module->semaphores(2, stream(61));
  void* const second = module->semaphores(2, stream(62));
  EXPECT_NE(first, nullptr);
  EXPECT_NE(first, second);
  EXPECT_EQ(fake.clears, "4096+2048@61 6144+2048@62 ");
  EXPECT_EQ(other->semaphores(512, stream(61)), first) << "what a stream runs runs in order";
  EXPECT_EQ(module->semaphores(2, stream(161)), first) << "the same stream by its number";
  EXPECT_NE(module->semaphores(513, stream(61)), first) << "more than there were";
  EXPECT_EQ(fake.clears, "4096+2048@61 6144+2048@62 8192+2052@61 ");
  fake.capture = static_cast<CUstreamCaptureStatus>(1);
  EXPECT_EQ(module->semaphores(2, stream(61)), nullptr) << "a graph may run beside its stream";
  module->clear(reinterpret_cast<void*>(intptr_t{512}), 64, stream(61));
  EXPECT_TRUE(contains(fake.clears, "512+64@61 "));
}

TEST(CudaModule, TellsWhatAKernelOccupies) {
  FakeCuda fake;
  const auto module = make_cuda_module(fake.api, "", {{"k", 0, false}}, 1);
  EXPECT_EQ(module->resources(0).registers, 40);
  EXPECT_EQ(module->resources(0).static_shared_bytes, 1024);
  EXPECT_EQ(fake.contexts.size(), 1u);
}

TEST(EventClock, TimesFromEachMarkToTheNext) {
  FakeCuda fake;
  void* const stream = reinterpret_cast<void*>(7);
  {
    const auto clock = make_event_clock(fake.api, 1, stream);
    ASSERT_NE(clock, nullptr);
    for (int k = 0; k < 3; ++k) {
      clock->mark(stream);
    }
    EXPECT_EQ(fake.event_calls, "r1@7 r2@7 r3@7 ");  // marks wait for nothing
    EXPECT_EQ(clock->milliseconds(), (std::vector<double>{1.0, 1.5}));
    EXPECT_EQ(fake.event_calls, "r1@7 r2@7 r3@7 s3 e12 e23 ");
  }
  EXPECT_EQ(fake.destroyed, 3);
  EXPECT_EQ(fake.retained, 0);
  EXPECT_EQ(fake.contexts.size(), 1u);  // the caller's context is as before
}

TEST(EventClock, RecordsNothingInACapturedStream) {
  FakeCuda fake;
  fake.capture = static_cast<CUstreamCaptureStatus>(1);
  EXPECT_EQ(make_event_clock(fake.api, 1, nullptr), nullptr);
  EXPECT_EQ(fake.events, 0);
  EXPECT_EQ(fake.retained, 0);
  EXPECT_EQ(fake.contexts.size(), 1u);
}

TEST(CudaStream, KnowsWhenItIsCaptured) {
  CudaApi api;
  api.cuStreamIsCapturing = [](CUstream stream, CUstreamCaptureStatus* status) {
    const auto number = reinterpret_cast<intptr_t>(stream);
    *status = static_cast<CUstreamCaptureStatus>(number);
    return number == 0 ? kCudaCaptureImplicit : number == 7 ? 201 : kCudaSuccess;
  };
  const auto captured = [&](intptr_t stream) { return is_captured(api, reinterpret_cast<CUstream>(stream)); };
  EXPECT_TRUE(captured(1));
  EXPECT_TRUE(captured(2)) << "a capture that went wrong is one still";
  EXPECT_TRUE(captured(0)) << "the legacy stream while another one is captured";
  EXPECT_FALSE(captured(7)) << "no context: whatever comes next says so";
  api.cuStreamIsCapturing = [](CUstream, CUstreamCaptureStatus* status) {
    *status = kNotCapturing;
    return kCudaSuccess;
  };
  EXPECT_FALSE(captured(1));
}

TEST(CudaDeviceProps, ComeFromTheDriver) {
  FakeCuda fake;
  fake.attributes = {{kComputeMajor, 9},
                     {kComputeMinor, 0},
                     {kMultiprocessors, 132},
                     {kClockKhz, 1980000},
                     {kL2Bytes, 50 << 20},
                     {kSharedPerMultiprocessor, 228 << 10},
                     {kSharedPerBlockOptin, 227 << 10},
                     {kRegistersPerMultiprocessor, 65536},
                     {kThreadsPerMultiprocessor, 2048},
                     {kBlocksPerMultiprocessor, 32},
                     {kThreadsPerBlock, 1024},
                     {kMemoryClockKhz, 1000000},
                     {kMemoryBusBits, 8000}};
  const DeviceProps known = query_device_props(fake.api, 0);
  EXPECT_TRUE(known.gpu);
  EXPECT_EQ(known.name, "NVIDIA H200");
  EXPECT_EQ(known.arch, 90);
  EXPECT_EQ(known.sms, 132);
  EXPECT_EQ(known.shared_per_block, 227 << 10);
  EXPECT_EQ(known.read_tbps, known_device("H200").read_tbps);

  fake.device_name = "NVIDIA Of Tomorrow";
  fake.attributes[kComputeMajor] = 12;
  const DeviceProps unknown = query_device_props(fake.api, 0);
  EXPECT_EQ(unknown.arch, 120);
  EXPECT_NEAR(query_peak_bandwidth(fake.api, 0), 2000.0, 1e-6);
  EXPECT_NEAR(unknown.read_tbps, 0.9 * 2.0, 1e-9);  // 2 transfers of 1000 bytes at 1 GHz
}

TEST(CudaDriver, ThatIsMissingIsAReason) {
  const ScopedOption chosen("libcuda", "/no/such/libcuda.so.1");
  std::string why;
  EXPECT_EQ(cuda_api(&why), nullptr);
  EXPECT_TRUE(contains(why, "/no/such/libcuda.so.1")) << why;
  EXPECT_TRUE(contains(why, "NVFUSER_LIBCUDA")) << why;
  EXPECT_FALSE(cuda_available());
  EXPECT_EQ(cuda_driver_major(), 0);
  message_of(ErrorKind::device, [] { cuda_device_props(0); });
  CompileRequest request{};
  request.way = Way::cuda;
  message_of(ErrorKind::device, [&] { compile(request); });
}

/// A library that exports every symbol of the table but `without`; all return 0, each device count is 1 and each stream
/// whose handle is not null is being captured.  What loads a module ends the process.
std::string fake_library_text(const std::string& without, int version) {
  std::string text;
#define CUDA_FUNCTION(returns, name, symbol, arguments, required)                                           \
  if (std::string(symbol) != without) {                                                                     \
    const std::string body = #name == std::string("cuDeviceGetCount")      ? "*value = 1; "                 \
                             : #name == std::string("cuStreamIsCapturing") ? "*status = value != nullptr; " \
                             : #name == std::string("cuModuleLoadDataEx")  ? "__builtin_trap(); "           \
                             : #name == std::string("cuDriverGetVersion")                                   \
                                 ? "*value = " + std::to_string(version) + "; "                             \
                                 : "";                                                                      \
    text += "extern \"C\" int " symbol "(int* value, int* status) { " + body + "return 0; }\n";             \
  }
#include "nvfuser/backend/cuda/cuda_api.def"
  return text;
}

TEST(CudaDriver, TakesAllRequiredEntryPointsOrNone) {
  const auto compiler = find_host_compiler();
  if (!compiler) {
    GTEST_SKIP() << "no host compiler";
  }
  const TestFolder folder;
  const std::string whole = folder.path + "/whole.so", part = folder.path + "/part.so";
  std::ofstream(whole, std::ios::binary) << compile_host(*compiler, Flavor::emulator, fake_library_text("", 12040));
  std::ofstream(part, std::ios::binary) << compile_host(*compiler, Flavor::emulator,
                                                        fake_library_text("cuCtxPushCurrent_v2", 12040));
  {
    const ScopedOption chosen("libcuda", whole);
    std::string why;
    ASSERT_NE(cuda_api(&why), nullptr) << why;
    EXPECT_EQ(cuda_driver_major(), 12);
    EXPECT_TRUE(cuda_available());
  }
  const ScopedOption chosen("libcuda", part);
  std::string why;
  EXPECT_EQ(cuda_api(&why), nullptr);
  EXPECT_TRUE(contains(why, "cuCtxPushCurrent_v2")) << why;
}

TEST(CudaDriver, CallsWithoutAPlanLeaveACaptureAlone) {
  const auto compiler = find_host_compiler();
  if (!compiler) {
    GTEST_SKIP() << "no host compiler";
  }
  const TestFolder folder;
  const std::string library = folder.path + "/driver.so";
  std::ofstream(library, std::ios::binary) << compile_host(*compiler, Flavor::emulator, fake_library_text("", 12040));
  const ScopedOption chosen("libcuda", library);
  const std::shared_ptr<Fusion> fusion = Fusion::make();
  TensorView* x = define_tensor(*fusion, {-1}, true);
  fusion->add_input(x);
  fusion->add_output(static_cast<TensorView*>(pointwise(PointwiseOp::neg, {x})));
  FusionExecutor executor(fusion);
  ExecuteOptions options;
  options.stream = &options;
  const TensorArgument tensor{&options, DataType::Float, {Device::Kind::cuda, 0}, {8}, {1}};
  const std::string message = message_of(ErrorKind::device, [&] { executor.prepare({tensor}, options); });
  for (const char* part : {"captured into a CUDA graph", "before the capture begins", "still usable"}) {
    EXPECT_TRUE(contains(message, part)) << message;
  }
  EXPECT_EQ(executor.plan_count(), 0U);
}

}  // namespace
}  // namespace nvfuser
