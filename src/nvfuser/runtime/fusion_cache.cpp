// SPDX-License-Identifier: Apache-2.0
// Lookup by structural hash, then by comparison.
#include "nvfuser/runtime/fusion_cache.h"

#include <algorithm>
#include <iomanip>
#include <sstream>

namespace nvfuser {

FusionCache::FusionCache(int64_t max_fusions) : max_fusions_(max_fusions) {
  check(max_fusions > 0, ErrorKind::option, "Expected max_fusions to be positive, but got ", max_fusions);
}

/// The mutex is held.
std::shared_ptr<FusionExecutor> FusionCache::find(uint64_t hash, const Fusion& fusion) {
  const auto [first, last] = places_.equal_range(hash);
  const auto found = std::find_if(
      first, last, [&](const auto& known) { return structurally_equal(*known.second->executor->fusion(), fusion); });
  if (found == last) {
    return nullptr;
  }
  ++hits_;
  ++found->second->hits;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->executor;
}

std::shared_ptr<FusionExecutor> FusionCache::get(const std::shared_ptr<Fusion>& fusion) {
  const uint64_t hash = structural_hash(*fusion);
  {
    const std::lock_guard lock(mutex_);
    ++lookups_;
    if (std::shared_ptr<FusionExecutor> known = find(hash, *fusion)) {
      return known;
    }
  }
  // Executors are made and destroyed outside of the lock, see LeafMutex.
  std::list<Entry> made, dropped;
  made.push_front({hash, std::make_shared<FusionExecutor>(fusion)});
  const std::lock_guard lock(mutex_);
  if (std::shared_ptr<FusionExecutor> known = find(hash, *fusion)) {
    return known;  // another thread was first
  }
  entries_.splice(entries_.begin(), made);
  places_.emplace(hash, entries_.begin());
  if (static_cast<int64_t>(entries_.size()) > max_fusions_) {
    const Place oldest = std::prev(entries_.end());
    const auto [begin, end] = places_.equal_range(oldest->hash);
    places_.erase(std::find_if(begin, end, [&](const auto& known) { return known.second == oldest; }));
    dropped.splice(dropped.begin(), entries_, oldest);
    ++evictions_;
  }
  return entries_.front().executor;
}

size_t FusionCache::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

void FusionCache::clear() {
  std::list<Entry> dropped;
  const std::lock_guard lock(mutex_);
  places_.clear();
  dropped.swap(entries_);
}

FusionCache::Statistics FusionCache::statistics() const {
  const std::lock_guard lock(mutex_);
  return {max_fusions_, static_cast<int64_t>(entries_.size()), lookups_, hits_, evictions_};
}

std::string FusionCache::stats() const {
  const std::lock_guard lock(mutex_);
  std::ostringstream text;
  const auto compiled = std::count_if(entries_.begin(), entries_.end(),
                                      [](const Entry& entry) { return entry.executor->plan_count() > 0; });
  text << "fusions: " << entries_.size() << " of at most " << max_fusions_ << ", " << compiled << " compiled, "
       << evictions_ << " evicted\n";
  text << "lookups: " << lookups_ << ", hits: " << hits_ << ", hit rate: " << std::fixed << std::setprecision(1)
       << (lookups_ > 0 ? 100.0 * static_cast<double>(hits_) / static_cast<double>(lookups_) : 0.0) << " %\n";
  text << "hits, most recently used first:";
  for (const Entry& entry : entries_) {
    text << ' ' << entry.hits;
  }
  text << '\n';
  return text.str();
}

}  // namespace nvfuser
