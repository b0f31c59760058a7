// SPDX-License-Identifier: Apache-2.0
// Joins of teams in the emulator: every member gets the combination of all, in the order of ranks, with the bits that
// all others get, for teams of all shapes and several rows at once; and joins that not all threads reach are faults.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "team_fixture.h"

namespace nvfuser {
namespace {

using IntRun = Sequence<int>;
using SumRow = rt::Sum<float>;
using MaxRow = rt::Max<float>;
using WelfordRow = rt::Welford<float>;
using SoftmaxRow = rt::SoftmaxSums<float>;

/// Which thread is which member: of teams of adjacent threads, or of teams whose index runs fastest.
template <class Team>
Team team_of(int thread) {
  return Team::kLanes ? Team{thread % Team::kSize, thread / Team::kSize}
                      : Team{thread / Team::kCount, thread % Team::kCount};
}

template <class Team, class Row, int N>
constexpr int slot_bytes() {
  return rt::inner::kSlotBytes<Team, Row, N>;
}

/// Rank r of team t has the numbers from 100000 n + 10 r on, ten of them, in accumulator n.  Three joins in a row.
template <class Team, int N>
void expect_order() {
  constexpr int kThreads = Team::kSize * Team::kCount, kHalf = slot_bytes<Team, IntRun, N>();
  for (const unsigned long long seed : {1, 2}) {
    std::vector<IntRun::Tuple> got(size_t(kThreads * N));
    const Outcome o = run_block(kThreads, 2 * kHalf + 16, seed, [&](int thread) {
      const Team team = team_of<Team>(thread);
      rt::Slots slots = {16, kHalf, 0};
      for (int turn = 0; turn < 3; ++turn) {
        rt::Array<IntRun::Tuple, N> acc;
        for (int n = 0; n < N; ++n) {
          rt::begin<IntRun>(acc, n);
          for (int k = 0; k < 10; ++k) {
            rt::accumulate<IntRun>(acc, n, 100000 * n + turn + 10 * team.rank + k);
          }
        }
        rt::join(team, slots, rt::member<IntRun, N>(acc));
        for (int n = 0; n < N; ++n) {
          got[thread * N + n] = acc[n];
          EXPECT_EQ(acc[n].first, 100000 * n + turn);
        }
      }
    });
    EXPECT_EQ(o.faults, 0) << o.message;
    for (const IntRun::Tuple& t : got) {
      EXPECT_FALSE(t.broken);
      EXPECT_EQ(t.length, 10 * Team::kSize);
    }
  }
}

TEST(Teams, AdjacentThreadsCombineInOrder) {
  expect_order<rt::Team<1, 5, true>, 2>();
  expect_order<rt::Team<2, 32, true>, 1>();
  expect_order<rt::Team<4, 6, true>, 1>();  // 24 threads: a part of a warp
  expect_order<rt::Team<8, 5, true>, 3>();  // a warp and a part of one
  expect_order<rt::Team<16, 3, true>, 1>();
  expect_order<rt::Team<32, 1, true>, 1>();
  expect_order<rt::Team<32, 32, true>, 1>();
  expect_order<rt::Team<64, 1, true>, 1>();
  expect_order<rt::Team<64, 3, true>, 3>();
  expect_order<rt::Team<96, 2, true>, 1>();
  expect_order<rt::Team<224, 1, true>, 2>();
  expect_order<rt::Team<256, 4, true>, 1>();
  expect_order<rt::Team<512, 1, true>, 2>();
  expect_order<rt::Team<992, 1, true>, 1>();
  expect_order<rt::Team<1024, 1, true>, 1>();
}

TEST(Teams, OtherThreadsCombineInOrder) {
  expect_order<rt::Team<1, 7, false>, 2>();
  expect_order<rt::Team<2, 32, false>, 8>();
  expect_order<rt::Team<3, 11, false>, 1>();
  expect_order<rt::Team<5, 3, false>, 8>();
  expect_order<rt::Team<7, 1, false>, 1>();
  expect_order<rt::Team<8, 32, false>, 8>();
  expect_order<rt::Team<16, 32, false>, 8>();
  expect_order<rt::Team<31, 33, false>, 1>();
  expect_order<rt::Team<16, 7, false>, 20>();
  expect_order<rt::Team<100, 2, false>, 4>();
  expect_order<rt::Team<1024, 1, false>, 1>();
}

/// A number of no special form, the same on every run.
float value_of(int k) { return std::sin(float(k) * 1.7f) * 3.0f; }

/// Five elements a thread through four rows, joined at once; compared with float64 and between the members.
template <class Team>
void expect_statistics() {
  constexpr int kThreads = Team::kSize * Team::kCount, kOwn = 5;
  constexpr int kHalf = slot_bytes<Team, SumRow, 2>() + slot_bytes<Team, MaxRow, 1>() +
                        slot_bytes<Team, WelfordRow, 1>() + slot_bytes<Team, SoftmaxRow, 1>();
  struct Got {
    float sum, twice, most, mean, squares, count, exp_most, exps;
  };
  std::vector<Got> got(kThreads);
  const Outcome o = run_block(kThreads, 2 * kHalf, 3, [&](int thread) {
    const Team team = team_of<Team>(thread);
    rt::Slots slots = {0, kHalf, 0};
    rt::Array<SumRow::Tuple, 2> sum;
    rt::Array<MaxRow::Tuple, 1> most;
    rt::Array<WelfordRow::Tuple, 1> moments;
    rt::Array<SoftmaxRow::Tuple, 1> exps;
    rt::begin<SumRow>(sum, 0);
    rt::begin<SumRow>(sum, 1);
    rt::begin<MaxRow>(most, 0);
    rt::begin<WelfordRow>(moments, 0);
    rt::begin<SoftmaxRow>(exps, 0);
    for (int k = 0; k < kOwn; ++k) {
      const float x = value_of((team.index * Team::kSize + team.rank) * kOwn + k);
      rt::accumulate<SumRow>(sum, 0, x);
      rt::accumulate<SumRow>(sum, 1, 2 * x);
      rt::accumulate<MaxRow>(most, 0, x);
      rt::accumulate<WelfordRow>(moments, 0, x);
      rt::accumulate<SoftmaxRow>(exps, 0, x);
    }
    rt::join(team, slots, rt::member<SumRow, 2>(sum), rt::member<MaxRow, 1>(most), rt::member<WelfordRow, 1>(moments),
             rt::member<SoftmaxRow, 1>(exps));
    got[thread] = {rt::result<SumRow, 0>(sum, 0),         rt::result<SumRow, 0>(sum, 1),
                   rt::result<MaxRow, 0>(most, 0),        rt::result<WelfordRow, 0>(moments, 0),
                   rt::result<WelfordRow, 1>(moments, 0), rt::state<WelfordRow, 2>(moments, 0),
                   rt::result<SoftmaxRow, 0>(exps, 0),    rt::result<SoftmaxRow, 1>(exps, 0)};
  });
  EXPECT_EQ(o.faults, 0) << o.message;
  for (int thread = 0; thread < kThreads; ++thread) {
    const int index = team_of<Team>(thread).index;
    double sum = 0, most = -1e30, squares = 0, exps = 0;
    constexpr int kCount = Team::kSize * kOwn;
    for (int pass = 0; pass < 2; ++pass) {
      const double mean = sum / kCount;
      for (int k = 0; k < kCount; ++k) {
        const double x = value_of(index * kCount + k);
        sum += pass ? 0 : x;
        most = std::max(most, x);
        squares += pass ? (x - mean) * (x - mean) : 0;
        exps += pass ? std::exp(x - most) : 0;
      }
    }
    const Got& g = got[thread];
    EXPECT_NEAR(g.sum, sum, 2e-6 * kCount);
    EXPECT_EQ(g.twice, 2 * g.sum);
    EXPECT_EQ(g.most, float(most));
    EXPECT_NEAR(g.mean, sum / kCount, 2e-6);
    EXPECT_NEAR(g.squares, squares, 2e-6 * squares);
    EXPECT_EQ(g.count, float(kCount));
    EXPECT_EQ(g.exp_most, g.most);
    EXPECT_NEAR(g.exps, exps, 2e-6 * exps);
    const int first = Team::kLanes ? index * Team::kSize : index;
    EXPECT_EQ(std::memcmp(&g, &got[first], sizeof g), 0) << "thread " << thread;
  }
}

TEST(Teams, JoinSeveralRowsAtOnce) {
  expect_statistics<rt::Team<1, 3, true>>();
  expect_statistics<rt::Team<2, 4, true>>();
  expect_statistics<rt::Team<8, 8, true>>();
  expect_statistics<rt::Team<32, 2, true>>();
  expect_statistics<rt::Team<64, 2, true>>();
  expect_statistics<rt::Team<96, 1, true>>();
  expect_statistics<rt::Team<256, 2, true>>();
  expect_statistics<rt::Team<1024, 1, true>>();
  expect_statistics<rt::Team<3, 5, false>>();
  expect_statistics<rt::Team<16, 32, false>>();
  expect_statistics<rt::Team<33, 2, false>>();
}

TEST(Teams, InsideAWarpNeedNoSlots) {
  using Team = rt::Team<16, 4, true>;
  std::vector<float> got(64);
  const Outcome o = run_block(64, 0, 1, [&](int thread) {
    rt::Array<SumRow::Tuple, 1> sum;
    rt::begin<SumRow>(sum, 0);
    rt::accumulate<SumRow>(sum, 0, float(thread));
    rt::join(team_of<Team>(thread), rt::member<SumRow, 1>(sum));
    got[thread] = rt::result<SumRow, 0>(sum, 0);
  });
  EXPECT_EQ(o.faults, 0) << o.message;
  for (int thread = 0; thread < 64; ++thread) {
    EXPECT_EQ(got[thread], float(thread / 16 * 256 + 120));
  }
}

/// NaN of one thread reaches all; infinities and rows without a number give what the formulas give.
TEST(Teams, SpecialValuesReachAllMembers) {
  const float inf = INFINITY, nan = NAN;
  struct Case {
    float of_one, of_others, most, least, exps;
  };
  for (const Case& c : {Case{nan, 1, nan, nan, nan},
                        {inf, 1, inf, 1, nan},
                        {-inf, 1, 1, -inf, 63},
                        {1, -inf, 1, -inf, 1},
                        {-inf, -inf, -inf, -inf, 0}}) {
    using Team = rt::Team<64, 1, true>;
    struct Got {
      float most, least, exps;
    };
    std::vector<Got> got(64);
    const Outcome o = run_block(64, 256, 1, [&](int thread) {
      rt::Slots slots = {0, 64, 0};
      rt::Array<MaxRow::Tuple, 1> most;
      rt::Array<rt::Min<float>::Tuple, 1> least;
      rt::Array<SoftmaxRow::Tuple, 1> exps;
      rt::begin<MaxRow>(most, 0);
      rt::begin<rt::Min<float>>(least, 0);
      rt::begin<SoftmaxRow>(exps, 0);
      const float x = thread == 37 ? c.of_one : c.of_others;
      rt::accumulate<MaxRow>(most, 0, x);
      rt::accumulate<rt::Min<float>>(least, 0, x);
      rt::accumulate<SoftmaxRow>(exps, 0, x);
      rt::join(team_of<Team>(thread), slots, rt::member<MaxRow, 1>(most), rt::member<rt::Min<float>, 1>(least),
               rt::member<SoftmaxRow, 1>(exps));
      got[thread] = {rt::result<MaxRow, 0>(most, 0), rt::result<rt::Min<float>, 0>(least, 0),
                     rt::result<SoftmaxRow, 1>(exps, 0)};
    });
    EXPECT_EQ(o.faults, 0) << o.message;
    const auto same = [](float a, float b) { return a == b || (a != a && b != b); };
    for (const Got& g : got) {
      EXPECT_TRUE(same(g.most, c.most)) << g.most << " for " << c.most;
      EXPECT_TRUE(same(g.least, c.least)) << g.least << " for " << c.least;
      EXPECT_TRUE(same(g.exps, c.exps)) << g.exps << " for " << c.exps;
    }
  }
}

// ---- faults ----

void expect_fault(const Outcome& o, const std::vector<std::string>& parts) {
  EXPECT_GT(o.faults, 0);
  for (const std::string& part : parts) {
    EXPECT_NE(o.message.find(part), std::string::npos) << "'" << part << "' is not in: " << o.message;
  }
}

template <class Team>
void join_one(const Team& team, rt::Slots slots, int line = 7) {
  rt::Array<SumRow::Tuple, 1> sum;
  rt::begin<SumRow>(sum, 0);
  rt::join(team, slots, rt::member<SumRow, 1>(sum, line));
}

TEST(Teams, AMissingThreadIsAFault) {
  using Warp = rt::Team<8, 8, true>;
  using Block = rt::Team<64, 1, true>;
  using Columns = rt::Team<8, 8, false>;
  const auto all_but = [&](auto team, int missing, int other_line) {
    using Team = decltype(team);
    return run_block(64, 1024, 1, [&](int thread) {
      if (thread != missing || other_line) {
        join_one(team_of<Team>(thread), {0, 512, 0}, thread == missing ? other_line : 7);
      }
    });
  };
  for (const Outcome& o : {all_but(Warp{0, 0}, 37, 0), all_but(Block{0, 0}, 37, 0)}) {
    expect_fault(o, {"divergent shuffle: line 7, thread (37,0,0) has ended"});
  }
  for (const Outcome& o : {all_but(Warp{0, 0}, 37, 9), all_but(Block{0, 0}, 37, 9)}) {
    expect_fault(o, {"divergent shuffle: line ", "waits at line "});
  }
  expect_fault(all_but(Columns{0, 0}, 37, 0), {"divergent barrier: line 7, thread (37,0,0) has ended"});
  expect_fault(all_but(Columns{0, 0}, 37, 9), {"divergent barrier: line ", "waits at line "});
}

TEST(Teams, AThreadAtABarrierIsAFault) {
  const Outcome o = run_block(32, 64, 1, [&](int thread) {
    if (thread == 3) {
      rt::sync(5);
    } else {
      join_one(rt::Team<32, 1, true>{thread, 0}, {0, 0, 0});
    }
  });
  expect_fault(o, {"divergent shuffle: line 7, thread (3,0,0) waits at line 5"});
}

TEST(Teams, WrongRanksAndSlotsAreFaults) {
  const auto run = [](auto join) { return run_block(64, 256, 1, join); };
  expect_fault(run([](int thread) { join_one(rt::Team<64, 1, true>{63 - thread, 0}, {0, 16, 0}); }),
               {"its members are not adjacent"});
  expect_fault(run([](int thread) { join_one(rt::Team<32, 1, true>{thread, 0}, {0, 16, 0}); }),
               {"there are 1 teams of 32"});
  expect_fault(run([](int thread) { join_one(rt::Team<64, 1, false>{thread, 0}, {0, 240, 0}); }),
               {"16 bytes more than the half"});
  expect_fault(run([](int thread) { join_one(rt::Team<64, 1, false>{thread, 0}, {0, 256, 1}); }),
               {"shared buffer the slots of a join"});
  expect_fault(run_block(
                   32, 0, 1, [](int thread) { join_one(rt::Team<32, 1, true>{thread, 0}, {0, 0, 0}); }, false),
               {"said not to meet"});
}

/// One half for two joins in a row: a thread may write before others have read.
TEST(Teams, WithoutTurnsThereIsARace) {
  const Outcome o = run_block(64, 64, 1, [](int thread) {
    for (int turn = 0; turn < 2; ++turn) {
      join_one(rt::Team<64, 1, true>{thread, 0}, {0, 16, 0});
    }
  });
  expect_fault(o, {"race: write over what another thread reads: the slots of a join"});
}

}  // namespace
}  // namespace nvfuser
