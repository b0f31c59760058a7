// SPDX-License-Identifier: Apache-2.0
// Plans of one fusion by the facts of their calls.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "nvfuser/base/fork_mutex.h"
#include "nvfuser/base/hash.h"

namespace nvfuser {

struct Plan;

/// Found by 128 bits of hash and compared in full; the plan used last is compared before anything is hashed.  Bounded:
/// the plan that was used least recently goes first, and lives on while a call runs it.  Thread-safe.
class PlanCache {
 public:
  /// Null when no plan has these facts.
  std::shared_ptr<const Plan> find(std::span<const int64_t> facts);
  /// The plan of these facts: the one given, unless another thread was first.  At most `most` plans stay (at least 1).
  std::shared_ptr<const Plan> add(std::span<const int64_t> facts, std::shared_ptr<const Plan> plan, size_t most);
  size_t size() const;

 private:
  struct Entry {
    Hash128 hash;
    std::vector<int64_t> facts;
    std::shared_ptr<const Plan> plan;
  };
  using Place = std::list<Entry>::iterator;
  struct ByHash {
    size_t operator()(const Hash128& hash) const { return hash.low; }
  };

  Place lookup(const Hash128& hash, std::span<const int64_t> facts);
  std::list<Entry> take_beyond(size_t most);

  mutable LeafMutex mutex_;
  std::list<Entry> entries_;  ///< used last first
  std::unordered_multimap<Hash128, Place, ByHash> places_;
};

}  // namespace nvfuser
