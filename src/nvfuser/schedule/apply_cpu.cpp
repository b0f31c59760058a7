// SPDX-License-Identifier: Apache-2.0
// The CPU families: tasks from outer axes, a lane loop that the host compiler vectorises.  Everything is computed in
// the innermost loop: caches of a CPU do what registers and shared memory do on a GPU.
#include <algorithm>

#include "nvfuser/schedule/addresses.h"
#include "nvfuser/schedule/apply_steps.h"

namespace nvfuser {

namespace {

Id* merge_run(const Loops& loops, const std::vector<Id*>& run) {
  return run.size() == 1 ? run[0] : loops.merge_all(run);
}

/// Loops of the main reference without those of `taken`.
std::vector<Id*> others(const Loops& loops, const std::vector<Id*>& taken) {
  std::vector<Id*> rest;
  for (Id* loop : loops.reference().loops) {
    if (std::find(taken.begin(), taken.end(), loop) == taken.end()) {
      rest.push_back(loop);
    }
  }
  return rest;
}

void inline_innermost(Kernel& kernel) {
  const int innermost = static_cast<int>(kernel.main().loops.size());
  inline_tensors(kernel, kernel.main(), {}, innermost, innermost);
}

}  // namespace

void apply_cpu_flat(Kernel& kernel, const Params& params) {
  const Loops loops(kernel, kernel.main());
  if (loops.size() == 0) {
    inline_innermost(kernel);
    return;
  }
  const std::vector<Id*> run = affine_run(kernel);
  const std::vector<Id*> outer = others(loops, run);
  auto [part, lanes] = loops.split(merge_run(loops, run), params.task);
  loops.parallelize(lanes, ParallelType::vectorize);
  Id* task = part;
  if (!outer.empty()) {
    // A row is a task, so no test stands between a row loop and its lanes.
    task = loops.merge(merge_run(loops, outer), part);
  }
  loops.reorder({task, lanes});
  loops.parallelize(task, ParallelType::grid_x);
  inline_innermost(kernel);
  for (Tensor* store : kernel.outputs) {
    store->streaming = params.stream;
  }
}

void apply_cpu_tile(Kernel& kernel, const Params& params) {
  const Loops loops(kernel, kernel.main());
  const TileAxes axes = tile_axes(kernel);
  check(axes.other != nullptr, ErrorKind::schedule, "cpu_tile: no tensor of the fusion is transposed");
  std::vector<Id*> tasks = others(loops, {axes.inner, axes.other});
  auto [outer_other, row] = loops.split(axes.other, params.tile);
  auto [outer_inner, lanes] = loops.split(axes.inner, params.tile);
  tasks.insert(tasks.end(), {outer_other, outer_inner});
  Id* task = loops.merge_all(tasks);
  loops.reorder({task, row, lanes});
  loops.parallelize(task, ParallelType::grid_x);
  loops.parallelize(lanes, ParallelType::vectorize);
  inline_innermost(kernel);
}

}  // namespace nvfuser
