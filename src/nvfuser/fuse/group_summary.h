// SPDX-License-Identifier: Apache-2.0
// What decides whether some atoms of a Dataflow may be one kernel.  Summaries are merged, not counted anew.
#pragma once

#include <utility>
#include <vector>

#include "nvfuser/fuse/dataflow.h"

namespace nvfuser {

/// Lists are in order and hold each entry once.
struct GroupSummary {
  std::vector<int> atoms;
  std::vector<int> reads;                    ///< values read from memory
  std::vector<int> stores;                   ///< values stored
  std::vector<int> signatures;               ///< of its reductions
  std::vector<std::pair<int, double>> work;  ///< instructions an element, by space
  double once = 0;                           ///< instructions if every value were computed once
  int parameter_bytes = 0;                   ///< of the kernel
  /// Upper bounds; see the exact counts below.
  int live = 0;         ///< registers of one element's values at once
  int levels = 0;       ///< reductions one behind the other
  double computed = 0;  ///< instructions: what several passes over a row need is computed in each
  double text = 0;      ///< length of the code, in simple operations
};

GroupSummary summarize(const Dataflow& flow, int atom);
GroupSummary merge(const Dataflow& flow, const GroupSummary& a, const GroupSummary& b);

/// Bytes that a merged group moves less than its two parts.
double bytes_saved(const Dataflow& flow, const GroupSummary& a, const GroupSummary& b, const GroupSummary& merged);
/// Estimated bytes that the group reads and stores.
double bytes_moved(const Dataflow& flow, const GroupSummary& group);

/// What the group takes, in bytes: its traffic, or where that is more, what could be moved while it computes.
double cost_of(const Dataflow& flow, const GroupSummary& group);

/// Counts in place of the upper bounds, by a walk over the group's nodes.
void count_exactly(const Dataflow& flow, GroupSummary& group);
/// The nodes of a group, repeated ones included, in order of creation.
std::vector<int> nodes_of(const Dataflow& flow, const GroupSummary& group);

}  // namespace nvfuser
