// SPDX-License-Identifier: Apache-2.0
// Values, their estimated bytes, and which operations are repeated.
#include "nvfuser/fuse/dataflow.h"

#include <algorithm>
#include <array>

#include "nvfuser/ir/nodes.h"
#include "nvfuser/ir/pointwise.h"

namespace nvfuser {
namespace {

/// Instructions an element, by PointwiseCost; and how much there is to compile, where machines have no such
/// instruction.
constexpr std::array<double, 3> kInstructions = {1, 4, 40}, kText = {1, 16, 64};

double instructions_of(const Expr& expr) {
  switch (expr.kind()) {
    case ExprKind::pointwise:
      return kInstructions[static_cast<size_t>(info(expr.attribute<PointwiseOp>(0)).cost)];
    case ExprKind::cast:
    case ExprKind::iota:
    case ExprKind::reduce:
      return 1;
    case ExprKind::pad:
    case ExprKind::cat:
      return static_cast<double>(expr.outputs().size() + 1);
    default:
      return 0;
  }
}

double text_of(const Expr& expr) {
  return expr.kind() == ExprKind::pointwise ? kText[static_cast<size_t>(info(expr.attribute<PointwiseOp>(0)).cost)]
                                            : instructions_of(expr);
}

/// The same elements under other axes.
bool keeps_elements(ExprKind kind) {
  switch (kind) {
    case ExprKind::cast:
    case ExprKind::set:
    case ExprKind::broadcast:
    case ExprKind::expand:
    case ExprKind::squeeze:
    case ExprKind::permute:
    case ExprKind::reshape:
      return true;
    default:
      return false;
  }
}

bool is_segment_set(const Expr& expr) { return expr.kind() == ExprKind::set && expr.attribute<int64_t>(0) == 1; }

const TensorView* as_tensor(const Val* val) { return static_cast<const TensorView*>(val); }

void add_sorted(std::vector<int>& list, int value) {
  const auto place = std::lower_bound(list.begin(), list.end(), value);
  if (place == list.end() || *place != value) {
    list.insert(place, value);
  }
}

double elements_of(const TensorView& tensor) {
  double elements = 1;
  for (const IterDomain* axis : tensor.logical()) {
    if (!axis->is_broadcast() && !axis->is_reduction()) {
      const Val* extent = axis->extent();
      elements *= static_cast<double>(extent->is_constant() ? extent->constant_int() : Dataflow::kUnknownExtent);
    }
  }
  return elements;
}

/// Has the axis points to count?
bool is_iterated(const IterDomain* axis) {
  return !axis->is_broadcast() && !(axis->extent()->is_constant() && axis->extent()->constant_int() == 1);
}

/// Classes of the axes that are iterated, kept ones or reduced ones.
AxisSet classes_of(const std::vector<IterDomain*>& axes, const AxisClasses& classes, bool reduced) {
  AxisSet found;
  for (const IterDomain* axis : axes) {
    if (is_iterated(axis) && axis->is_reduction() == reduced) {
      found.push_back(classes.find(axis)->number());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

AxisSet parts_of(const std::vector<IterDomain*>& axes, const AxisClasses& classes, bool reduced) {
  AxisSet found;
  for (const IterDomain* axis : axes) {
    if (!is_iterated(axis) || axis->is_reduction() != reduced) {
      continue;
    }
    for (const IterDomain* part : classes.parts(axis)) {
      found.push_back(classes.find(part)->number());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

Dataflow::Dataflow(const Fusion& fusion, const CutSet& cuts, const std::set<const TensorView*>& repeated)
    : classes(fusion) {
  for (const Val* input : fusion.inputs()) {
    if (input->is_tensor()) {
      value_of(as_tensor(input), -1);
    }
  }
  const std::set<const Val*> outputs(fusion.outputs().begin(), fusion.outputs().end());
  for (const Val* input : fusion.inputs()) {
    if (outputs.contains(input)) {
      FlowNode copy;
      copy.results = copy.operands = {value_of(as_tensor(input), -1)};
      nodes.push_back(std::move(copy));
    }
  }
  for (const Expr* expr : fusion.live_exprs()) {
    if (expr->output(0)->is_tensor()) {
      add_node(*expr);
      for (const int result : nodes.back().results) {
        FlowValue& value = values[result];
        value.cut = cuts.values.contains(value.view) || is_segment_set(*expr);
        value.apart = cuts.apart.contains(value.view);
        value.stored = value.cut || outputs.contains(value.view);
      }
    }
  }
  for (FlowNode& node : nodes) {
    decide(node, repeated);
  }
  number_atoms();
}

bool Dataflow::is_smaller(int space, int than) const {
  const AxisSet &small = spaces[space], &large = spaces[than];
  return small.size() < large.size() && std::includes(large.begin(), large.end(), small.begin(), small.end());
}

int Dataflow::space_of(const AxisSet& axes) {
  const auto [place, fresh] = space_numbers_.emplace(axes, static_cast<int>(spaces.size()));
  if (fresh) {
    spaces.push_back(axes);
  }
  return place->second;
}

int Dataflow::value_of(const TensorView* tensor, int node) {
  const auto [place, fresh] = value_numbers_.emplace(tensor, static_cast<int>(values.size()));
  if (fresh) {
    const int space = space_of(classes_of(tensor->logical(), classes, false));
    const int points = space_of(parts_of(tensor->logical(), classes, false));
    const double elements = tensor->is_cpu_scalar() ? 0 : elements_of(*tensor);
    values.push_back({tensor, node, space, points, elements, 0, false, false, false, {}});
    values.back().bytes = elements * std::max(1, bytes_of(tensor->dtype()));
  }
  return place->second;
}

void Dataflow::add_node(const Expr& expr) {
  FlowNode node;
  node.expr = &expr;
  for (const Val* operand : expr.inputs()) {
    if (operand->is_tensor()) {
      node.operands.push_back(value_of(as_tensor(operand), -1));
    }
  }
  for (const Val* result : expr.outputs()) {
    node.results.push_back(value_of(as_tensor(result), static_cast<int>(nodes.size())));
  }
  node.own_instructions = instructions_of(expr);
  node.own_text = text_of(expr);
  nodes.push_back(std::move(node));
  FlowNode& added = nodes.back();
  for (const int result : added.results) {
    estimate(values[result], expr);
  }
  if (expr.kind() == ExprKind::reduce) {
    const std::vector<IterDomain*>& root = as_tensor(expr.output(0))->domain()->root();
    const Signature mine{parts_of(root, classes, true), parts_of(root, classes, false)};
    const auto known = std::find(signatures.begin(), signatures.end(), mine);
    added.signature = static_cast<int>(known - signatures.begin());
    if (known == signatures.end()) {
      signatures.push_back(mine);
    }
  }
}

/// Extents that are unknown tell little: where an operation keeps elements, or combines them, its operands' count.
void Dataflow::estimate(FlowValue& value, const Expr& expr) const {
  double read = 0;
  for (const int operand : nodes.back().operands) {
    read = std::max(read, values[operand].elements);
  }
  if (keeps_elements(expr.kind())) {
    value.elements = read;
  } else if (expr.kind() == ExprKind::reduce || expr.kind() == ExprKind::slice) {
    value.elements = std::min(value.elements, read);
  } else {
    value.elements = std::max(value.elements, read);
  }
  value.bytes = value.elements * std::max(1, bytes_of(value.view->dtype()));
}

void Dataflow::collect_reads(FlowNode& node) const {
  node.instructions = node.own_instructions;
  node.text = node.own_text;
  for (const int operand : node.operands) {
    const FlowNode* maker = values[operand].node < 0 ? nullptr : &nodes[values[operand].node];
    if (maker == nullptr || !maker->repeated) {
      add_sorted(node.reads, operand);
      continue;
    }
    node.instructions += maker->instructions;
    node.text += maker->text;
    std::for_each(maker->reads.begin(), maker->reads.end(), [&](int value) { add_sorted(node.reads, value); });
  }
}

/// Reading what the result is computed from costs no more bytes than reading the result.  What has fewer axes counts
/// little beside the rest; a slice of what lies in memory reads no more than it gives.
bool Dataflow::reads_no_more(const FlowNode& node) const {
  const FlowValue& result = values[node.results[0]];
  double bytes = 0;
  for (const int read : node.reads) {
    const FlowValue& value = values[read];
    const bool there = value.node < 0 || value.stored;
    if (result.stored && !there) {
      return false;  // one of the two lies in memory anyway
    }
    const bool part = node.expr->kind() == ExprKind::slice && there;
    bytes += is_smaller(value.points, result.points) ? 0 : part ? std::min(value.bytes, result.bytes) : value.bytes;
  }
  return bytes <= result.bytes;
}

void Dataflow::decide(FlowNode& node, const std::set<const TensorView*>& repeated) {
  collect_reads(node);
  const bool possible = node.expr != nullptr && node.expr->kind() != ExprKind::reduce && !values[node.results[0]].cut &&
                        node.instructions <= kMostRepeated;
  node.repeated = possible && (repeated.contains(values[node.results[0]].view) || reads_no_more(node));
}

void Dataflow::number_atoms() {
  for (size_t k = 0; k < nodes.size(); ++k) {
    FlowNode& node = nodes[k];
    const bool kept = node.expr == nullptr || std::any_of(node.results.begin(), node.results.end(),
                                                          [&](int result) { return values[result].stored; });
    if (!node.repeated || kept) {
      node.atom = static_cast<int>(atoms.size());
      atoms.push_back(static_cast<int>(k));
      for (const int read : node.reads) {
        values[read].readers.push_back(node.atom);
      }
    }
  }
}

}  // namespace nvfuser
