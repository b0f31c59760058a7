// SPDX-License-Identifier: Apache-2.0
// The loops in which states of columns are combined.
#include <algorithm>

#include "nvfuser/schedule/column_loops.h"
#include "nvfuser/schedule/phases.h"

namespace nvfuser {

namespace {

constexpr int kFinishLanes = 8, kFinishVector = 4, kFinishThreads = 256;  ///< of a phase that has columns alone
constexpr int kFewestSharers = 8, kUsualSharers = 64,
              kMostSharers = 128;  ///< threads that share the states of a column
constexpr int kMostEach = 7;  ///< states of a thread, beyond which more threads share them: 528 took 15 us by twelves
constexpr int64_t kMostAhead = 56;  ///< states that a thread loads at once

/// Threads that share so many states of a column: all have equally many, where that is possible.
int sharers(int states, int usual) {
  int found = usual;
  for (int count = kFewestSharers; count <= kMostSharers; ++count) {
    const bool wanted = count <= kUsualSharers || states > found * kMostEach;
    found = states % count == 0 && wanted ? count : found;
  }
  return found;
}

/// In front of the loops that are unrolled, so that all loads of a thread are on their way at once.
int ahead_of_use(const Reference& reference) {
  auto position = static_cast<int>(reference.loops.size());
  const auto whole = [](ParallelType type) {
    return type == ParallelType::unroll || type == ParallelType::unswitch || type == ParallelType::vectorize;
  };
  while (position > 0 && whole(reference.loops[position - 1]->parallel)) {
    --position;
  }
  return position;
}

/// States of a strip with all threads of a block; the loops, outermost first.
std::vector<Id*> share_states(const Loops& loops, Id* shares, const Params& params, int states) {
  const auto [rest, thread] = loops.split(shares, params.threads / params.lanes);
  loops.parallelize(thread, ParallelType::block_y);
  if (rest->extent->constant() * params.vector * states <= kMostAhead) {
    loops.parallelize(rest, ParallelType::unroll);
  }
  return {thread, rest};
}

}  // namespace

Params finish_params(Params params, int shares) {
  params.lanes = std::min(params.lanes, kFinishLanes);
  params.vector = std::min(params.vector, kFinishVector);
  params.threads = params.lanes * sharers(shares, kFinishThreads / params.lanes);
  return params;
}

Reference& finish_columns(Kernel& kernel, const Reference& loops, const ColumnLoops& at, const ColumnRoots& roots,
                          Id* shares, const Params& params, int states) {
  Reference& finish = kernel.references.emplace_back();
  finish.roots = roots.kept;
  for (Id* root : finish.roots) {
    copy_uses(loops, root, finish);
  }
  finish.roots.push_back(shares);
  finish.loops = {shares};
  std::vector<Id*> order(loops.loops.begin(), loops.loops.begin() + at.strip);
  const bool on_gpu = params.lanes > 0;
  const std::vector<Id*> combined =
      on_gpu ? share_states(Loops(kernel, finish), shares, params, states) : std::vector<Id*>{shares};
  order.insert(order.end(), combined.begin(), combined.end());
  std::copy_if(loops.loops.begin(), loops.loops.end(), std::back_inserter(order), [](const Id* loop) {
    return loop->parallel == ParallelType::unswitch || loop->parallel == ParallelType::vectorize;
  });
  finish.loops = std::move(order);
  return finish;
}

void inline_finish(Tensor& t, const ColumnRoots& roots, const std::vector<Tensor*>& stored, const ColumnLoops& loops,
                   bool on_gpu) {
  inline_column(t, roots, stored, loops);
  if (on_gpu && t.op == TensorOp::load && t.workspace != nullptr) {
    inline_at(t, ahead_of_use(*t.reference));
  }
}

}  // namespace nvfuser
