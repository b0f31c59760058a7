// SPDX-License-Identifier: Apache-2.0
// The driver's and NVRTC's types and values that are used here, declared anew: building needs no CUDA headers.
#pragma once

#include <cstddef>

namespace nvfuser {

using CUresult = int;
using CUdevice = int;
using CUdeviceptr = unsigned long long;
using CUcontext = struct CUctx*;
using CUmodule = struct CUmod*;
using CUfunction = struct CUfunc*;
using CUstream = struct CUstrm*;
using CUevent = struct CUevt*;
using nvrtcResult = int;
using nvrtcProgram = struct NvrtcProg*;

constexpr int kCudaSuccess = 0;
constexpr int kCudaCaptureImplicit = 906;
constexpr int kNvrtcSuccess = 0;

/// Of cuDeviceGetAttribute.
enum CUdevice_attribute : int {
  kThreadsPerBlock = 1,
  kClockKhz = 13,
  kMultiprocessors = 16,
  kMemoryClockKhz = 36,
  kMemoryBusBits = 37,
  kL2Bytes = 38,
  kThreadsPerMultiprocessor = 39,
  kComputeMajor = 75,
  kComputeMinor = 76,
  kSharedPerMultiprocessor = 81,
  kRegistersPerMultiprocessor = 82,
  kSharedPerBlockOptin = 97,
  kBlocksPerMultiprocessor = 106,
};

/// Of cuStreamIsCapturing; other values: a capture goes on, or was spoilt.
enum CUstreamCaptureStatus : int {
  kNotCapturing = 0,
};

/// Of cuFuncGetAttribute and cuFuncSetAttribute.
enum CUfunction_attribute : int {
  kStaticSharedBytes = 1,
  kLocalBytes = 3,
  kRegisters = 4,
  kMaxDynamicSharedBytes = 8,
};

/// Of cuPointerGetAttribute.
enum CUpointer_attribute : int {
  kDeviceOrdinal = 9,
};

/// Of cuModuleLoadDataEx.
enum CUjit_option : int {
  kErrorLogBuffer = 5,
  kErrorLogBytes = 6,
};

/// Of CUlaunchAttribute.
enum CUlaunchAttributeID : int {
  kLaunchIgnore = 0,
  kLaunchCooperative = 2,
  kLaunchProgrammaticSerialization = 6,
};

struct CUlaunchAttribute {
  CUlaunchAttributeID id;
  char padding[4];
  union {
    char bytes[64];
    int flag;
  } value;
};

/// Of cuLaunchKernelEx.
struct CUlaunchConfig {
  unsigned grid[3], block[3];
  unsigned shared_bytes;
  CUstream stream;
  CUlaunchAttribute* attributes;
  unsigned count;
};

/// Keys of cuLaunchKernel's `extra`: the arguments are one buffer.
inline void* const kLaunchEnd = nullptr;
inline void* const kLaunchBuffer = reinterpret_cast<void*>(1);
inline void* const kLaunchBufferSize = reinterpret_cast<void*>(2);

}  // namespace nvfuser
