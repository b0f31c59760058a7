// SPDX-License-Identifier: Apache-2.0
// Joins over the blocks of a cluster, emulated: all members of all blocks get the combination of all in the order of
// ranks, join after join; and what is used wrongly is a fault.
#include <gtest/gtest.h>

#include <array>

#include "error_message.h"
#include "nvfuser/backend/module.h"
#include "team_fixture.h"
// clang-format off: behind the flavor's memory
#include "nvfuser/device/emulator/cluster.h"
// clang-format on

namespace nvfuser {
namespace {

using IntRun = Sequence<int>;

/// body(linear thread) by every thread of `columns` clusters.
template <class Body>
Outcome run_clusters(int cluster, int columns, int threads, unsigned long long seed, const Body& body) {
  char message[300];
  const rt::EmulatorLaunch launch{.grid = {columns, cluster, 1},
                                  .block = {threads, 1, 1},
                                  .shared_bytes = 4096,
                                  .has_barrier = true,
                                  .seed = seed,
                                  .names = nullptr,
                                  .elements = nullptr,
                                  .message = message,
                                  .message_bytes = sizeof message,
                                  .cluster = cluster};
  rt::Machine machine(launch);
  Outcome outcome;
  outcome.faults = rt::emulate([&] { body(static_cast<int>(threadIdx.x)); }, machine);
  outcome.message = message;
  return outcome;
}

/// Thread t of block b of cluster c has one number: they run through the threads of block 0, then those of block 1.
template <int Blocks, int Threads, int N>
void expect_order() {
  for (const unsigned long long seed : {1, 2, 3}) {
    int members = 0;
    const Outcome o = run_clusters(Blocks, 3, Threads, seed, [&](int thread) {
      const rt::Team<Threads, 1, true> team = {thread, 0};
      rt::Slots slots = {0, 1008, 0};
      rt::Peers peers = {2016, 1008, 0};
      rt::start(peers);
      for (int turn = 0; turn < 4; ++turn) {
        rt::Array<IntRun::Tuple, N> acc;
        for (int n = 0; n < N; ++n) {
          rt::begin<IntRun>(acc, n);
          rt::accumulate<IntRun>(acc, n, 1000 * n + turn + rt::cluster_rank() * Threads + thread);
        }
        rt::join_cluster<Blocks>(team, slots, peers, rt::member<IntRun, N>(acc));
        for (int n = 0; n < N; ++n) {
          EXPECT_EQ(acc[n].first, 1000 * n + turn);
          EXPECT_EQ(acc[n].length, Blocks * Threads);
          EXPECT_FALSE(acc[n].broken);
        }
        ++members;
      }
    });
    EXPECT_EQ(o.faults, 0) << o.message;
    EXPECT_EQ(members, 4 * 3 * Blocks * Threads);
  }
}

TEST(Clusters, CombineInTheOrderOfRanks) {
  expect_order<2, 32, 1>();
  expect_order<2, 64, 2>();
  expect_order<4, 96, 1>();
  expect_order<8, 64, 3>();
  expect_order<8, 8, 1>();
}

TEST(Clusters, HalvesOfPeersTakeTurns) {
  // One half for all turns: a block is told the next result while it still reads the one before.
  const auto one_half = [](int thread) {
    const rt::Team<32, 1, true> team = {thread, 0};
    rt::Slots slots = {0, 1008, 0};
    rt::Peers peers = {2016, 1008, 0};
    rt::start(peers);
    for (int turn = 0; turn < 3; ++turn) {
      rt::Array<IntRun::Tuple, 1> acc;
      rt::begin<IntRun>(acc, 0);
      rt::accumulate<IntRun>(acc, 0, rt::cluster_rank() * 32 + thread);
      rt::join_cluster<2>(team, slots, peers, rt::member<IntRun, 1>(acc));
      peers.round = 0;
    }
  };
  int races = 0;
  for (unsigned long long seed = 0; seed < 8; ++seed) {
    races += contains(run_clusters(2, 1, 32, seed, one_half).message, "race");
  }
  EXPECT_GT(races, 0);
}

TEST(Clusters, MeetAtOneBarrier) {
  const auto apart = [](int) {
    if (rt::cluster_rank() == 0) {
      rt::inner::meet_peers({2016, 1008, 0}, 0);
    }
  };
  const Outcome ended = run_clusters(2, 1, 32, 1, apart);
  EXPECT_TRUE(contains(ended.message, "divergent grid barrier")) << ended.message;
  const Outcome none = run_block(32, 64, 1, [](int) { rt::inner::meet_peers({2016, 1008, 0}, 0); });
  EXPECT_TRUE(contains(none.message, "without clusters")) << none.message;
  const Outcome outside = run_clusters(2, 1, 32, 1, [](int thread) {
    const rt::Shared<int> word = rt::shared<int>(0, 1, "word");
    if (thread == 0) {
      rt::peer({2016, 1008, 0}, word, 2).set(0, 1);
    }
  });
  EXPECT_TRUE(contains(outside.message, "block 2 of a cluster of 2")) << outside.message;
}

TEST(Clusters, AreToldOnceTheyHaveStarted) {
  const auto join_pair = [](int thread, rt::Peers peers, bool start) {
    const rt::Team<32, 1, true> team = {thread, 0};
    rt::Slots slots = {0, 512, 0};
    if (start) {
      rt::start(peers);
    }
    rt::Array<IntRun::Tuple, 1> acc;
    rt::begin<IntRun>(acc, 0);
    rt::accumulate<IntRun>(acc, 0, rt::cluster_rank() * 32 + thread);
    rt::join_cluster<2>(team, slots, peers, rt::member<IntRun, 1>(acc));
  };
  const Outcome early = run_clusters(2, 1, 32, 1, [&](int t) { join_pair(t, {1024, 512, 0}, false); });
  EXPECT_TRUE(contains(early.message, "byte 1024 that were not started")) << early.message;
  // What counts their bytes stands behind both halves.
  const Outcome beyond = run_clusters(2, 1, 32, 1, [&](int t) { join_pair(t, {4096 - 1024 - 8, 512, 0}, true); });
  EXPECT_TRUE(contains(beyond.message, "slots at byte 3064 of 4096")) << beyond.message;
}

TEST(Clusters, PeersAreReadBehindTheBarrier) {
  const auto early = [](int thread) {
    const rt::Shared<int> word = rt::shared<int>(0, 1, "word");
    if (thread == 0) {
      rt::peer({2016, 1008, 0}, word, 1 - rt::cluster_rank()).set(0, 7);
    }
    rt::sync();
    (void)word[0];
  };
  EXPECT_GT(run_clusters(2, 1, 32, 1, early).faults, 0);
}

constexpr const char* kText = R"(
#include "rt/types.h"
#include "rt/convert.h"
#include "rt/math.h"
#include "rt/memory.h"
#include "rt/cluster.h"
namespace k_sums {
using Index = int;
using Row = rt::Welford<rt::float32>;
RT_CLUSTER_KERNEL(sums, 128, 1, 8)(rt::Global<const rt::float32> in0, rt::Global<rt::float32> out0) {
  const Index tx = threadIdx.x;
  const rt::Team<128, 1, true> team0 = {tx, 0};
  rt::Slots slots = {0, 48, 0};
  rt::Peers peers = {96, 96, 0};
  rt::start(peers);
  rt::Array<Row::Tuple, 1> T1_acc;
  rt::begin<Row>(T1_acc, 0);
  rt::accumulate<Row>(T1_acc, 0, in0[(blockIdx.x * 8 + blockIdx.y) * 128 + tx]);
  rt::join_cluster<8>(team0, slots, peers, rt::member<Row, 1>(T1_acc));
  out0[(blockIdx.x * 8 + blockIdx.y) * 128 + tx] = rt::result<Row, 0>(T1_acc, 0);
}
}  // namespace k_sums
)";

TEST(Clusters, BecomeCubins) {
  std::string why;
  if (!nvrtc_available(&why)) {
    GTEST_SKIP() << why;
  }
  EXPECT_EQ(compile_cubin(kText, 90).substr(0, 4), "\177ELF");
}

}  // namespace
}  // namespace nvfuser
