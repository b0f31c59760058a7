// SPDX-License-Identifier: Apache-2.0
// Random fusions under random schedules, each run in the interpreter and compared with the evaluator bit for bit.
#include "random_schedule.h"

namespace nvfuser {
namespace {

TEST(RandomSchedule, AcceptedSchedulesAreRight) {
  std::map<std::string, int> refusals;
  int accepted = 0, barriers = 0, moves = 0, in_place = 0;
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    const RandomResult result = run_random(seed, refusals);
    accepted += result.accepted;
    barriers += result.has_barrier;
    moves += result.has_move;
    in_place += result.in_place;
    ASSERT_EQ(result.problem, "") << "seed " << seed << "\n" << result.text;
  }
  // The draw must keep reaching what it is there for.
  EXPECT_GT(accepted, 450);
  EXPECT_GT(barriers, 10);
  EXPECT_GT(moves, 10);
  EXPECT_GT(in_place, 20);
}

/// Seeds at which fuzzers found something: a store of one writer under a shift (373, 1561), a tile that was read in
/// front of its first element (106709).
TEST(RandomSchedule, SeedsThatFailedOnceAreRight) {
  std::map<std::string, int> refusals;
  for (const uint64_t seed : {373, 1561, 106709}) {
    const RandomResult result = run_random(seed, refusals);
    EXPECT_TRUE(result.accepted) << "seed " << seed;
    EXPECT_EQ(result.problem, "") << "seed " << seed << "\n" << result.text;
  }
}

}  // namespace
}  // namespace nvfuser
