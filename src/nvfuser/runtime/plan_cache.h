// SPDX-License-Identifier: Apache-2.0
// Plans of one fusion by the facts of their calls.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "nvfuser/base/fork_mutex.h"
#include "nvfuser/base/hash.h"

namespace nvfuser {

struct Plan;

/// Found by 128 bits of hash and compared in full; the plan used last is compared before anything is hashed.  Plans are
/// never dropped while the cache lives.  Thread-safe.
class PlanCache {
 public:
  /// Null when no plan has these facts.
  std::shared_ptr<const Plan> find(std::span<const int64_t> facts);
  /// The plan of these facts: the one given, unless another thread was first.
  std::shared_ptr<const Plan> add(std::span<const int64_t> facts, std::shared_ptr<const Plan> plan);
  size_t size() const;

 private:
  struct Entry {
    std::vector<int64_t> facts;
    std::shared_ptr<const Plan> plan;
  };
  struct ByHash {
    size_t operator()(const Hash128& hash) const { return hash.low; }
  };

  const Entry* lookup(const Hash128& hash, std::span<const int64_t> facts) const;

  mutable LeafMutex mutex_;
  std::unordered_multimap<Hash128, Entry, ByHash> entries_;  // whose nodes stay where they are
  const Entry* last_ = nullptr;
};

}  // namespace nvfuser
