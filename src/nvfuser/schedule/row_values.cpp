// SPDX-License-Identifier: Apache-2.0
// Values of rows alone, such as their means, for blocks that take rows by turns: all that the block's turns need come
// to shared memory at once, so that no turn waits for one of them.
#include <algorithm>

#include "nvfuser/schedule/apply_steps.h"
#include "nvfuser/schedule/phases.h"
#include "nvfuser/transform/passes.h"

namespace nvfuser {

namespace {

/// Loads of what a row has one of.
std::vector<Tensor*> value_loads(const Kernel& kernel, const Reference& main, const std::vector<Id*>& rows) {
  std::vector<Tensor*> found;
  for (Tensor* t : kernel.tensors) {
    const std::vector<Id*> mine = needs(*t);
    const bool of_row = !mine.empty() && std::all_of(mine.begin(), mine.end(), [&](const Id* id) {
      return std::find(rows.begin(), rows.end(), id) != rows.end();
    });
    if (t->op == TensorOp::load && t->reference == &main && t->operands.empty() && of_row) {
      found.push_back(t);
    }
  }
  return found;
}

}  // namespace

void hold_row_values(Kernel& kernel, const std::vector<Id*>& rows, const std::vector<Id*>& turn, const Params& params) {
  Reference& main = kernel.main();
  const std::vector<Tensor*> loads = value_loads(kernel, main, rows);
  if (loads.empty()) {
    return;
  }
  Reference& once = kernel.references.emplace_back();
  once.roots = rows;
  for (const Id* root : rows) {
    copy_uses(main, root, once);
  }
  once.loops = {main.loops.front()};
  once.loops.insert(once.loops.end(), turn.begin(), turn.end());
  const Loops loops(kernel, once);
  Id* const taken = loops.merge_all(turn);
  const auto [wave, thread] = loops.split(loops.fit(taken, params.values), params.threads);
  loops.parallelize(wave, ParallelType::unroll);
  const auto [side, lane] = loops.split(thread, params.threads / params.rows);
  loops.parallelize(side, ParallelType::block_y);
  loops.parallelize(lane, ParallelType::block_x);
  IndexPool& pool = *kernel.pool;
  for (Tensor* load : loads) {
    Tensor& copy = cache(kernel, *load);
    inline_at(copy, *load->inline_at);
    Tensor& held = cache(kernel, *load, {}, MemoryType::shared);
    place({load, &held}, once);
    held.allocation = Allocation{{{taken, pool.constant(params.values), pool.constant(1)}}};
    inline_at(*load, 1);
    inline_at(held, 1);
  }
}

}  // namespace nvfuser
