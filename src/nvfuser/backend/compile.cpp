// SPDX-License-Identifier: Apache-2.0
// From a unit's text to a Module: this process's memory, then the disk cache, then a compiler.
#include <gnu/libc-version.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "nvfuser/backend/cpu/emulator_module.h"
#include "nvfuser/backend/cpu/host_compiler.h"
#include "nvfuser/backend/cpu/host_module.h"
#include "nvfuser/backend/cpu/unit_library.h"
#include "nvfuser/backend/cuda/cuda_module.h"
#include "nvfuser/backend/cuda/driver.h"
#include "nvfuser/backend/cuda/nvrtc.h"
#include "nvfuser/backend/disk_cache.h"
#include "nvfuser/backend/module.h"
#include "nvfuser/base/errors.h"
#include "nvfuser/base/fork_mutex.h"
#include "nvfuser/base/hash.h"
#include "nvfuser/base/interrupt.h"
#include "nvfuser/base/options.h"
#include "nvfuser/base/progress_line.h"

#ifndef NVFUSER_VERSION
#define NVFUSER_VERSION "source"
#endif

namespace nvfuser {
namespace {

constexpr size_t kModuleLimit = 4096;  // modules that this process keeps for the next compile of the same text
constexpr double kLongestWait = 120;   // seconds for another process: one that was stopped holds its locks

std::atomic<int64_t> runs{0};

using ModulePointer = std::shared_ptr<Module>;

/// How one way makes a module of one unit.
struct Unit {
  std::string what;  ///< for people
  CacheName name;
  std::string source;
  std::function<std::string()> build;
  std::function<ModulePointer(const CacheEntry&)> load;  ///< empty: only the bytes are wanted
};

/// Modules by key.  The first thread that asks for a key makes the module, others wait for it; a failure is told to all
/// of them and forgotten.  Where the first is interrupted, one of the others goes on.
class ModuleMemo {
 public:
  ModulePointer find_or_make(const std::string& key, const std::function<ModulePointer()>& make) {
    for (;;) {
      std::promise<ModulePointer> promise;
      const Future future = find_or_add(key, promise);
      if (!future.valid()) {
        return make_and_tell(key, promise, make);
      }
      while (future.wait_for(kInterruptPeriod) != std::future_status::ready) {
        check_interrupt();
      }
      try {
        return future.get();
      } catch (const Interrupted&) {
      }
    }
  }

  void clear() {
    std::unordered_map<std::string, Future> dropped;  // destroyed outside of the lock
    const std::lock_guard lock(mutex_);
    dropped.swap(modules_);
    order_.clear();
  }

 private:
  using Future = std::shared_future<ModulePointer>;

  /// What another thread makes or has made; none when it is the caller's to make.
  Future find_or_add(const std::string& key, std::promise<ModulePointer>& promise) {
    Future dropped;  // destroyed outside of the lock
    const std::lock_guard lock(mutex_);
    if (generation_ != fork_generation()) {
      // The threads that were making modules stayed in the parent.
      const auto unfinished = [](const Future& future) {
        return future.wait_for(kNoTime) != std::future_status::ready;
      };
      std::erase_if(order_, [&](const std::string& known) { return unfinished(modules_.at(known)); });
      std::erase_if(modules_, [&](const auto& known) { return unfinished(known.second); });
      generation_ = fork_generation();
    }
    const auto found = modules_.find(key);
    if (found != modules_.end()) {
      return found->second;
    }
    modules_.emplace(key, promise.get_future().share());
    order_.push_back(key);
    if (order_.size() > kModuleLimit) {
      dropped = std::move(modules_.at(order_.front()));
      modules_.erase(order_.front());
      order_.pop_front();
    }
    return {};
  }

  ModulePointer make_and_tell(const std::string& key, std::promise<ModulePointer>& promise,
                              const std::function<ModulePointer()>& make) {
    try {
      ModulePointer module = make();
      promise.set_value(module);
      return module;
    } catch (...) {
      forget(key);
      promise.set_exception(std::current_exception());
      throw;
    }
  }

  void forget(const std::string& key) {
    const std::lock_guard lock(mutex_);
    modules_.erase(key);
    std::erase(order_, key);
  }

  static constexpr std::chrono::seconds kNoTime{0};

  LeafMutex mutex_;
  uint64_t generation_ = fork_generation();
  std::unordered_map<std::string, Future> modules_;
  std::deque<std::string> order_;
};

/// Never destroyed: at exit, drivers and libraries may be gone before it.
ModuleMemo& memo() {
  static auto* instance = new ModuleMemo;
  return *instance;
}

CacheEntry build_and_store(DiskCache& cache, const Unit& unit) {
  runs.fetch_add(1, std::memory_order_relaxed);
  const ProgressLine line("nvfuser: compiling " + unit.what);
  return cache.store(unit.name, unit.build(), unit.source);
}

/// Of several processes that miss a unit one compiles it, the others wait for the entry.
CacheEntry fetch(DiskCache& cache, const Unit& unit, bool& cached) {
  cached = true;
  if (std::optional<CacheEntry> entry = cache.find(unit.name)) {
    return std::move(*entry);
  }
  const double longest = std::min(kLongestWait, static_cast<double>(options().compile_timeout));
  const std::unique_ptr<KeyLock> claim = cache.claim(unit.name, longest);
  if (std::optional<CacheEntry> entry = claim ? cache.find(unit.name) : std::nullopt) {
    return std::move(*entry);
  }
  cached = false;
  return build_and_store(cache, unit);
}

ModulePointer fetch_and_load(const Unit& unit) {
  const std::shared_ptr<DiskCache> cache = disk_cache();
  bool cached = false;
  const CacheEntry entry = fetch(*cache, unit, cached);
  try {
    return unit.load(entry);
  } catch (const Error&) {
    if (!cached) {
      throw;
    }
  }
  // A cached unit that does not load, made perhaps where other system libraries were installed, is made anew.
  return unit.load(build_and_store(*cache, unit));
}

std::string stem_of(Way way, Hash128 identity, std::string_view text, std::string_view launchers) {
  Hasher hasher;
  hasher.add(NVFUSER_VERSION).add(way).add(identity).add(text).add(launchers);
  return hasher.value128().hex() + "-" + std::string(name_of(way));
}

const Nvrtc& require_nvrtc() {
  std::string why;
  const Nvrtc* found = nvrtc(&why);
  check(found != nullptr, ErrorKind::compile, why);
  return *found;
}

Unit cubin_unit(const Nvrtc& nvrtc, const std::string& text, int arch) {
  Unit unit;
  unit.name = {stem_of(Way::cuda, nvrtc_identity(nvrtc, arch), text, {}) + std::to_string(arch), ".cubin", ".cu"};
  unit.source = text;
  unit.build = [&nvrtc, &text, arch] { return compile_nvrtc(nvrtc, text, arch); };
  return unit;
}

Unit cuda_unit(const CompileRequest& request) {
  std::string why;
  const CudaApi* api = cuda_api(&why);
  check(api != nullptr, ErrorKind::device, why);
  Unit unit = cubin_unit(require_nvrtc(), request.text, request.arch);
  unit.load = [api, &request](const CacheEntry& entry) {
    return make_cuda_module(*api, entry.payload, request.kernels, request.device);
  };
  return unit;
}

Unit host_unit(const CompileRequest& request) {
  const bool emulated = request.way == Way::emulator;
  const Flavor flavor = emulated ? Flavor::emulator : Flavor::cpu;
  std::string why;
  const std::shared_ptr<const HostCompiler> compiler = find_host_compiler(&why);
  check(compiler != nullptr, ErrorKind::compile, why);
  Hasher identity;
  identity.add(host_identity(*compiler, flavor)).add(gnu_get_libc_version());
  Unit unit;
  unit.name = {stem_of(request.way, identity.value128(), request.text, request.emulator_launchers), ".so", ".cpp"};
  unit.source = request.text + request.emulator_launchers;
  unit.build = [compiler, flavor, source = unit.source] { return compile_host(*compiler, flavor, source); };
  unit.load = [emulated, &request](const CacheEntry& entry) {
    const std::shared_ptr<SharedLibrary> library = load_unit(entry);
    return emulated ? make_emulator_module(library, request.kernels) : make_host_module(library, request.kernels);
  };
  return unit;
}

/// "nvf_add_relu and 2 others (host)"
std::string title_of(const CompileRequest& request) {
  const size_t count = request.kernels.size();
  return (count == 0 ? "kernels" : request.kernels[0].name) +
         (count > 1 ? " and " + std::to_string(count - 1) + (count == 2 ? " other" : " others") : "") + " (" +
         std::string(name_of(request.way)) + ")";
}

ModulePointer timed(const Unit& unit) {
  const auto start = std::chrono::steady_clock::now();
  ModulePointer module = fetch_and_load(unit);
  const auto ready = std::chrono::steady_clock::now();
  module->set_origin({ready, std::chrono::duration<double>(ready - start).count()});
  return module;
}

std::string memo_key(const CompileRequest& request, const Unit& unit) {
  std::string key = unit.name.stem + " " + std::to_string(request.device);
  for (const KernelEntry& kernel : request.kernels) {
    key += " " + kernel.name + " " + std::to_string(kernel.image_bytes) + (kernel.has_barrier ? " barrier" : "");
  }
  return key;
}

}  // namespace

std::string_view name_of(Way way) {
  static constexpr std::string_view kNames[] = {"cuda", "host", "emulator", "evaluator"};
  return kNames[static_cast<size_t>(way)];
}

std::shared_ptr<Module> compile(const CompileRequest& request) {
  ensure(request.way != Way::evaluator, "the evaluator compiles nothing");
  Unit unit = request.way == Way::cuda ? cuda_unit(request) : host_unit(request);
  unit.what = title_of(request);
  return memo().find_or_make(memo_key(request, unit), [&] { return timed(unit); });
}

void forget_modules() { memo().clear(); }

std::string compile_cubin(const std::string& text, int arch) {
  Unit unit = cubin_unit(require_nvrtc(), text, arch);
  unit.what = "kernels for sm_" + std::to_string(arch);
  bool cached = false;
  return fetch(*disk_cache(), unit, cached).payload;
}

bool host_compiler_available(std::string* why) { return find_host_compiler(why) != nullptr; }

bool cuda_available(std::string* why) { return cuda_api(why) != nullptr; }

bool cuda_capturing(void* stream) {
  const CudaApi* api = cuda_api();
  return api != nullptr && is_captured(*api, static_cast<CUstream>(stream));
}

bool nvrtc_available(std::string* why) { return nvrtc(why) != nullptr; }

std::string host_compiler_name() {
  const std::shared_ptr<const HostCompiler> found = find_host_compiler();
  return found ? found->version : "";
}

std::string nvrtc_name() {
  const Nvrtc* found = nvrtc();
  return found ? "NVRTC " + std::to_string(found->major) + "." + std::to_string(found->minor) + ", " + found->path : "";
}

std::string cache_problem() {
  const std::shared_ptr<DiskCache> cache = disk_cache();
  return cache->folder().empty() ? cache->why_off() : cache->writable() ? "" : cache->folder() + " cannot be written";
}

namespace {

const CudaApi* require_cuda() {
  std::string why;
  const CudaApi* api = cuda_api(&why);
  check(api != nullptr, ErrorKind::device, why);
  return api;
}

}  // namespace

void cuda_synchronize(void* stream) {
  const CudaApi* api = require_cuda();
  check_cuda(*api, api->cuStreamSynchronize(static_cast<CUstream>(stream)), "cuStreamSynchronize");
}

int cuda_device_of(const void* address) {
  const CudaApi* api = require_cuda();
  int ordinal = 0;
  check_cuda(*api, api->cuPointerGetAttribute(&ordinal, kDeviceOrdinal, address), "cuPointerGetAttribute");
  return ordinal;
}

DeviceProps cuda_device_props(int device) {
  const CudaApi* api = require_cuda();
  // Asked for every plan; the driver takes microseconds for each attribute.
  static auto& guarded = *new LongGuarded<std::map<int, DeviceProps>>;
  const auto known = guarded.lock();
  auto found = known->find(device);
  if (found == known->end()) {
    found = known->emplace(device, query_device_props(*api, device)).first;
  }
  return found->second;
}

double cuda_peak_bandwidth(int device) {
  std::string why;
  const CudaApi* api = cuda_api(&why);
  check(api != nullptr, ErrorKind::device, why);
  return query_peak_bandwidth(*api, device);
}

int64_t compiler_runs() { return runs.load(std::memory_order_relaxed); }

}  // namespace nvfuser
