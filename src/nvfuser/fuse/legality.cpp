// SPDX-License-Identifier: Apache-2.0
// The measures of legality.def.
#include "nvfuser/fuse/legality.h"

#include <algorithm>
#include <array>

namespace nvfuser {
namespace {

using Flow = Dataflow;
using Group = GroupSummary;

int64_t stored_spaces(const Flow& flow, const Group& group) {
  std::set<int> spaces;
  for (const int value : group.stores) {
    spaces.insert(flow.value(value).space);
  }
  return static_cast<int64_t>(spaces.size());
}

AxisSet whole(const Signature& signature) {
  AxisSet all;
  std::merge(signature.reduced.begin(), signature.reduced.end(), signature.kept.begin(), signature.kept.end(),
             std::back_inserter(all));
  return all;
}

bool is_within(const AxisSet& small, const AxisSet& large) {
  return std::includes(large.begin(), large.end(), small.begin(), small.end());
}

/// Does each of two signatures keep what the other one reduces?
bool are_complements(const Signature& a, const Signature& b) {
  return !a.reduced.empty() && !b.reduced.empty() && a.reduced == b.kept && b.reduced == a.kept;
}

bool is_mixed(const Flow& flow, const Group& group) {
  const std::vector<int>& mine = group.signatures;
  return mine.size() == 2 && are_complements(flow.signatures[mine[0]], flow.signatures[mine[1]]);
}

/// Does the signature reduce the innermost axis of what the group mostly reads?
bool is_along(const Flow& flow, const Group& group, const Signature& signature) {
  const FlowValue* widest = nullptr;
  for (const int read : group.reads) {
    const FlowValue& value = flow.value(read);
    widest = widest == nullptr || value.bytes > widest->bytes ? &value : widest;
  }
  const AxisSet& reduced = signature.reduced;
  const IterDomain* innermost = nullptr;
  for (const IterDomain* axis : widest == nullptr ? std::vector<IterDomain*>{} : widest->view->domain()->allocation()) {
    innermost = axis->is_broadcast() || axis->is_reduction() ? innermost : axis;
  }
  return innermost == nullptr || reduced.empty() ||
         std::binary_search(reduced.begin(), reduced.end(),
                            flow.classes.find(flow.classes.parts(innermost).back())->number());
}

/// The signature of what is reduced along rows, where the group's rows are reduced across too.
const Signature& main_signature(const Flow& flow, const Group& group) {
  const Signature& first = flow.signatures[group.signatures[0]];
  return is_mixed(flow, group) && !is_along(flow, group, first) ? flow.signatures[group.signatures[1]] : first;
}

/// Instructions of values that the group's kernel computes more often than they have elements.  Values of a row are
/// computed once a row.
int64_t small_work(const Flow& flow, const Group& group) {
  double repeated = 0;
  for (const auto& [space, instructions] : group.work) {
    const AxisSet& axes = flow.spaces[space];
    if (group.signatures.empty()) {
      const bool smaller = !group.stores.empty() && flow.is_smaller(space, flow.value(group.stores[0]).points);
      repeated += smaller ? instructions : 0;
      continue;
    }
    const Signature& signature = main_signature(flow, group);
    const AxisSet all = whole(signature);
    repeated += axes.size() < all.size() && is_within(axes, all) && !is_within(axes, signature.kept) ? instructions : 0;
  }
  return static_cast<int64_t>(repeated);
}

int64_t parameter_bytes(const Flow&, const Group& group) { return group.parameter_bytes; }
int64_t operations(const Flow&, const Group& group) { return static_cast<int64_t>(group.text); }
int64_t live_values(const Flow&, const Group& group) { return group.live; }
int64_t levels(const Flow&, const Group& group) { return group.levels; }
int64_t signatures(const Flow&, const Group& group) { return static_cast<int64_t>(group.signatures.size()); }

int64_t foreign_stores(const Flow& flow, const Group& group) {
  const Signature& signature = flow.signatures[group.signatures[0]];
  const AxisSet all = whole(signature);
  return std::count_if(group.stores.begin(), group.stores.end(), [&](int value) {
    const AxisSet& axes = flow.spaces[flow.value(value).points];
    const bool of_columns = is_mixed(flow, group) && is_within(axes, signature.reduced);
    return axes != all && !is_within(axes, signature.kept) && !of_columns;
  });
}

/// Values of rows or points that are computed from what is reduced across rows.
int64_t behind_columns(const Flow& flow, const Group& group) {
  const Signature& along = main_signature(flow, group);
  std::set<int> behind;
  int64_t count = 0;
  for (const int k : nodes_of(flow, group)) {
    const FlowNode& node = flow.nodes[k];
    const bool across = node.signature >= 0 && flow.signatures[node.signature].kept == along.reduced;
    const bool reads =
        std::any_of(node.operands.begin(), node.operands.end(), [&](int operand) { return behind.contains(operand); });
    if (reads || across) {
      behind.insert(node.results.begin(), node.results.end());
    }
    const AxisSet& axes = flow.spaces[flow.value(node.results[0]).points];
    count += reads && (node.signature >= 0 || !is_within(axes, along.reduced)) ? 1 : 0;
  }
  return count;
}

/// Reductions that share no kernel with those of other axes.
int64_t apart(const Flow& flow, const Group& group) {
  return std::count_if(group.atoms.begin(), group.atoms.end(),
                       [&](int atom) { return flow.value(flow.atom(atom).results[0]).apart; });
}

/// Where an axis meets itself (x + its transpose), a value is not at one place of the reductions' axes: only their own
/// results are.
int64_t tangled_stores(const Flow& flow, const Group& group) {
  const AxisSet all = whole(flow.signatures[group.signatures[0]]);
  if (std::adjacent_find(all.begin(), all.end()) == all.end()) {
    return 0;
  }
  return std::count_if(group.stores.begin(), group.stores.end(), [&](int value) {
    const int node = flow.value(value).node;
    return node < 0 || flow.nodes[node].signature < 0;
  });
}

constexpr LegalityRule kRules[] = {
#define RULE(kind, measure, limit, reason) {GroupKind::kind, #measure, measure, limit, reason},
#include "nvfuser/fuse/legality.def"
};

constexpr std::array<std::string_view, 4> kKindNames = {"pointwise", "rows", "columns", "mixed"};

}  // namespace

std::string_view name_of(GroupKind kind) { return kKindNames[static_cast<size_t>(kind)]; }

std::span<const LegalityRule> legality_rules() { return kRules; }

GroupKind kind_of(const Dataflow& flow, const GroupSummary& group) {
  if (group.signatures.empty()) {
    return GroupKind::pointwise;
  }
  if (is_mixed(flow, group)) {
    return GroupKind::mixed;
  }
  return is_along(flow, group, flow.signatures[group.signatures[0]]) ? GroupKind::rows : GroupKind::columns;
}

std::string_view refusal(const Dataflow& flow, GroupSummary& group) {
  const GroupKind kind = kind_of(flow, group);
  bool exact = false;
  for (const LegalityRule& rule : kRules) {
    if (rule.kind != kind || rule.measure(flow, group) <= rule.limit) {
      continue;
    }
    if (!exact) {
      count_exactly(flow, group);
      exact = true;
    }
    if (rule.measure(flow, group) > rule.limit) {
      return rule.reason;
    }
  }
  return {};
}

}  // namespace nvfuser
