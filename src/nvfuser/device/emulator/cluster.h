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
/// Waits for all threads of all blocks of the cluster.
inline void cluster_sync(int line = __builtin_LINE()) { machine->wait_for_cluster(line); }

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
Peer<T> peer(const Shared<T>& shared, int rank) {
  return {shared, rank};
}

}  // namespace emulator
}  // namespace rt
#pragma GCC visibility pop

#if __has_include("rt/cluster_join.h")
#include "rt/cluster_join.h"
#else
#include "nvfuser/device/generic/cluster_join.h"
#endif
