// SPDX-License-Identifier: Apache-2.0
// The work of a block that reduces rows along them and across them, turn by turn.
#include <cmath>

#include "nvfuser/schedule/work.h"

namespace nvfuser {

namespace {

constexpr double kBaseRegisters = 19;
constexpr double kTurnIssue = 45, kSumIssue = 20;   ///< of a warp and turn: beside its elements, for each sum of a row
constexpr double kFoldedLane = 3, kStoredLane = 5;  ///< of a lane at an end of a row, for each sum, for what is stored
constexpr double kMaskIssue = 2.5;  ///< instructions an element of peeled rows, of which lanes may lie beyond an end
constexpr double kStateBytes = 4, kWrittenAMicrosecond = 4.2e6, kReadAMicrosecond = 4.0e6;

}  // namespace

/// A thread's: what all rows share and an accumulator for each of its columns; of a turn's rows what it loads, and
/// one value of each element or, where values are held, those that several passes read.
double mixed_registers(const Problem& problem, const Params& params) {
  const double lanes = static_cast<double>(params.batch) * params.vector;
  // A ring keeps what registers need not: of the loads those at work are there.
  const double loads = params.hold && params.stages > 0 ? 1 : params.batch;
  double registers = kBaseRegisters + lanes * (problem.across + params.unroll * (params.hold ? problem.held : 1));
  for (const ProblemBuffer& buffer : problem.buffers) {
    const double vector = std::max(1.0, params.vector * buffer.element_bytes / 4.0);
    const bool along = buffer.elements * 2 > problem.columns && buffer.max_vector > 0, full = is_full(problem, buffer);
    registers += buffer.output ? 0 : full ? loads * vector * params.unroll : along ? params.batch * vector : 0;
  }
  return registers;
}

Work mixed_work(const Problem& problem, const Params& params) {
  Work work;
  const RowForm& form = problem.forms[0];
  const double at_once = static_cast<double>(params.rows) * params.unroll,
               threads = static_cast<double>(params.threads) / params.rows,
               all_columns = static_cast<double>(std::max<int64_t>(1, problem.columns)),
               columns = all_columns / params.cluster,
               waves = std::ceil((columns + (params.peel ? params.vector - 1 : 0)) / (threads * params.vector)),
               vectors = waves * threads * at_once;
  double moves = 0;
  for (const ProblemBuffer& buffer : problem.buffers) {
    const int widest = params.peel ? params.vector : buffer.max_vector;
    moves += is_full(problem, buffer) ? buffer_accesses(problem, buffer, widest, params.vector) : 0;
  }
  work.tiles = std::ceil(static_cast<double>(std::max<int64_t>(1, problem.rows)) / at_once) * params.cluster;
  work.blocks = params.grid * params.cluster;
  work.stays = true;
  work.in_step = true;
  work.barriers = threads > 32 ? form.joins : 0;
  const double sums = problem.sums * params.unroll, warps = params.threads / 32.0;
  work.barrier_issue = kTurnIssue + kSumIssue * sums;
  const double slots = waves * threads * at_once,
               touched = params.threads % 32 != 0
                             ? slots
                             : std::min(slots, std::ceil((columns / params.vector + 1) / 32) * 32 * at_once);
  work.instructions = touched / 32 *
                          ((params.hold ? form.once : form.issue) / problem.place * params.vector +
                           kAccessIssue * moves + kAddressIssue + (params.peel ? kMaskIssue * params.vector : 0)) +
                      (threads > 32 ? 0 : warps * (kTurnIssue + .4 * kSumIssue * sums));
  if (params.peel) {
    const double ends = 2 * params.unroll * std::min<double>(params.rows, warps);
    work.instructions += ends * params.vector * (kFoldedLane * problem.sums + kStoredLane) / params.cluster;
  }
  work.special = columns * at_once * form.special / problem.place;
  work.accesses = at_once * std::ceil(columns / params.vector) / 32 * moves;
  work.registers = mixed_registers(problem, params);
  if (params.home == Home::shared) {
    work.shared_bytes = ring_bytes(problem, params);
    work.shared = vectors / 32 * problem.full_inputs;
  }
  const double partial = all_columns * params.grid * std::max(1, problem.across) * kStateBytes;
  work.finish =
      kFinish[static_cast<size_t>(params.finish)] + partial / kWrittenAMicrosecond + partial / kReadAMicrosecond;
  return work;
}

}  // namespace nvfuser
