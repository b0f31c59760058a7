// SPDX-License-Identifier: Apache-2.0
// What blocks anywhere on a GPU, all resident at once, tell each other through memory.  Each word travels in one access
// with the number of its round, so that nothing has to be waited for before it is told: no fence, no barrier, and none
// of the block's results that are still on their way to memory.  Twin of emulator/far.h.
#pragma once

#include "rt/reduce.h"

namespace rt {

/// Teams of Blocks blocks, each of which tells Words words a round.  Rounds take turns between Parts places: a block
/// that tells Parts rounds later has collected what the others told after they had collected this round, for which
/// 2 + 2 * d of them are needed where d further rounds may be told before one is collected.  All words are 0 between
/// launches.
template <int Blocks, int Words, int Parts>
struct Far {
  static constexpr int kBlocks = Blocks, kWords = Words, kAll = Blocks * Words * Parts;
  unsigned long long* slots;  ///< of the team: [part][word][block]
  unsigned* left;             ///< how many of its blocks are done
  int rank;
  unsigned told, collected;

  RT_FN Far(int32* semaphores, int team, int teams, int rank)
      : slots(reinterpret_cast<unsigned long long*>(semaphores) + team * kAll),
        left(reinterpret_cast<unsigned*>(semaphores) + 2 * teams * kAll + team),
        rank(rank),
        told(0),
        collected(0) {}

  RT_FN void put(int word, uint32 value) const {
    const unsigned long long both = (static_cast<unsigned long long>(told + 1) << 32) | value;
    asm volatile("st.relaxed.gpu.global.u64 [%0], %1;" ::"l"(
                     __cvta_generic_to_global(slots + (told % Parts * Words + word) * Blocks + rank)),
                 "l"(both)
                 : "memory");
  }
  RT_FN void next_told(int) { ++told; }

  /// Waits until block `from` has told.
  template <int N>
  RT_FN void take(int from, uint32 (&words)[N]) const {
    const auto at = __cvta_generic_to_global(slots + collected % Parts * Words * Blocks + from);
    bool all;
    do {
      all = true;
#pragma unroll
      for (int k = 0; k < N; ++k) {
        unsigned long long both;
        asm volatile("ld.relaxed.gpu.global.u64 %0, [%1];" : "=l"(both) : "l"(at + 8 * k * Blocks) : "memory");
        words[k] = static_cast<uint32>(both);
        all = all && static_cast<unsigned>(both >> 32) == collected + 1;
      }
    } while (!all);
  }
  RT_FN void next_collected() { ++collected; }
};

/// Behind all rounds, which are all collected; by all threads.  The last block of the team leaves nothing but zeros.
template <int Blocks, int Words, int Parts>
RT_FN void leave(const Far<Blocks, Words, Parts>& far) {
  const bool first = threadIdx.x == 0 && threadIdx.y == 0 && threadIdx.z == 0;
  if (__syncthreads_or(first && atomicInc(far.left, Blocks - 1u) == Blocks - 1u)) {
    for (int i = threadIdx.x; i < far.kAll; i += blockDim.x) {
      far.slots[i] = 0;
    }
  }
}

}  // namespace rt

#include "rt/far_join.h"
