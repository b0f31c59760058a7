// SPDX-License-Identifier: Apache-2.0
// Candidates in which the blocks of a cluster hold a row in their registers: rows that one block cannot hold.
#include <algorithm>

#include "nvfuser/schedule/candidate_list.h"
#include "nvfuser/schedule/work.h"

namespace nvfuser {

namespace {

constexpr int64_t kOneBlock = 64 * 1024;  ///< bytes of a row that one block holds better (667x50257 of 2 bytes, H200)
constexpr int kLargestCluster = 8;        ///< that every device of these architectures takes
/// Loads a thread: few of them, so that lengths share kernels.
constexpr int kBatches[] = {2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16};

constexpr int kMostOfTwo = 4;     ///< loads a thread of each of two rows
constexpr double kTwoRows = .95;  ///< two rows share weights and biases, which the first-level cache does not hold
                                  ///< (layer norm of 667x50257 and 261x128255, H200)

int64_t row_bytes(const Problem& problem) {
  int64_t bytes = 0;
  for (const ProblemBuffer& buffer : problem.buffers) {
    bytes += !buffer.output && is_full(problem, buffer) ? problem.columns * buffer.element_bytes : 0;
  }
  return bytes;
}

/// As many blocks an SM as registers hold, which stalls a cluster's exchanges least: batch norm 64x256x56x56 of 256
/// threads spills 16 bytes with 3.
int resident_blocks(const CandidateList& list, const Params& params) {
  const int grain = 8 * params.threads;
  const int registers = static_cast<int>(rows_work(list.problem(), params).registers);
  const int block = (registers * params.threads + grain - 1) / grain * grain;
  return std::clamp(list.device().registers_per_sm / block, 1, list.device().threads_per_sm / params.threads);
}

}  // namespace

void add_cluster_rows(CandidateList& list) {
  const Problem& problem = list.problem();
  const bool held = problem.forms[static_cast<size_t>(Form::resident)].readings > 1;  // else nothing is read again
  if (list.device().arch < kClusters || !held || row_bytes(problem) <= kOneBlock) {
    return;
  }
  Params params{.family = Family::rows, .vector = list.common_vector(), .home = Home::registers};
  const int widest = list.widest_vector();
  if (params.vector < widest && problem.peel >= widest) {
    params.vector = widest;
    params.peel = true;
  }
  const int64_t columns = problem.columns + (params.peel ? params.vector - 1 : 0);
  for (params.cluster = 2; params.cluster <= kLargestCluster; params.cluster *= 2) {
    for (params.threads = 256; params.threads <= 1024; params.threads *= 2) {
      const int64_t wave = int64_t{params.threads} * params.cluster * params.vector;
      const auto* batch =
          std::find_if(std::begin(kBatches), std::end(kBatches), [&](int count) { return wave * count >= columns; });
      if (batch != std::end(kBatches)) {
        params.batch = *batch;
        params.blocks_per_sm = resident_blocks(list, params);
        list.add(params);
        if (params.peel && params.batch <= kMostOfTwo && shared_inputs(problem) > 1) {
          Params two = params;
          two.unroll = 2;
          two.blocks_per_sm = resident_blocks(list, two);
          list.add(two, kTwoRows);
        }
      }
    }
  }
}

}  // namespace nvfuser
