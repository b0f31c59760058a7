// SPDX-License-Identifier: Apache-2.0
// Lookup of plans.
#include "nvfuser/runtime/plan_cache.h"

#include <algorithm>
#include <mutex>

namespace nvfuser {
namespace {

Hash128 hash_of(std::span<const int64_t> facts) { return Hasher().bytes(facts.data(), facts.size_bytes()).value128(); }

bool equal(const std::vector<int64_t>& known, std::span<const int64_t> facts) {
  return std::equal(known.begin(), known.end(), facts.begin(), facts.end());
}

}  // namespace

PlanCache::Place PlanCache::lookup(const Hash128& hash, std::span<const int64_t> facts) {
  const auto [first, last] = places_.equal_range(hash);
  const auto found = std::find_if(first, last, [&](const auto& entry) { return equal(entry.second->facts, facts); });
  return found != last ? found->second : entries_.end();
}

std::shared_ptr<const Plan> PlanCache::find(std::span<const int64_t> facts) {
  const std::lock_guard lock(mutex_);
  if (entries_.empty()) {
    return nullptr;
  }
  if (!equal(entries_.front().facts, facts)) {
    const Place found = lookup(hash_of(facts), facts);
    if (found == entries_.end()) {
      return nullptr;
    }
    entries_.splice(entries_.begin(), entries_, found);
  }
  return entries_.front().plan;
}

std::shared_ptr<const Plan> PlanCache::add(std::span<const int64_t> facts, std::shared_ptr<const Plan> plan,
                                           size_t most) {
  const Hash128 hash = hash_of(facts);
  std::list<Entry> dropped;  // which end when the lock is free: modules take locks of their own
  const std::lock_guard lock(mutex_);
  if (const Place known = lookup(hash, facts); known != entries_.end()) {
    entries_.splice(entries_.begin(), entries_, known);
    return known->plan;
  }
  entries_.push_front({hash, {facts.begin(), facts.end()}, std::move(plan)});
  places_.emplace(hash, entries_.begin());
  dropped = take_beyond(std::max<size_t>(most, 1));
  return entries_.front().plan;
}

std::list<PlanCache::Entry> PlanCache::take_beyond(size_t most) {
  std::list<Entry> taken;
  while (entries_.size() > most) {
    const Place oldest = std::prev(entries_.end());
    const auto [first, last] = places_.equal_range(oldest->hash);
    places_.erase(std::find_if(first, last, [&](const auto& entry) { return entry.second == oldest; }));
    taken.splice(taken.end(), entries_, oldest);
  }
  return taken;
}

size_t PlanCache::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace nvfuser
