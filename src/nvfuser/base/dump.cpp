// SPDX-License-Identifier: Apache-2.0
// Dumps go to file descriptor 2 under a lock, so those of several threads do not mix.
#include "nvfuser/base/dump.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <iterator>
#include <mutex>
#include <string>
#include <utility>

#include "nvfuser/base/fork_mutex.h"
#include "nvfuser/base/options.h"

namespace nvfuser {

namespace {

constexpr std::string_view kNames[] = {
#define DUMP_STAGE(name, doc) #name,
#include "nvfuser/base/dump.def"
#undef DUMP_STAGE
};

constexpr int kMaskBits = 16;
static_assert(std::size(kNames) <= kMaskBits);

/// One bit a stage, below the version of the options that it was made from.
uint64_t current_mask() {
  static std::atomic<uint64_t> cached{0};
  const uint64_t version = options_version();
  uint64_t mask = cached.load(std::memory_order_acquire);
  if (mask >> kMaskBits != version) {
    mask = version << kMaskBits;
    for (const std::string& name : options().dump) {
      mask |= uint64_t{1} << (std::find(std::begin(kNames), std::end(kNames), name) - std::begin(kNames));
    }
    cached.store(mask, std::memory_order_release);
  }
  return mask;
}

}  // namespace

std::string_view name_of(DumpStage stage) { return kNames[static_cast<size_t>(stage)]; }

bool dump_enabled(DumpStage stage) { return (current_mask() >> static_cast<int>(stage) & 1) != 0; }

void dump(DumpStage stage, std::string_view text) {
  if (!dump_enabled(stage)) {
    return;
  }
  std::string all = "==== nvfuser " + std::string(name_of(stage)) + " ====\n";
  all.append(text);
  if (all.back() != '\n') {
    all += '\n';
  }
  static LeafMutex& mutex = *new LeafMutex;
  const std::lock_guard lock(mutex);
  for (size_t done = 0; done < all.size();) {
    const ssize_t written = write(STDERR_FILENO, all.data() + done, all.size() - done);
    if (written < 0 && errno != EINTR) {
      return;  // nobody listens; a dump never disturbs the program
    }
    done += written > 0 ? static_cast<size_t>(written) : 0;
  }
}

TimedScope::TimedScope(std::string what)
    : enabled_(dump_enabled(DumpStage::time)), what_(std::move(what)), start_(std::chrono::steady_clock::now()) {}

TimedScope::~TimedScope() {
  if (enabled_) {
    const auto passed = std::chrono::steady_clock::now() - start_;
    const int64_t microseconds = std::chrono::duration_cast<std::chrono::microseconds>(passed).count();
    dump(DumpStage::time, what_ + ": " + std::to_string(microseconds) + " us");
  }
}

}  // namespace nvfuser
