// SPDX-License-Identifier: Apache-2.0
// What schedules share whose kernels run in phases: each reduction leaves states in workspaces in one phase, and the
// phases behind it combine them, each for itself.
#pragma once

#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "nvfuser/graph/kernel.h"

namespace nvfuser {

/// Phases that the levels of a kernel ask for: a phase a level.
struct PhaseCount {
  int last = 0;
  bool varies_last = false;  ///< does something of the last one vary along `reduced`?
  bool varies(int phase) const { return phase < last || varies_last; }
};
PhaseCount count_phases(const Kernel& kernel, const std::unordered_map<const Tensor*, int>& levels,
                        const std::vector<Id*>& reduced);

/// Does t combine states, or read them?
bool is_finish(const Tensor& t);

/// Gives every phase its own instances of what it reads, but for those of `resident`, which all phases share.
/// Reductions that are partial, and stores of their states, have theirs already.
void settle_phases(Kernel& kernel, const std::unordered_map<const Tensor*, int>& levels,
                   const std::unordered_set<const Tensor*>& resident = {});

/// Copies what transforms make of an id from one reference to another.
void copy_uses(const Reference& from, const Id* id, Reference& to);

}  // namespace nvfuser
