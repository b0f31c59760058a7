// SPDX-License-Identifier: Apache-2.0
// What the blocks of a grid do together, and kernels that follow each other, emulated.  Twin of cuda/grid.h.
#pragma once

#if __has_include("rt/memory.h")
#include "rt/memory.h"
#include "rt/types.h"
#else
#include "memory.h"
#include "nvfuser/device/generic/types.h"
#endif

#pragma GCC visibility push(hidden)
namespace rt {
inline namespace emulator {

/// True in all threads of that block which comes here last of the `count` that share semaphore i.
template <class I, class C>
bool last_to_arrive(Coherent<int32> semaphores, I i, C count, int line = __builtin_LINE()) {
  machine->wait_at_barrier(line);
  if (machine->thread() == 0) {
    machine->arrive(*semaphores.buffer, (long long)(i) + 1, (long long)(count));
  }
  machine->wait_at_barrier(line);
  return machine->is_last();
}

/// Waits until blocks have come to semaphore i so many times in this launch, this one included.
template <class I, class C>
void grid_sync(Coherent<int32> semaphores, I i, C arrivals, int line = __builtin_LINE()) {
  machine->wait_at_barrier(line);
  machine->wait_for_grid(*semaphores.buffer, (long long)(i) + 1, (long long)(arrivals), line);
}
/// Behind the last of a launch's grid_syncs at semaphore i, where `arrivals` counts them and this.
template <class I, class C>
void grid_leave(Coherent<int32> semaphores, I i, C arrivals) {
  if (machine->thread() == 0) {
    machine->leave_grid(*semaphores.buffer, (long long)(i) + 1, (long long)(arrivals));
  }
}

inline void launch_dependents() {}
/// Kernels run one after the other here; memory may not be touched before this line.
inline void wait_for_previous() { machine->wait_for_previous(); }

}  // namespace emulator
}  // namespace rt
#pragma GCC visibility pop
