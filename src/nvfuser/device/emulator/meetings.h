// SPDX-License-Identifier: Apache-2.0
// Blocks that meet at semaphores, for the emulator: who has come, and whose accesses the last one sees.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "shadow.h"

#pragma GCC visibility push(hidden)
namespace rt {
inline namespace emulator {

/// Of one grid.
class Meetings {
 public:
  /// A block that began in epoch `first` comes to a semaphore in epoch `now`.
  void come(const int* semaphore, uint64_t first, uint64_t now) { come_[semaphore].push_back({first, now}); }
  /// Those that have come, for the last one; the semaphore is free again.
  std::vector<Seen> leave(const int* semaphore) {
    std::vector<Seen> all = std::move(come_[semaphore]);
    come_.erase(semaphore);
    return all;
  }

 private:
  std::map<const int*, std::vector<Seen>> come_;
};

}  // namespace emulator
}  // namespace rt
#pragma GCC visibility pop
