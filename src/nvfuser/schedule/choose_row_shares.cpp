// SPDX-License-Identifier: Apache-2.0
// Candidates in which several blocks share a row: for rows that are long and few.
#include <algorithm>
#include <bit>

#include "nvfuser/schedule/candidate_list.h"
#include "nvfuser/schedule/estimate.h"

namespace nvfuser {

namespace {

/// threads, loads in flight a thread, blocks an SM: enough bytes in flight for the memory's bandwidth in one wave.
struct ShareShape {
  int threads, batch, blocks;
};
constexpr ShareShape kShapes[] = {{1024, 4, 2}, {512, 4, 4}, {512, 8, 2}, {256, 4, 8}};

constexpr int kEarlyStarts = 90;        ///< first architecture whose kernels start before the one in front has ended
constexpr int64_t kPiece = 1 << 16;     ///< CPU: elements of a task
constexpr int64_t kManyTasks = 64;      ///< rows that are enough tasks for any machine
constexpr double kHandicap = 1.5;       ///< their number of blocks follows the number of rows
constexpr int64_t kLeastShared = 1024;  ///< GPU: elements of a row below which one block is always enough

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

}  // namespace

void add_row_shares(CandidateList& list) {
  const Problem& problem = list.problem();
  const DeviceProps& device = list.device();
  if (problem.columns < kLeastShared || problem.rows > device.sms / 2) {
    return;
  }
  const int vector = list.common_vector();
  std::vector<GridFinish> finishes = finishes_of(list);
  for (const ShareShape& shape : kShapes) {
    const int blocks_per_sm = list.blocks(shape.threads, shape.blocks);
    const int64_t wave = int64_t{device.sms} * blocks_per_sm;
    const int64_t chunk = int64_t{shape.threads} * vector * shape.batch;
    const int64_t most = std::min(wave / problem.rows, problem.columns / chunk);
    if (most > 1) {
      Params params{.family = Family::rows,
                    .threads = shape.threads,
                    .batch = shape.batch,
                    .vector = vector,
                    .blocks_per_sm = blocks_per_sm,
                    .blocks = static_cast<int>(std::bit_floor(static_cast<uint64_t>(most)))};
      for (const GridFinish finish : finishes) {
        params.finish = finish;
        list.add(params, kHandicap);
      }
      finishes.resize(1);  // the others of one shape are enough to fall back on
    }
  }
}

int64_t row_piece(const Problem& problem) {
  return problem.rows < kManyTasks && problem.columns >= 2 * kPiece ? kPiece : 0;
}

}  // namespace nvfuser
