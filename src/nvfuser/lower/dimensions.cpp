// SPDX-License-Identifier: Apache-2.0
// Grid and block of the launch, and the variables that stand for block and thread indices.
#include "nvfuser/lower/dimensions.h"

#include <algorithm>

namespace nvfuser {

namespace {

Index largest(const Lowering& state, const std::vector<Index>& extents) {
  const bool constant = std::all_of(extents.begin(), extents.end(), [](Index e) { return e->is_constant(); });
  Index total = state.constant(constant ? 1 : 0);
  for (Index e : extents) {
    total = constant ? state.constant(std::max(total->constant(), e->constant())) : state.pool().add(total, e);
  }
  return total;
}

}  // namespace

void set_dimensions(Lowering& state) {
  Program& program = state.program;
  for (const LoopGroup& group : state.groups) {
    if (group.loop == nullptr) {
      continue;
    }
    const ParallelType type = group.loop->parallel;
    if (is_thread(type)) {
      check(state.request.target == Target::gpu, ErrorKind::schedule, "loop ", group.name,
            " is bound to a thread index; the cpu "
            "target has tasks only");
      int64_t& extent = program.block[thread_dimension(type)];
      extent = std::max(extent, group.loop->extent->constant());
    } else if (group.loop->takers > 0) {
      state.grid_extents[0].push_back(state.constant(group.loop->takers));
      check(state.grid_extents[0].size() == 1, ErrorKind::schedule, "blocks claim rows and are bound to a loop");
    } else if (is_block(type)) {
      if (group.loop->cluster) {
        check(type == ParallelType::grid_y, ErrorKind::schedule, "a cluster along ", name_of(type), "; expected y");
        program.cluster = static_cast<int>(group.loop->extent->constant());
        program.cooperative = program.apart = group.loop->apart;
      }
      std::vector<Index>& extents = state.grid_extents[block_dimension(type)];
      const Index extent = state.algebra.tidy(group.loop->extent);
      if (std::find(extents.begin(), extents.end(), extent) == extents.end()) {
        extents.push_back(extent);
      }
    }
  }
  for (int d = 0; d < 3; ++d) {
    program.grid[d] = largest(state, state.grid_extents[d]);
    if (program.block[d] > 1) {
      program.block_var[d] = state.pool().var(kThreadNames[d], state.constant(program.block[d]));
    }
    if (!state.grid_extents[d].empty() && !program.grid[d]->is(1)) {
      program.grid_var[d] = state.pool().var(kBlockNames[d], program.grid[d]);
    }
    if (state.grid_extents[d].empty()) {
      program.grid[d] = state.constant(1);
    }
  }
}

}  // namespace nvfuser
