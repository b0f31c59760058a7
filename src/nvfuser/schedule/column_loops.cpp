// SPDX-License-Identifier: Apache-2.0
// Loops of strips of columns.
#include "nvfuser/schedule/column_loops.h"

#include <algorithm>
#include <tuple>

#include "nvfuser/schedule/addresses.h"
#include "nvfuser/schedule/phases.h"
#include "nvfuser/transform/passes.h"
#include "nvfuser/transform/wide_sums.h"

namespace nvfuser {

namespace {

constexpr int64_t kRun = 16;            ///< CPU: rows, or runs of them, that one accumulator takes
constexpr int64_t kMostShares = 65535;  ///< of a grid's second dimension

bool holds(const std::vector<Id*>& ids, const Id* id) { return std::find(ids.begin(), ids.end(), id) != ids.end(); }

void append(std::vector<Id*>& order, std::initializer_list<Id*> loops) {
  std::copy_if(loops.begin(), loops.end(), std::back_inserter(order), [](const Id* id) { return id != nullptr; });
}

/// What neither reduces nor is reduced goes with the columns.
void keep_roots(Reference& reference, const ColumnRoots& roots, const std::vector<Id*>& order) {
  reference.roots = roots.kept;
  reference.loops = order;
}

}  // namespace

ColumnRoots column_roots(const Kernel& kernel) {
  ColumnRoots roots{reduced_roots(kernel), {}};
  for (Id* root : kernel.references.front().roots) {
    if (!holds(roots.reduced, root)) {
      roots.kept.push_back(root);
    }
  }
  check(!roots.reduced.empty() && !roots.kept.empty(), ErrorKind::schedule,
        "columns: a kernel that reduces some axes and keeps others is wanted");
  return roots;
}

void read_past_cache(Kernel& kernel, const ColumnRoots& roots, const Params& params) {
  for (Tensor* t : kernel.tensors) {
    t->streaming =
        params.stream && t->op == TensorOp::load && varies_along(*t, roots.reduced) && varies_along(*t, roots.kept);
  }
}

ColumnLoops strip_loops(Kernel& kernel, Reference& reference, const ColumnRoots& roots, const Params& params,
                        Walk walk) {
  const Loops loops(kernel, reference);
  const int row_threads = params.threads / params.lanes;
  check(row_threads * params.lanes == params.threads, ErrorKind::schedule, "columns: ", params.lanes, " lanes of ",
        params.threads, " threads");
  Id* rows = walk == Walk::none ? nullptr : merge_roots(loops, roots.reduced);
  Id* columns = merge_roots(loops, roots.kept);
  ColumnLoops made;
  if (params.peel && rows != nullptr) {
    check(walk == Walk::shares, ErrorKind::schedule, "columns: rows of one block start at several places");
    check(params.blocks % params.vector == 0, ErrorKind::schedule, "columns: rows dealt to ", params.blocks,
          " blocks, which vectors of ", params.vector, " do not divide");
    std::tie(rows, made.share) = loops.split(rows, params.vector);
    columns = shift_to_vectors(kernel, loops, columns, params.vector, made.share);
  }
  const auto [strip, column] = loops.split(columns, int64_t{params.lanes} * params.vector);
  loops.parallelize(strip, ParallelType::grid_x);
  BlockLoops lanes = split_block(loops, column, params.lanes, params.vector);
  if (lanes.lane != nullptr) {
    unswitch(loops, lanes);  // a vector at a time: one of them reaches beyond the last column
  }
  std::vector<Id*> order = {strip, lanes.thread};
  made.strip = made.column = 2;
  if (walk == Walk::none) {
    append(order, {lanes.whole, lanes.lane});
    keep_roots(reference, roots, order);
    return made;
  }
  const int64_t at_once = int64_t{row_threads} * params.batch;
  Id* turn = nullptr;
  Id* row = nullptr;
  if (walk == Walk::held) {
    row = loops.fit(rows, at_once);
    turn = row->definition->outputs[0];
  } else {
    std::tie(turn, row) = loops.split(rows, at_once);
  }
  if (walk == Walk::shares) {
    // Blocks take turns: neighbours in time are neighbours in memory.
    Id* const place = made.share;
    std::tie(turn, made.share) = loops.split(turn, params.blocks / (place != nullptr ? params.vector : 1));
    made.share = place != nullptr ? loops.merge(made.share, place) : made.share;
    loops.parallelize(made.share, ParallelType::grid_y);
    made.column = 3;
  }
  const auto [batch, thread] = loops.split(row, row_threads);
  loops.parallelize(batch, ParallelType::unroll);
  loops.parallelize(thread, ParallelType::block_y);
  append(order, {made.share, thread, turn, batch, lanes.whole, lanes.lane});
  loops.reorder(order);
  made.load = loops.position(walk == Walk::held ? thread : turn) + 1;
  made.stored = loops.position(batch) + 1;
  return made;
}

ColumnLoops task_loops(Kernel& kernel, Reference& reference, const ColumnRoots& roots, const Params& params,
                       Walk walk) {
  const Loops loops(kernel, reference);
  const std::vector<Id*> run = affine_run(kernel, kept_run(kernel, roots.reduced));
  std::vector<Id*> tasks;
  std::copy_if(roots.kept.begin(), roots.kept.end(), std::back_inserter(tasks),
               [&](Id* root) { return !holds(run, root); });
  const auto [part, lanes] = loops.split(merge_roots(loops, run), params.task);
  loops.parallelize(lanes, ParallelType::vectorize);
  tasks.push_back(part);
  Id* const task = loops.merge_all(tasks);
  loops.parallelize(task, ParallelType::grid_x);
  ColumnLoops made;
  std::vector<Id*> order = {task};
  made.strip = made.column = 1;
  if (walk == Walk::none) {
    append(order, {lanes});
    keep_roots(reference, roots, order);
    return made;
  }
  Id* rows = merge_roots(loops, roots.reduced);
  if (walk == Walk::shares) {
    std::tie(made.share, rows) = loops.split(rows, params.piece);
    loops.parallelize(made.share, ParallelType::grid_y);
    made.column = 2;
  }
  made.rows = {rows};
  for (int level = 0; level < params.runs; ++level) {
    const auto [outer, inner] = loops.split(made.rows[0], kRun);
    made.rows[0] = inner;
    made.rows.insert(made.rows.begin(), outer);
  }
  append(order, {made.share});
  order.insert(order.end(), made.rows.begin(), made.rows.end());
  append(order, {lanes});
  if (params.unroll > 1) {
    // An accumulator stays in a register for so many rows.
    const auto [turn, deep] = loops.split(made.rows.back(), params.unroll);
    loops.parallelize(deep, ParallelType::unroll);
    order[order.size() - 2] = turn;
    order.push_back(deep);
  }
  loops.reorder(order);
  made.load = made.stored = loops.size();
  return made;
}

void split_runs(Kernel& kernel, Tensor& reduce, const ColumnLoops& loops) {
  const Reduction& reduction = *reduce.reduction;
  const bool inexact = rounds(reduction.row) && !is_integral(reduction.type) && !is_widened(reduce);
  for (size_t k = inexact ? loops.rows.size() : 0; k-- > 1;) {
    std::vector<Id*> outside(loops.rows.begin(), loops.rows.begin() + static_cast<std::ptrdiff_t>(k));
    if (loops.share != nullptr) {
      outside.push_back(loops.share);
    }
    rfactor(kernel, reduce, outside);
  }
}

int first_loop(const Tensor& reduce) {
  int first = static_cast<int>(reduce.reference->loops.size());
  for (const Id* axis : reduce.reduction->axes) {
    for (const Id* loop : loops_below(*reduce.reference, axis)) {
      const auto& loops = reduce.reference->loops;
      first = std::min(first, static_cast<int>(std::find(loops.begin(), loops.end(), loop) - loops.begin()));
    }
  }
  return first;
}

void inline_column(Tensor& t, const ColumnRoots& roots, const std::vector<Tensor*>& stored, const ColumnLoops& loops) {
  const int innermost = static_cast<int>(t.reference->loops.size());
  if (t.op == TensorOp::store || (t.op == TensorOp::load && t.workspace != nullptr)) {
    inline_at(t, innermost);
  } else if (t.op == TensorOp::reduce) {
    inline_at(t, first_loop(t));
  } else if (!varies_along(t, roots.reduced)) {
    inline_at(t, loops.column);
  } else {
    const bool is_stored = std::find(stored.begin(), stored.end(), &t) != stored.end();
    const int usual = is_stored ? loops.stored : innermost;
    inline_at(t, t.op == TensorOp::load ? std::min(loops.load, usual) : usual);
  }
}

}  // namespace nvfuser
