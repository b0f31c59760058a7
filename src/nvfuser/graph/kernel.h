// SPDX-License-Identifier: Apache-2.0
// The instantiated fusion: one tensor per (value, access map, tests), its references and their loops.  Built by
// graph/instantiate, transformed by transform/, read by lower/.  View ops no longer exist here.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "nvfuser/integer/index.h"
#include "nvfuser/ir/fusion.h"
#include "nvfuser/ir/links.h"

namespace nvfuser {

struct Transform;

/// An axis of a reference, or what a transform made of it.
struct Id {
  uint32_t serial;
  std::string name;
  Index extent;
  Index leaf;                       ///< the axis atom that stands for this id's index
  Transform* definition = nullptr;  ///< null for roots
  ParallelType parallel = ParallelType::serial;
  Id* mirror;            ///< the reference id that a replayed id stands for; itself otherwise
  bool cluster = false;  ///< a loop over the blocks of a cluster, which join what is reduced over it
  bool apart = false;    ///< such a loop whose blocks may be anywhere: they tell each other through memory
  int takers = 0;        ///< a loop whose points so many blocks claim, each as it becomes free; 0: none
};

/// split: in[0] -> out[0] (outer), out[1] (inner, extent `factor`), outer extent ceil(in / factor).
/// merge: in[0] (outer), in[1] (inner) -> out[0].
/// shift: in[0] -> out[0] = in[0] + amount.
struct Transform {
  enum class Kind : uint8_t { split, merge, shift } kind;
  std::vector<Id*> inputs;
  std::vector<Id*> outputs;
  Index factor = nullptr;  ///< split only
  Index amount = nullptr;  ///< shift only: over sizes and other roots of the reference
};

/// A precondition of the Params: extent <= bound.
struct Fit {
  Index extent;
  Index bound;
};

/// Axes (roots), their transforms and the ordered loops, outermost first.
struct Reference {
  std::vector<Id*> roots;
  std::vector<Id*> loops;
  std::unordered_map<const Id*, Transform*> uses;  ///< id -> transform that consumes it
  std::vector<Fit> fits;
};

/// What a kernel tensor does.
enum class TensorOp : uint8_t {
  load,     ///< reads a fusion input (or a cut tensor) at `map`, into which operands may tell indices
  store,    ///< writes a fusion output (or a cut tensor) at `map`
  compute,  ///< a pointwise expression or a cast over operands
  select,   ///< operand k where its conditions hold, else the next; the last operand has none (pad: its value; cat)
  fill,     ///< operands[0], a scalar
  iota,     ///< operands[0] + operands[1] * position, both scalars
  copy,     ///< a cache of its only operand
  reduce,   ///< a result of a reduction over operands, which it iterates along `reduction->axes` too
};

struct Tensor;

/// A reduction of one or several results (its parts, which stand together among the kernel's tensors).  parts[0] leads:
/// passes act on it and treat readers of any part as its own.
struct Reduction {
  ReductionOp row;
  DataType type;          ///< T of the combiner: what operands are converted to
  std::vector<Id*> axes;  ///< what it accumulates over: roots of the reference, of a partial reduction ids below them
  std::vector<Tensor*> parts;
  std::vector<Id*> whole = {};  ///< partial: the roots of which it takes a share
  bool partial = false;         ///< parts are the fields of the row's tuple, not its results
  bool merges = false;          ///< operands are the fields of tuples, which it combines
};

/// An operand: a tensor, or a scalar Val (constant, or a parameter of the kernel; a CPU scalar tensor counts as one).
struct Operand {
  Tensor* tensor = nullptr;
  const Val* scalar = nullptr;
};

/// Memory layout of a buffer: one (axis or id, extent, stride) each, and an optional xor swizzle of two of them.
struct Allocation {
  struct Dim {
    const Id* id;  ///< null for the axes of a global buffer (then in order of the buffer's logical axes)
    Index extent;
    Index stride;  ///< in elements; 0 for broadcast and expanded axes
  };
  std::vector<Dim> dims;
  const Id* swizzle_row = nullptr;
  const Id* swizzle_column = nullptr;
  int64_t swizzle_group = 1;  ///< elements of the column that stay together
};

struct Tensor {
  uint32_t serial;
  std::string name;  ///< T0, T1, ... by position; in0, out0 for buffers
  TensorOp op;
  DataType dtype;                    ///< storage type
  const Expr* expr = nullptr;        ///< compute, fill, iota, select: the expression that defines it; null for the fill
                                     ///< that stores a CPU scalar
  const TensorView* view = nullptr;  ///< the fusion's tensor that this one is an instance of
  std::vector<Operand> operands;
  Tensor* workspace = nullptr;                ///< loads, stores: the kernel's own buffer that is read or written
  std::vector<std::vector<Test>> conditions;  ///< select: of operand k, over reference axes
  std::vector<Index> map;    ///< index of each logical (no-reduction) axis of `view` over reference axes
  std::vector<Test> tests;   ///< range tests that links brought and the algebra could not prove
  Index position = nullptr;  ///< iota: the index
  std::shared_ptr<const Reduction> reduction;  ///< reduce
  int part = 0;                                ///< reduce: which of the reduction's results

  // ---- schedule ----
  Reference* reference = nullptr;
  int phase = 0;                 ///< phases run one after the other; only workspaces lead from one to the next
  std::optional<int> inline_at;  ///< loops left of it are shared with the consumers
  MemoryType memory = MemoryType::local;
  std::optional<Allocation> allocation;  ///< explicit layout; global buffers always have one
  bool streaming = false;                ///< loads, stores: data is not used again soon
  int stages = 0;  ///< loads in shared memory: a ring of so many rows, which bulk copies fill turns ahead; 0: none

  // ---- filled by transform/assign_loops: one entry per loop of the reference ----
  std::vector<Id*> loop_ids;   ///< the id that stands for each reference loop in this tensor
  std::vector<Id*> loop;       ///< the same, null where the loop vanished
  std::vector<Id*> kept_loop;  ///< the same without own reduction loops
  std::unordered_map<const Id*, Transform*> uses;
};

/// A fusion instantiated for its references.  Owns ids, transforms, tensors, index expressions; keeps the fusion alive.
struct Kernel {
  std::string name;
  std::shared_ptr<const Fusion> fusion;
  std::unique_ptr<IndexPool> pool;
  std::deque<Id> ids;
  std::deque<Transform> transforms;
  std::deque<Tensor> storage;
  std::deque<Reference> references;  ///< references[0] is the main one
  std::vector<Tensor*> tensors;      ///< topological order, loads first use to stores
  std::vector<Tensor*> inputs;   ///< parallel to InstantiateRequest::inputs: descriptors with view, dtype, name "in0"..
                                 ///< and a global allocation (a kernel need not load all of them)
  std::vector<Tensor*> outputs;  ///< the stores, in output order; their own allocation is the output's layout
  std::vector<Tensor*> workspaces;  ///< descriptors like those of inputs, of global memory that lives in one call alone
  std::unordered_map<const Val*, Index> extents;  ///< canonical index of every extent used

  Reference& main() { return references.front(); }
  std::vector<Tensor*> consumers(const Tensor* t) const;
  /// The input descriptor that a load reads.
  Tensor* buffer_of(const Tensor* load) const;
};

/// A result of a reduction that another one leads.
inline bool is_later_part(const Tensor& t) { return t.part > 0; }
/// Does the kernel reduce?
bool reduces(const Kernel& kernel);
/// How many phases the kernel has.
int phase_count(const Kernel& kernel);

/// A new id of the kernel; its own mirror.
Id* make_id(Kernel& kernel, const std::string& name, Index extent);
/// A new tensor of the kernel's storage, not yet in `tensors`.
Tensor* make_tensor(Kernel& kernel, TensorOp op, DataType dtype, const TensorView* view);
/// Axes on which t depends: leaves of its map and of its tests, and those that its reference shifts them by, in order
/// of serial.
std::vector<Id*> needs(const Tensor& t);
/// Needs, and what a reduction accumulates over.
std::vector<Id*> leaves(const Tensor& t);
/// What tensors tell in a map, each once, in order of occurrence.  Loads and iotas have those tensors as their last
/// operands, in this order.
std::vector<const Atom*> data_atoms(const std::vector<Index>& map);
/// The id that an axis atom of this kernel stands for.
Id* id_of(const Atom& axis);
/// Appends the axes that shifts of `id` in the reference read, those that these are shifted by included.
void add_shift_axes(const Reference& reference, const Id* id, std::vector<Id*>& found);
/// Consumers of every tensor in one walk; parts of a reduction share theirs.
std::unordered_map<const Tensor*, std::vector<Tensor*>> consumer_table(const Kernel& kernel);

/// Is the test provably true?
bool holds(const Test& test, const Algebra& algebra);
/// Text such as "i0*4 + 3 < i1".
std::string to_string(const Test& test);

}  // namespace nvfuser
