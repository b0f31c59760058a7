// SPDX-License-Identifier: Apache-2.0
// The work of a block that reduces rows along them and across them, turn by turn.
#include <cmath>

#include "nvfuser/schedule/work.h"

namespace nvfuser {

namespace {

constexpr double kBaseRegisters = 24;
constexpr double kMaskIssue = 2;  ///< instructions an element of peeled rows, of which lanes may lie beyond an end
constexpr double kStateBytes = 4, kWrittenAMicrosecond = 4.2e6, kReadAMicrosecond = 4.0e6;

/// A thread's: its part of a turn's rows, as it is loaded and one value of each element; what all rows share; an
/// accumulator for each of its columns.
double mixed_registers(const Problem& problem, const Params& params) {
  const double lanes = static_cast<double>(params.batch) * params.vector;
  double registers = kBaseRegisters + lanes * (problem.across + params.unroll);
  for (const ProblemBuffer& buffer : problem.buffers) {
    const double mine = params.batch * std::max(1.0, params.vector * buffer.element_bytes / 4.0);
    const bool along = buffer.elements * 2 > problem.columns && buffer.max_vector > 0;
    registers += buffer.output ? 0 : is_full(problem, buffer) ? mine * params.unroll : along ? mine : 0;
  }
  return registers;
}

}  // namespace

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
  work.barriers = threads > 32 ? form.joins : 0;
  work.barrier_issue = kBlockJoin * params.unroll;
  const double levels = threads > 32 ? 0 : std::log2(threads);
  work.instructions = vectors / 32 *
                          (form.issue / problem.place * params.vector + kAccessIssue * moves + kAddressIssue +
                           (params.peel ? kMaskIssue * params.vector : 0)) +
                      params.threads / 32.0 * params.unroll * form.joins * levels * kJoinLevel;
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
