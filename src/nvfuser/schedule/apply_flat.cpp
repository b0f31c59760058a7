// SPDX-License-Identifier: Apache-2.0
// The flat family: all axes merged in memory order; a block takes one chunk, a thread a vector of it per batch. Peeled,
// the vectors of each row are merged in place of its elements: the first and the last of a row may reach beyond it.
#include <algorithm>
#include <tuple>

#include "nvfuser/schedule/addresses.h"
#include "nvfuser/schedule/apply_steps.h"

namespace nvfuser {

namespace {

/// Vectors of the shifted rows, merged with the outer axes; and their lanes.
std::pair<Id*, Id*> merge_vectors(Kernel& kernel, int64_t vector) {
  const Loops loops(kernel, kernel.main());
  Id* row = shift_to_vectors(kernel, loops, loops[loops.size() - 1], vector);
  Id* lane = loops.split(row, vector).second;
  std::vector<Id*> vectors = loops.reference().loops;
  vectors.pop_back();
  Id* whole = loops.merge_all(vectors);
  loops.parallelize(lane, ParallelType::vectorize);
  return {whole, lane};
}

/// Loops of a block; one split has an extent that is not constant, so one Fact says that all tiles are full.
std::pair<Id*, BlockLoops> block_loops(Kernel& kernel, const Params& params) {
  const Loops loops(kernel, kernel.main());
  const int64_t vectors = int64_t{params.threads} * params.batch;
  if (!params.peel) {
    auto [grid, chunk] = loops.split(merge_main(kernel), vectors * params.vector);
    return {grid, split_block(loops, chunk, params.threads, params.vector)};
  }
  auto [whole, lane] = merge_vectors(kernel, params.vector);
  auto [grid, chunk] = loops.split(whole, vectors);
  BlockLoops block = split_block(loops, chunk, params.threads, 1);
  block.lane = lane;
  return {grid, block};
}

}  // namespace

void apply_flat(Kernel& kernel, const Params& params) {
  const std::vector<Tensor*> stored = stored_values(kernel);
  const Loops loops(kernel, kernel.main());
  if (loops.size() == 0) {
    inline_tensors(kernel, kernel.main(), stored, 0, 0);
    return;
  }
  auto [grid, block] = block_loops(kernel, params);
  loops.parallelize(grid, ParallelType::grid_x);
  unswitch(loops, block);
  std::vector<Id*> order = {grid};
  for (Id* loop : block.list()) {
    order.push_back(loop);
  }
  loops.reorder(order);
  inline_tensors(kernel, kernel.main(), stored, loops.position(block.whole != nullptr ? block.whole : block.thread) + 1,
                 loops.size() - (block.lane != nullptr));
}

}  // namespace nvfuser
