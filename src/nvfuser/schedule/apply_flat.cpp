// SPDX-License-Identifier: Apache-2.0
// The flat family: all axes merged in memory order; a block takes one chunk, a thread a vector of it per batch.
#include "nvfuser/schedule/apply_steps.h"

namespace nvfuser {

void apply_flat(Kernel& kernel, const Params& params) {
  const std::vector<Tensor*> stored = stored_values(kernel);
  const Loops loops(kernel, kernel.main());
  Id* flat = merge_main(kernel);
  if (flat == nullptr) {
    inline_tensors(kernel, kernel.main(), stored, 0, 0);
    return;
  }
  // One split has an extent that is not constant, so one Fact says that all tiles are full.
  auto [grid, chunk] = loops.split(flat, int64_t{params.threads} * params.batch * params.vector);
  loops.parallelize(grid, ParallelType::grid_x);
  const BlockLoops block = split_block(loops, chunk, params.threads, params.vector);
  std::vector<Id*> order = {grid};
  for (Id* loop : block.list()) {
    order.push_back(loop);
  }
  loops.reorder(order);
  inline_tensors(kernel, kernel.main(), stored, loops.position(block.thread) + 1,
                 loops.size() - (block.lane != nullptr));
}

}  // namespace nvfuser
