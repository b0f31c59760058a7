// SPDX-License-Identifier: Apache-2.0
// May these values share a kernel?  The table legality.def answers for a summary; no kernel is made to find out.
#pragma once

#include <span>
#include <string_view>

#include "nvfuser/fuse/group_summary.h"

namespace nvfuser {

enum class GroupKind : uint8_t { pointwise, rows, columns, mixed };
std::string_view name_of(GroupKind kind);

/// A row of legality.def.
struct LegalityRule {
  GroupKind kind;
  std::string_view measure_name;
  int64_t (*measure)(const Dataflow&, const GroupSummary&);
  int64_t limit;
  std::string_view reason;
};
std::span<const LegalityRule> legality_rules();

GroupKind kind_of(const Dataflow& flow, const GroupSummary& group);
/// Why the group cannot be one kernel; empty when it can.  Counts exactly where an upper bound exceeds its limit.
std::string_view refusal(const Dataflow& flow, GroupSummary& group);

}  // namespace nvfuser
