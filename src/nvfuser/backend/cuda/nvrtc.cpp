// SPDX-License-Identifier: Apache-2.0
// Opens the first NVRTC that fits the driver, and runs it.  Its flags are rows of one table.
#include "nvfuser/backend/cuda/nvrtc.h"

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "nvfuser/backend/cuda/driver.h"
#include "nvfuser/backend/cuda/nvrtc_search.h"
#include "nvfuser/backend/cuda/nvrtc_signals.h"
#include "nvfuser/backend/header_folder.h"
#include "nvfuser/backend/shared_library.h"
#include "nvfuser/base/errors.h"
#include "nvfuser/base/fork_mutex.h"
#include "nvfuser/base/interrupt.h"
#include "nvfuser/base/options.h"
#include "nvfuser/device/embedded.h"

namespace nvfuser {
namespace {

struct FlagRow {
  const char* flag;
  bool (*wanted)(const Options&);
  const char* why;
};
constexpr FlagRow kFlags[] = {
    {"--std=c++17", [](const Options&) { return true; }, "the device headers' language on CUDA"},
    {"-lineinfo", [](const Options& now) { return now.lineinfo; }, "profilers show lines of the kernel's text"},
};

std::vector<std::string> flags_for(int arch) {
  const Options now = options();
  std::vector<std::string> flags{"--gpu-architecture=sm_" + std::to_string(arch)};
  for (const FlagRow& row : kFlags) {
    if (row.wanted(now)) {
      flags.push_back(row.flag);
    }
  }
  return flags;
}

struct Found {
  std::unique_ptr<Nvrtc> nvrtc;
  std::string why;
};

/// A program of NVRTC, destroyed on every way out.
struct Compilation {
  const NvrtcApi& api;
  nvrtcProgram program = nullptr;
  ~Compilation() {
    if (program) {
      api.nvrtcDestroyProgram(&program);
    }
  }
  std::string log() const {
    size_t bytes = 0;
    if (api.nvrtcGetProgramLogSize(program, &bytes) != kNvrtcSuccess || bytes <= 1) {
      return {};
    }
    std::string text(bytes, '\0');
    if (api.nvrtcGetProgramLog(program, text.data()) != kNvrtcSuccess) {
      return {};
    }
    text.resize(bytes - 1);
    return text;
  }
};

/// Asks on NVRTC's behalf whether the compile shall end.  Once it has said so, it says so always.
struct Interruption {
  using Clock = std::chrono::steady_clock;
  const std::thread::id thread = std::this_thread::get_id();
  Clock::time_point next = Clock::now() + kInterruptPeriod;
  bool asked = false;

  static int ask(void* self, void*) {
    auto& state = *static_cast<Interruption*>(self);
    if (std::this_thread::get_id() != state.thread) {
      return 0;  // a thread of NVRTC: the program knows nothing of it
    }
    if (!state.asked && Clock::now() >= state.next) {
      state.asked = interrupt_asked();
      state.next = Clock::now() + kInterruptPeriod;
    }
    return state.asked ? 1 : 0;
  }
};

/// NVRTC looks for its builtins by soname, and finds those that are loaded already wherever they lie.  False when none
/// lies beside the library or none of them opens.
bool open_builtins(const std::string& library) {
  bool opened = false;
  for (const std::string& path : nvrtc_builtins_beside(library)) {
    std::string ignored;
    if (const auto builtins = SharedLibrary::open(path, &ignored, SharedLibrary::Scope::global)) {
      builtins->keep_forever();
      opened = true;
    }
  }
  return opened;
}

/// Compiles nothing; the log when even that fails.
std::string trial_log(const NvrtcApi& api) {
  Compilation unit{api};
  nvrtcResult result = api.nvrtcCreateProgram(&unit.program, "", "trial.cu", 0, nullptr, nullptr);
  if (result == kNvrtcSuccess) {
    result = api.nvrtcCompileProgram(unit.program, 0, nullptr);
  }
  return result == kNvrtcSuccess ? "" : std::string(api.nvrtcGetErrorString(result)) + "\n" + unit.log();
}

/// Opens one candidate; null with a reason when it is none, too new for the driver, or cannot compile.
std::unique_ptr<Nvrtc> open_candidate(const LibraryCandidate& candidate, int driver_major, std::string& why) {
  const bool has_builtins = open_builtins(candidate.path);
  const auto library = SharedLibrary::open(candidate.path, &why);
  if (!library) {
    return nullptr;
  }
  library->keep_forever();
  auto nvrtc = std::make_unique<Nvrtc>();
#define NVRTC_FUNCTION(returns, name, symbol_name, arguments, required)                   \
  nvrtc->api.name = reinterpret_cast<returns(*) arguments>(library->symbol(symbol_name)); \
  if (required && !nvrtc->api.name) {                                                     \
    why = candidate.path + ": lacks " symbol_name;                                        \
    return nullptr;                                                                       \
  }
#include "nvfuser/backend/cuda/nvrtc_api.def"
  if (nvrtc->api.nvrtcVersion(&nvrtc->major, &nvrtc->minor) != kNvrtcSuccess) {
    why = candidate.path + ": does not state its version";
    return nullptr;
  }
  if (driver_major > 0 && nvrtc->major > driver_major) {
    why = candidate.path + ": NVRTC " + std::to_string(nvrtc->major) + "." + std::to_string(nvrtc->minor) +
          " makes cubins that a driver of CUDA " + std::to_string(driver_major) + " does not load";
    return nullptr;
  }
  keep_signals_from(reinterpret_cast<const void*>(nvrtc->api.nvrtcVersion));
  if (const std::string log = has_builtins ? "" : trial_log(nvrtc->api); !log.empty()) {
    why = candidate.path + ": compiles nothing: " + log;
    return nullptr;
  }
  nvrtc->path = SharedLibrary::path_of(reinterpret_cast<const void*>(nvrtc->api.nvrtcVersion));
  std::error_code error;
  const uintmax_t bytes = std::filesystem::file_size(nvrtc->path, error);
  nvrtc->bytes = error ? 0 : static_cast<int64_t>(bytes);
  return nvrtc;
}

Found search() {
  Found found;
  const int driver_major = cuda_driver_major();
  std::string tried;
  for (const LibraryCandidate& candidate : nvrtc_candidates()) {
    std::string reason;
    found.nvrtc = open_candidate(candidate, driver_major, reason);
    if (found.nvrtc) {
      return found;
    }
    tried += "\n  " + reason + " [" + candidate.origin + "]";
  }
  found.why = "no NVRTC was found; tried:" + (tried.empty() ? "\n  nothing" : tried) +
              "\ninstall the Python package nvidia-cuda-nvrtc, or set NVFUSER_NVRTC to a libnvrtc.so or its folder";
  return found;
}

}  // namespace

const Nvrtc* nvrtc(std::string* why) {
  // By what the search depends on; never destroyed: handed out.
  static auto& guarded = *new LongGuarded<std::map<std::string, Found>>;
  const std::string state = nvrtc_search_state() + "\n" + std::to_string(cuda_driver_major());
  const auto known = guarded.lock();
  auto entry = known->find(state);
  if (entry == known->end()) {
    entry = known->emplace(state, search()).first;
  }
  if (why) {
    *why = entry->second.why;
  }
  return entry->second.nvrtc.get();
}

Hash128 nvrtc_identity(const Nvrtc& nvrtc, int arch) {
  Hasher hasher;
  hasher.add(nvrtc.major).add(nvrtc.minor).add(nvrtc.bytes).add(device_header_hash(Flavor::cuda));
  for (const std::string& flag : flags_for(arch)) {
    hasher.add(flag);
  }
  return hasher.value128();
}

std::string compile_nvrtc(const Nvrtc& nvrtc, const std::string& text, int arch) {
  const NvrtcApi& api = nvrtc.api;
  std::vector<std::string> names, texts;  // NVRTC wants them to end in a zero
  std::vector<const char*> name_pointers, text_pointers;
  for (const auto& [name, header] : device_headers(Flavor::cuda)) {
    names.emplace_back(name);
    texts.emplace_back(header);
  }
  for (size_t i = 0; i < names.size(); ++i) {
    name_pointers.push_back(names[i].c_str());
    text_pointers.push_back(texts[i].c_str());
  }
  Compilation unit{api};
  nvrtcResult result = api.nvrtcCreateProgram(&unit.program, text.c_str(), "unit.cu", static_cast<int>(names.size()),
                                              text_pointers.data(), name_pointers.data());
  check(result == kNvrtcSuccess, ErrorKind::compile, "nvrtcCreateProgram: ", api.nvrtcGetErrorString(result));

  const std::vector<std::string> flags = flags_for(arch);
  std::vector<const char*> flag_pointers;
  for (const std::string& flag : flags) {
    flag_pointers.push_back(flag.c_str());
  }
  Interruption interruption;
  if (api.nvrtcSetFlowCallback != nullptr) {
    api.nvrtcSetFlowCallback(unit.program, &Interruption::ask, &interruption);
  }
  result = api.nvrtcCompileProgram(unit.program, static_cast<int>(flags.size()), flag_pointers.data());
  if (interruption.asked) {
    throw Interrupted();
  }
  if (result != kNvrtcSuccess) {
    fail(ErrorKind::compile, "NVRTC ", nvrtc.major, ".", nvrtc.minor, " (", nvrtc.path, ") refuses a unit for sm_",
         arch, ": ", api.nvrtcGetErrorString(result), "\n", unit.log());
  }
  size_t bytes = 0;
  result = api.nvrtcGetCUBINSize(unit.program, &bytes);
  std::string cubin(bytes, '\0');
  if (result == kNvrtcSuccess) {
    result = api.nvrtcGetCUBIN(unit.program, cubin.data());
  }
  check(result == kNvrtcSuccess && !cubin.empty(), ErrorKind::compile,
        "nvrtcGetCUBIN: ", api.nvrtcGetErrorString(result));
  return cubin;
}

}  // namespace nvfuser
