// SPDX-License-Identifier: Apache-2.0
// Loops of strips of columns, for the schedules that reduce what lies further out than what they keep.
#pragma once

#include <vector>

#include "nvfuser/schedule/apply_steps.h"

namespace nvfuser {

struct ColumnRoots {
  std::vector<Id*> reduced, kept;
};
/// A schedule error where one of the two is empty.
ColumnRoots column_roots(const Kernel& kernel);

/// How the rows of a strip are walked in one reference.
enum class Walk : uint8_t {
  held,    ///< all at once
  turns,   ///< group by group
  shares,  ///< the same, the groups dealt out among blocks or tasks
  none,    ///< not at all: there are columns alone
};

/// Where tensors of each kind are computed: positions of loops.
struct ColumnLoops {
  Id* share = nullptr;    ///< Walk::shares
  std::vector<Id*> rows;  ///< CPU: over runs of runs ... of rows, outermost first
  int strip = 0;          ///< behind the loops of the strip
  int column = 0;         ///< values of a column alone
  int load = 0;           ///< loads that differ between rows
  int stored = 0;         ///< values that are stored row by row
};

/// Where the params say so, elements that one row of one column has to itself are read past the first-level cache.
void read_past_cache(Kernel& kernel, const ColumnRoots& roots, const Params& params);

/// GPU: a strip of lanes * vector columns to a block.
ColumnLoops strip_loops(Kernel& kernel, Reference& reference, const ColumnRoots& roots, const Params& params,
                        Walk walk);
/// CPU: a strip of `task` columns to a task.
ColumnLoops task_loops(Kernel& kernel, Reference& reference, const ColumnRoots& roots, const Params& params, Walk walk);

/// CPU: where it rounds, and in no wider type, a reduction combines what it makes of each run, so that sums of many
/// rows stay exact.
void split_runs(Kernel& kernel, Tensor& reduce, const ColumnLoops& loops);
/// The outermost loop along which a reduction accumulates: its position.
int first_loop(const Tensor& reduce);
/// Decides where a tensor of these loops is computed.
void inline_column(Tensor& t, const ColumnRoots& roots, const std::vector<Tensor*>& stored, const ColumnLoops& loops);

/// Of a phase in which states of columns are combined and nothing is walked: as there is little to do for each column,
/// more, narrower strips.  `shares`: states of a column that are combined.
Params finish_params(Params params, int shares);
/// Loops in which the states of columns are combined that `shares` left, a row of columns each: the strips of `loops`,
/// with all threads of a block.  `states`: how many a column has in each share.
Reference& finish_columns(Kernel& kernel, const Reference& loops, const ColumnLoops& at, const ColumnRoots& roots,
                          Id* shares, const Params& params, int states);
/// Decides where a tensor of a phase that combines states is computed.
void inline_finish(Tensor& t, const ColumnRoots& roots, const std::vector<Tensor*>& stored, const ColumnLoops& loops,
                   bool on_gpu);

/// Columns whose rows several blocks or tasks share.
void apply_column_shares(Kernel& kernel, const Params& params, bool on_gpu);

}  // namespace nvfuser
