// SPDX-License-Identifier: Apache-2.0
// The column families: the innermost axis is kept, and what is reduced lies further out.  Kept axes are merged to
// columns, of which a block or a task takes a strip of neighbours; reduced ones are merged to rows.  A thread has an
// accumulator for each column of its vector and takes every so many rows; what it accumulated is joined with that of
// the threads above and below it.
#include <algorithm>
#include <unordered_set>

#include "nvfuser/schedule/column_loops.h"
#include "nvfuser/transform/passes.h"
#include "nvfuser/transform/wide_sums.h"

namespace nvfuser {

namespace {

std::unordered_set<const Tensor*> all_loads(const Kernel& kernel) {
  std::unordered_set<const Tensor*> found;
  std::copy_if(kernel.tensors.begin(), kernel.tensors.end(), std::inserter(found, found.end()),
               [](const Tensor* t) { return t->op == TensorOp::load; });
  return found;
}

}  // namespace

void apply_columns(Kernel& kernel, const Params& params) {
  if (params.blocks > 1) {
    return apply_column_shares(kernel, params, true);
  }
  const ColumnRoots roots = column_roots(kernel);
  const bool held = params.home == Home::registers;
  split_passes(kernel, roots.reduced, held ? all_loads(kernel) : std::unordered_set<const Tensor*>{});
  read_past_cache(kernel, roots, params);
  const std::vector<Tensor*> stored = stored_values(kernel);
  const ColumnLoops loops = strip_loops(kernel, kernel.main(), roots, params, held ? Walk::held : Walk::turns);
  for (Tensor* t : kernel.tensors) {
    inline_column(*t, roots, stored, loops);
  }
}

void apply_cpu_columns(Kernel& kernel, const Params& params) {
  widen_sums(kernel);
  if (params.piece > 0) {
    return apply_column_shares(kernel, params, false);
  }
  const ColumnRoots roots = column_roots(kernel);
  split_passes(kernel, roots.reduced, {});
  const ColumnLoops loops = task_loops(kernel, kernel.main(), roots, params, Walk::turns);
  for (Tensor* t : std::vector<Tensor*>(kernel.tensors)) {
    if (t->op == TensorOp::reduce && !is_later_part(*t)) {
      split_runs(kernel, *t, loops);
    }
  }
  for (Tensor* t : kernel.tensors) {
    inline_column(*t, roots, {}, loops);
  }
}

}  // namespace nvfuser
