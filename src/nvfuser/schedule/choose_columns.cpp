// SPDX-License-Identifier: Apache-2.0
// choose for kernels that keep the innermost axis and reduce what lies further out.
#include <algorithm>
#include <bit>
#include <cmath>

#include "nvfuser/schedule/candidate_list.h"
#include "nvfuser/schedule/estimate.h"

namespace nvfuser {

namespace {

constexpr int64_t kLanes = 32, kWidestLanes = 256, kFewestLanes = 4;
constexpr int64_t kRowBytes = 512;  ///< of a strip, where its columns are that many
constexpr int64_t kMostHeld = 8;    ///< rows that a thread holds in registers
constexpr int64_t kMostLanesHeld = 1024;
/// Handicap of narrower vectors, and of those that are put together from two, where rows can be peeled: bias-gelu
/// backward of 27429x1846 took 1.3 times its estimate with 4 bytes, sums of 3721x34189 5 times (H200).
constexpr double kNarrow = 1.3;

/// threads, rows that a thread loads at once, blocks an SM: 48 to 192 KB of loads in flight.
struct StripShape {
  int threads, batch, blocks;
};
constexpr StripShape kShapes[] = {{512, 8, 2}, {256, 8, 4}, {256, 4, 4}, {256, 4, 3}, {256, 16, 2}, {512, 16, 2}};
/// Of peeled rows.  Half the loads of others where results of a row's size are written: bias-gelu backward of
/// 92959x1374, 158822x547, 24489x3786 had .90, .90, .91 of a copy with two rows a thread, .82, .86, .88 with four, of
/// 8602x11355 .93 and .90 (H200).
constexpr StripShape kDealtShapes[] = {{256, 2, 3}, {256, 4, 3}, {256, 8, 4}};
constexpr int64_t kFewestDealt = 16;  ///< lanes of their strips
/// Bytes among which the rows of a turn should lie, and what each doubling beyond them costs (bias-gelu backward of
/// 1853x40033, H200: .92 of a copy with rows within 2.5 MB, .88 within 13 MB).
constexpr int64_t kNearRows = 2 << 20;
constexpr double kFarRows = .017;
constexpr StripShape kFewBlocks[] = {{512, 8, 2}, {256, 4, 4}};

constexpr int64_t kShortestStrip = 64, kWidestStrip = 1024;  ///< CPU: columns whose accumulators stay in the L1 cache
constexpr int kStripsPerThread = 2;
constexpr int64_t kShortestPiece = 8;                         ///< CPU: fewer neighbours are no lanes
constexpr int64_t kFewColumns = 1024, kManyPoints = 1 << 20;  ///< CPU: where tasks share rows
constexpr int64_t kTaskPoints = 1 << 16, kMostTasks = 64;
constexpr int64_t kAtOnce = 8;                  ///< CPU: rows that an accumulator takes while it is in a register
constexpr int64_t kMostInARow = 32, kRun = 16;  ///< CPU: rows of an accumulator, rows of a run
constexpr int kMostRuns = 3;

Params strip(const CandidateList& list, const StripShape& shape, int vector, int64_t lanes) {
  return {.family = Family::columns,
          .threads = shape.threads,
          .batch = shape.batch,
          .vector = vector,
          .blocks_per_sm = list.blocks(shape.threads, shape.blocks),
          .lanes = static_cast<int>(lanes),
          .stream = list.problem().passes == 1 && reads_alone(list.problem())};
}

/// A block a strip; narrower ones where they are few.
void add_walked(CandidateList& list, int vector, int64_t most, double handicap) {
  for (int64_t lanes = most; lanes >= std::min(most, kFewestLanes); lanes /= 2) {
    for (const StripShape& shape : kFewBlocks) {
      list.add(strip(list, shape, vector, lanes), handicap);
    }
  }
}

double doublings_beyond(int64_t few, int64_t many) {
  return many > few ? std::log2(static_cast<double>(many) / static_cast<double>(few)) : 0;
}

GridFinish finish_of(const CandidateList& list) {
  return list.device().arch >= kEarlyStarts ? GridFinish::dependent : GridFinish::second;
}

/// As many blocks as fill the device.
void add_shared(CandidateList& list, int vector, int64_t lanes, double handicap) {
  const int64_t strips = ceil_div(list.problem().rows, lanes * vector);
  for (const StripShape& shape : kShapes) {
    Params params = strip(list, shape, vector, lanes);
    const int64_t turns = ceil_div(list.problem().columns, shape.threads / lanes * shape.batch);
    const int64_t slots = int64_t{list.device().sms} * params.blocks_per_sm;
    params.blocks = static_cast<int>(round_down(std::min(turns, slots / strips)));
    if (params.blocks > 1) {
      params.finish = finish_of(list);
      list.add(params, handicap);
    }
  }
}

/// Peeled rows, in one wave: each block has rows that start at one place, so shares come by vectors.  Strips are as
/// wide as leaves the least without work, threads of the last strip above all, and lets a turn's rows lie near each
/// other.
void add_dealt(CandidateList& list, int vector) {
  const int64_t vectors = ceil_div(list.problem().rows + vector - 1, vector);
  const int64_t row_bytes = list.problem().rows * list.problem().narrowest_bytes;
  for (const StripShape& shape : kDealtShapes) {
    Params params = strip(list, shape, vector, kLanes);
    params.peel = true;
    params.finish = finish_of(list);
    const int64_t slots = int64_t{list.device().sms} * params.blocks_per_sm;
    double best = 0;
    for (int64_t lanes = kFewestDealt; lanes <= shape.threads; ++lanes) {
      const int64_t strips = ceil_div(vectors, lanes), row_threads = shape.threads / lanes;
      const int64_t turns = ceil_div(list.problem().columns, row_threads * shape.batch);
      const int64_t shares = std::min(turns, slots / strips) / vector * vector, threads = lanes * row_threads;
      const double busy = static_cast<double>(vectors) / static_cast<double>(strips * lanes) *
                          std::sqrt(static_cast<double>(strips * shares * threads));
      const double near =
          busy / (1 + kFarRows * doublings_beyond(kNearRows, row_threads * shape.batch * vector * row_bytes));
      if (near >= best && shares > 0) {
        best = near;
        params.lanes = static_cast<int>(lanes);
        params.threads = static_cast<int>(threads);
        params.blocks = static_cast<int>(shares);
      }
    }
    if (best > 0) {
      list.add(params);
    }
  }
}

/// Strips of so few rows that registers hold them.
void add_held(CandidateList& list, int vector, int64_t lanes, double handicap) {
  for (int64_t row_threads = 1; row_threads * lanes <= kMostLanesHeld; row_threads *= 2) {
    const int64_t batch = power_above(ceil_div(list.problem().columns, row_threads));
    if (batch <= kMostHeld && (batch > 1 || row_threads < 2 * list.problem().columns)) {
      list.add({.family = Family::columns,
                .threads = static_cast<int>(lanes * row_threads),
                .batch = static_cast<int>(batch),
                .vector = vector,
                .lanes = static_cast<int>(lanes),
                .home = Home::registers},
               handicap);
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

/// Threads side by side.
int64_t strip_lanes(const Problem& problem, int vector) {
  const int64_t wide = std::clamp(kRowBytes / (vector * problem.narrowest_bytes), kLanes, kWidestLanes);
  return std::min(wide, power_above(ceil_div(problem.piece, vector)));
}

void add_strips(CandidateList& list, int vector, double handicap) {
  const int64_t lanes = strip_lanes(list.problem(), vector);
  add_walked(list, vector, lanes, handicap);
  add_shared(list, vector, lanes, handicap);
  add_held(list, vector, std::min(lanes, kLanes), handicap);
}

std::vector<Candidate> gpu_columns(CandidateList& list) {
  const Problem& problem = list.problem();
  const int common = list.common_vector(), stored = stored_vector(list);
  // Phases that walk the rows again would find their states dealt out otherwise.
  const int peel = problem.passes == 1 ? std::min(list.widest_vector(), problem.peel) : 0;
  const bool narrow = peel > 2 * common;
  add_strips(list, common, narrow ? kNarrow : 1);
  // A vector lies in one piece of memory, but for the last ones.
  if (stored > common && problem.piece == problem.rows) {
    add_strips(list, stored, narrow ? kNarrow : 1);
  }
  if (peel > common) {
    add_dealt(list, peel);
  }
  return list.ranked({.family = Family::columns, .threads = 256, .lanes = static_cast<int>(kLanes)});
}

/// Enough that no accumulator takes more than some dozens of rows, as long as runs are whole; none where all is
/// accumulated in a wider type.
int levels_of_runs(const Problem& problem, int64_t rows) {
  int levels = 0;
  if (problem.widest_bytes < static_cast<int>(sizeof(double))) {
    return levels;
  }
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

/// Rows that an accumulator takes at once, as many as leave no rest of a run, of a task or of all rows.
int rows_at_once(const Problem& problem, int64_t piece, int levels) {
  int64_t rows = piece > 0 && problem.columns % piece != 0 ? 1 : piece > 0 ? piece : problem.columns, run = 1;
  for (int level = 0; level < levels; ++level) {
    run *= kRun;
  }
  rows = levels == 0 ? rows : rows % run == 0 ? kRun : 1;
  return rows > 0 ? static_cast<int>(std::min<int64_t>(rows & -rows, kAtOnce)) : 1;
}

std::vector<Candidate> cpu_columns(CandidateList& list) {
  const int64_t run = list.problem().run, threads = std::max(1, list.device().sms);
  const int64_t piece = column_piece(list.problem());
  // Which task adds a column up is all one to its bits.
  const int64_t share = piece > 0 ? kWidestStrip : power_above(run / (kStripsPerThread * threads));
  const int levels = levels_of_runs(list.problem(), piece > 0 ? piece : list.problem().columns);
  list.add(
      {.family = Family::cpu_columns,
       .threads = 1,
       .task = std::clamp(share, std::min(kShortestStrip, power_above(run)), std::min(kWidestStrip, power_above(run))),
       .unroll = rows_at_once(list.problem(), piece, levels),
       .piece = piece,
       .runs = levels});
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
