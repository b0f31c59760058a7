// SPDX-License-Identifier: Apache-2.0
// The work of a block that reduces rows.
#include <cmath>

#include "nvfuser/schedule/work.h"

namespace nvfuser {

namespace {

/// Of the last block, a round in which each of its threads reads four states.
constexpr double kLastRound = .4;

/// Several blocks a row, in turns of what they load at once.
void share(const Problem& problem, const Params& params, Work& work) {
  const double columns = static_cast<double>(std::max<int64_t>(1, problem.columns));
  const double turns = std::max(1.0, columns / (static_cast<double>(params.threads) * params.vector * params.batch));
  work.blocks = work.tiles * params.blocks;
  work.tiles *= turns;
  for (double* amount : {&work.instructions, &work.special, &work.accesses}) {
    *amount /= turns;
  }
  work.barriers *= work.blocks / work.tiles;
  work.finish = kFinish[static_cast<size_t>(params.finish)];
  if (params.finish == GridFinish::last) {
    work.finish += kLastRound * params.blocks / (4.0 * params.threads);
  }
}

}  // namespace

int64_t ring_bytes(const Problem& problem, const Params& params) {
  constexpr int64_t kRest = 512;  // of the exchange of statistics, and what counts the stages' bytes
  const int64_t row = int64_t{params.threads} * params.vector * params.batch;
  int64_t bytes = 0;
  for (const ProblemBuffer& buffer : problem.buffers) {
    bytes += buffer.output || !is_full(problem, buffer) ? 0 : params.stages * row * buffer.element_bytes;
  }
  return bytes + kRest;
}

/// A block a row; what does not stay in registers is read again from L2.
Work rows_work(const Problem& problem, const Params& params) {
  Work work;
  work.tiles = static_cast<double>(std::max<int64_t>(1, problem.rows));
  const double columns = static_cast<double>(std::max<int64_t>(1, problem.columns));
  const double wave = static_cast<double>(params.threads) * params.vector;
  const double vectors = std::ceil(columns / wave) * params.threads;  // those beyond the row take slots too
  const bool resident = params.home != Home::reload, ring = params.home == Home::shared;
  const double times = resident ? 1 : 2;  // what is read again is computed again
  work.instructions =
      times * vectors / 32 * (element_issue(problem) * params.vector + access_issue(problem, params.vector));
  work.special = times * columns * problem.special / problem.place;
  work.accesses = times * vectors / 32 * access_count(problem, params.vector);
  work.barriers = 2;
  work.registers = 24;
  for (const ProblemBuffer& buffer : problem.buffers) {
    // What all rows share stays in registers too where blocks stay.
    const bool held = !buffer.output && resident && (ring || is_full(problem, buffer));
    const int vectors_held = held ? params.batch : 1;
    work.registers += vectors_held * std::max(1.0, params.vector * buffer.element_bytes / 4.0);
  }
  if (params.blocks > 1) {
    share(problem, params, work);
  }
  if (ring) {
    work.blocks = params.grid;
    work.shared_bytes = ring_bytes(problem, params);
    work.shared = vectors / 32 * problem.full_inputs;
  }
  work.reload = resident ? 0 : problem.bytes * (1 - problem.written) / work.tiles;
  return work;
}

}  // namespace nvfuser
