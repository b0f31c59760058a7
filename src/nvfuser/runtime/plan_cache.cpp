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

const PlanCache::Entry* PlanCache::lookup(const Hash128& hash, std::span<const int64_t> facts) const {
  const auto [first, last] = entries_.equal_range(hash);
  const auto found = std::find_if(first, last, [&](const auto& entry) { return equal(entry.second.facts, facts); });
  return found != last ? &found->second : nullptr;
}

std::shared_ptr<const Plan> PlanCache::find(std::span<const int64_t> facts) {
  const std::lock_guard lock(mutex_);
  if (last_ == nullptr || !equal(last_->facts, facts)) {
    const Entry* found = entries_.empty() ? nullptr : lookup(hash_of(facts), facts);
    if (found == nullptr) {
      return nullptr;
    }
    last_ = found;
  }
  return last_->plan;
}

std::shared_ptr<const Plan> PlanCache::add(std::span<const int64_t> facts, std::shared_ptr<const Plan> plan) {
  const Hash128 hash = hash_of(facts);
  const std::lock_guard lock(mutex_);
  const Entry* known = lookup(hash, facts);
  if (known == nullptr) {
    known = &entries_.emplace(hash, Entry{{facts.begin(), facts.end()}, std::move(plan)})->second;
  }
  last_ = known;
  return known->plan;
}

size_t PlanCache::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace nvfuser
