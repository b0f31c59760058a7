// SPDX-License-Identifier: Apache-2.0
// What the blocks of a cluster do together on a GPU: they write to shared memory of each other, and count the bytes
// that have come, which needs no fence and no barrier of the cluster.  A cluster is the blocks that differ in
// blockIdx.y alone, of threads that differ in threadIdx.x alone.  Twin of emulator/cluster.h.
#pragma once

#include "rt/mbarrier.h"
#include "rt/reduce.h"

namespace rt {

/// The block's number in its cluster.
RT_FN int cluster_rank() {
  unsigned rank;
  asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
  return static_cast<int>(rank);
}
/// What blocks tell each other: two halves by turns, and behind them an mbarrier a half, which counts what the others
/// have sent.  Byte offset of the first half, bytes of one, both multiples of 16; `round` counts the exchanges.
struct Peers {
  int at, half, round;
};

}  // namespace rt

namespace rt::inner {

/// The mbarrier of the round that `peers` is at.
RT_FN unsigned arrivals_of(const Peers& peers) {
  return shared_address(rt_shared_block + peers.at + 2 * peers.half + 8 * (peers.round & 1));
}
RT_FN unsigned at_rank(unsigned address, int rank) {
  unsigned there;
  asm("mapa.shared::cluster.u32 %0, %1, %2;" : "=r"(there) : "r"(address), "r"(rank));
  return there;
}

/// Until all blocks of the cluster have started: by all threads, before the first round.
RT_FN void wait_for_start(const Peers& peers) {
  if (peers.round == 0) {
    asm volatile("barrier.cluster.wait.acquire.aligned;" ::: "memory");
  }
}

/// Until `bytes` of the round have come, this block's own among them; by all threads.  No block sends for the round
/// after the next one before this one has told it of the next, so a half and its mbarrier serve one round at a time.
RT_FN void meet_peers(const Peers& peers, int bytes, int = 0) {
  const unsigned arrival = arrivals_of(peers);
  if (threadIdx.x == 0) {
    expect_bytes(arrival, static_cast<unsigned>(bytes));
  }
  wait_for_phase(arrival, peers.round >> 1);
}

}  // namespace rt::inner

namespace rt {

/// At the head of a kernel, by all threads: the block can be told.  Waits for nobody.
RT_FN void start(const Peers& peers) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 900
  __trap();
#else
  if (threadIdx.x == 0) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      inner::init_barrier(inner::arrivals_of({peers.at, peers.half, half}), 1);
    }
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  }
  asm volatile("barrier.cluster.arrive.relaxed.aligned;" ::: "memory");
#endif
}

/// Another block's view of a place in the half of this round.
template <class T>
struct Peer {
  unsigned address, arrival;
  RT_FN void set(int i, const T& value) const {
    const inner::Words<T> words = bit_cast<inner::Words<T>>(value);
#pragma unroll
    for (int k = 0; k < int(sizeof(T) / 4); ++k) {
      asm volatile("st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.u32 [%0], %1, [%2];" ::"r"(
                       address + i * int(sizeof(T)) + 4 * k),
                   "r"(words.w[k]), "r"(arrival)
                   : "memory");
    }
  }
};
template <class T>
RT_FN Peer<T> peer(const Peers& peers, const Shared<T>& shared, int rank) {
  return {inner::at_rank(inner::shared_address(shared.p), rank), inner::at_rank(inner::arrivals_of(peers), rank)};
}

}  // namespace rt

#include "rt/cluster_join.h"
