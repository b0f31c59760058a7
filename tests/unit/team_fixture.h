// SPDX-License-Identifier: Apache-2.0
// For tests of rt/reduce.h in the emulator: blocks of threads without buffers that do something and keep what they got,
// and a combiner that tells in which order it was called.
#pragma once

#include <string>
#include <vector>

// clang-format off: the flavor's memory comes first
#include "nvfuser/device/emulator/memory.h"
#include "nvfuser/device/generic/reduce.h"
// clang-format on

namespace nvfuser {

struct Outcome {
  int faults = 0;
  std::string message;
};

/// body(linear thread) by every thread of one block.
template <class Body>
Outcome run_block(int threads, int shared_bytes, unsigned long long seed, const Body& body, bool has_barrier = true) {
  char message[300];
  const rt::EmulatorLaunch launch{{1, 1, 1}, {threads, 1, 1}, shared_bytes, has_barrier,    seed,
                                  nullptr,   nullptr,         message,      sizeof message, nullptr};
  rt::Machine machine(launch);
  Outcome outcome;
  outcome.faults = rt::emulate([&] { body(static_cast<int>(threadIdx.x)); }, machine);
  outcome.message = message;
  return outcome;
}

/// A run of consecutive numbers: joins only with the run that begins where it ends.  An empty run has no length.
template <class T>
struct Sequence {
  using Element = T;
  struct Tuple {
    int first;
    int length;
    bool broken;
  };
  static Tuple neutral() { return {0, 0, false}; }
  static Tuple lift(T x) { return {static_cast<int>(x), 1, false}; }
  static Tuple combine(const Tuple& a, const Tuple& b) {
    if (!a.length || !b.length) {
      return {a.length ? a.first : b.first, a.length + b.length, a.broken || b.broken};
    }
    return {a.first, a.length + b.length, a.broken || b.broken || a.first + a.length != b.first};
  }
  static int finish(const Tuple& t, rt::Part<0>) { return t.broken ? -1 : t.length; }
};

}  // namespace nvfuser
