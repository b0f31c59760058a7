// SPDX-License-Identifier: Apache-2.0
// Compiled kernels, whatever compiled them.  compile() takes a unit of several kernels and gives one Module; results
// are kept in the disk cache.  Knows text and bytes, no IR.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "nvfuser/base/device_props.h"

namespace nvfuser {

/// How a kernel runs.
enum class Way : uint8_t { cuda, host, emulator, evaluator };
std::string_view name_of(Way way);

/// One kernel of a unit as the launcher needs it.
struct KernelEntry {
  std::string name;
  int image_bytes = 0;
  bool has_barrier = false;
  std::vector<int> offsets = {};  ///< bytes into the argument image, a parameter each; CUDA's cooperative launches
};

struct CompileRequest {
  Way way;
  std::string text;                ///< UnitText::text
  std::string emulator_launchers;  ///< Way::emulator only
  std::vector<KernelEntry> kernels;
  int arch = 90;   ///< Way::cuda: compute capability * 10
  int device = 0;  ///< Way::cuda: ordinal
};

/// What a launch may check or say about one buffer (emulator: bounds; host and cuda: ignored).
struct BufferExtent {
  const char* name;
  int64_t elements;    ///< addressable elements from the pointer on
  int64_t before = 0;  ///< addressable elements below the pointer: negative strides
};

struct LaunchRequest {
  std::array<int64_t, 3> grid{1, 1, 1};
  std::array<int64_t, 3> block{1, 1, 1};
  int64_t shared_bytes = 0;
  const void* image = nullptr;  ///< argument image, laid out by lower/image_layout
  int image_bytes = 0;
  void* stream = nullptr;                 ///< CUstream
  const BufferExtent* buffers = nullptr;  ///< parallel to the buffer parameters
  int buffer_count = 0;
  uint64_t seed = 1;         ///< emulator: order of fibers
  bool cooperative = false;  ///< all blocks of the grid are resident at once
  int cluster = 1;           ///< emulator: blocks along y that are resident at once; on a GPU the kernel itself says so
  bool dependent = false;    ///< may start before the launch in front of it has ended
};

/// What one launched thread and block occupy beyond the launch's own dynamic memory; 0 where it is not known.
struct KernelResources {
  int registers = 0;
  int64_t static_shared_bytes = 0;
  int64_t local_bytes = 0;  ///< a thread's own memory: arrays that registers do not hold, and spills
};

class Module {
 public:
  virtual ~Module() = default;
  /// Throws ErrorKind::device when the launch fails or the emulator reports a fault (message: what, buffer, element,
  /// block and thread).
  virtual void launch(int kernel, const LaunchRequest& request) = 0;
  /// Words that are 0 between launches on that stream, for kernels whose blocks meet; null: the caller gives memory
  /// that it cleared.
  virtual void* semaphores(int64_t /*words*/, void* /*stream*/) { return nullptr; }
  /// Fills memory that kernels of the module use with zeros, in the order of the stream.
  virtual void clear(void* data, int64_t bytes, void* /*stream*/) { std::memset(data, 0, static_cast<size_t>(bytes)); }
  virtual Way way() const = 0;
  virtual KernelResources resources(int /*kernel*/) const { return {}; }

  /// When this process got the module, and how long the compile, or the way from the disk cache, took.
  struct Origin {
    std::chrono::steady_clock::time_point ready;
    double seconds = 0;
  };
  const Origin& origin() const { return origin_; }
  /// Told once, before others see the module.
  void set_origin(const Origin& origin) { origin_ = origin; }

 private:
  Origin origin_;
};

/// Compiles or fetches from the disk cache.  Thread-safe.  ErrorKind::compile with the compiler's log.
std::shared_ptr<Module> compile(const CompileRequest& request);
/// Forgets all modules of this process, so that the next compile asks the disk cache; modules in use stay alive.
void forget_modules();
/// NVRTC to cubin, without a device: bytes of the cubin.  For tests and ahead-of-time compilation.
std::string compile_cubin(const std::string& text, int arch);

/// Is a C++ compiler found?  When not, `why` says what was tried.
bool host_compiler_available(std::string* why = nullptr);
/// Is libcuda with a device found?
bool cuda_available(std::string* why = nullptr);
bool nvrtc_available(std::string* why = nullptr);
/// Is work on this stream of CUDA recorded into a graph at present?  False without a driver.
bool cuda_capturing(void* stream);
/// Waits for all work on a stream of CUDA.
void cuda_synchronize(void* stream);
/// The device on which memory of CUDA lies.
int cuda_device_of(const void* address);
/// What compiles, in words for people: "/usr/bin/c++ 12.2.0", "NVRTC 13.0, /usr/lib/libnvrtc.so.13"; empty where there
/// is none.
std::string host_compiler_name();
std::string nvrtc_name();
/// Why compiled kernels are not kept on disk, or not any more; empty while they are.
std::string cache_problem();
/// A folder of Python's path: NVRTC is looked for in it and in the packages nvidia/ and torch/ below it.  Touches no
/// file.
void add_library_folder(const std::string& path);
/// Properties of a device: Way::cuda from the driver, otherwise this machine's CPU.
DeviceProps cuda_device_props(int device);
DeviceProps cpu_device_props();
/// Data-sheet bandwidth of a CUDA device's memory in GB/s, by clock and width of its bus; 0 where the driver does not
/// tell.
double cuda_peak_bandwidth(int device);
/// Number of compiler runs in this process (host, emulator, nvrtc) that the disk cache did not answer.
int64_t compiler_runs();

}  // namespace nvfuser
