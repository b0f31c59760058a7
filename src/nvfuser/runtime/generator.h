// SPDX-License-Identifier: Apache-2.0
// The state behind random numbers: a seed, and an offset that every call moves by what its fusion declares.
#pragma once

#include <cstdint>

#include "nvfuser/base/fork_mutex.h"
#include "nvfuser/ir/evaluate.h"

namespace nvfuser {

/// Calls of several threads take ranges that do not overlap.
class Generator {
 public:
  explicit Generator(const RandomState& state = {}) : state_(state) {}

  /// The state for one call that takes `count` numbers; the offset moves past them.
  RandomState take(uint64_t count);
  RandomState state() const;
  void set_state(const RandomState& state);

 private:
  mutable LeafMutex mutex_;
  RandomState state_;
};

/// The generator of calls that bring no state of their own.  It starts at seed 0 in every process.
Generator& default_generator();

}  // namespace nvfuser
