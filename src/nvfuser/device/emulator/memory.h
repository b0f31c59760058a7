// SPDX-License-Identifier: Apache-2.0
// Memory of an emulated kernel: every access is checked for bounds, initialisation, alignment and races.
// Reads give plain values, so expressions see the types that they see on the GPU.
#pragma once

#include <type_traits>

#include "emulator.h"
#if __has_include("divisor.h")
#include "divisor.h"
#include "within.h"
#else
#include "nvfuser/device/generic/divisor.h"
#include "nvfuser/device/generic/within.h"
#endif

#ifndef RT_KERNEL
#define RT_KERNEL(name, threads, blocks) static void name
#endif

#ifndef RT_CLUSTER_KERNEL
#define RT_CLUSTER_KERNEL(name, threads, blocks, cluster) static void name
#endif

#pragma GCC visibility push(hidden)
namespace rt {
inline namespace emulator {

/// Both ways to name a kernel parameter that is a buffer.
template <class T>
struct Global {
  using Value = std::remove_const_t<T>;
  const Buffer* buffer;

  Value get(long long i) const {
    const Buffer& b = *buffer;
    if (i < -b.before || i >= b.elements) {
      machine->fault("out of bounds: read of %s[%lld], which has %lld elements", b.name, i, b.elements);
      return Value{};
    }
    check_time();
    for (int k = 0; k < b.step; ++k) {
      if (const Race race = note_read(b.shadows[i * b.step + k], machine->now()); race.what) {
        machine->fault_race(race, b.name, i);
        break;
      }
    }
    return reinterpret_cast<const Value*>(b.data)[i];
  }
  void set(long long i, Value value) const {
    static_assert(!std::is_const_v<T>, "an input is only read");
    const Buffer& b = *buffer;
    if (i < -b.before || i >= b.elements) {
      machine->fault("out of bounds: write of %s[%lld], which has %lld elements", b.name, i, b.elements);
      return;
    }
    check_time();
    for (int k = 0; k < b.step; ++k) {
      if (const Race race = note_write(b.shadows[i * b.step + k], machine->now()); race.what) {
        machine->fault_race(race, b.name, i);
        break;
      }
    }
    reinterpret_cast<Value*>(b.data)[i] = value;
  }
  bool aligned(long long i, int bytes) const {
    return (reinterpret_cast<uintptr_t>(buffer->data) + uintptr_t(i) * sizeof(T)) % unsigned(bytes) == 0;
  }
  std::string name() const { return buffer->name; }
  void check_time() const {
    if (machine->now().early) {
      machine->fault("early: access of %s before the kernel in front is waited for", buffer->name);
    }
  }
  Value operator[](long long i) const { return get(i); }
};
template <class T>
using Coherent = Global<T>;

/// The next buffer parameter of a launch.
template <class T>
Global<T> global(Machine& m, const void* image, int offset) {
  const Buffer* b = m.buffer(image, offset, int(sizeof(T)));
  if (reinterpret_cast<uintptr_t>(b->data) % alignof(T)) {
    m.fault("misaligned buffer %s", b->name);
  }
  return {b};
}

/// A view of the block's shared memory.  Races are noted for every byte, so that buffers which share bytes are seen.
template <class T>
struct Shared {
  int byte_offset;
  int count;
  const char* label;

  T get(long long i) const {
    if (!inside(i, "read")) {
      return T{};
    }
    Shadow* shadows = shadows_of(i);
    const Now& now = machine->now();
    for (unsigned k = 0; k < sizeof(T); ++k) {
      if (epoch_of(shadows[k].write) < now.shared_epoch()) {
        machine->fault("uninitialised: read of %s[%lld]", label, i);
        break;
      }
      if (const Race race = note_read(shadows[k], now); race.what) {
        machine->fault_race(race, label, i);
        break;
      }
    }
    T value;
    std::memcpy(&value, address_of(i), sizeof value);
    return value;
  }
  void set(long long i, T value) const {
    if (!inside(i, "write")) {
      return;
    }
    Shadow* shadows = shadows_of(i);
    const Now& now = machine->now();
    for (unsigned k = 0; k < sizeof(T); ++k) {
      // What earlier blocks left is gone.
      if (epoch_of(shadows[k].write) < now.shared_epoch() && epoch_of(shadows[k].read) < now.shared_epoch()) {
        shadows[k] = Shadow();
      }
      if (const Race race = note_write(shadows[k], now); race.what) {
        machine->fault_race(race, label, i);
        break;
      }
    }
    std::memcpy(address_of(i), &value, sizeof value);
  }
  bool aligned(long long i, int bytes) const { return (byte_offset + i * (long long)sizeof(T)) % bytes == 0; }
  std::string name() const { return label; }
  T operator[](long long i) const { return get(i); }
  char* address_of(long long i) const { return machine->shared() + byte_offset + i * (long long)sizeof(T); }
  Shadow* shadows_of(long long i) const { return machine->shared_shadows() + byte_offset + i * (long long)sizeof(T); }

 private:
  bool inside(long long i, const char* what) const {
    if (i >= 0 && i < count) {
      return true;
    }
    machine->fault("out of bounds: %s of %s[%lld], which has %d elements", what, label, i, count);
    return false;
  }
};

template <class T>
Shared<T> shared(long long byte_offset, long long count, const char* name) {
  const long long end = byte_offset + count * (long long)sizeof(T);
  if (byte_offset < 0 || count < 0 || end > machine->shared_bytes() || byte_offset % (long long)alignof(T)) {
    machine->fault("shared buffer %s: bytes %lld to %lld of %lld", name, byte_offset, end, machine->shared_bytes());
    return {0, 0, name};
  }
  return {int(byte_offset), int(count), name};
}

/// A local array; each element remembers whether it was set since the declaration was reached.
template <class T, int N>
class Array {
 public:
  explicit Array(int line = __builtin_LINE()) : line_(line) {}
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;

  T get(long long i) const {
    if (i < 0 || i >= N) {
      machine->fault("out of bounds: read of %s[%lld], which has %d elements", name().c_str(), i, N);
      return T{};
    }
    if (!set_[i]) {
      machine->fault("uninitialised: read of %s[%lld]", name().c_str(), i);
    }
    return v_[i];
  }
  void set(long long i, T value) {
    if (i < 0 || i >= N) {
      machine->fault("out of bounds: write of %s[%lld], which has %d elements", name().c_str(), i, N);
      return;
    }
    v_[i] = value;
    set_[i] = true;
  }
  /// The GPU aligns local arrays so that a multiple of the width is aligned.
  bool aligned(long long, int) const { return true; }
  std::string name() const { return machine->array_name(line_); }
  T operator[](long long i) const { return get(i); }

 private:
  T v_[N] = {};
  bool set_[N] = {};
  int line_;
};

/// N consecutive elements; both indices are multiples of N, addresses aligned to all the bytes, up to 16.
template <int N, class To, class From>
void copy(To& to, long long i, From& from, long long j) {
  using T = std::decay_t<decltype(from.get(0))>;
  static_assert(std::is_same_v<T, std::decay_t<decltype(to.get(0))>>, "copies do not convert");
  static_assert(N > 0 && (N & (N - 1)) == 0, "a power of two");
  if constexpr (N > 1) {
    constexpr int kBytes = N * sizeof(T) < 16 ? N * sizeof(T) : 16;
    if (i % N || !to.aligned(i, kBytes)) {
      machine->fault("misaligned: vector of %d at %s[%lld]", N, to.name().c_str(), i);
    }
    if (j % N || !from.aligned(j, kBytes)) {
      machine->fault("misaligned: vector of %d at %s[%lld]", N, from.name().c_str(), j);
    }
  }
  for (int k = 0; k < N; ++k) {
    to.set(i + k, from.get(j + k));
  }
}

/// As copy, of elements that nothing reads again.
template <int N, class To, class From>
void copy_once(To& to, long long i, From& from, long long j) {
  copy<N>(to, i, from, j);
}

/// Of whole 16 bytes from any element on: is the first one as far from a multiple of N as it is said to be?
template <int N, class From>
void check_start(From& from, long long j, long long start) {
  static_assert(N * sizeof(from.get(0)) % 16 == 0, "parts of 16 bytes");
  if ((j - start) % N != 0) {
    machine->fault("misaligned: %s[%lld] is told to be %lld behind a multiple of %d", from.name().c_str(), j, start, N);
  }
}

/// As copy, of whole 16 bytes from any element on.
template <int N, class To, class From>
void copy_unaligned(To& to, long long i, From& from, long long j, long long start) {
  check_start<N>(from, j, start);
  if (i % N) {
    machine->fault("misaligned: vector of %d at %s[%lld]", N, to.name().c_str(), i);
  }
  for (int k = 0; k < N; ++k) {
    to.set(i + k, from.get(j + k));
  }
}

// ---- vectors of which some lanes, one at least, lie in a row of `columns`: lane 0 at `column`.

/// What a lane outside holds: no number, where the type has such a value, so that what uses it shows.
template <class T>
T beyond_row() {
  T value{};
  if constexpr (!std::is_same_v<T, bool>) {
    std::memset(static_cast<void*>(&value), 0xff, sizeof value);
  }
  return value;
}

template <int N, class To, class From>
void load_lanes(To& to, long long i, From& from, long long j, long long column, long long columns) {
  using T = std::decay_t<decltype(from.get(0))>;
  const auto row = inner::inside(column, columns);
  if (i % N) {
    machine->fault("misaligned: vector of %d at %s[%lld]", N, to.name().c_str(), i);
  }
  if (!row.template some<N>()) {
    machine->fault("vector of %d at %s[%lld] beyond its row", N, from.name().c_str(), j);
  }
  for (int k = 0; k < N; ++k) {
    to.set(i + k, row.holds(k) ? from.get(j + k) : beyond_row<T>());
  }
}

template <int N, class To, class From>
void load_within(To& to, long long i, From& from, long long j, long long column, long long columns) {
  constexpr int kBytes = N * sizeof(from.get(0)) < 16 ? N * sizeof(from.get(0)) : 16;
  if (j % N || !from.aligned(j, kBytes)) {
    machine->fault("misaligned: vector of %d at %s[%lld]", N, from.name().c_str(), j);
  }
  load_lanes<N>(to, i, from, j, column, columns);
}
template <int N, class To, class From>
void load_once_within(To& to, long long i, From& from, long long j, long long column, long long columns) {
  load_within<N>(to, i, from, j, column, columns);
}
template <int N, class To, class From>
void load_unaligned_within(To& to, long long i, From& from, long long j, long long start, long long column,
                           long long columns) {
  check_start<N>(from, j, start);
  load_lanes<N>(to, i, from, j, column, columns);
}

/// Only lanes inside are written.
template <int N, class To, class From>
void store_within(To& to, long long i, From& from, long long j, long long column, long long columns) {
  const auto row = inner::inside(column, columns);
  if (row.template all<N>()) {
    return copy<N>(to, i, from, j);
  }
  for (int k = 0; k < N; ++k) {
    if (row.holds(k)) {
      to.set(i + k, from.get(j + k));
    }
  }
}

/// Block-wide barrier; all threads must meet at the same line.
inline void sync(int line = __builtin_LINE()) { machine->wait_at_barrier(line); }

/// What an element of an integer tensor tells of an axis; on the GPU it is brought to the axis where it lies outside.
template <class Index, class T>
Index pick(T told, Index extent) {
  const auto index = static_cast<long long>(told);
  if (index < 0 || index >= extent) {
    machine->fault("out of bounds: index %lld of an axis of %lld", index, static_cast<long long>(extent));
    return 0;
  }
  return static_cast<Index>(index);
}

/// Division by a launch-time number: quotients of numbers that are negative or too large are wrong on the GPU.
inline int div(int x, const Divisor<int>& d) {
  const int q = unchecked::div(x, d);
  if (x < 0 || d.divisor == 0 || unsigned(q) != unsigned(x) / d.divisor) {
    machine->fault("division of %d by %u gives %d", x, d.divisor, q);
    return 0;
  }
  return q;
}
inline int mod(int x, const Divisor<int>& d) { return x - div(x, d) * int(d.divisor); }
inline long long div(long long x, const Divisor<long long>& d) {
  if (x < 0 || d.divisor == 0) {
    machine->fault("division of %lld by %llu", x, d.divisor);
    return 0;
  }
  return unchecked::div(x, d);
}
/// Wrong on the GPU beyond twice the divisor.
template <class Index>
Index wrap(Index x, const Divisor<Index>& d) {
  if (x < 0 || static_cast<unsigned long long>(x) >= 2ull * d.divisor) {
    machine->fault("remainder of %lld by %lld in one step", (long long)x, (long long)d.divisor);
    return 0;
  }
  return unchecked::wrap(x, d);
}
inline long long mod(long long x, const Divisor<long long>& d) { return x - div(x, d) * (long long)d.divisor; }

}  // namespace emulator
}  // namespace rt
#pragma GCC visibility pop
