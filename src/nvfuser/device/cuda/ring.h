// SPDX-License-Identifier: Apache-2.0
// Rows that arrive in shared memory ahead of their use: bulk copies by the copy engine, whose bytes an mbarrier a stage
// counts.  Comes after rt/memory.h; twin of emulator/ring.h.  From compute capability 9.0 on.
#pragma once

namespace rt {

/// S stages that take turns, each filled by Copies bulk copies a turn.  `at`: byte offset into shared memory of
/// kStageBytes a stage, a multiple of 8.
template <int S, int Copies>
struct Stages {
  static constexpr int kStageBytes = 8;
  int at;
};

}  // namespace rt

namespace rt::inner {

RT_FN unsigned shared_address(const void* p) { return static_cast<unsigned>(__cvta_generic_to_shared(p)); }

/// The mbarrier of a turn.
template <int S, int Copies, class I>
RT_FN unsigned arrivals(const Stages<S, Copies>& ring, I turn) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 900
  static_assert(S < 0, "bulk copies need compute capability 9.0");
#endif
  return shared_address(rt_shared_block) + ring.at + Stages<S, Copies>::kStageBytes * static_cast<int>(turn % S);
}

}  // namespace rt::inner

namespace rt {

/// Before any other use; all threads, one of them the maker.  Holds a barrier.
template <int S, int Copies>
RT_FN void start(const Stages<S, Copies>& ring, bool maker) {
  if (maker) {
#pragma unroll
    for (int s = 0; s < S; ++s) {
      asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(inner::arrivals(ring, s)), "r"(Copies) : "memory");
    }
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
  }
  __syncthreads();
}

/// By one thread: `count` elements leave for a turn's stage, where nobody reads any more what was there.  Both
/// addresses and the bytes are multiples of 16.
template <int S, int Copies, class Turn, class To, class I, class From, class J, class N>
RT_FN void bulk_copy(const Stages<S, Copies>& ring, Turn turn, const To& to, I i, From& from, J j, N count) {
  const unsigned arrival = inner::arrivals(ring, turn);
  const unsigned bytes = static_cast<unsigned>(count) * static_cast<unsigned>(sizeof(*from));
  asm volatile("mbarrier.arrive.expect_tx.release.cta.shared::cta.b64 _, [%0], %1;" ::"r"(arrival), "r"(bytes)
               : "memory");
  asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(
                   inner::shared_address(address(to, i))),
               "l"(__cvta_generic_to_global(address(from, j))), "r"(bytes), "r"(arrival)
               : "memory");
}

/// Until all copies of a turn have arrived; by every thread that reads them.
template <int S, int Copies, class Turn>
RT_FN void wait(const Stages<S, Copies>& ring, Turn turn) {
  const unsigned arrival = inner::arrivals(ring, turn), parity = static_cast<unsigned>(turn / S) & 1u;
  unsigned arrived;
  do {
    asm volatile(
        "{ .reg .pred arrived; mbarrier.try_wait.parity.shared::cta.b64 arrived, [%1], %2; "
        "selp.u32 %0, 1, 0, arrived; }"
        : "=r"(arrived)
        : "r"(arrival), "r"(parity)
        : "memory");
  } while (!arrived);
}

}  // namespace rt
