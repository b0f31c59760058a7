// SPDX-License-Identifier: Apache-2.0
// What blocks anywhere tell each other, emulated: all wait for each other where they tell, and what is collected must
// be of the round that is asked for.  Twin of cuda/far.h.
#pragma once

#if __has_include("rt/reduce.h")
#include "rt/memory.h"
#include "rt/reduce.h"
#else
#include "memory.h"
#include "nvfuser/device/generic/reduce.h"
#endif

#pragma GCC visibility push(hidden)
namespace rt {
inline namespace emulator {

/// A word and its round are two words; a team's blocks meet at the one that counts those that are done.
template <int Blocks, int Words, int Parts>
struct Far {
  static constexpr int kBlocks = Blocks, kWords = Words, kAll = Blocks * Words * Parts;
  Coherent<int32> semaphores;
  long long slots, left;
  int rank;
  long long told = 0, collected = 0;

  Far(Coherent<int32> semaphores, int team, int teams, int rank)
      : semaphores(semaphores), slots(2ll * team * kAll), left(2ll * teams * kAll + team), rank(rank) {}

  long long place(long long round, int word, int block) const {
    return slots + 2 * ((round % Parts * Words + word) * Blocks + block);
  }
  void put(int word, uint32 value) const {
    semaphores.set(place(told, word, rank), int32(value));
    semaphores.set(place(told, word, rank) + 1, int32(told + 1));
  }
  void next_told(int line) {
    ++told;
    machine->wait_at_barrier(line);
    machine->wait_for_grid(*semaphores.buffer, left, told * Blocks, line);
  }
  template <int N>
  void take(int from, uint32 (&words)[N]) const {
    for (int k = 0; k < N; ++k) {
      words[k] = uint32(semaphores.get(place(collected, k, from)));
      if (const int32 round = semaphores.get(place(collected, k, from) + 1); round != collected + 1) {
        machine->fault("block %d told round %d where round %lld is collected", from, round, collected + 1);
      }
    }
  }
  void next_collected() { ++collected; }
};

template <int Blocks, int Words, int Parts>
void leave(const Far<Blocks, Words, Parts>& far, int line = __builtin_LINE()) {
  if (far.told != far.collected) {
    machine->fault("%lld rounds were told, %lld collected", far.told, far.collected);
  }
  machine->wait_at_barrier(line);
  machine->wait_for_grid(*far.semaphores.buffer, far.left, (far.told + 1) * Blocks, line);
  if (machine->thread() == 0) {
    for (int k = 0; k < Words * Parts; ++k) {
      for (const int half : {0, 1}) {
        far.semaphores.set(far.slots + 2ll * (k * Blocks + far.rank) + half, 0);
      }
    }
    machine->leave_grid(*far.semaphores.buffer, far.left, (far.told + 2) * Blocks);
  }
}

}  // namespace emulator
}  // namespace rt
#pragma GCC visibility pop

#if __has_include("rt/far_join.h")
#include "rt/far_join.h"
#else
#include "nvfuser/device/generic/far_join.h"
#endif
