// SPDX-License-Identifier: Apache-2.0
// Best-first merging of groups, with the atoms before and after each as bit sets.
#include "nvfuser/fuse/group_search.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <queue>

namespace nvfuser {
namespace {

/// Readers of one value that are tried with each other, counted from each of them.
constexpr size_t kSiblings = 8;
/// Rounds over all values; a merge may make another one legal.
constexpr int kMostRounds = 8;

constexpr std::string_view kCut = "segment_set", kCycle = "it would wait for itself", kNoGain = "no bytes saved",
                           kSlower = "computing again would take longer than reading";

}  // namespace

void BitSet::add(const BitSet& other) {
  for (size_t k = 0; k < words_.size(); ++k) {
    words_[k] |= other.words_[k];
  }
}

bool BitSet::meet_outside(const BitSet& a, const BitSet& b, const BitSet& x, const BitSet& y) {
  for (size_t k = 0; k < a.words_.size(); ++k) {
    if ((a.words_[k] & b.words_[k] & ~x.words_[k] & ~y.words_[k]) != 0) {
      return true;
    }
  }
  return false;
}

GroupSearch::GroupSearch(const Dataflow& flow) : flow_(flow), group_of_(flow.atoms.size()) {
  const int count = static_cast<int>(flow.atoms.size());
  std::iota(group_of_.begin(), group_of_.end(), 0);
  entries_.reserve(flow.atoms.size());
  for (int k = 0; k < count; ++k) {
    entries_.push_back({summarize(flow, k), BitSet(count), BitSet(count), BitSet(count), next_version_++});
    entries_[k].members.add(k);
    for (const int read : flow.atom(k).reads) {
      if (const int maker = flow.atom_of(read); maker >= 0) {
        entries_[k].before.add(maker);
        entries_[k].before.add(entries_[maker].before);
      }
    }
  }
  for (int k = count; k-- > 0;) {
    for (const int result : flow.atom(k).results) {
      if (flow.atom_of(result) != k) {
        continue;
      }
      for (const int reader : flow.value(result).readers) {
        entries_[k].after.add(reader);
        entries_[k].after.add(entries_[reader].after);
      }
    }
  }
}

bool GroupSearch::cut_between(int a, int b) const {
  const std::vector<int>& stores = entries_[a].summary.stores;
  const std::vector<int>& reads = entries_[b].summary.reads;
  return std::any_of(stores.begin(), stores.end(), [&](int value) {
    return flow_.value(value).cut && std::binary_search(reads.begin(), reads.end(), value);
  });
}

std::string_view GroupSearch::obstacle(int a, int b, GroupSummary& merged) const {
  const Entry &x = entries_[a], &y = entries_[b];
  if (cut_between(a, b) || cut_between(b, a)) {
    return kCut;
  }
  if (BitSet::meet_outside(x.after, y.before, x.members, y.members) ||
      BitSet::meet_outside(y.after, x.before, x.members, y.members)) {
    return kCycle;
  }
  merged = merge(flow_, x.summary, y.summary);
  const std::string_view reason = refusal(flow_, merged);
  if (reason.empty() && !merged.signatures.empty()) {
    count_exactly(flow_, merged);
    if (cost_of(flow_, merged) > cost_of(flow_, x.summary) + cost_of(flow_, y.summary)) {
      return kSlower;
    }
  }
  return reason;
}

std::string_view GroupSearch::reason(int atom, int other) const {
  GroupSummary merged;
  const std::string_view found = obstacle(group_of_[atom], group_of_[other], merged);
  return found.empty() ? kNoGain : found;
}

bool GroupSearch::try_merge(int a, int b, bool gain_needed) {
  const auto [low, high] = std::minmax(entries_[a].version, entries_[b].version);
  const uint64_t pair = static_cast<uint64_t>(low) << 32 | static_cast<uint64_t>(high);
  if (refused_.contains(pair)) {
    return false;
  }
  GroupSummary merged;
  const bool legal = obstacle(a, b, merged).empty();
  if (!legal || (gain_needed && bytes_saved(flow_, entries_[a].summary, entries_[b].summary, merged) <= 0)) {
    refused_.insert(pair);
    return false;
  }
  absorb(a, b, std::move(merged));
  return true;
}

void GroupSearch::absorb(int a, int b, GroupSummary merged) {
  for (const int atom : entries_[b].summary.atoms) {
    group_of_[atom] = a;
  }
  Entry& mine = entries_[a];
  mine.members.add(entries_[b].members);
  mine.before.add(entries_[b].before);
  mine.after.add(entries_[b].after);
  mine.summary = std::move(merged);
  mine.version = next_version_++;
  entries_[b].summary = {};
  for (size_t k = 0; k < group_of_.size(); ++k) {
    Entry& other = entries_[k];
    if (group_of_[k] != static_cast<int>(k) || &other == &mine) {
      continue;
    }
    const int first = other.summary.atoms.front();
    if (mine.before.contains(first)) {
      other.after.add(mine.members);
      other.after.add(mine.after);
    } else if (mine.after.contains(first)) {
      other.before.add(mine.members);
      other.before.add(mine.before);
    }
  }
}

bool GroupSearch::join_around(int value) {
  const FlowValue& v = flow_.value(value);
  std::vector<int> groups;
  const auto add = [&](int atom) {
    if (std::find(groups.begin(), groups.end(), group_of_[atom]) == groups.end()) {
      groups.push_back(group_of_[atom]);
    }
  };
  const bool made = flow_.atom_of(value) >= 0;
  if (made) {
    add(flow_.atom_of(value));
  }
  std::for_each(v.readers.begin(), v.readers.end(), add);
  bool changed = false;
  for (size_t i = 0; i < groups.size(); ++i) {
    const size_t end = i == 0 && made ? groups.size() : std::min(groups.size(), i + 1 + kSiblings);
    for (size_t j = i + 1; j < end; ++j) {
      if (groups[i] >= 0 && groups[j] >= 0 && try_merge(groups[i], groups[j], true)) {
        groups[j] = -1;
        changed = true;
      }
    }
  }
  return changed;
}

/// Pointwise groups of equal axes that share no bytes still save a launch.
void GroupSearch::join_launches() {
  std::map<int, std::vector<int>> by_space;
  for (size_t k = 0; k < entries_.size(); ++k) {
    const GroupSummary& group = entries_[k].summary;
    if (!group.atoms.empty() && group.signatures.empty() && !group.stores.empty()) {
      by_space[flow_.value(group.stores.front()).space].push_back(static_cast<int>(k));
    }
  }
  for (auto& [space, groups] : by_space) {
    for (size_t i = 0; i < groups.size(); ++i) {
      for (size_t j = i + 1; j < std::min(groups.size(), i + 1 + kSiblings); ++j) {
        if (groups[i] >= 0 && groups[j] >= 0 && try_merge(groups[i], groups[j], false)) {
          groups[j] = -1;
        }
      }
    }
  }
}

void GroupSearch::run() {
  std::vector<std::pair<double, int>> order;
  for (size_t k = 0; k < flow_.values.size(); ++k) {
    const FlowValue& value = flow_.values[k];
    const bool vanishes = flow_.atom_of(static_cast<int>(k)) >= 0 && !value.stored && value.readers.size() == 1;
    if (!value.readers.empty()) {
      order.emplace_back(vanishes ? -2 * value.bytes : -value.bytes, static_cast<int>(k));
    }
  }
  std::stable_sort(order.begin(), order.end());
  bool changed = true;
  for (int round = 0; changed && round < kMostRounds; ++round) {
    changed = false;
    for (const auto& [saved, value] : order) {
      changed = join_around(value) || changed;
    }
  }
  refused_.clear();
  join_launches();
}

std::vector<GroupSummary> GroupSearch::groups() const {
  std::map<int, int> waits;  // by the first atom of each group: groups that it waits for
  std::vector<std::vector<int>> readers(flow_.atoms.size());
  std::priority_queue<int, std::vector<int>, std::greater<>> ready;
  for (const Entry& entry : entries_) {
    if (entry.summary.atoms.empty()) {
      continue;
    }
    const int first = entry.summary.atoms.front();
    std::set<int> before;
    for (const int read : entry.summary.reads) {
      if (const int maker = flow_.atom_of(read); maker >= 0) {
        before.insert(entries_[group_of_[maker]].summary.atoms.front());
      }
    }
    for (const int other : before) {
      readers[other].push_back(first);
    }
    waits[first] = static_cast<int>(before.size());
    if (before.empty()) {
      ready.push(first);
    }
  }
  std::vector<GroupSummary> ordered;
  while (!ready.empty()) {
    const int first = ready.top();
    ready.pop();
    ordered.push_back(entries_[group_of_[first]].summary);
    for (const int reader : readers[first]) {
      if (--waits[reader] == 0) {
        ready.push(reader);
      }
    }
  }
  ensure(ordered.size() == waits.size(), "no group waits for itself");
  return ordered;
}

}  // namespace nvfuser
