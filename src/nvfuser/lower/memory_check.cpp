// SPDX-License-Identifier: Apache-2.0
// Memory check: each bound loop that a value depends on must be the consumer's own, unless its memory spans the index.
#include "nvfuser/lower/memory_check.h"

#include <algorithm>

#include "nvfuser/lower/teams.h"

namespace nvfuser {

namespace {

/// What a block reduces is one value a block: other blocks' parts would be missing.
void check_reduced_loops(const Tensor& t) {
  for (const Id* loop : reduced_loops(t)) {
    check(loop->cluster || (!is_block(loop->parallel) && loop->takers == 0), ErrorKind::schedule, t.name,
          " is reduced over ", name_of(loop->parallel), ", which no block can finish");
  }
}

}  // namespace

void check_memory(Lowering& state) {
  for (const Tensor* t : state.tensors) {
    if (t->op == TensorOp::reduce) {
      check_reduced_loops(*t);
      check(t->memory == MemoryType::local, ErrorKind::schedule, t->name, " is a reduction in ", name_of(t->memory),
            " memory; cache it there");
    }
    for (const Tensor* c : state.consumers[t]) {
      for (const Id* loop : t->kept_loop) {
        const bool barred = loop != nullptr &&
                            (is_block(loop->parallel) || (is_thread(loop->parallel) && t->memory == MemoryType::local));
        check(!barred || std::find(c->loop.begin(), c->loop.end(), loop) != c->loop.end(), ErrorKind::schedule, t->name,
              " (", name_of(t->memory), ") crosses ", loop != nullptr ? name_of(loop->parallel) : "", " on its way to ",
              c->name);
      }
    }
  }
}

}  // namespace nvfuser
