// SPDX-License-Identifier: Apache-2.0
// Where loads and stores touch memory, as far as schedules ask: which axis is dense, in what order axes merge into one
// run, how many neighbours of a run are adjacent and aligned.  Works in a pool of its own, so a kernel's expressions,
// and with them its text, do not depend on what was asked.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "nvfuser/graph/kernel.h"

namespace nvfuser {

/// Does the atom stand in p, inside operations too?
bool contains(Index p, const Atom* atom);
/// Loads and stores in order.
std::vector<Tensor*> accesses_of(const Kernel& kernel);
/// The tensor whose allocation an access addresses: the input's descriptor, or the store itself.
const Tensor& buffer_of_access(const Kernel& kernel, const Tensor& access);
/// The reference axis along which neighbours are adjacent in memory; null where there is none.
Id* dense_axis(const Kernel& kernel, const Tensor& access);

/// Address of the first element of a row along the innermost root, over the other roots; null where neighbours in the
/// row are not adjacent in memory.
Index row_start(const Kernel& kernel, const Tensor& access);

/// The two axes that tiles span: innermost of the main reference, and the dense axis of the transposed tensors.
struct TileAxes {
  Id* inner = nullptr;
  Id* other = nullptr;  ///< null: nothing is transposed
};
TileAxes tile_axes(const Kernel& kernel);
/// Does the access span both axes, dense along the other one?
bool is_transposed(const Kernel& kernel, const Tensor& access, const TileAxes& axes);

/// Sizes that occur in extents, layouts, maps and tests of a kernel, each once, in order of first occurrence.
std::vector<std::string> size_names(const Kernel& kernel);

/// Rewrites a kernel's expressions in another pool.
class Workbench {
 public:
  Workbench(const Kernel& kernel, std::unordered_map<std::string, int64_t> divisors);

  IndexPool& pool() { return pool_; }
  const Algebra& algebra() const { return algebra_; }
  /// p of the kernel's pool, with the values that `put` gave to axes.
  Index import(Index p);
  /// Values of axes; forgets earlier ones.
  void put(std::unordered_map<const Id*, Index> values) { values_ = std::move(values); }
  /// One name for strides that are the same.
  void put_same(std::map<std::string, std::string> same) { same_ = std::move(same); }
  /// Product of the extents of ids.
  Index space(const std::vector<Id*>& ids);
  /// Gives `flat` to the merge of `run` (outermost first); every other root of the main reference gets a variable.
  void put_run(const std::vector<Id*>& run, Index flat);
  /// Element that an access touches.
  Index address(const Tensor& access);
  /// Is the address linear in the variable?
  bool is_affine(const Tensor& access, Index variable);
  /// Do neighbours along the variable `lane` (0 <= lane < width) lie side by side, the first at a multiple of width?
  bool is_straight(const Tensor& access, Index lane, int64_t width);

 private:
  const Kernel& kernel_;
  IndexPool pool_;
  Algebra algebra_;
  std::unordered_map<const Id*, Index> values_;
  std::map<std::string, std::string> same_;
};

/// Is a run of roots (outermost first), merged into one, consecutive in the access's memory from end to end?
bool is_piece(const Kernel& kernel, const Tensor& access, const std::vector<Id*>& run);

/// The roots of the main reference behind the last one that is reduced; all where nothing is.
std::vector<Id*> kept_run(const Kernel& kernel);
/// The same of a kernel that reduces these.
std::vector<Id*> kept_run(const Kernel& kernel, const std::vector<Id*>& reduced);
/// The innermost of these roots (or of those given) which, merged into one, leave every address affine: the lane loop
/// of a CPU.
std::vector<Id*> affine_run(const Kernel& kernel);
std::vector<Id*> affine_run(const Kernel& kernel, std::vector<Id*> run);

}  // namespace nvfuser
