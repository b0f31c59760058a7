// SPDX-License-Identifier: Apache-2.0
// Blocks that meet, in the emulator: the last to arrive, barriers of a grid, and kernels that wait for the one in
// front; each also where it is used wrongly.
#include <gtest/gtest.h>

#include <array>
#include <numeric>
#include <string>
#include <vector>

// clang-format off: the flavor's memory comes first
#include "nvfuser/device/emulator/memory.h"
#include "nvfuser/device/emulator/grid.h"
// clang-format on

namespace nvfuser {
namespace {

using Words = std::vector<int>;
using Ints = rt::Coherent<int>;

struct Outcome {
  int faults = 0;
  std::string message;
};

struct Launch {
  std::array<long long, 3> grid{1, 1, 1};
  long long threads = 1;
  bool cooperative = false, dependent = false;
  unsigned long long seed = 1;
};

/// body(data, semaphores) by every thread of a grid.
template <class Body>
Outcome run_grid(const Launch& launch, Words& data, Words& semaphores, const Body& body) {
  char message[300];
  const std::array<const char*, 2> names = {"data", "semaphores"};
  const std::array<long long, 2> elements = {static_cast<long long>(data.size()),
                                             static_cast<long long>(semaphores.size())};
  const rt::EmulatorLaunch request{.grid = {launch.grid[0], launch.grid[1], launch.grid[2]},
                                   .block = {launch.threads, 1, 1},
                                   .shared_bytes = 64,
                                   .has_barrier = true,
                                   .seed = launch.seed,
                                   .names = names.data(),
                                   .elements = elements.data(),
                                   .message = message,
                                   .message_bytes = sizeof message,
                                   .cooperative = launch.cooperative,
                                   .dependent = launch.dependent};
  rt::Machine machine(request);
  const std::array<int*, 2> image = {data.data(), semaphores.data()};
  const Ints d = rt::global<int>(machine, image.data(), 0), s = rt::global<int>(machine, image.data(), 8);
  Outcome outcome;
  outcome.faults = rt::emulate([&] { body(d, s); }, machine);
  outcome.message = message;
  return outcome;
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Block (x, y) of a grid puts x + 1 times its row into data; the last block of each row adds them up behind.
Outcome add_rows(const Launch& launch, Words& data, Words& semaphores) {
  const int blocks = static_cast<int>(launch.grid[0]), rows = static_cast<int>(launch.grid[1]);
  return run_grid(launch, data, semaphores, [&](const Ints& d, const Ints& s) {
    const int bx = static_cast<int>(blockIdx.x), by = static_cast<int>(blockIdx.y), tx = static_cast<int>(threadIdx.x);
    if (tx == 0) {
      d.set(by * blocks + bx, (bx + 1) * (by + 1));
    }
    if (!rt::last_to_arrive(s, by, blocks)) {
      return;
    }
    if (tx == 1) {
      int sum = 0;
      for (int k = 0; k < blocks; ++k) {
        sum += d[by * blocks + k];
      }
      d.set(rows * blocks + by, sum);
    }
  });
}

TEST(LastToArrive, SeesWhatAllOthersWrote) {
  for (const unsigned long long seed : {1, 2, 3, 4, 5}) {
    Words data(5 * 7 + 5, -1), semaphores(6, 0);
    const Outcome o = add_rows({.grid = {7, 5, 1}, .threads = 33, .seed = seed}, data, semaphores);
    EXPECT_EQ(o.faults, 0) << o.message;
    for (int row = 0; row < 5; ++row) {
      EXPECT_EQ(data[5 * 7 + row], 28 * (row + 1));
    }
    EXPECT_EQ(semaphores, Words(6, 0)) << "ready for the next launch";
  }
}

TEST(LastToArrive, IsTheOnlyBlock) {
  Words data(2, -1), semaphores(2, 0);
  const Outcome o = add_rows({.grid = {1, 1, 1}, .threads = 2}, data, semaphores);
  EXPECT_EQ(o.faults, 0) << o.message;
  EXPECT_EQ(data, (Words{1, 1}));
}

TEST(LastToArrive, FaultsWithoutItsSemaphore) {
  Words data(5 * 7 + 5, -1), few(5, 0);
  const Outcome o = add_rows({.grid = {7, 5, 1}, .threads = 2}, data, few);
  EXPECT_GT(o.faults, 0);
  EXPECT_TRUE(contains(o.message, "semaphores[5]")) << o.message;
}

TEST(LastToArrive, FaultsWhereTheSemaphoreIsInUse) {
  Words data(8, -1), used = {0, 9};
  const Outcome o = add_rows({.grid = {7, 1, 1}, .threads = 2}, data, used);
  EXPECT_TRUE(contains(o.message, "semaphores[1] is 9 where 7 blocks meet")) << o.message;
}

TEST(LastToArrive, FaultsWhereAThreadStaysAway) {
  Words data(8, -1), semaphores(2, 0);
  const Outcome o = run_grid({.grid = {2, 1, 1}, .threads = 4}, data, semaphores, [&](const Ints&, const Ints& s) {
    if (threadIdx.x < 3) {
      rt::last_to_arrive(s, 0, 2);
    }
  });
  EXPECT_TRUE(contains(o.message, "divergent barrier")) << o.message;
}

TEST(LastToArrive, OthersAreNotOrdered) {
  Words data(4, 0), semaphores(2, 0);
  const Outcome o = run_grid({.grid = {4, 1, 1}, .threads = 1}, data, semaphores, [&](const Ints& d, const Ints& s) {
    const int bx = static_cast<int>(blockIdx.x);
    d.set(bx, 1);
    rt::last_to_arrive(s, 0, 4);
    d.get((bx + 1) % 4);
  });
  EXPECT_TRUE(contains(o.message, "race: read of what another thread writes")) << o.message;
}

/// Each block writes, then reads what its neighbour wrote, several times over.
TEST(GridBarrier, OrdersAllBlocks) {
  constexpr int kBlocks = 6, kTurns = 3;
  for (const unsigned long long seed : {1, 2, 3}) {
    Words data(kBlocks * (kTurns + 1), 0), semaphores(2, 0);
    const Launch launch{.grid = {3, 2, 1}, .threads = 40, .cooperative = true, .seed = seed};
    const Outcome o = run_grid(launch, data, semaphores, [&](const Ints& d, const Ints& s) {
      const int block = static_cast<int>(blockIdx.x + 3 * blockIdx.y);
      if (threadIdx.x == 0) {
        d.set(block, block);
      }
      for (int turn = 0; turn < kTurns; ++turn) {
        rt::grid_sync(s, 0, (turn + 1) * kBlocks);
        if (threadIdx.x == 7) {
          d.set((turn + 1) * kBlocks + block, d[turn * kBlocks + (block + 1) % kBlocks]);
        }
      }
      rt::grid_leave(s, 0, (kTurns + 1) * kBlocks);
    });
    EXPECT_EQ(o.faults, 0) << o.message;
    EXPECT_EQ(semaphores, Words(2, 0)) << "ready for the next launch";
    for (int block = 0; block < kBlocks; ++block) {
      EXPECT_EQ(data[kTurns * kBlocks + block], (block + kTurns) % kBlocks);
    }
  }
}

TEST(GridBarrier, BlocksHaveSharedMemoryOfTheirOwn) {
  Words data(4, 0), semaphores(2, 0);
  const Launch launch{.grid = {4, 1, 1}, .threads = 2, .cooperative = true};
  const Outcome o = run_grid(launch, data, semaphores, [&](const Ints& d, const Ints& s) {
    const rt::Shared<int> mine = rt::shared<int>(0, 2, "mine");
    mine.set(threadIdx.x, static_cast<int>(10 * blockIdx.x + threadIdx.x));
    rt::grid_sync(s, 0, 4);
    rt::sync();
    if (threadIdx.x == 0) {
      d.set(blockIdx.x, mine[1]);
    }
  });
  EXPECT_EQ(o.faults, 0) << o.message;
  EXPECT_EQ(data, (Words{1, 11, 21, 31}));
}

TEST(GridBarrier, FaultsWithoutIt) {
  Words data(4, 0), semaphores(2, 0);
  const Launch launch{.grid = {4, 1, 1}, .threads = 1, .cooperative = true};
  const Outcome o = run_grid(launch, data, semaphores, [&](const Ints& d, const Ints& s) {
    rt::grid_sync(s, 0, 4);
    d.set(blockIdx.x, 1);
    rt::sync();
    d.get((blockIdx.x + 1) % 4);
  });
  EXPECT_TRUE(contains(o.message, "race: ")) << o.message;
  EXPECT_TRUE(contains(o.message, "of another block")) << o.message;
}

TEST(GridBarrier, FaultsWhereABlockStaysAway) {
  Words data(4, 0), semaphores(2, 0);
  const Launch launch{.grid = {4, 1, 1}, .threads = 3, .cooperative = true};
  const Outcome o = run_grid(launch, data, semaphores, [&](const Ints&, const Ints& s) {
    if (blockIdx.x != 2) {
      rt::grid_sync(s, 0, 4);
    }
  });
  EXPECT_TRUE(contains(o.message, "divergent grid barrier")) << o.message;
  EXPECT_TRUE(contains(o.message, "block (2,0,0) has ended")) << o.message;
}

TEST(GridBarrier, FaultsWhereAThreadStaysAway) {
  Words data(4, 0), semaphores(2, 0);
  const Launch launch{.grid = {2, 1, 1}, .threads = 3, .cooperative = true};
  const Outcome o = run_grid(launch, data, semaphores, [&](const Ints&, const Ints& s) {
    if (threadIdx.x != 1) {
      rt::grid_sync(s, 0, 2);
    }
  });
  EXPECT_TRUE(contains(o.message, "divergent barrier")) << o.message;
}

/// Rows of a grid meet on their own, some more often than others.
TEST(GridBarrier, OrdersThoseOfOneSemaphore) {
  constexpr int kBlocks = 3, kTeams = 4;
  for (const unsigned long long seed : {1, 2, 3}) {
    Words data((kTeams + 1) * kTeams * kBlocks, 0), semaphores(kTeams + 1, 0);
    const Launch launch{.grid = {kBlocks, kTeams, 1}, .threads = 33, .cooperative = true, .seed = seed};
    const Outcome o = run_grid(launch, data, semaphores, [&](const Ints& d, const Ints& s) {
      const int bx = static_cast<int>(blockIdx.x), team = static_cast<int>(blockIdx.y);
      for (int turn = 0; turn <= team; ++turn) {
        const int from = (turn * kTeams + team) * kBlocks;
        if (threadIdx.x == 32) {
          d.set(from + kTeams * kBlocks + bx, d[from + (bx + 1) % kBlocks] + 1);
        }
        rt::grid_sync(s, team, (turn + 1) * kBlocks);
      }
      rt::grid_leave(s, team, (team + 2) * kBlocks);
    });
    EXPECT_EQ(o.faults, 0) << o.message;
    for (int k = 0; k < kTeams * kBlocks; ++k) {
      const int team = k / kBlocks;
      EXPECT_EQ(data[(team + 1) * kTeams * kBlocks + k], team + 1);
    }
    EXPECT_EQ(semaphores, Words(kTeams + 1, 0));
  }
}

TEST(GridBarrier, FaultsWhereTooFewCome) {
  Words data(4, 0), semaphores(2, 0);
  const Launch launch{.grid = {3, 1, 1}, .threads = 2, .cooperative = true};
  const Outcome o = run_grid(launch, data, semaphores, [&](const Ints&, const Ints& s) { rt::grid_sync(s, 0, 4); });
  EXPECT_TRUE(contains(o.message, "3 of 4 arrivals")) << o.message;
}

TEST(GridBarrier, FaultsWhereBlocksRunOneAfterTheOther) {
  Words data(4, 0), semaphores(2, 0);
  const Outcome o = run_grid({.grid = {2, 1, 1}, .threads = 3}, data, semaphores,
                             [&](const Ints&, const Ints& s) { rt::grid_sync(s, 0, 2); });
  EXPECT_TRUE(contains(o.message, "not resident together")) << o.message;
}

TEST(KernelInFront, IsWaitedFor) {
  Words data(4, 3), semaphores(1, 0);
  const Launch launch{.grid = {4, 1, 1}, .threads = 1, .dependent = true};
  const auto add = [](const Ints& d) { d.set(blockIdx.x, d[blockIdx.x] + 1); };
  const Outcome right = run_grid(launch, data, semaphores, [&](const Ints& d, const Ints&) {
    rt::wait_for_previous();
    rt::launch_dependents();
    add(d);
  });
  EXPECT_EQ(right.faults, 0) << right.message;
  EXPECT_EQ(data, Words(4, 4));
  const Outcome early = run_grid(launch, data, semaphores, [&](const Ints& d, const Ints&) { add(d); });
  EXPECT_TRUE(contains(early.message, "early: access of data")) << early.message;
}

}  // namespace
}  // namespace nvfuser
