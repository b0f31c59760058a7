// SPDX-License-Identifier: Apache-2.0
// Race detection: what the emulator remembers of every element.  The epoch counts barriers and blocks, so an epoch
// belongs to one block, and two threads race when they access an element in one epoch, or from two blocks of which the
// later one has not waited for the other, and one of them writes.  That is found in whatever order the threads happen
// to run.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#pragma GCC visibility push(hidden)
namespace rt {
inline namespace emulator {

/// epoch << 12 | thread << 2 | flags.
using Stamp = uint64_t;
constexpr Stamp kManyReaders = 1;     ///< of reads: several threads read in this epoch
constexpr Stamp kForeignReaders = 2;  ///< of reads: a thread of an earlier block read
constexpr Stamp kArrived = 1;         ///< of writes: by a bulk copy; the stage stands in the thread's place
constexpr Stamp make_stamp(uint64_t epoch, int thread) { return epoch << 12 | uint64_t(thread) << 2; }
constexpr uint64_t epoch_of(Stamp s) { return s >> 12; }
constexpr int thread_of(Stamp s) { return int(s >> 2 & 1023); }

/// Epochs of other blocks that came before the present block's reads: from first to before last.
struct Seen {
  uint64_t first, last;
};

/// The present: the running thread's stamp, the epoch in which its block began, and the stages (a bit each) whose bulk
/// copies the thread has waited for.
struct Now {
  Stamp stamp = 0;
  uint64_t block_epoch = 0;
  uint64_t arrived = 0;
  const std::vector<Seen>* seen = nullptr;  ///< other blocks that the running one waited for; null: none
  bool early = false;                       ///< memory of the kernel in front may not be touched yet
  // Of blocks that are resident together; null: there is one.
  const std::vector<int>* owners = nullptr;  ///< the block of each epoch from set_epoch on
  int block = 0;
  uint64_t set_epoch = 0, sync_epoch = 0;  ///< the first one of them; the first one since they all met

  /// What shared memory holds of before is gone.
  uint64_t shared_epoch() const { return owners == nullptr ? block_epoch : set_epoch; }
  bool is_mine(uint64_t epoch) const {
    return owners == nullptr ? epoch >= block_epoch
                             : epoch >= set_epoch && (*owners)[size_t(epoch - set_epoch)] == block;
  }
  /// Have all blocks that are resident together met since that epoch of one of them?
  bool all_met(uint64_t epoch) const { return owners != nullptr && epoch >= set_epoch && epoch < sync_epoch; }
  /// Has a barrier or a semaphore come between that epoch of another block and now?
  bool sees(uint64_t epoch) const {
    return all_met(epoch) || (seen != nullptr && std::any_of(seen->begin(), seen->end(), [&](const Seen& s) {
                                return s.first <= epoch && epoch < s.last;
                              }));
  }
};

struct Shadow {
  Stamp write = 0;
  Stamp read = 0;
};

struct Race {
  const char* what = nullptr;  ///< null: no race
  Stamp other = 0;
  bool copy = false;  ///< `other` is a bulk copy's
};

/// Did another thread leave `s` such that no barrier stands between it and now?
inline bool unordered(Stamp s, const Now& now) {
  if (!s || s >> 2 == now.stamp >> 2) {
    return false;
  }
  return epoch_of(s) == epoch_of(now.stamp) || (!now.is_mine(epoch_of(s)) && !now.sees(epoch_of(s)));
}

/// The same of a write.  What a bulk copy wrote is there for those who waited for it, and for all behind a barrier.
inline bool unordered_write(Stamp s, const Now& now) {
  if (!(s & kArrived)) {
    return unordered(s, now);
  }
  return !now.is_mine(epoch_of(s)) || (epoch_of(s) == epoch_of(now.stamp) && !(now.arrived >> thread_of(s) & 1));
}

inline Race note_read(Shadow& shadow, const Now& now) {
  Race race;
  if (unordered_write(shadow.write, now)) {
    const bool copy = shadow.write & kArrived;
    race = {copy ? "read without a wait of what a bulk copy writes" : "read of what another thread writes",
            shadow.write, copy};
  }
  const Stamp old = shadow.read;
  Stamp flags = old & kForeignReaders;
  if (old && !now.is_mine(epoch_of(old))) {
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
  if (unordered_write(shadow.write, now)) {
    const bool copy = shadow.write & kArrived;
    race = {copy ? "write over what a bulk copy writes" : "write over what another thread writes", shadow.write, copy};
  } else if (unordered(old, now) || many || ((old & kForeignReaders) && !now.all_met(epoch_of(old)))) {
    race = {"write over what another thread reads", old};
  }
  shadow.write = now.stamp;
  return race;
}

}  // namespace emulator
}  // namespace rt
#pragma GCC visibility pop
