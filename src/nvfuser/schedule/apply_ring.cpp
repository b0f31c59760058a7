// SPDX-License-Identifier: Apache-2.0
// Rows by way of shared memory: blocks stay and take one row after the other, and bulk copies bring the rows of the
// next turns while one is worked on.  A thread's part of a row goes to its registers at once, so that its place is free
// for another row behind the first exchange of statistics.
#include <algorithm>

#include "nvfuser/schedule/apply_steps.h"

namespace nvfuser {

namespace {

/// Does the load differ at every point of the reference?
bool is_whole(const Kernel& kernel, const Tensor& load) {
  const std::vector<Id*> mine = needs(load);
  const std::vector<Id*>& roots = kernel.references.front().roots;
  return std::all_of(roots.begin(), roots.end(),
                     [&](const Id* root) { return std::find(mine.begin(), mine.end(), root) != mine.end(); });
}

/// Those by which passes read it; one for all where there is none.
std::vector<Tensor*> copies_of(Kernel& kernel, Tensor& load) {
  std::vector<Tensor*> readers = kernel.consumers(&load);
  const bool copied =
      std::all_of(readers.begin(), readers.end(), [](const Tensor* t) { return t->op == TensorOp::copy; });
  return copied ? readers : std::vector<Tensor*>{&cache(kernel, load)};
}

/// Is the load the same at all points of the loops outside?
bool is_fixed(const Tensor& load, int outside) {
  const std::vector<Id*> mine = needs(load);
  const Reference& reference = *load.reference;
  return std::all_of(mine.begin(), mine.end(), [&](const Id* id) {
    const std::vector<Id*> below = loops_below(reference, id);
    return std::none_of(below.begin(), below.end(), [&](const Id* loop) {
      return std::find(reference.loops.begin(), reference.loops.begin() + outside, loop) !=
             reference.loops.begin() + outside;
    });
  });
}

}  // namespace

std::vector<Id*> take_rows(const Loops& loops, Id* rows, const Params& params) {
  loops.parallelize(rows, ParallelType::serial);
  if (params.counter) {
    rows->takers = params.grid;
    return {rows};
  }
  const auto [turn, block] = loops.split(rows, params.grid);
  loops.parallelize(block, ParallelType::grid_x);
  return {turn, block};
}

void bring_by_ring(Kernel& kernel, const std::vector<Id*>& rows, int outside, int held, int stages) {
  const std::vector<Id*>& loops = kernel.main().loops;
  const bool overlapped = std::any_of(loops.begin(), loops.end(), [](const Id* loop) { return loop->apart; });
  std::vector<Tensor*> early, brought;
  for (Tensor* t : std::vector<Tensor*>(kernel.tensors)) {
    if (t->op != TensorOp::load || t->phase > 0) {
      continue;
    }
    const bool in_main = t->reference == &kernel.main();
    if (in_main && is_whole(kernel, *t)) {
      t->memory = MemoryType::shared;
      t->stages = stages;
      set_allocation(kernel, *t, rows);
      inline_at(*t, outside);
      brought.push_back(t);
      for (Tensor* copy : copies_of(kernel, *t)) {
        inline_at(*copy, held);
        brought.push_back(copy);
      }
      continue;
    }
    if (in_main && is_fixed(*t, outside)) {
      inline_at(*t, 0);
    }
    if (!overlapped && t->operands.empty() && *t->inline_at <= outside) {
      early.push_back(t);
    }
  }
  check(!brought.empty(), ErrorKind::schedule, "no load of whole rows, which a ring could bring");
  // All are in registers before the first statistics; what is small is on its way before the ring asks for so much
  // more.
  for (const std::vector<Tensor*>& first : {brought, early}) {
    std::stable_partition(kernel.tensors.begin(), kernel.tensors.end(),
                          [&](Tensor* t) { return std::find(first.begin(), first.end(), t) != first.end(); });
  }
}

}  // namespace nvfuser
