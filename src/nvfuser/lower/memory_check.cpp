// SPDX-License-Identifier: Apache-2.0
// Memory check: each bound loop that a value depends on must be the consumer's own, unless its memory spans the index.
#include "nvfuser/lower/memory_check.h"

#include <algorithm>

namespace nvfuser {

void check_memory(Lowering& state) {
  for (const Tensor* t : state.kernel.tensors) {
    for (const Tensor* c : state.consumers[t]) {
      for (const Id* loop : t->loop) {
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
