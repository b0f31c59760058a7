// SPDX-License-Identifier: Apache-2.0
// The work of a block that reduces rows.
#include <cmath>

#include "nvfuser/schedule/work.h"

namespace nvfuser {

namespace {

constexpr double kLateOperand = .2;   ///< of the latency of operands that are read after the statistics
constexpr double kLateTogether = 10;  ///< so much more where all blocks wait for them at once (layer norm of 7 rows of
                                      ///< 2^20, H200)

/// Of the last block, a round in which each of its threads reads four states.
constexpr double kLastRound = .4;
/// Of peeled rows: for the ends, for each vector, and for shared inputs, whose vectors start anywhere (sum, softmax,
/// RMS and layer norm in 2 bytes: 55, 61, 64, 64 registers for 8 vectors, 32, 40, 40, 48 for 4, 18, 28, 32, 39 for
/// one).
constexpr double kPeelRegisters = 3, kPeelBatch = .25, kUnalignedRegisters = 7;
constexpr double kSideRegisters = 4;  ///< where a block takes several (layer norm, 9 vectors a thread)
/// Instructions of a lane at an end of a row: for each value that is folded, and for each that is stored.
constexpr double kFoldedLane = 3, kStoredLane = 4;
constexpr double kFirstExchange = 1.4;  ///< microseconds
constexpr double kTogether = 2;         ///< microseconds that a launch of blocks takes which are all resident at once

/// What one part of a row takes of what the row does.
void divide(Work& work, double parts) {
  work.tiles *= parts;
  for (double* amount : {&work.instructions, &work.special, &work.accesses, &work.again}) {
    *amount /= parts;
  }
}

/// Several blocks a row, in turns of what they load at once: a kernel a pass, or passes between which all blocks wait.
void share(const Problem& problem, const Params& params, const RowForm& form, double rounds, Work& work) {
  const double columns = static_cast<double>(std::max<int64_t>(1, problem.columns));
  work.blocks = work.tiles * params.blocks;
  divide(work, std::max(1.0, columns / (static_cast<double>(params.threads) * params.vector * params.batch)));
  work.rounds = rounds;
  work.barriers *= work.blocks / work.tiles;
  work.finish = std::max(1, form.joins) * kFinish[static_cast<size_t>(params.finish)];
  work.pass = problem.bytes * (1 - problem.written);
  work.level = true;
  work.later_passes = params.finish == GridFinish::barrier ? 0 : rounds - 1;
  if (params.finish == GridFinish::last) {
    work.arrivals = work.blocks / work.tiles;
    work.finish += kLastRound * params.blocks / (4.0 * params.threads);
  }
}

/// Teams of blocks that keep their row in registers, and wait for each other at each of its statistics.
void share_held(const Problem& problem, const Params& params, const RowForm& form, Work& work) {
  const double rows = static_cast<double>(std::max<int64_t>(1, problem.rows)), teams = params.grid;
  const double turns = std::ceil(rows / teams);
  divide(work, params.blocks);
  work.blocks = teams * params.blocks;
  work.meetings = form.joins;
  work.dependent *= kLateTogether;
  work.uneven = turns * teams / std::max(rows, teams);
  work.finish = kTogether;
  work.stays = true;
}

/// Teams of blocks that share rows of a ring: all but the first exchange is hidden by the turns.
void share_ring(const Problem& problem, const Params& params, const RowForm& form, Work& work) {
  const double rows = static_cast<double>(std::max<int64_t>(1, problem.rows)), teams = params.grid;
  divide(work, params.blocks);
  work.blocks = teams * params.blocks;
  work.barriers *= 2;
  work.told = form.joins;
  work.listeners = params.blocks;
  work.uneven = std::ceil(rows / teams) * teams / std::max(rows, teams);
  work.finish = kTogether + kFirstExchange;
  work.stays = true;
}

/// Registers of a thread: addresses and accumulators, and all that it loads before use.
double row_registers(const Problem& problem, const Params& params) {
  const bool stores = std::any_of(problem.buffers.begin(), problem.buffers.end(), [&](const ProblemBuffer& buffer) {
    return buffer.output && is_full(problem, buffer);
  });
  double registers = stores ? 20 : 16;
  if (params.peel) {
    registers += kPeelRegisters + kPeelBatch * params.batch +
                 (kUnalignedRegisters + (params.rows > 1 ? kSideRegisters : 0)) *
                     std::max<double>(0, static_cast<double>(shared_inputs(problem)) - 1);
  }
  for (const ProblemBuffer& buffer : problem.buffers) {
    // What all rows share stays in registers too where blocks stay.
    const bool along = is_full(problem, buffer) || (params.home == Home::shared && buffer.max_vector > 0);
    const int rows = is_full(problem, buffer) ? params.unroll : 1;
    registers +=
        !buffer.output && along ? rows * params.batch * std::max(1.0, params.vector * buffer.element_bytes / 4.0) : 0;
  }
  return registers;
}

/// What the warps at both ends of their rows do beside: lanes are masked one by one.
void add_ends(const Problem& problem, const Params& params, const RowForm& form, double warps, Work& work) {
  const double lanes = 2.0 * params.vector * std::min<double>(params.rows, warps);
  const auto stores = static_cast<double>(
      std::count_if(problem.buffers.begin(), problem.buffers.end(),
                    [&](const ProblemBuffer& buffer) { return buffer.output && is_full(problem, buffer); }));
  work.accesses += lanes * stores;
  work.instructions += lanes * (kFoldedLane * form.joins + kStoredLane * stores);
}

/// Does the buffer have an element for each column, or for each point?
bool is_along(const Problem& problem, const ProblemBuffer& buffer) {
  return is_full(problem, buffer) || (!buffer.output && buffer.elements * 2 > problem.columns && buffer.max_vector > 0);
}

/// Memory instructions for a vector of every buffer along the row; of a peeled row others than full ones start
/// anywhere.
double vector_accesses(const Problem& problem, const Params& params) {
  double count = 0;
  for (const ProblemBuffer& buffer : problem.buffers) {
    const int widest = !params.peel ? buffer.max_vector : is_full(problem, buffer) ? params.vector : 1;
    const double rows = is_full(problem, buffer) ? 1 : params.unroll;  // which share what is the same for all
    count += is_along(problem, buffer) ? buffer_accesses(problem, buffer, widest, params.vector) / rows : 0;
  }
  return count;
}

}  // namespace

int64_t shared_inputs(const Problem& problem) {
  return std::count_if(problem.buffers.begin(), problem.buffers.end(), [&](const ProblemBuffer& buffer) {
    return !buffer.output && !is_full(problem, buffer) && buffer.max_vector > 0;
  });
}

int64_t ring_bytes(const Problem& problem, const Params& params) {
  constexpr int64_t kRest = 512;  // of the exchange of statistics, and what counts the stages' bytes
  const int64_t row = int64_t{params.threads} * params.vector * params.batch * params.unroll;
  int64_t bytes = 0;
  for (const ProblemBuffer& buffer : problem.buffers) {
    bytes += buffer.output || !is_full(problem, buffer) ? 0 : params.stages * row * buffer.element_bytes;
  }
  return bytes + kRest;
}

Work rows_work(const Problem& problem, const Params& params) {
  Work work;
  const RowForm& form = problem.forms[static_cast<size_t>(params.form)];
  const bool resident = params.home != Home::reload, ring = params.home == Home::shared;
  const double side = params.rows * params.unroll, threads = static_cast<double>(params.threads) / params.rows,
               wave = threads * params.vector,
               columns = static_cast<double>(std::max<int64_t>(1, problem.columns)) / params.cluster,
               waves = std::ceil((columns + (params.peel ? params.vector - 1 : 0)) / wave),
               readings = resident ? 1 : form.readings;
  work.tiles = std::ceil(static_cast<double>(std::max<int64_t>(1, problem.rows)) / side) * params.cluster;
  // Those beyond the row take slots too, but for whole warps of them at a peeled one's end.
  const double slots = waves * threads, touched = std::ceil((columns + params.vector - 1) / params.vector / 32) * 32;
  const double vectors = side * (params.peel ? std::min(slots, touched) : slots);
  work.barriers = threads > 32 ? form.joins : 0;  // their instructions are counted with them
  work.barrier_issue = kBlockJoin;
  const double levels = threads > 32 ? 0 : std::log2(threads);
  const double moves = readings * vector_accesses(problem, params);
  work.instructions =
      vectors / 32 * (form.issue / problem.place * params.vector + kAccessIssue * moves + readings * kAddressIssue) +
      params.threads / 32.0 * form.joins * levels * kJoinLevel;
  work.special = columns * side * form.special / problem.place;
  work.accesses = side * std::ceil(columns / params.vector) / 32 * moves;
  work.rounds = resident ? 1 : readings * std::ceil(waves / params.batch);
  work.dependent = shared_inputs(problem) > 0 ? kLateOperand : 0;
  work.registers = row_registers(problem, params);
  if (params.peel) {
    add_ends(problem, params, form, params.threads / 32.0, work);
  }
  work.again = (readings - 1) * problem.bytes * (1 - problem.written) / work.tiles;
  if (params.blocks > 1 && ring) {
    share_ring(problem, params, form, work);
  } else if (params.blocks > 1) {
    resident ? share_held(problem, params, form, work) : share(problem, params, form, readings, work);
  }
  if (ring) {
    work.blocks = params.blocks * params.grid;
    work.shared_bytes = ring_bytes(problem, params);
    work.shared = vectors / 32 * problem.full_inputs / params.blocks * (params.blocks > 1 ? 2 : 1);
  }
  return work;
}

}  // namespace nvfuser
