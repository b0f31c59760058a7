// SPDX-License-Identifier: Apache-2.0
// What the blocks of a grid do together, and kernels that follow each other.  Twin of emulator/grid.h.  Semaphore i is
// word i + 1; all are 0 between launches.
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
  __syncthreads();
  int last = 0;
  if (inner::first_thread()) {
    // Wraps around to 0 by itself.
    const unsigned most = static_cast<unsigned>(count) - 1u;
    __threadfence();
    last = atomicInc(inner::word(semaphores, i + 1), most) == most;
    __threadfence();
  }
  return __syncthreads_or(last) != 0;
}

/// Waits until blocks have come to semaphore i so many times in this launch, this one included: the blocks that share
/// it, which a cooperative launch keeps resident at once, as often as they have met.  They see what the others wrote
/// before.  Reached by all threads; grid_leave ends it.
template <class I, class C>
RT_FN void grid_sync(Coherent<int32> semaphores, I i, C arrivals) {
  __syncthreads();
  if (inner::first_thread()) {
    unsigned* const word = inner::word(semaphores, i + 1);
    const unsigned all = static_cast<unsigned>(arrivals);
    __threadfence();
    if (atomicAdd(word, 1u) + 1u < all) {
      while (inner::load_acquire(word) < all) {
      }
    }
    __threadfence();
  }
  __syncthreads();
}

/// Behind the last of a launch's grid_syncs at semaphore i, where `arrivals` counts them and this.
template <class I, class C>
RT_FN void grid_leave(Coherent<int32> semaphores, I i, C arrivals) {
  if (inner::first_thread()) {
    atomicInc(inner::word(semaphores, i + 1), static_cast<unsigned>(arrivals) - 1u);  // wraps around to 0 by itself
  }
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
