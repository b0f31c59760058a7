// SPDX-License-Identifier: Apache-2.0
// Candidates in which blocks stay and take rows that bulk copies bring meanwhile.
#include <algorithm>
#include <optional>

#include "nvfuser/schedule/candidate_list.h"
#include "nvfuser/schedule/work.h"

namespace nvfuser {

namespace {

constexpr int kPiece = 16;  ///< bytes of which they are multiples
constexpr double kHandicap =
    1.1;                   ///< H200: at best .4 % ahead of rows in registers, where two exchanges a row behind them
constexpr int kTurns = 3;  ///< rows a block below which the first ones, which nothing hides, cost too much
constexpr int64_t kReserve = 1024;  ///< bytes of shared memory that a block takes besides its own
constexpr int kLargestBatch = 16;
constexpr int64_t kMostBlocks = 3;  ///< an SM
constexpr int64_t kMostShared = 4;  ///< the same of blocks that share rows
constexpr int kSharing = 256;  ///< their threads (512 took as long or up to a tenth longer: 133 rows of 2^20, H200)
constexpr int64_t kLeastShared = 1 << 18;  ///< elements of a row that more than a cluster shares

/// As many blocks an SM as shared memory holds, up to three.  One stage, where there is no room for two, still brings
/// the next row while this one is written.
void add_rings(CandidateList& list, Params params) {
  const DeviceProps& device = list.device();
  const auto bytes_of = [&](int stages) {
    params.stages = stages;
    return ring_bytes(list.problem(), params) + kReserve;
  };
  for (int stages = bytes_of(2) <= device.shared_per_block ? 2 : 1; stages <= 3; ++stages) {
    const int64_t bytes = bytes_of(stages);
    params.blocks_per_sm = static_cast<int>(std::min(kMostBlocks, device.shared_per_sm / bytes));
    params.grid = device.sms * params.blocks_per_sm;
    if (params.grid > 0 && bytes <= device.shared_per_block && list.problem().rows >= int64_t{kTurns} * params.grid) {
      list.add(params, kHandicap);
    }
  }
}

/// The form of a row's statistics that blocks tell each other at once; none: there is none.
std::optional<Form> told_at_once(const Problem& problem) {
  for (const Form form : {Form::resident, Form::streaming}) {
    const RowForm& row = problem.forms[static_cast<size_t>(form)];
    if (row.joins == 1 && (form == Form::resident || problem.streams)) {
      return form;
    }
  }
  return std::nullopt;
}

/// Teams of blocks, as many as are resident at once.  Two stages are worked on in a turn, while a third one fills.
void add_shared_ring(CandidateList& list, Params params) {
  const DeviceProps& device = list.device();
  const auto bytes_of = [&](int stages) {
    params.stages = stages;
    return ring_bytes(list.problem(), params) + kReserve;
  };
  const int64_t bytes = bytes_of(bytes_of(3) <= device.shared_per_block ? 3 : 2);
  params.blocks_per_sm = static_cast<int>(std::min(kMostShared, device.shared_per_sm / bytes));
  params.grid = static_cast<int>(
      std::min<int64_t>(list.problem().rows, int64_t{device.sms} * params.blocks_per_sm / params.blocks));
  if (params.grid > 0 && bytes <= device.shared_per_block) {
    list.add(params, kHandicap);
  }
}

}  // namespace

bool comes_whole(const CandidateList& list, int vector, bool peel) {
  const std::vector<ProblemBuffer>& buffers = list.problem().buffers;
  return list.device().arch >= kBulkCopies && list.problem().whole_rows &&
         std::all_of(buffers.begin(), buffers.end(), [&](const ProblemBuffer& buffer) {
           return buffer.output || !is_full(list.problem(), buffer) ||
                  ((peel || buffer.max_vector >= vector) && vector * buffer.element_bytes % kPiece == 0);
         });
}

void add_ring_rows(CandidateList& list) {
  const int64_t columns = list.problem().columns;
  const int vector = list.common_vector();
  if (!comes_whole(list, vector)) {
    return;
  }
  for (const int threads : {256, 512}) {
    for (int batch = 1; batch <= kLargestBatch; batch *= 2) {
      const int64_t wave = int64_t{threads} * vector * batch;
      if (wave >= columns && wave < 2 * columns) {
        add_rings(list, {.family = Family::rows,
                         .threads = threads,
                         .batch = batch,
                         .vector = vector,
                         .home = Home::shared,
                         .counter = true});
      }
    }
  }
}

void add_shared_rings(CandidateList& list) {
  const Problem& problem = list.problem();
  const int vector = list.common_vector();
  const std::optional<Form> form = told_at_once(problem);
  const bool again = problem.forms[static_cast<size_t>(Form::resident)].readings > 1;
  if (!form || !again || problem.rows < 2 || problem.columns < kLeastShared || !comes_whole(list, vector)) {
    return;
  }
  for (const int batch : {4, 8}) {
    const int64_t part = int64_t{kSharing} * vector * batch, blocks = problem.columns / part;
    if (problem.columns % part == 0 && blocks > 1 && blocks <= kSharing) {
      add_shared_ring(list, {.family = Family::rows,
                             .threads = kSharing,
                             .batch = batch,
                             .vector = vector,
                             .home = Home::shared,
                             .form = *form,
                             .blocks = static_cast<int>(blocks),
                             .finish = GridFinish::barrier});
    }
  }
}

}  // namespace nvfuser
