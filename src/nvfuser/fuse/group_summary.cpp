// SPDX-License-Identifier: Apache-2.0
// Summaries of groups and their merge.
#include "nvfuser/fuse/group_summary.h"

#include <algorithm>
#include <bit>
#include <iterator>

namespace nvfuser {
namespace {

/// Of a kernel's parameters: a pointer; an extent with the multiplier that divides by it; a stride.
constexpr int kPointerBytes = 8, kExtentBytes = 24, kStrideBytes = 8;

/// What a machine computes while it moves a byte: 30 T instructions of one lane at 4.3 TB/s on an H200, and not far
/// from it on CPUs.
constexpr double kInstructionsPerByte = 6;

using Numbers = std::vector<int>;

Numbers united(const Numbers& a, const Numbers& b) {
  Numbers all;
  all.reserve(a.size() + b.size());
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(all));
  return all;
}

bool holds(const Numbers& list, int value) { return std::binary_search(list.begin(), list.end(), value); }

/// Registers of one element.
int registers_of(const FlowValue& value) {
  return value.view->is_cpu_scalar() ? 0 : std::max(1, bytes_of(value.view->dtype()) / 4);
}

bool is_stored(const Dataflow& flow, const GroupSummary& group, int value) {
  const FlowValue& v = flow.value(value);
  return v.stored ||
         std::any_of(v.readers.begin(), v.readers.end(), [&](int reader) { return !holds(group.atoms, reader); });
}

int parameters_of(const Dataflow& flow, const GroupSummary& group) {
  int bytes = 0;
  AxisSet classes;
  for (const Numbers* values : {&group.reads, &group.stores}) {
    for (const int value : *values) {
      const TensorView& view = *flow.value(value).view;
      bytes += kPointerBytes;
      for (const std::optional<bool>& dense : view.domain()->contiguity()) {
        bytes += dense == false ? kStrideBytes : 0;
      }
      const AxisSet& axes = flow.spaces[flow.value(value).space];
      classes.insert(classes.end(), axes.begin(), axes.end());
    }
  }
  std::sort(classes.begin(), classes.end());
  classes.erase(std::unique(classes.begin(), classes.end()), classes.end());
  return bytes + kExtentBytes * static_cast<int>(classes.size());
}

}  // namespace

GroupSummary summarize(const Dataflow& flow, int atom) {
  const FlowNode& node = flow.atom(atom);
  GroupSummary group;
  group.atoms = {atom};
  group.reads = node.reads;
  for (const int result : node.results) {
    if (node.expr == nullptr || is_stored(flow, group, result)) {
      group.stores.push_back(result);
    }
  }
  const FlowValue& widest = flow.value(node.signature >= 0 ? node.operands[0] : node.results[0]);
  if (node.signature >= 0) {
    group.signatures = {node.signature};
  }
  group.work = {{widest.points, node.instructions}};
  group.once = node.instructions * widest.elements;
  group.parameter_bytes = parameters_of(flow, group);
  group.live = static_cast<int>(node.results.size() + node.text);
  for (const int read : node.reads) {
    group.live += registers_of(flow.value(read));
  }
  for (const int result : node.results) {
    group.live += registers_of(flow.value(result));
  }
  group.levels = node.signature >= 0 ? 1 : 0;
  group.computed = group.once;
  group.text = node.text;
  return group;
}

GroupSummary merge(const Dataflow& flow, const GroupSummary& a, const GroupSummary& b) {
  GroupSummary all;
  all.atoms = united(a.atoms, b.atoms);
  all.reads = united(a.reads, b.reads);
  std::erase_if(all.reads, [&](int value) {
    const int maker = flow.atom_of(value);
    return maker >= 0 && holds(all.atoms, maker);
  });
  all.stores = united(a.stores, b.stores);
  std::erase_if(all.stores, [&](int value) { return flow.atom_of(value) >= 0 && !is_stored(flow, all, value); });
  all.signatures = united(a.signatures, b.signatures);
  all.work = a.work;
  for (const auto& [space, instructions] : b.work) {
    const auto known = std::find_if(all.work.begin(), all.work.end(), [&](const auto& w) { return w.first == space; });
    if (known == all.work.end()) {
      all.work.emplace_back(space, instructions);
    } else {
      known->second += instructions;
    }
  }
  all.parameter_bytes = parameters_of(flow, all);
  all.live = a.live + b.live;
  all.levels = a.levels + b.levels;
  all.once = a.once + b.once;
  all.computed = all.once * (1 + all.levels);
  all.text = (a.text + b.text) * (1 + all.levels);
  return all;
}

double bytes_moved(const Dataflow& flow, const GroupSummary& group) {
  double bytes = 0;
  for (const std::vector<int>* values : {&group.reads, &group.stores}) {
    for (const int value : *values) {
      bytes += flow.value(value).bytes;
    }
  }
  return bytes;
}

double bytes_saved(const Dataflow& flow, const GroupSummary& a, const GroupSummary& b, const GroupSummary& merged) {
  return bytes_moved(flow, a) + bytes_moved(flow, b) - bytes_moved(flow, merged);
}

double cost_of(const Dataflow& flow, const GroupSummary& group) {
  return std::max(bytes_moved(flow, group), group.computed / kInstructionsPerByte);
}

std::vector<int> nodes_of(const Dataflow& flow, const GroupSummary& group) {
  std::vector<int> work, found;
  for (const int atom : group.atoms) {
    work.push_back(flow.atoms[atom]);
  }
  std::vector<bool> seen(flow.nodes.size());
  while (!work.empty()) {
    const int node = work.back();
    work.pop_back();
    if (seen[node]) {
      continue;
    }
    seen[node] = true;
    found.push_back(node);
    for (const int operand : flow.nodes[node].operands) {
      const int maker = flow.values[operand].node;
      if (maker >= 0 && flow.nodes[maker].repeated) {
        work.push_back(maker);
      }
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

namespace {

/// A walk in order of creation, in which loads come first and a value lives until its last use.
class Walk {
 public:
  Walk(const Dataflow& flow, const GroupSummary& group) : flow_(flow), group_(group), nodes_(nodes_of(flow, group)) {}

  int most_live() {
    std::vector<int> last(flow_.values.size(), -1);
    for (const int node : nodes_) {
      for (const int operand : flow_.nodes[node].operands) {
        last[operand] = node;
      }
    }
    int live = 0;
    for (const int value : group_.reads) {
      live += last[value] >= 0 ? registers_of(flow_.value(value)) : 0;
    }
    int most = live;
    for (const int k : nodes_) {
      const FlowNode& node = flow_.nodes[k];
      for (const int result : node.results) {
        live += last[result] > k ? registers_of(flow_.value(result)) : 0;
      }
      most = std::max(most, live);
      for (size_t at = 0; at < node.operands.size(); ++at) {
        const int operand = node.operands[at];
        const bool first = std::find(node.operands.begin(), node.operands.begin() + static_cast<std::ptrdiff_t>(at),
                                     operand) == node.operands.begin() + static_cast<std::ptrdiff_t>(at);
        live -= first && last[operand] == k ? registers_of(flow_.value(operand)) : 0;
      }
    }
    return most;
  }

  int most_levels() {
    levels_.assign(flow_.values.size(), 0);
    int most = 0;
    for (const int k : nodes_) {
      const FlowNode& node = flow_.nodes[k];
      int level = 0;
      for (const int operand : node.operands) {
        level = std::max(level, levels_[operand]);
      }
      level += node.signature >= 0 ? 1 : 0;
      for (const int result : node.results) {
        levels_[result] = node.expr == nullptr ? 0 : level;
      }
      most = std::max(most, level);
    }
    return most;
  }

  /// After most_levels.  What a row needs before and after a reduction is computed in both passes over it.
  void add_work(GroupSummary& group) {
    std::vector<uint64_t> passes(flow_.values.size(), 0);
    const auto pass = [&](int value, int before) { return uint64_t{1} << std::clamp(levels_[value] - before, 0, 63); };
    for (const int value : group_.stores) {
      passes[value] |= pass(value, 0);
    }
    group.computed = group.text = 0;
    for (auto at = nodes_.rbegin(); at != nodes_.rend(); ++at) {
      const FlowNode& node = flow_.nodes[*at];
      const bool reduces = node.signature >= 0;
      const int first = node.results[0];
      const uint64_t mine = reduces ? pass(first, 1) : passes[first];
      for (const int operand : node.operands) {
        passes[operand] |= mine;
      }
      const FlowValue& value = flow_.value(reduces ? node.operands[0] : first);
      const bool of_row = !group_.signatures.empty() && is_kept(value.points);
      const int times = of_row ? 1 : std::popcount(mine);
      group.computed += node.own_instructions * value.elements * times;
      group.text += node.own_text * times;
    }
  }

 private:
  bool is_kept(int space) const {
    const AxisSet& axes = flow_.spaces[space];
    return std::any_of(group_.signatures.begin(), group_.signatures.end(), [&](int signature) {
      const AxisSet& kept = flow_.signatures[signature].kept;
      return std::includes(kept.begin(), kept.end(), axes.begin(), axes.end());
    });
  }

  const Dataflow& flow_;
  const GroupSummary& group_;
  std::vector<int> nodes_, levels_;
};

}  // namespace

void count_exactly(const Dataflow& flow, GroupSummary& group) {
  Walk walk(flow, group);
  group.live = walk.most_live();
  group.levels = walk.most_levels();
  walk.add_work(group);
}

}  // namespace nvfuser
