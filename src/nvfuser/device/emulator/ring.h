// SPDX-License-Identifier: Apache-2.0
// Rows that arrive in shared memory ahead of their use, emulated: a bulk copy is recorded when it leaves and performed
// at the first wait for its turn.  Blocks may claim rows, whose numbers travel beside them.  Comes after rt/memory.h;
// twin of cuda/ring.h.
#pragma once

#if __has_include("rt/memory.h")
#include "rt/memory.h"
#include "rt/types.h"
#else
#include "memory.h"
#include "nvfuser/device/generic/types.h"
#endif

#pragma GCC visibility push(hidden)
namespace rt {
inline namespace emulator {

/// S stages that take turns, each filled by Copies bulk copies a turn and, where rows are claimed, the row's number.
/// `at`: byte offset into shared memory of kStageBytes a stage, a multiple of 8.
template <int S, int Copies, bool Claims = false>
struct Stages {
  static constexpr int kStageBytes = 16, kArrivals = Copies + Claims;
  int at;
};

}  // namespace emulator
}  // namespace rt

namespace rt::inner {

/// The number of the stage of a turn; -1 with a fault.
template <int S, int Copies, bool Claims>
int stage_of(const Stages<S, Copies, Claims>& ring, long long turn) {
  const RingState* state = machine->arrivals().find(ring.at);
  if (!state || turn < 0) {
    machine->fault("turn %lld of a ring at byte %d that was not started", turn, ring.at);
    return -1;
  }
  return state->first + int(turn % S);
}

/// Moves what is on its way to a stage.
inline void land(int number) {
  Stage& stage = machine->arrivals().stages[number];
  const Stamp arrived = make_stamp(epoch_of(machine->now().stamp), number) | kArrived;
  for (const BulkCopy& copy : stage.under_way) {
    for (size_t k = 0; k < copy.seen.size(); ++k) {
      if (copy.read[k].write != copy.seen[k]) {
        machine->fault("race: write of %s while a bulk copy reads it", copy.source);
        break;
      }
    }
    bool disturbed = false;
    for (size_t k = 0; k < copy.bytes; ++k) {
      disturbed |= copy.written[k].write != 0;
      copy.written[k].write = arrived;
    }
    if (disturbed) {
      machine->fault("race: write of %s while a bulk copy writes it", copy.target);
    }
    std::memcpy(copy.to, copy.from ? static_cast<const void*>(copy.from) : &copy.number, copy.bytes);
  }
  stage.under_way.clear();
  stage.ended = false;
  ++stage.turns;
}

/// Takes the target's bytes out of use.
template <class T>
bool note_target(const Shared<T>& to, long long i, long long count) {
  Shadow* shadows = to.shadows_of(i);
  const uint64_t begin = machine->now().block_epoch;
  for (size_t k = 0; k < size_t(count) * sizeof(T); ++k) {
    // What earlier blocks left is gone.
    if (epoch_of(shadows[k].write) < begin && epoch_of(shadows[k].read) < begin) {
      shadows[k] = Shadow();
    }
    if (const Race race = note_write(shadows[k], machine->now()); race.what) {
      machine->fault_race(race, to.label, i + (long long)(k / sizeof(T)));
      return false;
    }
    shadows[k] = Shadow();
  }
  return true;
}
/// Reads the source's shadows.
inline bool note_source(const Buffer& from, long long j, long long count) {
  for (long long k = 0; k < count * from.step; ++k) {
    if (const Race race = note_read(from.shadows[j * from.step + k], machine->now()); race.what) {
      machine->fault_race(race, from.name, j + k / from.step);
      return false;
    }
  }
  return true;
}
/// The numbers of a ring's rows: every second one of these is a stage's.
template <int S, int Copies>
Shared<long long> numbers_of(const Stages<S, Copies, true>& ring) {
  return {ring.at, 2 * S, "the rows' numbers"};
}

/// Are the places and the bytes such as the copy engine takes?  `beyond`: elements behind the buffer's end.
template <class T>
bool check_copy(const Shared<T>& to, long long i, const Global<const T>& from, long long j, long long count,
                long long beyond) {
  const Buffer& b = *from.buffer;
  if (count < 1 || count * (long long)sizeof(T) % 16 || !to.aligned(i, 16) || !from.aligned(j, 16)) {
    machine->fault("misaligned: bulk copy of %lld bytes of %s[%lld] to %s[%lld]", count * (long long)sizeof(T), b.name,
                   j, to.label, i);
    return false;
  }
  if (j < -b.before || j + count - beyond > b.elements || beyond * (long long)sizeof(T) >= 16) {
    machine->fault("out of bounds: bulk copy of %lld elements of %s[%lld], which has %lld elements", count, b.name, j,
                   b.elements);
    return false;
  }
  if (i < 0 || i + count > to.count) {
    machine->fault("out of bounds: bulk copy of %lld elements to %s[%lld], which has %d elements", count, to.label, i,
                   to.count);
    return false;
  }
  return true;
}

/// A copy leaves, of which the elements beyond the buffer's end bring nothing.
template <int S, int Copies, bool Claims, class T>
void leave(const Stages<S, Copies, Claims>& ring, long long turn, const Shared<T>& to, long long i,
           const Global<const T>& from, long long j, long long count, long long beyond) {
  const int number = stage_of(ring, turn);
  if (number < 0 || (count > 0 && !check_copy(to, i, from, j, count, beyond))) {
    return;
  }
  Arrivals& arrivals = machine->arrivals();
  Stage& stage = arrivals.stages[size_t(number)];
  if (stage.turns != turn / S || arrivals.complete(number, ring.kArrivals)) {
    machine->fault("bulk copy for turn %lld of a stage that is at turn %lld with %d of %d copies", turn,
                   stage.turns * S + turn % S, int(stage.under_way.size()), ring.kArrivals);
    return;
  }
  const long long there = count - beyond;
  if (count > 0 && (!note_source(*from.buffer, j, there) || !note_target(to, i, count))) {
    return;
  }
  const Buffer& b = *from.buffer;
  BulkCopy copy{nullptr, nullptr, 0, nullptr, nullptr, {}, b.name, to.label};
  if (count > 0) {
    copy = {b.data + j * b.element_bytes,
            to.address_of(i),
            size_t(there) * sizeof(T),
            b.shadows + j * b.step,
            to.shadows_of(i),
            {},
            b.name,
            to.label};
  }
  for (long long k = 0; k < there * b.step; ++k) {
    copy.seen.push_back(copy.read[k].write);
  }
  stage.under_way.push_back(std::move(copy));
  arrivals.forget(number);
}

}  // namespace rt::inner

namespace rt {
inline namespace emulator {

/// Before any other use; all threads, one of them the maker.  Holds a barrier.
template <int S, int Copies, bool Claims>
void start(const Stages<S, Copies, Claims>& ring, bool maker, int line = __builtin_LINE()) {
  static_assert(S > 0 && Copies > 0, "no stages");
  Arrivals& arrivals = machine->arrivals();
  if (maker) {
    const int first = int(arrivals.stages.size());
    if (ring.at < 0 || ring.at % 8 || ring.at + S * ring.kStageBytes > machine->shared_bytes()) {
      machine->fault("ring at byte %d of %lld", ring.at, machine->shared_bytes());
    } else if (arrivals.find(ring.at) || first + S > Arrivals::kMostStages) {
      machine->fault("ring at byte %d: started twice, or too many", ring.at);
    } else {
      arrivals.rings.push_back({ring.at, S, ring.kArrivals, first});
      arrivals.stages.resize(size_t(first + S));
    }
  }
  machine->wait_at_barrier(line);
}

/// By one thread: `count` elements leave for a turn's stage, where nobody reads any more what was there.  Both
/// addresses and the bytes are multiples of 16.
template <int S, int Copies, bool Claims, class T>
void bulk_copy(const Stages<S, Copies, Claims>& ring, long long turn, const Shared<T>& to, long long i,
               const Global<const T>& from, long long j, long long count) {
  if (count < 1) {
    machine->fault("misaligned: bulk copy of %lld elements of %s", count, from.buffer->name);
    return;
  }
  inner::leave(ring, turn, to, i, from, j, count, 0);
}
/// As bulk_copy, of `count` elements, but no more than `most`, and none below 1.  The last ones may lie beyond the
/// buffer, if they share aligned 16 bytes with some of it.
template <int S, int Copies, bool Claims, class T>
void bulk_copy_up_to(const Stages<S, Copies, Claims>& ring, long long turn, const Shared<T>& to, long long i,
                     const Global<const T>& from, long long j, long long most, long long count) {
  const long long taken = count < 1 ? 0 : count < most ? count : most;
  const long long beyond = taken > 0 ? j + taken - from.buffer->elements : 0;
  inner::leave(ring, turn, to, i, from, j, taken, beyond > 0 ? beyond : 0);
}

}  // namespace emulator
}  // namespace rt

namespace rt::inner {

/// Waits for a turn; false with a fault.
template <int S, int Copies, bool Claims>
bool arrives(const Stages<S, Copies, Claims>& ring, long long turn) {
  const int number = stage_of(ring, turn);
  if (number < 0) {
    return false;
  }
  const Stage& stage = machine->arrivals().stages[size_t(number)];
  if (stage.turns == turn / S) {
    if (!machine->wait_for_copies(number, ring.kArrivals, turn / S)) {
      machine->fault("wait for turn %lld of a ring, which gets %d of %d bulk copies", turn, int(stage.under_way.size()),
                     ring.kArrivals);
      return false;
    }
    if (stage.turns == turn / S) {
      land(number);
    }
  }
  if (stage.turns != turn / S + 1) {
    machine->fault("wait for turn %lld of a stage that is at turn %lld", turn, stage.turns * S + turn % S);
    return false;
  }
  machine->note_waited(number);
  return true;
}

}  // namespace rt::inner

namespace rt {
inline namespace emulator {

/// Until all copies of a turn have arrived; by every thread that reads them.
template <int S, int Copies, bool Claims>
void wait(const Stages<S, Copies, Claims>& ring, long long turn) {
  inner::arrives(ring, turn);
}

/// By one thread, before a turn's copies: the number of its row.  One that is not below `rows` ends them, without
/// copies.
template <int S, int Copies>
void post(const Stages<S, Copies, true>& ring, long long turn, long long row, long long rows) {
  const int number = inner::stage_of(ring, turn);
  if (number < 0) {
    return;
  }
  Arrivals& arrivals = machine->arrivals();
  Stage& stage = arrivals.stages[size_t(number)];
  const auto numbers = inner::numbers_of(ring);
  const long long at = 2 * (turn % S) + 1;
  if (stage.turns != turn / S || !stage.under_way.empty()) {
    machine->fault("number of turn %lld posted to a stage that is at turn %lld with %d of %d arrivals", turn,
                   stage.turns * S + turn % S, int(stage.under_way.size()), ring.kArrivals);
    return;
  }
  if (!inner::note_target(numbers, at, 1)) {
    return;
  }
  stage.under_way.push_back({nullptr,
                             numbers.address_of(at),
                             sizeof row,
                             nullptr,
                             numbers.shadows_of(at),
                             {},
                             "a row's number",
                             numbers.label,
                             row});
  stage.ended = row >= rows;
  arrivals.forget(number);
}
/// Waits for a turn; the number of its row.  A turn that does not come ends the rows.
template <int S, int Copies, class Turn>
Turn take(const Stages<S, Copies, true>& ring, Turn turn) {
  return inner::arrives(ring, turn) ? Turn(inner::numbers_of(ring)[2 * (turn % S) + 1]) : 0x7fffffff;
}
/// The next of `rows` numbers from 0 on, of all that claim by semaphore i; the last one leaves it at 0.
template <class I>
I claim(Coherent<int32> semaphores, int i, I rows) {
  const Buffer& b = *semaphores.buffer;
  if (i < 0 || i + 1 >= b.elements) {
    machine->fault("out of bounds: semaphore %s[%d], of which there are %lld", b.name, i + 1, b.elements);
    return rows;
  }
  int32& word = reinterpret_cast<int32*>(b.data)[i + 1];
  if (word < 0 || word >= rows) {
    machine->fault("semaphore %s[%d] is %d where %lld rows are claimed", b.name, i + 1, word, (long long)rows);
    return rows;
  }
  const I claimed = word;
  word = word + 1 == rows ? 0 : word + 1;
  return claimed;
}

}  // namespace emulator
}  // namespace rt
#pragma GCC visibility pop
