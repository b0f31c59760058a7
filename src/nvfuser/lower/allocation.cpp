// SPDX-License-Identifier: Apache-2.0
// Allocation: default and explicit layouts, element counts, places in the block's shared memory.
#include "nvfuser/lower/allocation.h"

#include <algorithm>

namespace nvfuser {

namespace {

constexpr int64_t kSharedAlignment = 16;

Allocation default_layout(const Lowering& state, const Tensor& t) {
  Allocation allocation;
  Index step = state.constant(1);
  for (size_t k = t.kept_loop.size(); k-- > 0;) {
    Id* loop = t.kept_loop[k];
    if (loop == nullptr) {
      continue;
    }
    const bool spanned = t.memory == MemoryType::shared && is_thread(loop->parallel);
    if (!spanned && (static_cast<int>(k) < *t.inline_at || is_bound(loop->parallel))) {
      continue;
    }
    check(loop->extent->is_constant(), ErrorKind::schedule, t.name, " (", name_of(t.memory),
          ") needs a constant extent on loop ", loop->name, "; it is ", to_string(loop->extent));
    allocation.dims.insert(allocation.dims.begin(), {loop, loop->extent, step});
    step = state.pool().mul(step, loop->extent);
  }
  return allocation;
}

int64_t element_count(const Allocation& allocation) {
  return allocation.dims.empty() ? 1 : allocation.dims[0].extent->constant() * allocation.dims[0].stride->constant();
}

}  // namespace

void allocate(Lowering& state) {
  for (const Tensor* t : state.tensors) {
    if (t->op == TensorOp::store) {
      continue;
    }
    const Allocation& layout = state.layouts[t] = t->allocation ? *t->allocation : default_layout(state, *t);
    const int64_t count = state.counts[t] = element_count(layout) * std::max(1, t->stages);
    if (t->memory == MemoryType::shared) {
      check(state.request.target == Target::gpu, ErrorKind::schedule, t->name,
            " is in shared memory; the cpu target has none");
      Program& program = state.program;
      program.shared.push_back({t, program.shared_bytes, count});
      const int64_t bytes = count * bytes_of(t->dtype);
      program.shared_bytes += (bytes + kSharedAlignment - 1) / kSharedAlignment * kSharedAlignment;
    }
  }
}

}  // namespace nvfuser
