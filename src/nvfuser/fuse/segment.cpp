// SPDX-License-Identifier: Apache-2.0
// Rounds of the search, and groups of tensors made of its groups of atoms.
#include "nvfuser/fuse/segment.h"

#include <algorithm>
#include <unordered_set>

#include "nvfuser/fuse/group_search.h"

namespace nvfuser {
namespace {

/// After each of them values are computed again that cost more to store and read.
constexpr int kMostRounds = 3;

using Tensors = std::set<const TensorView*>;

bool holds(const std::vector<int>& list, int value) { return std::binary_search(list.begin(), list.end(), value); }

double total_bytes(const Dataflow& flow, const std::vector<GroupSummary>& groups) {
  double bytes = 0;
  for (const GroupSummary& group : groups) {
    bytes += bytes_moved(flow, group);
  }
  return bytes;
}

/// Bytes that are saved where the readers of a value compute it from what its own group reads.
double saved_by_repeating(const Dataflow& flow, const std::vector<GroupSummary>& groups, const GroupSummary& maker,
                          int value) {
  const FlowNode& node = flow.nodes[flow.value(value).node];
  double saved = flow.value(value).bytes;
  for (const int read : node.reads) {
    const bool computed = flow.atom_of(read) >= 0 && holds(maker.atoms, flow.atom_of(read));
    if (computed && !holds(maker.stores, read)) {
      saved -= flow.value(read).bytes;
    }
    saved += maker.atoms.size() == 1 ? flow.value(read).bytes : 0;  // nothing is left of its group
  }
  for (const GroupSummary& reader : groups) {
    if (!holds(reader.reads, value)) {
      continue;
    }
    saved += flow.value(value).bytes;
    for (const int read : node.reads) {
      const bool there =
          holds(reader.reads, read) || (flow.atom_of(read) >= 0 && holds(reader.atoms, flow.atom_of(read)));
      saved -= there ? 0 : flow.value(read).bytes;
    }
  }
  return saved;
}

Tensors worth_repeating(const Dataflow& flow, const std::vector<GroupSummary>& groups) {
  Tensors found;
  for (const GroupSummary& group : groups) {
    for (const int stored : group.stores) {
      const FlowValue& value = flow.value(stored);
      const FlowNode* node = value.node < 0 || value.stored ? nullptr : &flow.nodes[value.node];
      if (node != nullptr && node->signature < 0 && node->instructions <= Dataflow::kMostRepeated &&
          saved_by_repeating(flow, groups, group, stored) > 0) {
        found.insert(value.view);
      }
    }
  }
  return found;
}

/// Walks from a group's outputs to what it reads.
class GroupWalk {
 public:
  explicit GroupWalk(const std::vector<const TensorView*>& sources) : sources_(sources.begin(), sources.end()) {}

  /// Computes `tensor` itself, which may be a source for others.
  void compute(const TensorView* tensor) {
    if (tensor->definition() == nullptr) {
      push(tensor);
    } else {
      push_operands(*tensor->definition());
    }
    while (!work_.empty()) {
      const TensorView* next = work_.back();
      work_.pop_back();
      if (!seen_.insert(next).second) {
        continue;
      }
      if (sources_.contains(next) || next->definition() == nullptr) {
        inputs.push_back(next);
      } else {
        push_operands(*next->definition());
      }
    }
  }

  std::vector<const TensorView*> inputs;
  std::vector<const Expr*> exprs;

 private:
  void push(const Val* val) {
    if (val->is_tensor()) {
      work_.push_back(static_cast<const TensorView*>(val));
    }
  }
  void push_operands(const Expr& expr) {
    exprs.push_back(&expr);
    for (size_t k = expr.inputs().size(); k-- > 0;) {
      push(expr.inputs()[k]);
    }
  }

  std::unordered_set<const TensorView*> sources_, seen_;
  std::vector<const TensorView*> work_;
};

class GroupMaker {
 public:
  GroupMaker(const Dataflow& flow, const GroupSearch& search) : flow_(flow), search_(search), found_(search.groups()) {}

  const std::vector<GroupSummary>& found() const { return found_; }

  std::vector<Group> make() const {
    std::vector<Group> groups;
    for (size_t k = 0; k < found_.size(); ++k) {
      groups.push_back(tensors_of(found_[k]));
      add_borders(static_cast<int>(k), groups.back());
    }
    return groups;
  }

 private:
  Group tensors_of(const GroupSummary& summary) const {
    Group group;
    group.kind = kind_of(flow_, summary);
    std::vector<const TensorView*> sources;
    for (const int read : summary.reads) {
      sources.push_back(flow_.value(read).view);
    }
    GroupWalk walk(sources);
    for (const int stored : summary.stores) {
      group.outputs.push_back(flow_.value(stored).view);
      walk.compute(flow_.value(stored).view);
    }
    group.inputs = std::move(walk.inputs);
    return group;
  }

  void add_borders(int position, Group& group) const {
    const GroupSummary& mine = found_[position];
    const auto border = [&](int value, int other) {
      const std::string_view reason = search_.reason(mine.atoms.front(), found_[other].atoms.front());
      return Group::Border{flow_.value(value).view, other, reason};
    };
    const int count = static_cast<int>(found_.size());
    for (const int value : mine.stores) {
      for (int other = position + 1; other < count && flow_.atom_of(value) >= 0; ++other) {
        if (holds(found_[other].reads, value)) {
          group.stored_for.push_back(border(value, other));
        }
      }
    }
    for (const int value : mine.reads) {
      const auto first = std::find_if(found_.begin(), found_.begin() + position,
                                      [&](const GroupSummary& other) { return holds(other.reads, value); });
      if (first != found_.begin() + position) {
        group.read_with.push_back(border(value, static_cast<int>(first - found_.begin())));
      }
    }
  }

  const Dataflow& flow_;
  const GroupSearch& search_;
  std::vector<GroupSummary> found_;
};

}  // namespace

std::vector<Group> segment(const Fusion& fusion, const CutSet& cuts) {
  Tensors repeated;
  std::vector<Group> best;
  double least = 0;
  for (int round = 0; round < kMostRounds; ++round) {
    const Dataflow flow(fusion, cuts, repeated);
    GroupSearch search(flow);
    search.run();
    const GroupMaker maker(flow, search);
    const double bytes = total_bytes(flow, maker.found());
    if (round > 0 && bytes >= least) {
      break;
    }
    best = maker.make();
    least = bytes;
    const Tensors more = worth_repeating(flow, maker.found());
    if (more.empty()) {
      break;
    }
    repeated.insert(more.begin(), more.end());
  }
  return best;
}

bool cut_again(const Group& refused, CutSet& cuts) {
  GroupWalk walk(refused.inputs);
  std::for_each(refused.outputs.begin(), refused.outputs.end(), [&](const TensorView* t) { walk.compute(t); });
  std::unordered_set<const Val*> used;
  const size_t apart = cuts.apart.size();
  for (const Expr* expr : walk.exprs) {
    used.insert(expr->inputs().begin(), expr->inputs().end());
    if (refused.kind == GroupKind::mixed && expr->kind() == ExprKind::reduce) {
      cuts.apart.insert(static_cast<const TensorView*>(expr->output(0)));
    }
  }
  if (cuts.apart.size() > apart) {
    return true;
  }
  for (const bool reductions : {true, false}) {
    const size_t known = cuts.values.size();
    for (const Expr* expr : walk.exprs) {
      for (const Val* result : expr->outputs()) {
        if (used.contains(result) && (!reductions || expr->kind() == ExprKind::reduce)) {
          cuts.values.insert(static_cast<const TensorView*>(result));
        }
      }
    }
    if (cuts.values.size() > known) {
      return true;
    }
  }
  return false;
}

}  // namespace nvfuser
