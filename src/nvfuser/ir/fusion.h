// SPDX-License-Identifier: Apache-2.0
// The fusion IR: values, expressions, axes, tensors and the graph that owns them.  Built by ops/, read by everything
// behind it.  Semantics: values are immutable and have at most one definition (SSA); integer arithmetic wraps; narrow
// floats are stored narrow and computed in Float.  Nodes belong to their Fusion's arena and never outlive it.
#pragma once

#include <complex>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "nvfuser/base/errors.h"
#include "nvfuser/ir/dtype.h"
#include "nvfuser/ir/types.h"

namespace nvfuser {

class Fusion;
class Expr;
class Val;
class IterDomain;
class TensorDomain;
class TensorView;

/// A scalar on the host: constants, arguments, results of host evaluation.
using ScalarValue = std::variant<bool, int64_t, double, std::complex<double>>;

/// Where in the user's program a node was made; resolved to text only when an error is printed.
class Location {
 public:
  virtual ~Location() = default;
  /// Such as `model.py:12 in block`.
  virtual std::string text() const = 0;
};

/// A node of the graph.
class Statement {
 public:
  virtual ~Statement() = default;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Fusion* fusion() const { return fusion_; }
  /// Number within the fusion and the kind of node; the N in T3 or i5.
  uint32_t number() const { return number_; }
  /// The Python wrapper of this node while one lives (owned by Python; only python/bindings touches it).
  mutable void* wrapper = nullptr;

 protected:
  Statement(Fusion* fusion, uint32_t number) : fusion_(fusion), number_(number) {}

 private:
  Fusion* fusion_;
  uint32_t number_;
};

enum class ValKind : uint8_t { scalar, iter_domain, tensor_domain, tensor_view };

/// Scalars whose value the runtime gives at every call, from the state of a random generator.
///   seed     the generator's seed
///   offset   how many random numbers earlier calls have taken; see Fusion::set_offset_advance
enum class ScalarRole : uint8_t { plain, seed, offset };

/// A value.  Scalars are plain Vals: constant, symbolic (input or extent), or defined by an expression over scalars.
class Val : public Statement {
 public:
  ValKind kind() const { return kind_; }
  DataType dtype() const { return dtype_; }
  Expr* definition() const { return definition_; }
  const std::vector<Expr*>& uses() const { return uses_; }
  bool is_tensor() const { return kind_ == ValKind::tensor_view; }
  bool is_scalar() const { return kind_ == ValKind::scalar; }
  /// plain for everything but the two leaves of a random generator.
  ScalarRole role() const { return role_; }
  /// The user's line: of the definition, or of the value itself where it has none (see Fusion::locate).
  const std::shared_ptr<const Location>& location() const;
  bool is_constant() const { return constant_.has_value(); }
  /// No constant value known.
  bool is_symbolic() const { return !is_constant(); }
  const std::optional<ScalarValue>& constant() const { return constant_; }
  /// The constant as an integer; error unless it is one.
  int64_t constant_int() const;

 protected:
  friend class Fusion;
  Val(Fusion* fusion, uint32_t number, ValKind kind, DataType dtype)
      : Statement(fusion, number), kind_(kind), dtype_(dtype) {}

 private:
  ValKind kind_;
  DataType dtype_;
  ScalarRole role_ = ScalarRole::plain;
  std::optional<ScalarValue> constant_;
  Expr* definition_ = nullptr;
  std::vector<Expr*> uses_;
  std::shared_ptr<const Location> location_;
};

/// One axis of one tensor.  A broadcast axis has extent 1 and, when expanded, an expanded extent which the user sees.
class IterDomain final : public Val {
 public:
  Val* extent() const { return extent_; }
  /// Null unless this is an expanded broadcast.
  Val* expanded_extent() const { return expanded_; }
  /// The extent that the user sees: expanded_extent() when there is one, else extent().
  Val* visible_extent() const { return expanded_ ? expanded_ : extent_; }
  IterType iter_type() const { return type_; }
  bool is_broadcast() const { return type_ == IterType::broadcast; }
  bool is_reduction() const { return type_ == IterType::reduction; }
  ParallelType parallel_type() const { return parallel_; }
  void parallelize(ParallelType type) { parallel_ = type; }

 private:
  friend class Fusion;
  using Val::Val;
  Val* extent_ = nullptr;
  Val* expanded_ = nullptr;
  IterType type_ = IterType::iteration;
  ParallelType parallel_ = ParallelType::serial;
};

/// The four views of a tensor's axes.
///   root        axes that the definition iterates
///   logical     the axes that users see, and those that the definition reduces
///   allocation  memory order, outermost first: a permutation of logical, each with a contiguity flag
///   loop        the loops of a schedule: root or logical axes, and what splits and merges make of them
/// Reduced axes stand in all four, with IterType::reduction; they have neither memory nor a place in the shape.
/// contiguity[k] belongs to allocation[k]: true = its stride is that of the next inner axis times that axis' extent
/// (1 for the innermost); absent for broadcast and reduced axes.
class TensorDomain final : public Val {
 public:
  const std::vector<IterDomain*>& root() const { return root_; }
  const std::vector<IterDomain*>& logical() const { return logical_; }
  const std::vector<IterDomain*>& allocation() const { return allocation_; }
  const std::vector<IterDomain*>& loop() const { return loop_; }
  const std::vector<std::optional<bool>>& contiguity() const { return contiguity_; }
  /// Logical axes that are no reductions.
  std::vector<IterDomain*> no_reductions() const;
  /// True when allocation order is logical order.
  bool is_row_major() const { return allocation_ == logical_; }
  void set_allocation(std::vector<IterDomain*> allocation, std::vector<std::optional<bool>> contiguity);
  /// Root and logical axes, and the results of the splits and merges by which the loops come from them, are each a loop
  /// or go into one split or merge; broadcast axes may be left out.
  void set_loop(std::vector<IterDomain*> loop);
  /// Why these axes cannot be the loops; empty when they can.
  std::string loop_fault(const std::vector<IterDomain*>& loop) const;

 private:
  friend class Fusion;
  using Val::Val;
  std::vector<IterDomain*> root_, logical_, allocation_, loop_;
  std::vector<std::optional<bool>> contiguity_;
};

/// A tensor.
class TensorView final : public Val {
 public:
  TensorDomain* domain() const { return domain_; }
  const std::vector<IterDomain*>& logical() const { return domain_->logical(); }
  /// Logical rank without reductions.
  int rank() const;
  MemoryType memory_type() const { return memory_; }
  void set_memory_type(MemoryType type) { memory_ = type; }
  /// A 0-dim tensor on the CPU whose value is passed to kernels by value.
  bool is_cpu_scalar() const { return cpu_scalar_; }
  /// For inputs without axes.
  void set_cpu_scalar(bool by_value);
  bool is_fusion_input() const;

 private:
  friend class Fusion;
  using Val::Val;
  TensorDomain* domain_ = nullptr;
  MemoryType memory_ = MemoryType::local;
  bool cpu_scalar_ = false;
};

/// An attribute of an expression; plain data, so that print, equality, hash and clone are written once.
using Attribute = std::variant<int64_t, DataType, PointwiseOp, ReductionOp, std::vector<int64_t>, std::vector<bool>>;

/// An expression: kind (a row of nodes.def), operands, results, attributes.  Operands and results are scalars or
/// tensors (IterDomains for split and merge).
class Expr final : public Statement {
 public:
  ExprKind kind() const { return kind_; }
  const std::vector<Val*>& inputs() const { return inputs_; }
  const std::vector<Val*>& outputs() const { return outputs_; }
  Val* input(int k) const;
  Val* output(int k) const;
  const std::vector<Attribute>& attributes() const { return attributes_; }
  template <class T>
  const T& attribute(int k) const {
    return std::get<T>(attributes_.at(k));
  }
  const std::shared_ptr<const Location>& location() const { return location_; }

 private:
  friend class Fusion;
  Expr(Fusion* fusion, uint32_t number) : Statement(fusion, number) {}
  ExprKind kind_{};
  std::vector<Val*> inputs_, outputs_;
  std::vector<Attribute> attributes_;
  std::shared_ptr<const Location> location_;
};

/// An output that is written into the buffer of an input.
struct OutputAlias {
  TensorView* output;
  TensorView* input;
  bool hidden;  ///< not returned to the caller
};

/// The graph.  Always held by shared_ptr: IR objects seen from Python own it jointly.
class Fusion : public std::enable_shared_from_this<Fusion> {
 public:
  static std::shared_ptr<Fusion> make();
  ~Fusion();

  // ---- nodes ----
  Val* constant(ScalarValue value, DataType dtype);
  /// An integer constant of dtype Index; one node a value.
  Val* index_constant(int64_t value);
  /// A scalar without value or definition.
  Val* symbolic(DataType dtype);
  /// The leaf of that role, a UInt64 scalar; one node each.
  Val* random_leaf(ScalarRole role);
  IterDomain* axis(Val* extent, IterType type = IterType::iteration, Val* expanded = nullptr);
  /// Root = logical, allocation = logical, contiguity true (none for broadcast), loop = logical.
  TensorDomain* domain(std::vector<IterDomain*> logical);
  /// As above with a root of its own.
  TensorDomain* domain(std::vector<IterDomain*> root, std::vector<IterDomain*> logical);
  TensorView* tensor(TensorDomain* domain, DataType dtype, bool cpu_scalar = false);
  /// Makes the expression the definition of its outputs and a use of its inputs.  Error if an operand belongs to
  /// another fusion or an output has a definition.
  Expr* expr(ExprKind kind, std::vector<Val*> inputs, std::vector<Val*> outputs,
             std::vector<Attribute> attributes = {});

  // ---- boundary ----
  void add_input(Val* input);
  void add_output(Val* output);
  void add_output(TensorView* output, TensorView* alias_input);
  const std::vector<Val*>& inputs() const { return inputs_; }
  /// In order of registration; the same tensor may stand more than once.  Hidden aliases are included.
  const std::vector<TensorView*>& outputs() const { return outputs_; }
  /// Null, or the alias entry of output k.
  const OutputAlias* alias(size_t k) const;
  const std::vector<std::unique_ptr<OutputAlias>>& aliases() const { return aliases_; }

  // ---- random numbers ----
  /// How far a call moves the generator's offset: an integer scalar that depends on sizes only.  Null: not at all.
  Val* offset_advance() const { return offset_advance_; }
  void set_offset_advance(Val* advance);

  // ---- traversal ----
  /// Scalars and tensors in order of creation.
  std::vector<Val*> vals() const;
  /// Every node in order of creation: operands always come before what is made of them.
  std::vector<const Statement*> statements() const;
  /// All expressions over scalars and tensors in order of creation (operands always come first).
  const std::vector<Expr*>& exprs() const { return exprs_; }
  /// Those that outputs depend on, in order of creation.
  std::vector<Expr*> live_exprs() const;

  /// Called when an expression is made, to record the user's line; may be empty.
  std::function<std::shared_ptr<const Location>()> locator;
  /// Records the line of a value that no expression defines: the builders of inputs call it.
  void locate(Val* val) { locate(val, locator ? locator() : nullptr); }
  void locate(Val* val, std::shared_ptr<const Location> location) { val->location_ = std::move(location); }

 private:
  Fusion();
  struct Impl;
  std::unique_ptr<Impl> impl_;
  std::vector<Val*> inputs_;
  std::vector<TensorView*> outputs_;
  Val* offset_advance_ = nullptr;
  std::vector<std::unique_ptr<OutputAlias>> aliases_;  // parallel to outputs_, null where there is none
  std::vector<Expr*> exprs_;
};

// ---- whole-fusion functions, one file each -------------------------------------------------------------------------
/// ir/print_math.cpp: IR text, one line an expression.
std::string print_math(const Fusion& fusion, bool from_outputs_only = true);
std::string to_string(const Statement& statement);
/// The same for messages: parts of a check are streamed only where it fails.
std::ostream& operator<<(std::ostream& out, const Statement& statement);
/// Where the user made a node, as the end of a message: ` (model.py:12 in block)`, or nothing where that is unknown.
struct AtLine {
  const Statement& node;
};
std::ostream& operator<<(std::ostream& out, const AtLine& at);
/// The subject of a message: `add (model.py:12 in block)` by the name that the op has in Python.
struct OpTitle {
  const Expr& expr;
};
std::ostream& operator<<(std::ostream& out, const OpTitle& title);
/// Input k as messages name it: `input 0, T0_g_float[iS0{i0}],`.
struct InputTitle {
  size_t k;
  const Val* input;
};
std::ostream& operator<<(std::ostream& out, const InputTitle& title);
/// A constant as it prints: `true`, `3`, `0.5`, `nan`, `(1.0,2.0)`.
std::string to_string(const ScalarValue& value);
/// ir/clone.cpp: a copy; `map`, when given, gets old -> new for every Val.
std::shared_ptr<Fusion> clone(const Fusion& fusion, std::vector<std::pair<const Val*, Val*>>* map = nullptr);
/// ir/structure.cpp: structural hash and equality of what outputs depend on: kinds, attributes, dtypes, constants,
/// static extents, layouts, aliases, order of inputs and outputs.  Locations, numbers and schedules (loop axes,
/// parallel types, memory types) do not count.
uint64_t structural_hash(const Fusion& fusion);
bool structurally_equal(const Fusion& a, const Fusion& b);
/// ir/verify_fusion.cpp: throws ErrorKind::internal with the node's text when an invariant is broken.
void verify(const Fusion& fusion);

}  // namespace nvfuser
