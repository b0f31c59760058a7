// SPDX-License-Identifier: Apache-2.0
// Components of a reference (roots joined by transforms) and their replay for one tensor.  Part of assign_loops.
#pragma once

#include <set>
#include <unordered_map>
#include <vector>

#include "nvfuser/transform/schedule.h"

namespace nvfuser {

struct BySerial {
  bool operator()(const Id* a, const Id* b) const { return a->serial < b->serial; }
};
using IdSet = std::set<Id*, BySerial>;

/// Which roots an id of a reference is made of, and which roots belong together.
class Components {
 public:
  explicit Components(const Reference& reference);
  const IdSet& roots_of(Id* id);
  /// Number of the component that an id belongs to; -1 for an id without roots.
  int component_of(Id* id);
  int count() const { return static_cast<int>(members_.size()); }
  const IdSet& members(int component) const { return members_[component]; }

 private:
  std::unordered_map<const Id*, IdSet> roots_;
  std::vector<IdSet> members_;
};

/// An own version of a component for a tensor: ids by the reference ids that they mirror, and their transforms.
struct Replay {
  std::unordered_map<const Id*, Id*> ids;
  std::unordered_map<const Id*, Transform*> uses;
};

/// Re-creates the component's transforms with foreign roots (those not owned) of extent 1.
Replay replay(Kernel& kernel, const Reference& reference, const IdSet& component, const IdSet& owned);

}  // namespace nvfuser
