// SPDX-License-Identifier: Apache-2.0
// The scheduling language.  Loop transforms work on a Reference; the rest says of a tensor which reference it follows,
// where it is inlined, where it lives.  Errors are ErrorKind::schedule and name tensors and axis.
#pragma once

#include <utility>
#include <vector>

#include "nvfuser/graph/kernel.h"

namespace nvfuser {

/// Handle over (kernel, reference); cheap to copy.
class Loops {
 public:
  Loops(Kernel& kernel, Reference& reference) : kernel_(kernel), reference_(reference) {}
  int size() const { return static_cast<int>(reference_.loops.size()); }
  Id* operator[](int position) const { return reference_.loops[position]; }
  int position(const Id* loop) const;
  Reference& reference() const { return reference_; }

  /// loop = outer * factor + inner; a factor that does not divide is legal: lowering adds the tests.
  std::pair<Id*, Id*> split(Id* loop, int64_t factor) const;
  /// The other side constant: outer has extent `parts`, inner ceil(extent / parts).
  std::pair<Id*, Id*> split_outer(Id* loop, int64_t parts) const;
  /// Splits off an outer loop of extent 1: the caller promises extent <= bound (a precondition, not a Fact).
  Id* fit(Id* loop, int64_t bound) const;
  /// shifted = loop + amount, of extent `most` more: where the amount is the distance of a row's start from the last
  /// aligned element, vectors of the shifted loop are aligned, and lowering tests both ends.  The amount is over sizes
  /// and other axes of the reference, or loops made of them; the caller promises 0 <= amount <= most.
  Id* shift(Id* loop, Index amount, int64_t most) const;
  /// out = a * extent(b) + b, in a's place; b need not stand beside a.
  Id* merge(Id* a, Id* b) const;
  /// Merges all loops of a run into one, in the order given; error when empty.
  Id* merge_all(const std::vector<Id*>& loops) const;
  void reorder(const std::vector<Id*>& loops) const;
  /// Thread types, vectorize and unroll need a constant extent; a block or thread type may stand once a reference.
  void parallelize(Id* loop, ParallelType type) const;

 private:
  Kernel& kernel_;
  Reference& reference_;
};

/// Same axes and loops so far; later transforms of either stay its own.
Reference& fork(Kernel& kernel, Reference& base);
void place(const std::vector<Tensor*>& tensors, Reference& reference);
void inline_at(Tensor& tensor, int position);
/// A copy between t and its consumers (all, or those given).
Tensor& cache(Kernel& kernel, Tensor& t, const std::vector<Tensor*>& consumers = {},
              MemoryType memory = MemoryType::local);
/// A second tensor of equal map for some consumers (reload, or recomputation of a cheap producer).
Tensor& privatise(Kernel& kernel, Tensor& t, const std::vector<Tensor*>& consumers);
/// Splits a reduction in two.  A new partial one, of the same reference and phase, accumulates over all but `kept`, ids
/// below the reduction's axes; `reduce`, its leading part, from then on combines the states along `kept`.  Returns the
/// partial's parts, one a field of the row's tuple.
std::vector<Tensor*> rfactor(Kernel& kernel, Tensor& reduce, const std::vector<Id*>& kept);
/// Lets the states that `reduce` combines go through workspaces of the kernel: stored where they are made, loaded where
/// `reduce` now stands.  `axes`: roots of its reference, in place of the ids that it combined along, which are
/// the workspaces' innermost axes, or their outermost: then what lies inside begins at multiples of so many elements.
void through_workspaces(Kernel& kernel, Tensor& reduce, const std::vector<Id*>& axes, bool shares_outside = false,
                        int64_t multiple = 1);
/// Explicit layout over ids of constant extent, outermost first; `pad` widens the innermost; swizzle xors the innermost
/// index (in groups of `swizzle_group` elements, of which there is a power of two) with the next outer one.
void set_allocation(Kernel& kernel, Tensor& t, const std::vector<Id*>& ids, int64_t pad = 0, bool swizzle = false,
                    int64_t swizzle_group = 1);

/// Loops of `reference` on which the index of `id` depends, outermost first; error if it is no axis of the reference.
std::vector<Id*> loops_below(const Reference& reference, const Id* id);
/// A transform of this id alone, not in any reference (replays); outer extent ceil(extent / factor).
Transform& make_split(Kernel& kernel, Id* source, Index factor);
Transform& make_merge(Kernel& kernel, Id* outer, Id* inner);
Transform& make_shift(Kernel& kernel, Id* source, Index amount, Index extent);

/// Fills loop, loop_ids, uses of every tensor, consumers first: mirrors, replays with foreign axes of extent 1. Tensors
/// without an inline position get one: all loops for tensors without consumers, else none.
void assign_loops(Kernel& kernel);

}  // namespace nvfuser
