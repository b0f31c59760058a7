// SPDX-License-Identifier: Apache-2.0
// The column families: the innermost axis is kept, and what is reduced lies further out.  Kept axes are merged to
// columns, of which a block or a task takes a strip of neighbours; reduced ones are merged to rows.  A thread has an
// accumulator for each column of its vector and takes every so many rows; what it accumulated is joined with that of
// the threads above and below it.
#include <algorithm>
#include <tuple>

#include "nvfuser/schedule/addresses.h"
#include "nvfuser/schedule/apply_steps.h"
#include "nvfuser/transform/passes.h"

namespace nvfuser {

namespace {

struct Roots {
  std::vector<Id*> reduced, kept;
};

Roots roots_of(const Kernel& kernel) {
  Roots roots{reduced_roots(kernel), {}};
  for (Id* root : kernel.references.front().roots) {
    if (std::find(roots.reduced.begin(), roots.reduced.end(), root) == roots.reduced.end()) {
      roots.kept.push_back(root);
    }
  }
  check(!roots.reduced.empty() && !roots.kept.empty(), ErrorKind::schedule,
        "columns: a kernel that reduces some axes and keeps others is wanted");
  return roots;
}

/// Positions of loops where tensors of each kind are computed.
struct Positions {
  int column;  ///< values of a column alone
  int load;    ///< loads that differ between rows
  int stored;  ///< values that are stored row by row
};

void inline_columns(Kernel& kernel, const std::vector<Id*>& reduced, const std::vector<Tensor*>& stored,
                    const Positions& positions) {
  const int innermost = static_cast<int>(kernel.main().loops.size());
  for (Tensor* t : kernel.tensors) {
    const bool is_stored = std::find(stored.begin(), stored.end(), t) != stored.end();
    if (t->op == TensorOp::store) {
      inline_at(*t, innermost);
    } else if (!varies_along(*t, reduced)) {
      inline_at(*t, positions.column);
    } else {
      const int usual = is_stored ? positions.stored : innermost;
      inline_at(*t, t->op == TensorOp::load ? std::min(positions.load, usual) : usual);
    }
  }
}

std::unordered_set<const Tensor*> all_loads(const Kernel& kernel) {
  std::unordered_set<const Tensor*> found;
  std::copy_if(kernel.tensors.begin(), kernel.tensors.end(), std::inserter(found, found.end()),
               [](const Tensor* t) { return t->op == TensorOp::load; });
  return found;
}

}  // namespace

void apply_columns(Kernel& kernel, const Params& params) {
  const Roots roots = roots_of(kernel);
  const bool resident = params.home == Home::registers;
  split_passes(kernel, roots.reduced, resident ? all_loads(kernel) : std::unordered_set<const Tensor*>{});
  const std::vector<Tensor*> stored = stored_values(kernel);
  const Loops loops(kernel, kernel.main());
  const int row_threads = params.threads / params.lanes;
  check(row_threads * params.lanes == params.threads, ErrorKind::schedule, "columns: ", params.lanes, " lanes of ",
        params.threads, " threads");

  auto [strip, column] = loops.split(merge_roots(loops, roots.kept), int64_t{params.lanes} * params.vector);
  loops.parallelize(strip, ParallelType::grid_x);
  const BlockLoops lanes = split_block(loops, column, params.lanes, params.vector);

  Id* step = nullptr;
  Id* row = nullptr;
  Id* const rows = merge_roots(loops, roots.reduced);
  const int64_t at_once = int64_t{row_threads} * params.batch;
  if (resident) {
    row = loops.fit(rows, at_once);
    step = row->definition->outputs[0];
  } else {
    std::tie(step, row) = loops.split(rows, at_once);
  }
  auto [batch, thread] = loops.split(row, row_threads);
  loops.parallelize(batch, ParallelType::unroll);
  loops.parallelize(thread, ParallelType::block_y);

  std::vector<Id*> order = {strip, lanes.thread, thread, step, batch};
  if (lanes.lane != nullptr) {
    order.push_back(lanes.lane);
  }
  loops.reorder(order);
  inline_columns(kernel, roots.reduced, stored, {2, resident ? 3 : 4, 5});
}

void apply_cpu_columns(Kernel& kernel, const Params& params) {
  const Roots roots = roots_of(kernel);
  split_passes(kernel, roots.reduced, {});
  const Loops loops(kernel, kernel.main());
  Id* const rows = merge_roots(loops, roots.reduced);
  const std::vector<Id*> run = affine_run(kernel);
  std::vector<Id*> tasks;
  std::copy_if(roots.kept.begin(), roots.kept.end(), std::back_inserter(tasks),
               [&](Id* root) { return std::find(run.begin(), run.end(), root) == run.end(); });
  auto [part, lanes] = loops.split(merge_roots(loops, run), params.task);
  tasks.push_back(part);
  Id* const task = loops.merge_all(tasks);
  loops.parallelize(task, ParallelType::grid_x);
  loops.parallelize(lanes, ParallelType::vectorize);
  loops.reorder({task, rows, lanes});
  const int innermost = loops.size();
  inline_columns(kernel, roots.reduced, {}, {1, innermost, innermost});
}

}  // namespace nvfuser
