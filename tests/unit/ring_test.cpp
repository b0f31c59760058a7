// SPDX-License-Identifier: Apache-2.0
// Rings of stages in the emulator: rows that arrive by bulk copies are what was sent, under every order of threads; a
// copy is there only for those who wait for it; and each misuse is a fault.
#include <gtest/gtest.h>

#include <cstddef>
#include <numeric>
#include <string>
#include <vector>

#include "error_message.h"
#include "nvfuser/backend/module.h"

// clang-format off: memory comes first
#include "nvfuser/device/emulator/memory.h"
#include "nvfuser/device/emulator/ring.h"
// clang-format on

namespace {

constexpr int kRow = 24;      // elements: 96 bytes
constexpr int kRows = 7;      // turns
constexpr int kThreads = 40;  // a warp and a part of one

struct Buffers {
  rt::Global<const float> in0, in1;
  rt::Global<float> out0;
};
struct Outcome {
  int faults;
  std::string message;
  std::vector<float> out;
};

/// Two inputs of kRows rows and an output like them; body(buffers, thread) by every thread of every block.
template <class Body>
Outcome run(const Body& body, unsigned long long seed = 1, int threads = kThreads, int blocks = 1) {
  std::vector<float> in0(kRows * kRow + 4), in1(kRows * kRow + 4), out(kRows * kRow, -1.0f);
  for (int k = 0; k < kRows * kRow; ++k) {
    in0[k] = float(k);
    in1[k] = 0.5f * float(k);
  }
  struct Image {
    float *in0, *in1, *out0;
  } image{in0.data(), in1.data(), out.data()};
  const char* names[] = {"in0", "in1", "out0"};
  const long long elements[] = {kRows * kRow, kRows * kRow, kRows * kRow};
  char message[300];
  const rt::EmulatorLaunch launch{{blocks, 1, 1}, {threads, 1, 1}, 4096,    true,          seed,
                                  names,          elements,        message, sizeof message};
  rt::Machine machine(launch);
  const Buffers b{rt::global<const float>(machine, &image, offsetof(Image, in0)),
                  rt::global<const float>(machine, &image, offsetof(Image, in1)),
                  rt::global<float>(machine, &image, offsetof(Image, out0))};
  const int faults = rt::emulate([&] { body(b, int(threadIdx.x)); }, machine);
  return {faults, message, out};
}

void expect_fault(const Outcome& o, const std::vector<std::string>& parts) {
  EXPECT_GT(o.faults, 0);
  for (const std::string& part : parts) {
    EXPECT_NE(o.message.find(part), std::string::npos) << "'" << part << "' is not in: " << o.message;
  }
}

/// Every row: the sum of both inputs, through S stages, refilled behind the barrier that follows the reads.
template <int S>
void sum_rows(const Buffers& b, int tx) {
  const rt::Stages<S, 2> ring = {2048};
  const rt::Shared<float> T0 = rt::shared<float>(0, S * kRow, "T0"), T1 = rt::shared<float>(1024, S * kRow, "T1");
  const int grid = int(gridDim.x), first = int(blockIdx.x);
  const auto fill = [&](int turn) {
    const int row = first + turn * grid;
    if (tx == 0 && row < kRows) {
      rt::bulk_copy(ring, turn, T0, turn % S * kRow, b.in0, row * kRow, kRow);
      rt::bulk_copy(ring, turn, T1, turn % S * kRow, b.in1, row * kRow, kRow);
    }
  };
  rt::start(ring, tx == 0);
  for (int turn = 0; turn < S; ++turn) {
    fill(turn);
  }
  for (int turn = 0; first + turn * grid < kRows; ++turn) {
    rt::wait(ring, turn);
    rt::Array<float, 1> a;
    if (tx < kRow) {
      a.set(0, T0[turn % S * kRow + tx] + T1[turn % S * kRow + tx]);
    }
    rt::sync();
    fill(turn + S);
    if (tx < kRow) {
      rt::copy<1>(b.out0, (first + turn * grid) * kRow + tx, a, 0);
    }
  }
}

TEST(Ring, RowsArriveInTheirTurns) {
  for (unsigned long long seed = 0; seed < 6; ++seed) {
    for (const int blocks : {1, 2, 9}) {
      for (const auto& kernel : {sum_rows<1>, sum_rows<2>, sum_rows<3>, sum_rows<8>}) {
        const Outcome o = run(kernel, seed, kThreads, blocks);
        EXPECT_EQ(o.faults, 0) << o.message;
        for (int k = 0; k < kRows * kRow; ++k) {
          EXPECT_EQ(o.out[k], 1.5f * float(k));
        }
      }
    }
  }
}

/// How often each row was done, where blocks claim rows.
std::vector<int> claimed_by_blocks(int blocks, unsigned long long seed, std::vector<int>& words) {
  std::vector<int> taken(kRows, 0);
  std::vector<float> in(kRows * kRow);
  std::iota(in.begin(), in.end(), 0.0f);
  struct Image {
    float* in0;
    int* semaphores;
  } image{in.data(), words.data()};
  const char* names[] = {"in0", "semaphores"};
  const long long elements[] = {kRows * kRow, (long long)words.size()};
  char message[300];
  const rt::EmulatorLaunch launch{{blocks, 1, 1}, {kThreads, 1, 1}, 4096,    true,          seed,
                                  names,          elements,         message, sizeof message};
  rt::Machine machine(launch);
  const auto in0 = rt::global<const float>(machine, &image, offsetof(Image, in0));
  const auto semaphores = rt::global<rt::int32>(machine, &image, offsetof(Image, semaphores));
  const int faults = rt::emulate(
      [&] {
        const int tx = int(threadIdx.x), bx = int(blockIdx.x);
        const rt::Stages<2, 1, true> ring = {2048};
        const rt::Shared<float> T0 = rt::shared<float>(0, 2 * kRow, "T0");
        const auto send = [&](int turn, int row) {
          rt::post(ring, turn, row, kRows);
          if (row < kRows) {
            rt::bulk_copy(ring, turn, T0, turn % 2 * kRow, in0, row * kRow, kRow);
          }
        };
        rt::start(ring, tx == 0);
        if (tx == 0) {
          send(0, bx);
          send(1, bx + blocks);
        }
        for (int turn = 0, row; (row = rt::take(ring, turn)) < kRows; ++turn) {
          EXPECT_EQ(T0[turn % 2 * kRow + tx % kRow], float(row * kRow + tx % kRow));
          taken[row] += tx == 0;
          rt::sync();
          if (tx == 0) {
            send(turn + 2, 2 * blocks + rt::claim(semaphores, 0, kRows));
          }
        }
      },
      machine);
  EXPECT_EQ(faults, 0) << message;
  return taken;
}

TEST(Ring, ClaimedRowsAreDoneOnce) {
  for (unsigned long long seed = 0; seed < 6; ++seed) {
    for (const int blocks : {1, 2, 3, 5, 9}) {
      std::vector<int> words(2, 0);
      EXPECT_EQ(claimed_by_blocks(blocks, seed, words), std::vector<int>(kRows, 1)) << blocks;
      EXPECT_EQ(words, std::vector<int>(2, 0)) << blocks;
    }
  }
}

TEST(Ring, ANumberIsPostedBeforeItsCopiesAndBehindItsReaders) {
  const auto missing = [](const Buffers& b, int tx) {
    const rt::Stages<2, 1, true> ring = {2048};
    const rt::Shared<float> T0 = rt::shared<float>(0, 2 * kRow, "T0");
    rt::start(ring, tx == 0);
    if (tx == 0) {
      rt::bulk_copy(ring, 0, T0, 0, b.in0, 0, kRow);
    }
    (void)rt::take(ring, 0);
  };
  expect_fault(run(missing), {"wait for turn 0", "1 of 2"});
  const auto early = [](const Buffers&, int tx) {
    const rt::Stages<1, 1, true> ring = {2048};
    rt::start(ring, tx == 0);
    if (tx == 0) {
      rt::post(ring, 0, 9, 9);
    }
    EXPECT_EQ(rt::take(ring, 0), 9);
    if (tx == 20) {
      rt::post(ring, 1, 10, 9);
    }
  };
  int races = 0;
  for (unsigned long long seed = 0; seed < 8; ++seed) {
    races += run(early, seed).message.find("the rows' numbers") != std::string::npos;
  }
  EXPECT_GT(races, 0);
}

/// A turn of one row through two stages; `steps` says what the threads do between start and end.
template <class Steps>
Outcome one_row(const Steps& steps, unsigned long long seed = 1) {
  return run(
      [&](const Buffers& b, int tx) {
        const rt::Stages<2, 1> ring = {2048};
        const rt::Shared<float> T0 = rt::shared<float>(0, 2 * kRow, "T0");
        rt::start(ring, tx == 0);
        steps(b, ring, T0, tx);
      },
      seed);
}
using Ring2 = rt::Stages<2, 1>;
using Row = rt::Shared<float>;

void send(const Buffers& b, const Ring2& ring, const Row& T0, int turn) {
  rt::bulk_copy(ring, turn, T0, turn % 2 * kRow, b.in0, turn * kRow, kRow);
}

TEST(Ring, BytesAreUninitialisedUntilTheWait) {
  const auto early = [](const Buffers& b, const Ring2& ring, const Row& T0, int tx) {
    if (tx == 0) {
      send(b, ring, T0, 0);
      (void)T0[3];
    }
    rt::wait(ring, 0);
  };
  expect_fault(one_row(early), {"uninitialised", "T0[3]"});
  // Not even behind a barrier.
  const auto behind = [](const Buffers& b, const Ring2& ring, const Row& T0, int tx) {
    if (tx == 0) {
      send(b, ring, T0, 0);
    }
    rt::sync();
    (void)T0[tx % kRow];
    rt::wait(ring, 0);
  };
  expect_fault(one_row(behind), {"uninitialised", "T0["});
}

TEST(Ring, EveryReaderWaits) {
  const auto one_does_not = [](const Buffers& b, const Ring2& ring, const Row& T0, int tx) {
    if (tx == 0) {
      send(b, ring, T0, 0);
    }
    if (tx != 5) {
      rt::wait(ring, 0);
    }
    (void)T0[tx % kRow];
  };
  for (unsigned long long seed = 0; seed < 8; ++seed) {
    EXPECT_GT(one_row(one_does_not, seed).faults, 0) << seed;
  }
  // One that waits lets all others see what arrived, by a barrier.
  const auto one_does = [](const Buffers& b, const Ring2& ring, const Row& T0, int tx) {
    if (tx == 0) {
      send(b, ring, T0, 0);
      rt::wait(ring, 0);
    }
    rt::sync();
    EXPECT_EQ(T0[tx % kRow], float(tx % kRow));
  };
  for (unsigned long long seed = 0; seed < 8; ++seed) {
    const Outcome o = one_row(one_does, seed);
    EXPECT_EQ(o.faults, 0) << o.message;
  }
}

TEST(Ring, ThreadsOfAWarpMeetBehindTheirWaits) {
  const auto meets = [](const Buffers& b, const Ring2& ring, const Row& T0, int tx) {
    if (tx == 0) {
      send(b, ring, T0, 0);
    }
    rt::wait(ring, 0);
    float got = 0, given = T0[tx % 16];
    rt::machine->exchange(&got, &given, sizeof got, 1, 7);
    EXPECT_EQ(got, float((tx ^ 1) % 16));
  };
  for (unsigned long long seed = 0; seed < 8; ++seed) {
    const Outcome o = one_row(meets, seed);
    EXPECT_EQ(o.faults, 0) << o.message;
  }
}

TEST(Ring, AStageIsRefilledBehindItsReaders) {
  const auto early = [](const Buffers& b, const Ring2& ring, const Row& T0, int tx) {
    if (tx == 0) {
      send(b, ring, T0, 0);
    }
    rt::wait(ring, 0);
    (void)T0[tx % kRow];
    if (tx == 20) {
      send(b, ring, T0, 2);
      rt::wait(ring, 2);
    }
  };
  int races = 0;
  for (unsigned long long seed = 0; seed < 8; ++seed) {
    const Outcome o = one_row(early, seed);
    EXPECT_GT(o.faults, 0) << seed;
    races += o.message.find("race: write over what another thread reads: T0[") != std::string::npos;
  }
  EXPECT_GT(races, 0);
}

TEST(Ring, NobodyWritesWhatACopyReadsOrWrites) {
  const auto target = [](const Buffers& b, const Ring2& ring, const Row& T0, int tx) {
    if (tx == 0) {
      send(b, ring, T0, 0);
    }
    rt::sync();
    if (tx == 1) {
      T0.set(7, 1.0f);
    }
    rt::sync();
    rt::wait(ring, 0);
  };
  expect_fault(one_row(target), {"write of T0 while a bulk copy writes it"});
  // The source: a buffer that is read and written.
  std::vector<float> data(2 * kRow, 1.0f);
  struct Image {
    float *in0, *out0;
  } image{data.data(), data.data()};
  const char* names[] = {"in0", "out0"};
  const long long elements[] = {2 * kRow, 2 * kRow};
  char message[300];
  const rt::EmulatorLaunch launch{{1, 1, 1}, {32, 1, 1}, 4096, true, 1, names, elements, message, sizeof message};
  rt::Machine machine(launch);
  const auto in0 = rt::global<const float>(machine, &image, offsetof(Image, in0));
  const auto out0 = rt::global<float>(machine, &image, offsetof(Image, out0));
  const int faults = rt::emulate(
      [&] {
        const rt::Stages<2, 1> ring = {2048};
        const rt::Shared<float> T0 = rt::shared<float>(0, 2 * kRow, "T0");
        rt::start(ring, threadIdx.x == 0);
        if (threadIdx.x == 0) {
          rt::bulk_copy(ring, 0, T0, 0, in0, 0, kRow);
        }
        rt::sync();
        if (threadIdx.x == 1) {
          out0.set(5, 2.0f);
        }
        rt::sync();
        rt::wait(ring, 0);
      },
      machine);
  expect_fault({faults, message, {}}, {"write of in0 while a bulk copy reads it"});
}

TEST(Ring, WaitsAndCopiesBelongToTurns) {
  const auto nobody_sends = [](const Buffers&, const Ring2& ring, const Row&, int) { rt::wait(ring, 0); };
  expect_fault(one_row(nobody_sends), {"wait for turn 0", "0 of 1"});
  const auto later = [](const Buffers& b, const Ring2& ring, const Row& T0, int tx) {
    if (tx == 0) {
      send(b, ring, T0, 0);
    }
    rt::wait(ring, 2);
    rt::wait(ring, 0);
  };
  expect_fault(one_row(later), {"wait for turn 2", "turn 0"});
  const auto twice = [](const Buffers& b, const Ring2& ring, const Row& T0, int tx) {
    if (tx == 0) {
      send(b, ring, T0, 0);
      send(b, ring, T0, 0);
    }
    rt::wait(ring, 0);
  };
  expect_fault(one_row(twice), {"bulk copy for turn 0", "1 of 1"});
  const auto unawaited = [](const Buffers& b, const Ring2& ring, const Row& T0, int tx) {
    if (tx == 0) {
      send(b, ring, T0, 0);
      send(b, ring, T0, 1);
    }
    rt::wait(ring, 0);
  };
  expect_fault(one_row(unawaited), {"the block ends before a bulk copy of in0 to T0"});
  const auto not_started = [](const Buffers&, int) { rt::wait(rt::Stages<2, 1>{2048}, 0); };
  expect_fault(run(not_started), {"not started"});
  const auto diverges = [](const Buffers& b, const Ring2& ring, const Row& T0, int tx) {
    if (tx == 0) {
      send(b, ring, T0, 0);
    }
    rt::wait(ring, 0);
    tx < 20 ? rt::wait(ring, 1) : rt::sync();
  };
  expect_fault(one_row(diverges), {"wait for turn 1", "0 of 1"});
}

TEST(Ring, PlacesAreAlignedAndInside) {
  struct Case {
    long long i, j, count;
    const char* what;
  };
  for (const Case& c : {Case{1, 0, 8, "misaligned"}, Case{0, 2, 8, "misaligned"}, Case{0, 0, 6, "misaligned"},
                        Case{0, 0, 0, "misaligned"}, Case{0, kRows * kRow - 4, 8, "out of bounds"},
                        Case{2 * kRow - 4, 0, 8, "out of bounds"}, Case{0, -4, 8, "out of bounds"}}) {
    const auto steps = [&](const Buffers& b, const Ring2& ring, const Row& T0, int tx) {
      if (tx == 0) {
        rt::bulk_copy(ring, 0, T0, c.i, b.in0, c.j, c.count);
      }
    };
    expect_fault(one_row(steps), {c.what});
  }
  const auto place = [](const Buffers&, int tx) { rt::start(rt::Stages<2, 1>{4084}, tx == 0); };
  expect_fault(run(place), {"ring at byte 4084"});
}

/// Rows of a launch-time length through a ring of three stages, as the printer writes them.
constexpr const char* kRowsText = R"(
#include "rt/types.h"
#include "rt/memory.h"
#include "rt/ring.h"
namespace k_rows {
using Index = int;
RT_KERNEL(rows, 64, 0)(rt::Global<const rt::bfloat16> in0, rt::Global<rt::bfloat16> out0, const Index i0, const Index i1) {
  const Index bx = blockIdx.x;
  const Index tx = threadIdx.x;
  const rt::Shared<rt::bfloat16> T0 = rt::shared<rt::bfloat16>(0, 1536, "T0");
  const rt::Stages<3, 1> ring = {3072};
  rt::start(ring, tx == 0);
  for (Index k = 0; k < 3; ++k) {
    if (tx == 0 && bx + k * 132 < i0) {
      rt::bulk_copy(ring, k, T0, k * 512, in0, (bx + k * 132) * i1, i1);
    }
  }
  for (Index k = 0; bx + k * 132 < i0; ++k) {
    rt::wait(ring, k);
    rt::Array<rt::bfloat16, 8> T1;
    if (tx * 8 < i1) {
      rt::copy<8>(T1, 0, T0, k % 3 * 512 + tx * 8);
    }
    rt::sync();
    if (tx == 0 && bx + k * 132 + 396 < i0) {
      rt::bulk_copy(ring, k + 3, T0, k % 3 * 512, in0, (bx + k * 132 + 396) * i1, i1);
    }
    if (tx * 8 < i1) {
      rt::copy<8>(out0, (bx + k * 132) * i1 + tx * 8, T1, 0);
    }
  }
}
}  // namespace k_rows
)";

TEST(Ring, NeedsBulkCopies) {
  std::string why;
  if (!nvfuser::nvrtc_available(&why)) {
    GTEST_SKIP() << why;
  }
  const auto older = [] { nvfuser::compile_cubin(kRowsText, 80); };
  const std::string message = nvfuser::message_of(nvfuser::ErrorKind::compile, older);
  EXPECT_NE(message.find("bulk copies need compute capability 9.0"), std::string::npos) << message;
}

}  // namespace
