// SPDX-License-Identifier: Apache-2.0
// The emulator: clean kernels compute what they should under every order of threads, and each kind of fault is reported
// with the buffer's name.
#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "nvfuser/device/emulator/memory.h"

namespace {

struct Outcome {
  int faults;
  std::string message;
};

/// Two float buffers and a number.
struct Image {
  float* in0;
  float* out0;
  int n;
};

struct Trial {
  std::vector<float> in0, out0;
  int n = 0;
  long long grid = 1, block = 32, shared_bytes = 0;
  bool has_barrier = false;
  unsigned long long seed = 1;
};

using Kernel = void (*)(rt::Global<const float>, rt::Global<float>, int);

Outcome run(Kernel kernel, Trial& s, const std::vector<rt::ArrayName>& arrays = {}) {
  const char* names[] = {"in0", "out0"};
  const long long elements[] = {(long long)s.in0.size(), (long long)s.out0.size()};
  char message[256];
  const rt::EmulatorLaunch launch{{s.grid, 1, 1}, {s.block, 1, 1}, s.shared_bytes, s.has_barrier, s.seed,
                                  names,          elements,        message,        sizeof message};
  const Image image{s.in0.data(), s.out0.data(), s.n};
  rt::Machine machine(launch);
  const auto in0 = rt::global<const float>(machine, &image, offsetof(Image, in0));
  const auto out0 = rt::global<float>(machine, &image, offsetof(Image, out0));
  const int n = rt::argument<int>(&image, offsetof(Image, n));
  machine.name_arrays(arrays.data(), int(arrays.size()), 0);
  const int faults = rt::emulate([&] { kernel(in0, out0, n); }, machine);
  return {faults, message};
}

Trial of(int n, long long grid, long long block) {
  Trial s;
  s.n = n;
  s.grid = grid;
  s.block = block;
  s.in0.resize(n);
  s.out0.assign(n, -1.0f);
  for (int k = 0; k < n; ++k) {
    s.in0[k] = float(k);
  }
  return s;
}

/// The kernel must fault, and its message must hold all the parts.
void expect_fault(const Outcome& o, const std::vector<std::string>& parts) {
  EXPECT_GT(o.faults, 0);
  for (const std::string& part : parts) {
    EXPECT_NE(o.message.find(part), std::string::npos) << "'" << part << "' is not in: " << o.message;
  }
}

// ---- clean kernels ----

void k_double(rt::Global<const float> in0, rt::Global<float> out0, const int n) {
  const int at = int(blockIdx.x * 128 + threadIdx.x * 4);
  rt::Array<float, 4> a;
  if (at < n) {
    rt::copy<4>(a, 0, in0, at);
    rt::Array<float, 4> b;
    for (int l = 0; l < 4; ++l) {
      b.set(l, a[l] * 2.0f);
    }
    rt::copy<4>(out0, at, b, 0);
  }
}

TEST(Emulator, VectorKernelIsClean) {
  for (unsigned long long seed = 0; seed < 4; ++seed) {
    Trial s = of(1000, 8, 32);
    s.seed = seed;
    const Outcome o = run(k_double, s);
    EXPECT_EQ(o.faults, 0) << o.message;
    EXPECT_EQ(o.message, "");
    for (int k = 0; k < s.n; ++k) {
      EXPECT_EQ(s.out0[k], 2.0f * float(k));
    }
  }
}

void k_reverse(rt::Global<const float> in0, rt::Global<float> out0, const int n) {
  const int tx = int(threadIdx.x);
  const int first = int(blockIdx.x) * 64;
  rt::Shared<float> T1 = rt::shared<float>(16, 64, "T1");
  for (int turn = 0; turn < 3; ++turn) {
    rt::sync();
    rt::copy<1>(T1, tx, in0, first + tx);
    rt::sync();
    if (turn == 2) {
      rt::copy<1>(out0, first + tx, T1, 63 - tx);
    }
  }
  (void)n;
}

TEST(Emulator, SharedKernelIsClean) {
  for (unsigned long long seed = 0; seed < 4; ++seed) {
    Trial s = of(256, 4, 64);
    s.shared_bytes = 16 + 64 * 4;
    s.has_barrier = true;
    s.seed = seed;
    const Outcome o = run(k_reverse, s);
    EXPECT_EQ(o.faults, 0) << o.message;
    for (int k = 0; k < s.n; ++k) {
      EXPECT_EQ(s.out0[k], float(k / 64 * 64 + 63 - k % 64));
    }
  }
}

TEST(Emulator, LargestBlockIsClean) {
  Trial s = of(128, 2, 64);
  s.block = 1024;
  s.shared_bytes = 4096;
  s.has_barrier = true;
  const Outcome o = run(
      [](rt::Global<const float>, rt::Global<float> out0, int) {
        rt::Shared<float> T1 = rt::shared<float>(0, 1024, "T1");
        const int tx = int(threadIdx.x);
        T1.set(tx, float(tx));
        rt::sync();
        if (tx < 64) {
          rt::copy<1>(out0, int(blockIdx.x) * 64 + tx, T1, 1023 - tx);
        }
      },
      s);
  EXPECT_EQ(o.faults, 0) << o.message;
  EXPECT_EQ(s.out0[127], 960.0f);
}

TEST(Emulator, ReadersOfOneElementDoNotRace) {
  Trial s = of(64, 2, 32);
  const Outcome o = run([](rt::Global<const float> in0, rt::Global<float> out0,
                           int) { rt::copy<1>(out0, int(blockIdx.x * 32 + threadIdx.x), in0, 0); },
                        s);
  EXPECT_EQ(o.faults, 0) << o.message;
}

// ---- faults ----

TEST(Emulator, OutOfBoundsRead) {
  Trial s = of(128, 1, 32);
  s.in0.resize(120);
  const Outcome o = run(k_double, s);
  expect_fault(o, {"out of bounds: read of in0[12", "which has 120 elements"});
  EXPECT_EQ(s.out0[127], 0.0f);
}

TEST(Emulator, OutOfBoundsWrite) {
  Trial s = of(128, 1, 32);
  s.out0.resize(126);
  expect_fault(run(k_double, s), {"out of bounds: write of out0[126]", "block (0,0,0) thread (31,0,0)"});
}

TEST(Emulator, OutOfBoundsSharedAndArray) {
  Trial s = of(4, 1, 1);
  s.shared_bytes = 16;
  expect_fault(run([](rt::Global<const float>, rt::Global<float>, int) { rt::shared<float>(0, 4, "T1").set(4, 0); }, s),
               {"out of bounds: write of T1[4], which has 4 elements"});
  expect_fault(run([](rt::Global<const float>, rt::Global<float>, int) { rt::shared<float>(4, 4, "T1"); }, s),
               {"shared buffer T1: bytes 4 to 20 of 16"});
  const int line = __LINE__ + 2;
  auto kernel = [](rt::Global<const float>, rt::Global<float>, int) {
    rt::Array<float, 3> T5;
    T5.set(-1, 0);
  };
  expect_fault(run(kernel, s, {{line, "T5"}}), {"out of bounds: write of T5[-1], which has 3 elements"});
}

TEST(Emulator, UninitialisedArray) {
  Trial s = of(4, 1, 1);
  const int line = __LINE__ + 2;
  auto kernel = [](rt::Global<const float>, rt::Global<float> out0, int) {
    rt::Array<float, 4> T3;
    T3.set(0, 1.0f);
    T3.set(1, 1.0f);
    rt::copy<2>(out0, 0, T3, 2);
  };
  expect_fault(run(kernel, s, {{line, "T3"}}), {"uninitialised: read of T3[2]"});
  expect_fault(run(kernel, s), {"uninitialised: read of array of line " + std::to_string(line) + "[2]"});
}

TEST(Emulator, ArrayIsUnsetInEveryIteration) {
  Trial s = of(4, 1, 1);
  const Outcome o = run(
      [](rt::Global<const float>, rt::Global<float> out0, int) {
        for (int l = 0; l < 2; ++l) {
          rt::Array<float, 1> a;
          if (l == 0) {
            a.set(0, 1.0f);
          }
          rt::copy<1>(out0, l, a, 0);
        }
      },
      s);
  EXPECT_EQ(o.faults, 1) << o.message;
}

TEST(Emulator, UninitialisedShared) {
  // Block 1 must not see what block 0 left.
  Trial s = of(2, 2, 1);
  s.shared_bytes = 8;
  const Outcome o = run(
      [](rt::Global<const float>, rt::Global<float> out0, int) {
        rt::Shared<float> T2 = rt::shared<float>(0, 2, "T2");
        T2.set(int(blockIdx.x), 1.0f);
        rt::copy<1>(out0, int(blockIdx.x), T2, 1);
      },
      s);
  EXPECT_EQ(o.faults, 1);
  expect_fault(o, {"uninitialised: read of T2[1]", "block (0,0,0)"});
}

TEST(Emulator, MisalignedVectors) {
  Trial s = of(16, 1, 1);
  auto odd = [](rt::Global<const float> in0, rt::Global<float>, int) {
    rt::Array<float, 4> a;
    rt::copy<4>(a, 0, in0, 6);
  };
  expect_fault(run(odd, s), {"misaligned: vector of 4 at in0[6]"});
  auto shared = [](rt::Global<const float> in0, rt::Global<float>, int) {
    rt::Shared<float> T1 = rt::shared<float>(4, 2, "T1");
    rt::copy<2>(T1, 0, in0, 0);
  };
  s.shared_bytes = 12;
  expect_fault(run(shared, s), {"misaligned: vector of 2 at T1[0]"});
}

TEST(Emulator, MisalignedPointer) {
  Trial s = of(17, 1, 1);
  alignas(16) static float room[20];
  char message[256];
  const char* names[] = {"in0"};
  const long long elements[] = {16};
  const rt::EmulatorLaunch launch{{1, 1, 1}, {1, 1, 1}, 0, false, 1, names, elements, message, sizeof message};
  const float* pointer = room + 1;
  rt::Machine machine(launch);
  const auto in0 = rt::global<const float>(machine, &pointer, 0);
  const auto body = [&] {
    rt::Array<float, 4> a;
    rt::copy<4>(a, 0, in0, 4);
  };
  expect_fault({rt::emulate(body, machine), message}, {"misaligned: vector of 4 at in0[4]"});
}

TEST(Emulator, SharedRaces) {
  Trial s = of(32, 1, 32);
  s.shared_bytes = 128;
  s.has_barrier = true;
  auto read_after_write = [](rt::Global<const float>, rt::Global<float> out0, int) {
    rt::Shared<float> T1 = rt::shared<float>(0, 32, "T1");
    const int tx = int(threadIdx.x);
    T1.set(tx, 1.0f);
    rt::copy<1>(out0, tx, T1, tx ^ 1);
    rt::sync();
  };
  auto write_after_read = [](rt::Global<const float>, rt::Global<float> out0, int) {
    rt::Shared<float> T1 = rt::shared<float>(0, 32, "T1");
    const int tx = int(threadIdx.x);
    T1.set(tx, 1.0f);
    rt::sync();
    rt::copy<1>(out0, tx, T1, tx ^ 1);
    T1.set(tx, 2.0f);
  };
  auto write_write = [](rt::Global<const float>, rt::Global<float>, int) {
    rt::Shared<float> T1 = rt::shared<float>(0, 32, "T1");
    T1.set(3, 1.0f);
    rt::sync();
  };
  for (s.seed = 1; s.seed < 5; ++s.seed) {
    const Outcome o = run(read_after_write, s);
    EXPECT_GT(o.faults, 0);
    EXPECT_NE(o.message.find("T1["), std::string::npos) << o.message;
    expect_fault(run(write_after_read, s), {"race: ", " T1[", "since the last barrier"});
    expect_fault(run(write_write, s), {"race: write over what another thread writes: T1[3]"});
  }
}

TEST(Emulator, SharedRaceThroughOverlap) {
  Trial s = of(32, 1, 2);
  s.shared_bytes = 8;
  const Outcome o = run(
      [](rt::Global<const float>, rt::Global<float>, int) {
        if (threadIdx.x == 0) {
          rt::shared<float>(0, 2, "T1").set(1, 1.0f);
        } else {
          rt::shared<short>(0, 4, "T2").set(3, short(1));
        }
      },
      s);
  EXPECT_EQ(o.faults, 1);
  expect_fault(o, {"race: write over what another thread writes: T"});
}

TEST(Emulator, GlobalRaces) {
  Trial s = of(8, 2, 4);
  auto blocks = [](rt::Global<const float> in0, rt::Global<float> out0, int) {
    rt::copy<1>(out0, int(threadIdx.x), in0, int(threadIdx.x));
  };
  expect_fault(run(blocks, s), {"race: write over what another thread writes: out0[", "of another block"});
  auto threads = [](rt::Global<const float> in0, rt::Global<float> out0, int) {
    rt::copy<1>(out0, int(blockIdx.x), in0, 0);
  };
  expect_fault(run(threads, s), {"race: write over what another thread writes: out0[", "since the last barrier"});
}

TEST(Emulator, GlobalRaceThroughAlias) {
  // In place, but shifted by one: what one thread reads another one writes.
  std::vector<float> room(9);
  const Image image{room.data(), room.data(), 8};
  const char* names[] = {"in0", "out0"};
  const long long elements[] = {9, 8};
  for (int shift = 0; shift < 2; ++shift) {
    char message[256];
    const rt::EmulatorLaunch launch{{2, 1, 1}, {4, 1, 1}, 0, false, 3, names, elements, message, sizeof message};
    rt::Machine machine(launch);
    const auto in0 = rt::global<const float>(machine, &image, offsetof(Image, in0));
    const auto out0 = rt::global<float>(machine, &image, offsetof(Image, out0));
    const auto body = [&] {
      const int i = int(blockIdx.x * 4 + threadIdx.x);
      rt::copy<1>(out0, i, in0, i + shift);
    };
    const Outcome o{rt::emulate(body, machine), message};
    if (shift) {
      expect_fault(o, {"race: "});
    } else {
      EXPECT_EQ(o.faults, 0) << o.message;
    }
  }
}

TEST(Emulator, DivergentBarriers) {
  Trial s = of(32, 2, 32);
  s.has_barrier = true;
  auto ended = [](rt::Global<const float>, rt::Global<float>, int) {
    if (threadIdx.x < 31) {
      rt::sync();
    }
  };
  expect_fault(run(ended, s), {"divergent barrier: line", "thread (31,0,0) has ended"});
  auto lines = [](rt::Global<const float>, rt::Global<float>, int) {
    if (threadIdx.x < 31) {
      rt::sync();
    } else {
      rt::sync();
    }
  };
  expect_fault(run(lines, s), {"divergent barrier: line", "waits at line"});
  s.has_barrier = false;
  expect_fault(run([](rt::Global<const float>, rt::Global<float>, int) { rt::sync(); }, s), {"said to have none"});
}

TEST(Emulator, LaunchLimits) {
  Trial s = of(32, 1, 1025);
  expect_fault(run(k_double, s), {"launch of 1 blocks of 1025 threads"});
}

TEST(Emulator, Divisors) {
  // d = 7: s = 3, multiplier = ceil(2^34 / 7).
  Trial s = of(64, 1, 32);
  const Outcome o = run(
      [](rt::Global<const float>, rt::Global<float> out0, int) {
        const rt::Divisor<int> d{7, 2454267027u, 3};
        const int tx = int(threadIdx.x);
        rt::Array<float, 2> a;
        a.set(0, float(rt::div(tx, d)));
        a.set(1, float(rt::mod(2147483640 + tx % 8, d)));
        rt::copy<2>(out0, 2 * tx, a, 0);
      },
      s);
  EXPECT_EQ(o.faults, 0) << o.message;
  EXPECT_EQ(s.out0[2 * 30], 4.0f);
  EXPECT_EQ(s.out0[2 * 30 + 1], float((2147483640 + 6) % 7));
  auto wrong = [](rt::Global<const float>, rt::Global<float>, int) { rt::div(7, rt::Divisor<int>{7, 5, 3}); };
  expect_fault(run(wrong, s), {"division of 7 by 7 gives 0"});
  auto negative = [](rt::Global<const float>, rt::Global<float>, int) {
    rt::mod(-1ll, rt::Divisor<long long>{7, 0, 0});
  };
  expect_fault(run(negative, s), {"division of -1 by 7"});
}

}  // namespace
