// SPDX-License-Identifier: Apache-2.0
// Bulk copies on their way to the stages of a block's rings.  What a copy will write counts as uninitialised until all
// copies of its turn are waited for; only then are the bytes moved.  Stages of a block are numbered through.
#pragma once

#include <cstring>
#include <vector>

#include "shadow.h"

#pragma GCC visibility push(hidden)
namespace rt {
inline namespace emulator {

/// A copy that has left, or a row's number that was posted, which has no source but its own bytes.  `read` and
/// `written`: shadows of what it reads and writes; `seen`: writes of the source, as they were when it left.
struct BulkCopy {
  const char* from;
  char* to;
  size_t bytes;
  Shadow *read, *written;
  std::vector<Stamp> seen;
  const char *source, *target;  ///< names
  long long number = 0;
};

struct Stage {
  long long turns = 0;  ///< completed
  bool ended = false;   ///< no copies follow the number that was posted
  std::vector<BulkCopy> under_way;
};

/// A ring of a block; named by its place in shared memory.
struct RingState {
  int at, stages, copies, first;  ///< copies a turn; number of its first stage
};

/// Of one block.
struct Arrivals {
  static constexpr int kMostStages = 64;  ///< as many as Now has bits
  std::vector<RingState> rings;
  std::vector<Stage> stages;
  std::vector<uint64_t> waited;  ///< by thread: stages whose last completed turn it waited for

  void clear(int threads) {
    rings.clear();
    stages.clear();
    waited.assign(size_t(threads), 0);
  }
  RingState* find(int at) {
    for (RingState& ring : rings) {
      if (ring.at == at) {
        return &ring;
      }
    }
    return nullptr;
  }
  bool complete(int stage, int copies) const {
    return stages[stage].ended || int(stages[stage].under_way.size()) == copies;
  }
  /// Have all copies of the turn left, of the stage's turns counted through?
  bool left(int stage, int copies, long long turn) const {
    return stages[stage].turns > turn || complete(stage, copies);
  }
  /// Nobody has waited for what is on its way now.
  void forget(int stage) {
    for (uint64_t& w : waited) {
      w &= ~(uint64_t(1) << stage);
    }
  }
};

}  // namespace emulator
}  // namespace rt
#pragma GCC visibility pop
