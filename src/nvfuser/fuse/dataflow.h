// SPDX-License-Identifier: Apache-2.0
// What segmentation knows of a fusion: which values cost how many bytes in memory, which operations are computed again
// wherever their result is needed, and what each of the others reads.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <unordered_map>
#include <vector>

#include "nvfuser/graph/instantiate.h"
#include "nvfuser/ir/fusion.h"

namespace nvfuser {

/// Where kernels are cut beside the results of segment_set.
struct CutSet {
  std::set<const TensorView*> values;  ///< no kernel both stores and reads them
  std::set<const TensorView*> apart;   ///< results of reductions that share no kernel with reductions of other axes
  auto operator<=>(const CutSet&) const = default;
};

/// Exact axis classes of a value that is iterated, in order, each as often as the value has axes of it.
using AxisSet = std::vector<uint32_t>;

/// What a reduction combines and what it leaves.
struct Signature {
  AxisSet reduced, kept;
  auto operator<=>(const Signature&) const = default;
};

struct FlowValue {
  const TensorView* view;
  int node;         ///< position of what computes it; -1: an input of the fusion
  int space;        ///< its axes, as a position in `spaces`
  int points;       ///< the same, axes that reshapes split or merge by their parts
  double elements;  ///< estimate: extents that are unknown count as kUnknownExtent
  double bytes;
  bool stored;               ///< in any case: an output, or where kernels are cut
  bool cut;                  ///< no kernel both stores and reads it
  bool apart;                ///< see CutSet
  std::vector<int> readers;  ///< atoms that need it, in order
};

struct FlowNode {
  const Expr* expr = nullptr;   ///< null: an input that is stored as it is
  std::vector<int> results;     ///< values
  std::vector<int> operands;    ///< values
  int signature = -1;           ///< of a reduction: position in `signatures`
  bool repeated = false;        ///< computed in every kernel that needs it, so never read from memory
  int atom = -1;                ///< position in `atoms`; -1: no kernel is made for it
  std::vector<int> reads;       ///< values from which it is computed through repeated nodes, in order
  double own_instructions = 0;  ///< an element
  double own_text = 0;          ///< length of its code, in simple operations
  double instructions = 0;      ///< those of repeated nodes before it included
  double text = 0;              ///< the same
};

/// Nodes stand in order of creation: operands come first.
struct Dataflow {
  static constexpr int64_t kUnknownExtent = 1024;
  /// A value is computed again instead of read where that costs no more instructions than this an element.
  static constexpr double kMostRepeated = 24;

  /// `cuts`: further values to cut at.  `repeated`: values that are computed again though more is read for them.
  explicit Dataflow(const Fusion& fusion, const CutSet& cuts = {}, const std::set<const TensorView*>& repeated = {});

  const FlowValue& value(int k) const { return values[k]; }
  const FlowNode& atom(int k) const { return nodes[atoms[k]]; }
  /// The atom that computes the value; -1: none, it is in memory.
  int atom_of(int value) const { return values[value].node < 0 ? -1 : nodes[values[value].node].atom; }
  /// Are these the axes of a part of the other's points (not of all)?
  bool is_smaller(int space, int than) const;

  std::vector<FlowValue> values;
  std::vector<FlowNode> nodes;
  std::vector<int> atoms;  ///< nodes that kernels are made for
  std::vector<AxisSet> spaces;
  std::vector<Signature> signatures;
  AxisClasses classes;

 private:
  int space_of(const AxisSet& axes);
  int value_of(const TensorView* tensor, int node);
  void add_node(const Expr& expr);
  void estimate(FlowValue& value, const Expr& expr) const;
  void decide(FlowNode& node, const std::set<const TensorView*>& repeated);
  void collect_reads(FlowNode& node) const;
  bool reads_no_more(const FlowNode& node) const;
  void number_atoms();

  std::map<AxisSet, int> space_numbers_;
  std::unordered_map<const TensorView*, int> value_numbers_;
};

}  // namespace nvfuser
