// SPDX-License-Identifier: Apache-2.0
// What the blocks of a cluster do together on a GPU: shared memory of each other, and a barrier.  A cluster is the
// blocks that differ in blockIdx.y alone.  Twin of emulator/cluster.h.
#pragma once

#include "rt/reduce.h"

namespace rt {

/// The block's number in its cluster.
RT_FN int cluster_rank() {
  unsigned rank;
  asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
  return static_cast<int>(rank);
}
/// Waits for all threads of all blocks of the cluster; they see what the others wrote before.
RT_FN void cluster_sync() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 900
  __trap();
#else
  asm volatile("barrier.cluster.arrive.release.aligned;" ::: "memory");
  asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory");
#endif
}

/// Another block's view of the same place.
template <class T>
struct Peer {
  unsigned address;
  RT_FN void set(int i, const T& value) const {
    const inner::Words<T> words = bit_cast<inner::Words<T>>(value);
#pragma unroll
    for (int k = 0; k < int(sizeof(T) / 4); ++k) {
      asm volatile("st.shared::cluster.u32 [%0], %1;" ::"r"(address + i * int(sizeof(T)) + 4 * k), "r"(words.w[k])
                   : "memory");
    }
  }
};
template <class T>
RT_FN Peer<T> peer(const Shared<T>& shared, int rank) {
  unsigned address;
  asm("mapa.shared::cluster.u32 %0, %1, %2;"
      : "=r"(address)
      : "r"(static_cast<unsigned>(__cvta_generic_to_shared(shared.p))), "r"(rank));
  return {address};
}

}  // namespace rt

#include "rt/cluster_join.h"
