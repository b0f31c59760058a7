// SPDX-License-Identifier: Apache-2.0
// Grouping of outputs and cut tensors by depth (how many cuts lie before them), by iteration space, and by what is
// reduced on the way to them.
#include "nvfuser/fuse/segment.h"

#include <algorithm>
#include <set>
#include <sstream>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "nvfuser/graph/instantiate.h"

namespace nvfuser {
namespace {

bool is_cut(const TensorView* tensor) {
  const Expr* definition = tensor->definition();
  return definition && definition->kind() == ExprKind::set && definition->attribute<int64_t>(0) == 1;
}

/// What a group has between its inputs and one of its outputs.
struct Slice {
  std::vector<const TensorView*> inputs;  ///< tensors read from memory
  std::vector<const Expr*> reductions;
};

/// Walks from values to what they read from memory.
class Reads {
 public:
  explicit Reads(std::unordered_set<const Val*> sources) : sources_(std::move(sources)) {}

  /// What is needed to compute `tensor` itself (which may be a source for others).
  Slice of(const TensorView* tensor) {
    found_ = {};
    seen_.clear();
    if (!tensor->definition()) {
      visit(tensor);
    } else {
      operands(tensor->definition());
    }
    return found_;
  }
  void add_source(const Val* tensor) { sources_.insert(tensor); }

 private:
  void operands(const Expr* expr) {
    if (expr->kind() == ExprKind::reduce &&
        std::find(found_.reductions.begin(), found_.reductions.end(), expr) == found_.reductions.end()) {
      found_.reductions.push_back(expr);
    }
    for (const Val* operand : expr->inputs()) {
      if (operand->is_tensor()) {
        visit(static_cast<const TensorView*>(operand));
      }
    }
  }

  void visit(const TensorView* tensor) {
    if (!seen_.insert(tensor).second) {
      return;
    }
    if (sources_.contains(tensor)) {
      found_.inputs.push_back(tensor);
    } else if (tensor->definition()) {
      operands(tensor->definition());
    }
  }

  std::unordered_set<const Val*> sources_;
  std::unordered_set<const TensorView*> seen_;
  Slice found_;
};

using SpaceKey = std::vector<uint32_t>;

/// The set of exact classes of the axes that the stored value iterates.
SpaceKey space_of(const TensorView* tensor, const AxisClasses& classes) {
  std::set<uint32_t> key;
  for (const IterDomain* axis : tensor->logical()) {
    if (!axis->is_broadcast() && !axis->is_reduction()) {
      key.insert(classes.find(axis)->number());
    }
  }
  return {key.begin(), key.end()};
}

/// What a reduction sums over, and what it leaves.
struct Signature {
  SpaceKey reduced, kept;
  auto operator<=>(const Signature&) const = default;

  /// All points of the iteration.
  SpaceKey whole() const {
    SpaceKey all;
    std::set_union(reduced.begin(), reduced.end(), kept.begin(), kept.end(), std::back_inserter(all));
    return all;
  }
  bool spans(const SpaceKey& space) const {
    return space == whole() || std::includes(kept.begin(), kept.end(), space.begin(), space.end());
  }
};

Signature signature_of(const Expr& reduce, const AxisClasses& classes) {
  std::set<uint32_t> reduced, kept;
  for (const IterDomain* axis : static_cast<const TensorView*>(reduce.output(0))->domain()->root()) {
    if (!axis->is_broadcast()) {
      (axis->is_reduction() ? reduced : kept).insert(classes.find(axis)->number());
    }
  }
  return {{reduced.begin(), reduced.end()}, {kept.begin(), kept.end()}};
}

/// Reductions whose results are stored: of a value that several signatures lie behind, or that iterates further axes.
class ReductionCuts {
 public:
  ReductionCuts(const Fusion& fusion, const AxisClasses& classes, Reads& reads, Cuts cuts)
      : classes_(classes), reads_(reads), cuts_(cuts) {
    std::unordered_set<const Val*> outputs(fusion.outputs().begin(), fusion.outputs().end());
    for (const Expr* expr : fusion.live_exprs()) {
      for (const Val* result : expr->outputs()) {
        const bool ends = outputs.contains(result) || expr->kind() == ExprKind::reduce ||
                          (result->is_tensor() && is_cut(static_cast<const TensorView*>(result)));
        if (result->is_tensor() && ends) {
          check_value(static_cast<const TensorView*>(result));
        }
      }
      if (cuts_ == Cuts::reductions && expr->kind() == ExprKind::reduce) {
        cut(*expr);
      }
    }
  }

  bool contains(const TensorView* tensor) const { return cut_.contains(tensor); }

 private:
  void check_value(const TensorView* tensor) {
    const Slice slice = reads_.of(tensor);
    std::set<Signature> signatures;
    for (const Expr* reduce : slice.reductions) {
      signatures.insert(signature_of(*reduce, classes_));
    }
    const bool own = tensor->definition()->kind() == ExprKind::reduce;
    const bool fits = signatures.empty() ||
                      (signatures.size() == 1 && (own || signatures.begin()->spans(space_of(tensor, classes_))));
    for (const Expr* reduce : slice.reductions) {
      if (!fits && reduce != tensor->definition()) {
        cut(*reduce);
      }
    }
  }

  void cut(const Expr& reduce) {
    for (const Val* part : reduce.outputs()) {
      cut_.insert(part);
      reads_.add_source(part);
    }
  }

  const AxisClasses& classes_;
  Reads& reads_;
  Cuts cuts_;
  std::unordered_set<const Val*> cut_;
};

/// Fusion outputs and live cut tensors, each once, operands before users.
std::vector<const TensorView*> stored_values(const Fusion& fusion, const ReductionCuts& cuts) {
  std::unordered_set<const Val*> outputs(fusion.outputs().begin(), fusion.outputs().end());
  std::vector<const TensorView*> found;
  for (const Val* input : fusion.inputs()) {
    if (outputs.contains(input)) {
      found.push_back(static_cast<const TensorView*>(input));
    }
  }
  for (const Expr* expr : fusion.live_exprs()) {
    for (const Val* result : expr->outputs()) {
      const auto* tensor = result->is_tensor() ? static_cast<const TensorView*>(result) : nullptr;
      const bool cut = tensor != nullptr && (is_cut(tensor) || (cuts.contains(tensor) && !tensor->uses().empty()));
      if (cut || outputs.contains(result)) {
        found.push_back(tensor);
      }
    }
  }
  return found;
}

/// Groups at one depth.
struct Draft {
  int level = 0;
  SpaceKey space;
  std::vector<Signature> signature;  ///< none or one
  Group group;
  std::set<const Expr*> reductions;
};

bool share_input(const Group& a, const Group& b) {
  return std::any_of(a.inputs.begin(), a.inputs.end(), [&](const TensorView* input) {
    return std::find(b.inputs.begin(), b.inputs.end(), input) != b.inputs.end();
  });
}

/// May the two be one kernel, and is something gained: values of one space, or what is read or reduced in both?
bool belong_together(const Draft& a, const Draft& b) {
  if (a.level != b.level) {
    return false;
  }
  if (a.signature == b.signature) {
    const bool reduced_twice =
        std::any_of(a.reductions.begin(), a.reductions.end(), [&](const Expr* e) { return b.reductions.contains(e); });
    return a.space == b.space || reduced_twice || (!a.signature.empty() && share_input(a.group, b.group));
  }
  if (!a.signature.empty() && !b.signature.empty()) {
    return false;
  }
  const Draft& plain = a.signature.empty() ? a : b;
  const Draft& other = a.signature.empty() ? b : a;
  return plain.space == other.signature[0].whole() && share_input(plain.group, other.group);
}

template <class T>
void add_once(std::vector<T>& list, const std::vector<T>& more) {
  for (const T& value : more) {
    if (std::find(list.begin(), list.end(), value) == list.end()) {
      list.push_back(value);
    }
  }
}

void absorb(Draft& into, const Draft& other) {
  add_once(into.group.inputs, other.group.inputs);
  add_once(into.group.outputs, other.group.outputs);
  into.reductions.insert(other.reductions.begin(), other.reductions.end());
  if (into.signature.empty()) {
    into.signature = other.signature;
    into.space = other.space;
  }
}

/// Drafts that belong together as one group each, by depth and then by iteration space.
std::vector<Group> joined(std::vector<Draft> drafts) {
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t a = 0; a < drafts.size(); ++a) {
      for (size_t b = drafts.size(); b-- > a + 1;) {
        if (belong_together(drafts[a], drafts[b])) {
          absorb(drafts[a], drafts[b]);
          drafts.erase(drafts.begin() + static_cast<std::ptrdiff_t>(b));
          changed = true;
        }
      }
    }
  }
  std::stable_sort(drafts.begin(), drafts.end(), [](const Draft& a, const Draft& b) {
    return std::tie(a.level, a.space) < std::tie(b.level, b.space);
  });
  std::vector<Group> groups;
  for (Draft& draft : drafts) {
    groups.push_back(std::move(draft.group));
  }
  return groups;
}

}  // namespace

std::vector<Group> segment(const Fusion& fusion, Cuts cuts) {
  const AxisClasses classes(fusion);
  std::unordered_set<const Val*> sources(fusion.inputs().begin(), fusion.inputs().end());
  for (const Expr* expr : fusion.live_exprs()) {
    for (const Val* result : expr->outputs()) {
      if (result->is_tensor() && is_cut(static_cast<const TensorView*>(result))) {
        sources.insert(result);
      }
    }
  }
  Reads reads(sources);
  const ReductionCuts reduction_cuts(fusion, classes, reads, cuts);
  std::unordered_map<const TensorView*, int> depth;
  std::vector<Draft> drafts;
  for (const TensorView* tensor : stored_values(fusion, reduction_cuts)) {
    const Slice slice = reads.of(tensor);
    Draft mine{0, space_of(tensor, classes), {}, {slice.inputs, {tensor}}, {}};
    for (const TensorView* input : slice.inputs) {
      auto cut = depth.find(input);
      mine.level = cut == depth.end() || input == tensor ? mine.level : std::max(mine.level, cut->second + 1);
    }
    if (is_cut(tensor) || reduction_cuts.contains(tensor)) {
      depth[tensor] = mine.level;
    }
    for (const Expr* reduce : slice.reductions) {
      mine.reductions.insert(reduce);
      mine.signature = {signature_of(*reduce, classes)};
    }
    drafts.push_back(std::move(mine));
  }
  return joined(std::move(drafts));
}

std::string to_string(const std::vector<Group>& groups) {
  std::ostringstream text;
  const auto ends = [](const TensorView* tensor) {
    const std::vector<TensorView*>& outputs = tensor->fusion()->outputs();
    return is_cut(tensor)                                                       ? " (segment_set)"
           : std::find(outputs.begin(), outputs.end(), tensor) != outputs.end() ? " (output)"
                                                                                : " (reduction)";
  };
  for (size_t k = 0; k < groups.size(); ++k) {
    text << "group " << k << ": reads";
    for (const TensorView* input : groups[k].inputs) {
      text << ' ' << to_string(*input);
    }
    text << "; stores";
    for (const TensorView* output : groups[k].outputs) {
      text << ' ' << to_string(*output) << ends(output);
    }
    text << '\n';
  }
  return text.str();
}

}  // namespace nvfuser
