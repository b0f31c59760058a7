// SPDX-License-Identifier: Apache-2.0
// Grouping of outputs and cut tensors by depth (how many cuts lie before them) and by iteration space.
#include "nvfuser/fuse/segment.h"

#include <algorithm>
#include <map>
#include <set>
#include <sstream>
#include <unordered_map>
#include <unordered_set>

#include "nvfuser/graph/instantiate.h"

namespace nvfuser {
namespace {

bool is_cut(const TensorView* tensor) {
  const Expr* definition = tensor->definition();
  return definition && definition->kind() == ExprKind::set && definition->attribute<int64_t>(0) == 1;
}

/// Walks from values to what they read from memory.
class Reads {
 public:
  explicit Reads(std::unordered_set<const Val*> sources) : sources_(std::move(sources)) {}

  /// Tensors read from memory to compute `tensor` itself (which may be a source for others).
  std::vector<const TensorView*> of(const TensorView* tensor) {
    found_.clear();
    seen_.clear();
    if (!tensor->definition()) {
      visit(tensor);
    } else {
      operands(tensor->definition());
    }
    return found_;
  }

 private:
  void operands(const Expr* expr) {
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
      found_.push_back(tensor);
    } else if (tensor->definition()) {
      operands(tensor->definition());
    }
  }

  std::unordered_set<const Val*> sources_;
  std::unordered_set<const TensorView*> seen_;
  std::vector<const TensorView*> found_;
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

/// Fusion outputs and live cut tensors, each once, operands before users.
std::vector<const TensorView*> stored_values(const Fusion& fusion) {
  std::unordered_set<const Val*> outputs(fusion.outputs().begin(), fusion.outputs().end());
  std::vector<const TensorView*> found;
  for (const Val* input : fusion.inputs()) {
    if (outputs.contains(input)) {
      found.push_back(static_cast<const TensorView*>(input));
    }
  }
  for (const Expr* expr : fusion.live_exprs()) {
    for (const Val* result : expr->outputs()) {
      if (result->is_tensor() && (outputs.contains(result) || is_cut(static_cast<const TensorView*>(result)))) {
        found.push_back(static_cast<const TensorView*>(result));
      }
    }
  }
  return found;
}

}  // namespace

std::vector<Group> segment(const Fusion& fusion) {
  const std::vector<const TensorView*> stored = stored_values(fusion);
  std::unordered_set<const Val*> sources(fusion.inputs().begin(), fusion.inputs().end());
  for (const TensorView* tensor : stored) {
    if (is_cut(tensor)) {
      sources.insert(tensor);
    }
  }
  Reads reads(sources);
  AxisClasses classes(fusion);
  std::unordered_map<const TensorView*, int> depth;
  std::map<std::pair<int, SpaceKey>, Group> groups;
  for (const TensorView* tensor : stored) {
    const std::vector<const TensorView*> inputs = reads.of(tensor);
    int level = 0;
    for (const TensorView* input : inputs) {
      auto cut = depth.find(input);
      level = cut == depth.end() || input == tensor ? level : std::max(level, cut->second + 1);
    }
    if (is_cut(tensor)) {
      depth[tensor] = level;
    }
    Group& group = groups[{level, space_of(tensor, classes)}];
    group.outputs.push_back(tensor);
    for (const TensorView* input : inputs) {
      if (std::find(group.inputs.begin(), group.inputs.end(), input) == group.inputs.end()) {
        group.inputs.push_back(input);
      }
    }
  }
  std::vector<Group> result;
  for (auto& [key, group] : groups) {
    result.push_back(std::move(group));
  }
  return result;
}

std::string to_string(const std::vector<Group>& groups) {
  std::ostringstream text;
  for (size_t k = 0; k < groups.size(); ++k) {
    text << "group " << k << ": reads";
    for (const TensorView* input : groups[k].inputs) {
      text << ' ' << to_string(*input);
    }
    text << "; stores";
    for (const TensorView* output : groups[k].outputs) {
      text << ' ' << to_string(*output) << (is_cut(output) ? " (segment_set)" : " (output)");
    }
    text << '\n';
  }
  return text.str();
}

}  // namespace nvfuser
