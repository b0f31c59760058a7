// SPDX-License-Identifier: Apache-2.0
// choose for kernels that keep the innermost axis and reduce what lies further out.
#include <algorithm>
#include <bit>

#include "nvfuser/schedule/candidate_list.h"
#include "nvfuser/schedule/estimate.h"

namespace nvfuser {

namespace {

constexpr int64_t kLanes = 32, kWidestLanes = 256, kFewestLanes = 4;
constexpr int64_t kRowBytes = 512;  ///< of a strip, where its columns are that many
constexpr int64_t kMostHeld = 8;    ///< rows that a thread holds in registers
constexpr int64_t kMostLanesHeld = 1024;

/// threads, rows that a thread loads at once, blocks an SM: 48 to 192 KB of loads in flight.
struct StripShape {
  int threads, batch, blocks;
};
constexpr StripShape kShapes[] = {{512, 8, 2}, {256, 8, 4}, {256, 4, 4}, {256, 4, 3}, {256, 16, 2}, {512, 16, 2}};
constexpr StripShape kFewBlocks[] = {{512, 8, 2}, {256, 4, 4}};

constexpr int64_t kShortestStrip = 64, kWidestStrip = 1024;  ///< CPU: columns whose accumulators stay in the L1 cache
constexpr int kStripsPerThread = 2;
constexpr int64_t kShortestPiece = 8;                         ///< CPU: fewer neighbours are no lanes
constexpr int64_t kFewColumns = 1024, kManyPoints = 1 << 20;  ///< CPU: where tasks share rows
constexpr int64_t kTaskPoints = 1 << 16, kMostTasks = 64;
constexpr int64_t kMostInARow = 32, kRun = 16;  ///< CPU: rows of an accumulator, rows of a run
constexpr int kMostRuns = 3;

Params strip(const CandidateList& list, const StripShape& shape, int vector, int64_t lanes) {
  return {.family = Family::columns,
          .threads = shape.threads,
          .batch = shape.batch,
          .vector = vector,
          .blocks_per_sm = list.blocks(shape.threads, shape.blocks),
          .lanes = static_cast<int>(lanes)};
}

/// A block a strip; narrower ones where they are few.
void add_walked(CandidateList& list, int vector, int64_t most) {
  for (int64_t lanes = most; lanes >= std::min(most, kFewestLanes); lanes /= 2) {
    for (const StripShape& shape : kFewBlocks) {
      list.add(strip(list, shape, vector, lanes));
    }
  }
}

/// As many blocks as fill the device once.
void add_shared(CandidateList& list, int vector, int64_t lanes) {
  const int64_t strips = ceil_div(list.problem().rows, lanes * vector);
  for (const StripShape& shape : kShapes) {
    Params params = strip(list, shape, vector, lanes);
    const int64_t turns = ceil_div(list.problem().columns, shape.threads / lanes * shape.batch);
    const int64_t slots = int64_t{list.device().sms} * params.blocks_per_sm;
    params.blocks = static_cast<int>(round_down(std::min(turns, slots / strips)));
    if (params.blocks > 1) {
      params.finish = list.device().arch >= kEarlyStarts ? GridFinish::dependent : GridFinish::second;
      list.add(params);
    }
  }
}

/// Strips of so few rows that registers hold them.
void add_held(CandidateList& list, int vector, int64_t lanes) {
  for (int64_t row_threads = 1; row_threads * lanes <= kMostLanesHeld; row_threads *= 2) {
    const int64_t batch = power_above(ceil_div(list.problem().columns, row_threads));
    if (batch <= kMostHeld && (batch > 1 || row_threads < 2 * list.problem().columns)) {
      list.add({.family = Family::columns,
                .threads = static_cast<int>(lanes * row_threads),
                .batch = static_cast<int>(batch),
                .vector = vector,
                .lanes = static_cast<int>(lanes),
                .home = Home::registers});
    }
  }
}

/// The widest vector that results of a row's size allow: inputs are read from anywhere.
int stored_vector(const CandidateList& list) {
  int vector = list.widest_vector();
  for (const ProblemBuffer& buffer : list.problem().buffers) {
    if (buffer.output && is_full(list.problem(), buffer) && buffer.max_vector > 0) {
      vector = std::min(vector, buffer.max_vector);
    }
  }
  return vector;
}

void add_strips(CandidateList& list, int vector) {
  const Problem& problem = list.problem();
  const int64_t wide = std::clamp(kRowBytes / (vector * problem.narrowest_bytes), kLanes, kWidestLanes);
  const int64_t lanes = std::min(wide, power_above(ceil_div(problem.piece, vector)));
  add_walked(list, vector, lanes);
  add_shared(list, vector, lanes);
  add_held(list, vector, std::min(lanes, kLanes));
}

std::vector<Candidate> gpu_columns(CandidateList& list) {
  const int common = list.common_vector(), stored = stored_vector(list);
  add_strips(list, common);
  // A vector lies in one piece of memory, but for the last ones.
  if (stored > common && list.problem().piece == list.problem().rows) {
    add_strips(list, stored);
  }
  return list.ranked({.family = Family::columns, .threads = 256, .lanes = static_cast<int>(kLanes)});
}

/// Enough that no accumulator takes more than some dozens of rows, as long as runs are whole.
int levels_of_runs(int64_t rows) {
  int levels = 0;
  for (; rows > kMostInARow && levels < kMostRuns; rows /= kRun) {
    ++levels;
  }
  return levels;
}

/// Rows that a task takes, by the sizes alone: where they are added up apart decides their sum's bits.  0: all.
int64_t column_piece(const Problem& problem) {
  if (problem.rows >= kFewColumns || problem.points < kManyPoints) {
    return 0;
  }
  return std::max(power_above(ceil_div(problem.columns, kMostTasks)), kTaskPoints / power_above(problem.rows));
}

std::vector<Candidate> cpu_columns(CandidateList& list) {
  const int64_t run = list.problem().run, threads = std::max(1, list.device().sms);
  const int64_t piece = column_piece(list.problem());
  // Which task adds a column up is all one to its bits.
  const int64_t share = piece > 0 ? kWidestStrip : power_above(run / (kStripsPerThread * threads));
  list.add(
      {.family = Family::cpu_columns,
       .threads = 1,
       .task = std::clamp(share, std::min(kShortestStrip, power_above(run)), std::min(kWidestStrip, power_above(run))),
       .piece = piece,
       .runs = levels_of_runs(piece > 0 ? piece : list.problem().columns)});
  return list.ranked({.family = Family::cpu_columns, .threads = 1, .task = kWidestStrip});
}

}  // namespace

std::vector<Candidate> choose_columns(CandidateList& list) {
  if (list.device().gpu) {
    return gpu_columns(list);
  }
  return list.problem().run < kShortestPiece ? choose_rows(list) : cpu_columns(list);
}

}  // namespace nvfuser
