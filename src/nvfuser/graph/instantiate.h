// SPDX-License-Identifier: Apache-2.0
// From a fusion to a kernel: access maps composed from the outputs backward; one tensor per (value, map, tests).
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "nvfuser/graph/kernel.h"

namespace nvfuser {

/// What is known of one tensor's memory when its kernel is made: for every logical (no-reduction) axis of the view how
/// its stride is expressed.  The runtime derives it from the actual strides, so a kernel serves every input of the
/// class.
struct Layout {
  /// Memory order: positions of logical axes, outermost first.
  std::vector<int> order;
  /// Per logical axis: `dense` = extent * stride of the next inner axis in `order` that is not broadcast (1 if none);
  /// `zero` = stride 0 (broadcast, expanded); `free` = a stride given at launch.
  enum class Stride : uint8_t { dense, zero, free };
  std::vector<Stride> strides;
  bool operator==(const Layout&) const = default;
};

/// Row-major, dense; zero for broadcast axes.
Layout row_major(const TensorView& view);

/// What instantiate is asked to do.
struct InstantiateRequest {
  std::shared_ptr<const Fusion> fusion;
  std::vector<const TensorView*> outputs;  ///< values to store, in order
  std::vector<const TensorView*> inputs;   ///< tensors that are read from memory: fusion inputs and cut tensors
  std::vector<Layout> output_layouts;      ///< parallel to outputs
  std::vector<Layout> input_layouts;       ///< parallel to inputs
  int reference_output = 0;                ///< whose axes come first, in the order of its layout
  /// Which of these reference axes of equal extent a free axis is bound to (null: a new one); empty: the first, axes of
  /// the same class standing first.  Any choice gives a right kernel.
  std::function<Id*(const std::vector<Id*>&)> choose;
};

/// Size names: extent of canonical extent k is "i<k>"; a free stride of axis a of input n is "in<n>_s<a>", of output n
/// "out<n>_s<a>".  Extents of axes that must be equal (exact classes) share one name: kernel.extents maps every extent
/// Val to its canonical expression, so the runtime can bind and check sizes.
std::unique_ptr<Kernel> instantiate(const InstantiateRequest& request);

/// Exact axis classes of a fusion: axes joined by links that read one axis as it is.  Representative per class.  Where
/// a reshape splits or merges an axis of a class, the class has parts.
class AxisClasses {
 public:
  explicit AxisClasses(const Fusion& fusion);
  const IterDomain* find(const IterDomain* axis) const;
  bool same(const IterDomain* a, const IterDomain* b) const { return find(a) == find(b); }
  /// The axes, outermost first, that count the axis' points and that nothing splits; the axis itself where there are
  /// none.  Where a fusion splits a class in several ways, the first.
  std::vector<const IterDomain*> parts(const IterDomain* axis) const;

 private:
  void add_parts(const IterDomain* axis, std::vector<const IterDomain*>& above,
                 std::vector<const IterDomain*>& found) const;

  std::unordered_map<const IterDomain*, std::vector<const IterDomain*>> parts_;  ///< by class
  mutable std::unordered_map<const IterDomain*, const IterDomain*> parent_;
};

}  // namespace nvfuser
