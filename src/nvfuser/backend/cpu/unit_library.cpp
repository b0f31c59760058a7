// SPDX-License-Identifier: Apache-2.0
// Three places to load from, each for machines where the one before is refused.
#include "nvfuser/backend/cpu/unit_library.h"

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "nvfuser/backend/live_folder.h"
#include "nvfuser/backend/private_file.h"
#include "nvfuser/base/errors.h"

namespace nvfuser {
namespace {

std::shared_ptr<SharedLibrary> load_from_scratch(const std::string& payload, std::string& why) {
  static std::atomic<uint64_t> counter{0};
  std::shared_ptr<SharedLibrary> unit;
  try {
    const std::string path = scratch_folder() + "/loaded" + std::to_string(counter.fetch_add(1)) + ".so";
    const int error = write_private_file(path, payload);
    if (error == 0) {
      unit = SharedLibrary::open(path, &why);
    } else {
      why = path + ": " + std::strerror(error);
    }
    unlink(path.c_str());
  } catch (const Error& error) {
    why = error.what();
  }
  return unit;
}

/// For machines where no folder may be executed from.  The loader knows libraries by path, so the descriptor, which is
/// the path, stays open as long as the process: a second unit must never get the number of the first.
std::shared_ptr<SharedLibrary> load_from_memory(const std::string& payload, std::string& why) {
  const int descriptor = memfd_create("nvfuser-unit", MFD_CLOEXEC);
  if (descriptor < 0) {
    why = std::string("memory: ") + std::strerror(errno);
    return nullptr;
  }
  size_t done = 0;
  while (done < payload.size()) {
    const ssize_t count = write(descriptor, payload.data() + done, payload.size() - done);
    if (count <= 0) {
      why = std::string("memory: ") + std::strerror(errno);
      break;
    }
    done += count;
  }
  std::shared_ptr<SharedLibrary> unit;
  if (done == payload.size()) {
    unit = SharedLibrary::open("/proc/self/fd/" + std::to_string(descriptor), &why);
  }
  if (unit) {
    unit->keep_forever();
  } else {
    close(descriptor);
  }
  return unit;
}

}  // namespace

std::shared_ptr<SharedLibrary> load_unit(const CacheEntry& entry) {
  std::string why_file, why_scratch, why_memory;
  std::shared_ptr<SharedLibrary> unit;
  if (!entry.path.empty()) {
    unit = SharedLibrary::open(entry.path, &why_file);
  }
  if (!unit) {
    unit = load_from_scratch(entry.payload, why_scratch);
  }
  if (!unit) {
    unit = load_from_memory(entry.payload, why_memory);
  }
  check(unit != nullptr, ErrorKind::compile, "a compiled unit does not load: ", why_file, why_file.empty() ? "" : "; ",
        why_scratch, "; ", why_memory);
  return unit;
}

void* unit_symbol(const SharedLibrary& unit, const std::string& name) {
  void* symbol = unit.symbol(name.c_str());
  ensure(symbol != nullptr, "a compiled unit lacks its entry point ", name);
  return symbol;
}

}  // namespace nvfuser
