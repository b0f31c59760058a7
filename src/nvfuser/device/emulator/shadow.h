// SPDX-License-Identifier: Apache-2.0
// Race detection: what the emulator remembers of every element.  Blocks run one after the other and the epoch counts
// barriers and blocks, so an epoch belongs to one block, and two threads race when they access an element in one epoch,
// or from two blocks, and one of them writes.  That is found in whatever order the threads happen to run.
#pragma once

#include <cstdint>

#pragma GCC visibility push(hidden)
namespace rt {
inline namespace emulator {

/// epoch << 12 | thread << 2 | flags.
using Stamp = uint64_t;
constexpr Stamp kManyReaders = 1;     ///< several threads read in this epoch
constexpr Stamp kForeignReaders = 2;  ///< a thread of an earlier block read
constexpr Stamp make_stamp(uint64_t epoch, int thread) { return epoch << 12 | uint64_t(thread) << 2; }
constexpr uint64_t epoch_of(Stamp s) { return s >> 12; }
constexpr int thread_of(Stamp s) { return int(s >> 2 & 1023); }

/// The present: the running thread's stamp and the epoch in which its block began.
struct Now {
  Stamp stamp = 0;
  uint64_t block_epoch = 0;
};

struct Shadow {
  Stamp write = 0;
  Stamp read = 0;
};

struct Race {
  const char* what = nullptr;  ///< null: no race
  Stamp other = 0;
};

/// Did another thread leave `s` such that no barrier stands between it and now?
inline bool unordered(Stamp s, const Now& now) {
  if (!s || s >> 2 == now.stamp >> 2) {
    return false;
  }
  return epoch_of(s) == epoch_of(now.stamp) || epoch_of(s) < now.block_epoch;
}

inline Race note_read(Shadow& shadow, const Now& now) {
  Race race;
  if (unordered(shadow.write, now)) {
    race = {"read of what another thread writes", shadow.write};
  }
  const Stamp old = shadow.read;
  Stamp flags = old & kForeignReaders;
  if (old && epoch_of(old) < now.block_epoch) {
    flags |= kForeignReaders;
  } else if (epoch_of(old) == epoch_of(now.stamp)) {
    flags |= (old & kManyReaders) | (thread_of(old) != thread_of(now.stamp) ? kManyReaders : 0);
  }
  shadow.read = now.stamp | flags;
  return race;
}

inline Race note_write(Shadow& shadow, const Now& now) {
  Race race;
  const Stamp old = shadow.read;
  const bool many = (old & kManyReaders) && epoch_of(old) == epoch_of(now.stamp);
  if (unordered(shadow.write, now)) {
    race = {"write over what another thread writes", shadow.write};
  } else if (unordered(old, now) || many || (old & kForeignReaders)) {
    race = {"write over what another thread reads", old};
  }
  shadow.write = now.stamp;
  return race;
}

}  // namespace emulator
}  // namespace rt
#pragma GCC visibility pop
