// SPDX-License-Identifier: Apache-2.0
// What the blocks of a cluster do together, emulated: they are resident together.  Twin of cuda/cluster.h.
#pragma once

#if __has_include("rt/reduce.h")
#include "rt/reduce.h"
#else
#include "nvfuser/device/generic/reduce.h"
#endif

#pragma GCC visibility push(hidden)
namespace rt {
inline namespace emulator {

/// The block's number in its cluster.
inline int cluster_rank() { return machine->cluster_rank(); }
/// What blocks tell each other: two halves by turns, and 16 bytes behind them.
struct Peers {
  int at, half, round;
  bool started = false;
};
/// At the head of a kernel, by all threads: the block can be told.
inline void start(Peers& peers) {
  if (peers.at % 8 || peers.half % 8 || peers.at + 2 * peers.half + 16 > machine->shared_bytes()) {
    machine->fault("a cluster's slots at byte %d of %lld", peers.at, machine->shared_bytes());
  }
  peers.started = true;
}

/// Another block's view of the same place.
template <class T>
struct Peer {
  Shared<T> shared;
  int rank;
  void set(long long i, const T& value) const {
    machine->lend_shared(rank);
    shared.set(i, value);
    machine->lend_shared(rank);
  }
};
template <class T>
Peer<T> peer(const Peers&, const Shared<T>& shared, int rank) {
  return {shared, rank};
}

}  // namespace emulator
}  // namespace rt

namespace rt::inner {

inline void wait_for_start(const Peers& peers) {
  if (!peers.started) {
    machine->fault("a cluster's slots at byte %d that were not started", peers.at);
  }
}
/// Waits for all threads of all blocks of the cluster.
inline void meet_peers(const Peers&, int, int line = __builtin_LINE()) { machine->wait_for_cluster(line); }

}  // namespace rt::inner
#pragma GCC visibility pop

#if __has_include("rt/cluster_join.h")
#include "rt/cluster_join.h"
#else
#include "nvfuser/device/generic/cluster_join.h"
#endif
