// SPDX-License-Identifier: Apache-2.0
// Candidates in which several blocks share a row: for rows that are long and few.
#include <algorithm>
#include <bit>

#include "nvfuser/schedule/candidate_list.h"
#include "nvfuser/schedule/estimate.h"

namespace nvfuser {

namespace {

struct ShareShape {
  int threads, batch;  ///< loads in flight a thread
};
/// Enough bytes in flight for the memory's bandwidth in one wave.
constexpr ShareShape kShapes[] = {{1024, 4}, {512, 4}, {512, 8}, {256, 4}, {512, 2}};

constexpr int64_t kPiece = 1 << 16;        ///< CPU: elements of a task
constexpr int64_t kManyTasks = 64;         ///< rows that are enough tasks for any machine
constexpr int64_t kMostShares = 256;       ///< of a row
constexpr double kHandicap = 1.1;          ///< their number of blocks follows the number of rows
constexpr int64_t kLeastShared = 1 << 15;  ///< GPU: elements of a row below which one block is always enough

/// Of rows that registers hold.
constexpr ShareShape kHeldShapes[] = {{512, 8}, {512, 4}, {256, 8}, {1024, 8}, {1024, 4}, {512, 2}};
constexpr int64_t kOneBlock = 4096;  ///< vectors of a row that one block holds well

/// Cheapest first; a plain second kernel always works.  One block can be last where nothing of a row's size follows.
std::vector<GridFinish> finishes_of(const CandidateList& list) {
  std::vector<GridFinish> found;
  const std::vector<ProblemBuffer>& buffers = list.problem().buffers;
  const bool follows = std::any_of(buffers.begin(), buffers.end(), [&](const ProblemBuffer& buffer) {
    return buffer.output && is_full(list.problem(), buffer);
  });
  if (!follows) {
    found.push_back(GridFinish::last);
  }
  if (list.device().arch >= kEarlyStarts) {
    found.push_back(GridFinish::dependent);
  }
  found.push_back(GridFinish::second);
  if (follows) {
    found.push_back(GridFinish::barrier);
  }
  return found;
}

/// Kernels that follow each other, each with all rows: as many blocks as are resident at once, or a block for what it
/// loads at once, which leaves no multiprocessor without one for long.
void add_passes(CandidateList& list, Params params) {
  const Problem& problem = list.problem();
  std::vector<GridFinish> finishes = finishes_of(list);
  for (const ShareShape& shape : kShapes) {
    params.threads = shape.threads;
    params.batch = shape.batch;
    params.blocks_per_sm = row_blocks(list, params);
    const int64_t wave = int64_t{list.device().sms} * params.blocks_per_sm;
    const int64_t chunks = problem.columns / (int64_t{shape.threads} * params.vector * shape.batch);
    for (const int64_t most : {std::min(wave / problem.rows, chunks), std::min(kMostShares, chunks)}) {
      params.blocks = static_cast<int>(round_down(most));
      if (params.blocks > 1) {
        for (const GridFinish finish : finishes) {
          params.finish = finish;
          list.add(params, kHandicap);
        }
        finishes.resize(1);  // the others of one shape are enough to fall back on
      }
    }
  }
}

/// Teams of blocks that keep a row in their registers.
void add_held(CandidateList& list, Params params) {
  const int64_t columns = list.problem().columns + (params.peel ? params.vector - 1 : 0);
  params.home = Home::registers;
  params.finish = GridFinish::barrier;
  for (const ShareShape& shape : kHeldShapes) {
    params.threads = shape.threads;
    params.batch = shape.batch;
    params.blocks_per_sm = row_blocks(list, params);
    const int64_t chunk = int64_t{shape.threads} * params.vector * shape.batch;
    params.blocks = static_cast<int>(round_up(ceil_div(columns, chunk)));
    // A few numbers of teams serve all numbers of rows.
    params.grid = static_cast<int>(
        std::min<int64_t>(list.device().sms * params.blocks_per_sm / params.blocks, round_up(list.problem().rows)));
    if (params.blocks > 1 && params.grid > 0) {
      list.add(params, kHandicap);
    }
  }
}

}  // namespace

void add_row_shares(CandidateList& list) {
  const Problem& problem = list.problem();
  if (problem.columns < kLeastShared) {
    return;
  }
  const int common = list.common_vector(), widest = list.widest_vector();
  Params params{.family = Family::rows, .vector = common};
  const bool peels = problem.peel >= widest && common < widest;
  if (peels) {
    params.vector = widest;
    params.peel = true;
  }
  const bool several = problem.columns > kOneBlock * params.vector;
  for (const Form form : {Form::resident, Form::streaming}) {
    if (form == Form::resident || problem.streams) {
      params.form = form;
      add_passes(list, params);
      if (several && problem.rows > 1) {
        add_held(list, params);
      }
    }
  }
}

int64_t row_piece(const Problem& problem) {
  return problem.rows < kManyTasks && problem.columns >= 2 * kPiece ? kPiece : 0;
}

}  // namespace nvfuser
