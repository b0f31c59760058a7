// SPDX-License-Identifier: Apache-2.0
// Executors by the structure of their fusions: equal programs compile once.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "nvfuser/base/fork_mutex.h"
#include "nvfuser/runtime/executor.h"

namespace nvfuser {

/// Bounded; the executor that was asked for least recently is dropped first.  Thread-safe.
class FusionCache {
 public:
  /// ErrorKind::option unless max_fusions is positive.
  explicit FusionCache(int64_t max_fusions);

  /// The executor of an equal fusion (kinds, attributes, dtypes, static sizes, layouts, aliases, orders of inputs and
  /// outputs), or a new one.  The fusion must not change afterwards.
  std::shared_ptr<FusionExecutor> get(const std::shared_ptr<Fusion>& fusion);
  /// Executors kept at present.
  size_t size() const;
  void clear();

  struct Statistics {
    int64_t max_fusions, fusions, lookups, hits, evictions;
  };
  Statistics statistics() const;
  /// A report: capacity, use, hits in the order of last use.
  std::string stats() const;

 private:
  struct Entry {
    uint64_t hash;
    std::shared_ptr<FusionExecutor> executor;
    int64_t hits = 0;
  };
  using Place = std::list<Entry>::iterator;

  std::shared_ptr<FusionExecutor> find(uint64_t hash, const Fusion& fusion);

  const int64_t max_fusions_;
  mutable LeafMutex mutex_;
  std::list<Entry> entries_;  ///< most recently used first
  std::unordered_multimap<uint64_t, Place> places_;
  int64_t lookups_ = 0, hits_ = 0, evictions_ = 0;
};

}  // namespace nvfuser
