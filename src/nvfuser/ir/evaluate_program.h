// SPDX-License-Identifier: Apache-2.0
// A flat program over blocks of values: steps in order, each reading values and writing one.  Built once for a shape,
// run block after block; values share slots as soon as they are dead, so a block stays in the cache.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "nvfuser/ir/evaluate_values.h"

namespace nvfuser {

/// Elements begin .. begin + n of the linear index.
struct BlockRange {
  int64_t begin;
  int64_t n;
};

class BlockProgram {
 public:
  using Run = std::function<void(const BlockRange& range, void* out, const void* const* ins)>;

  /// Appends a step and returns the number of its value.  A step that only reads values which never change is run once,
  /// unless `varies`.
  int add(std::vector<int> ins, Run run, bool varies = false);
  /// A step without a value: it stores, or checks.
  void sink(std::vector<int> ins, Run run);
  /// Runs all blocks of `total` elements.
  void run(int64_t total);

 private:
  struct Step {
    std::vector<int> ins;
    Run run;
    bool once;
    bool has_value;
    int slot = -1;
  };
  struct alignas(64) Slot {
    std::byte bytes[kBlockSize * sizeof(ValueCell)];
  };

  int assign_slots();

  std::vector<Step> steps_;  // a value has the number of its step
};

}  // namespace nvfuser
