// SPDX-License-Identifier: Apache-2.0
// What the blocks of a grid do together, and kernels that follow each other.  Twin of emulator/grid.h.  Word 0 of the
// semaphores turns with every barrier of the grid; all others are 0 between launches.
#pragma once

#include "rt/memory.h"
#include "rt/types.h"

namespace rt::inner {

RT_FN bool first_thread() { return threadIdx.x == 0 && threadIdx.y == 0 && threadIdx.z == 0; }
RT_FN unsigned* word(int32* semaphores, long long k) { return reinterpret_cast<unsigned*>(semaphores) + k; }
RT_FN unsigned load_acquire(const unsigned* p) {
  unsigned value;
  asm volatile("ld.acquire.gpu.u32 %0, [%1];" : "=r"(value) : "l"(p) : "memory");
  return value;
}

}  // namespace rt::inner

namespace rt {

/// True in all threads of that block which comes here last of the `count` that share semaphore i: it sees what they
/// wrote before.  Reached by all threads.
template <class I, class C>
RT_FN bool last_to_arrive(Coherent<int32> semaphores, I i, C count) {
  __threadfence();
  __syncthreads();
  int last = 0;
  if (inner::first_thread()) {
    // Wraps around to 0 by itself.
    const unsigned most = static_cast<unsigned>(count) - 1u;
    last = atomicInc(inner::word(semaphores, i + 1), most) == most;
  }
  last = __syncthreads_or(last);
  __threadfence();
  return last != 0;
}

/// Waits for all blocks of the grid, which a cooperative launch keeps resident at once; they see what the others wrote
/// before.  Reached by all threads.
RT_FN void grid_sync(Coherent<int32> semaphores) {
  __threadfence();
  __syncthreads();
  if (inner::first_thread()) {
    unsigned* const turn = inner::word(semaphores, 0);
    const unsigned old = inner::load_acquire(turn), most = gridDim.x * gridDim.y * gridDim.z - 1u;
    if (atomicInc(inner::word(semaphores, 1), most) == most) {
      __threadfence();
      atomicAdd(turn, 1u);
    } else {
      while (inner::load_acquire(turn) == old) {
      }
    }
    __threadfence();
  }
  __syncthreads();
}

/// From here on the kernel that was launched behind this one may start where there is room.
RT_FN void launch_dependents() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.launch_dependents;");
#endif
}
/// Waits until the kernel in front has ended; what it wrote is seen.
RT_FN void wait_for_previous() {
#if __CUDA_ARCH__ >= 900
  asm volatile("griddepcontrol.wait;" ::: "memory");
#endif
}

}  // namespace rt
