// SPDX-License-Identifier: Apache-2.0
// Rows that arrive in shared memory ahead of their use: bulk copies by the copy engine, whose bytes an mbarrier a stage
// counts.  Blocks may claim rows, whose numbers travel beside them.  Twin of emulator/ring.h.
// From compute capability 9.0 on.
#pragma once

#include "rt/mbarrier.h"
#include "rt/memory.h"
#include "rt/types.h"

namespace rt {

/// S stages that take turns, each filled by Copies bulk copies a turn and, where rows are claimed, the row's number.
/// `at`: byte offset into shared memory of kStageBytes a stage, a multiple of 8.
template <int S, int Copies, bool Claims = false>
struct Stages {
  static constexpr int kStageBytes = 16, kArrivals = Copies + Claims;
  int at;
};

}  // namespace rt

namespace rt::inner {

/// The mbarrier of a turn; the row's number stands behind it.
template <class I, int S, int Copies, bool Claims>
RT_FN unsigned char* stage_of(const Stages<S, Copies, Claims>& ring, I turn) {
  return rt_shared_block + ring.at + Stages<S, Copies, Claims>::kStageBytes * static_cast<int>(turn % S);
}
template <class I, int S, int Copies, bool Claims>
RT_FN unsigned arrivals(const Stages<S, Copies, Claims>& ring, I turn) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 900
  static_assert(S < 0, "bulk copies need compute capability 9.0");
#endif
  return shared_address(stage_of(ring, turn));
}
template <class I, int S, int Copies>
RT_FN volatile long long* number_of(const Stages<S, Copies, true>& ring, I turn) {
  return reinterpret_cast<long long*>(stage_of(ring, turn) + 8);
}

}  // namespace rt::inner

namespace rt {

/// Before any other use; all threads, one of them the maker.  Holds a barrier.
template <int S, int Copies, bool Claims>
RT_FN void start(const Stages<S, Copies, Claims>& ring, bool maker) {
  if (maker) {
#pragma unroll
    for (int s = 0; s < S; ++s) {
      inner::init_barrier(inner::arrivals(ring, s), ring.kArrivals);
    }
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
  }
  __syncthreads();
}

/// By one thread: `count` elements leave for a turn's stage, where nobody reads any more what was there.  Both
/// addresses and the bytes are multiples of 16.
template <int S, int Copies, bool Claims, class Turn, class To, class I, class From, class J, class N>
RT_FN void bulk_copy(const Stages<S, Copies, Claims>& ring, Turn turn, const To& to, I i, From& from, J j, N count) {
  const unsigned arrival = inner::arrivals(ring, turn);
  const unsigned bytes = static_cast<unsigned>(count) * static_cast<unsigned>(sizeof(*from));
  inner::expect_bytes(arrival, bytes);
  asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(
                   inner::shared_address(address(to, i))),
               "l"(__cvta_generic_to_global(address(from, j))), "r"(bytes), "r"(arrival)
               : "memory");
}

/// As bulk_copy, of `count` elements, but no more than `most`, and none below 1.  The last ones may lie beyond the
/// buffer, if they share aligned 16 bytes with some of it.
template <int S, int Copies, bool Claims, class Turn, class To, class I, class From, class J, class N>
RT_FN void bulk_copy_up_to(const Stages<S, Copies, Claims>& ring, Turn turn, const To& to, I i, From& from, J j,
                           int most, N count) {
  const int taken = count < most ? static_cast<int>(count) : most;
  if (taken > 0) {
    bulk_copy(ring, turn, to, i, from, j, taken);
  } else {
    inner::expect_bytes(inner::arrivals(ring, turn), 0);
  }
}

/// Until all copies of a turn have arrived; by every thread that reads them.
template <int S, int Copies, bool Claims, class Turn>
RT_FN void wait(const Stages<S, Copies, Claims>& ring, Turn turn) {
  inner::wait_for_phase(inner::arrivals(ring, turn), static_cast<int>(turn / S));
}

/// By one thread, before a turn's copies: the number of its row.  One that is not below `rows` ends them, without
/// copies.
template <int S, int Copies, class Turn, class I>
RT_FN void post(const Stages<S, Copies, true>& ring, Turn turn, I row, I rows) {
  *inner::number_of(ring, turn) = row;
  asm volatile("mbarrier.arrive.release.cta.shared::cta.b64 _, [%0], %1;" ::"r"(inner::arrivals(ring, turn)),
               "r"(row < rows ? 1 : ring.kArrivals)
               : "memory");
}
/// Waits for a turn; the number of its row.
template <int S, int Copies, class Turn>
RT_FN Turn take(const Stages<S, Copies, true>& ring, Turn turn) {
  wait(ring, turn);
  return static_cast<Turn>(*inner::number_of(ring, turn));
}
/// The next of `rows` numbers from 0 on, of all that claim by semaphore i; the last one leaves it at 0.
template <class I>
RT_FN I claim(Coherent<int32> semaphores, int i, I rows) {
  return static_cast<I>(atomicInc(reinterpret_cast<unsigned*>(semaphores) + i + 1, static_cast<unsigned>(rows) - 1u));
}

}  // namespace rt
