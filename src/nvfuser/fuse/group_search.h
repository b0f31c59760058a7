// SPDX-License-Identifier: Apache-2.0
// Which atoms share a kernel: groups are merged along the values that cost most bytes, as long as the merged group is
// legal and no group comes to wait for itself.
#pragma once

#include <string_view>
#include <unordered_set>
#include <vector>

#include "nvfuser/fuse/legality.h"

namespace nvfuser {

/// A set of small numbers.
class BitSet {
 public:
  explicit BitSet(int size) : words_((static_cast<size_t>(size) + 63) / 64) {}
  void add(int k) { words_[k / 64] |= uint64_t{1} << (k % 64); }
  bool contains(int k) const { return (words_[k / 64] >> (k % 64) & 1) != 0; }
  void add(const BitSet& other);
  /// Is there a number that both have, and neither of the last two?
  static bool meet_outside(const BitSet& a, const BitSet& b, const BitSet& x, const BitSet& y);

 private:
  std::vector<uint64_t> words_;
};

class GroupSearch {
 public:
  explicit GroupSearch(const Dataflow& flow);

  /// Merges until nothing is gained.
  void run();
  /// Groups in an order in which every value is stored before it is read; among those that may come next, that whose
  /// first atom was created first.
  std::vector<GroupSummary> groups() const;
  /// Why the groups of two atoms are not one: a rule's reason, "segment_set", ..., or "no bytes saved".
  std::string_view reason(int atom, int other) const;

 private:
  struct Entry {
    GroupSummary summary;
    BitSet members, before, after;  ///< atoms: of the group; of groups that it waits for; that wait for it
    int version;                    ///< changes with the summary
  };

  /// Empty: the two may be merged, and `merged` says what they become.
  std::string_view obstacle(int a, int b, GroupSummary& merged) const;
  bool cut_between(int a, int b) const;
  bool try_merge(int a, int b, bool gain_needed);
  void absorb(int a, int b, GroupSummary merged);
  bool join_around(int value);
  void join_launches();

  const Dataflow& flow_;
  std::vector<Entry> entries_;
  std::vector<int> group_of_;             ///< by atom: position of its group in entries_, which no other group has
  std::unordered_set<uint64_t> refused_;  ///< pairs of versions
  int next_version_ = 0;
};

}  // namespace nvfuser
