// SPDX-License-Identifier: Apache-2.0
// Candidates in which the blocks of a cluster hold a row in their registers: rows that one block cannot hold.
#include <algorithm>

#include "nvfuser/schedule/candidate_list.h"
#include "nvfuser/schedule/work.h"

namespace nvfuser {

namespace {

/// Bytes of a row that one block holds better (667x50257 of 2 bytes, H200); where several inputs that all rows share
/// start anywhere (layer norm of 2382x29443, H200: two rows to a cluster of four 92 us, a row to a block 96).
constexpr int64_t kOneBlock = 64 * 1024, kOneBlockShared = 32 * 1024;
constexpr int kLargestCluster = 8;  ///< that every device of these architectures takes
/// Loads a thread: few of them, so that lengths share kernels.
constexpr int kBatches[] = {2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16};

constexpr int kLeastOfTwo = 4, kMostOfTwo = 8;  ///< loads a thread of each of two rows
/// Two rows share weights and biases, which the first-level cache does not hold: of each such input, up to two (H200:
/// layer norm of 1605x44801 102 to 92 us, 261x128255 61 to 56; RMS norm of 1750x54210 106 to 102).
constexpr double kShareOfTwo = .05;

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
  // Two rows of several inputs each fill the registers (RMS norm + residual of 4222x24195, H200: 204 to 208 us).
  const int shared = problem.full_inputs == 1 ? static_cast<int>(shared_inputs(problem)) : 0;
  Params params{.family = Family::rows, .vector = list.common_vector(), .home = Home::registers};
  const int widest = list.widest_vector();
  if (params.vector < widest && problem.peel >= widest) {
    params.vector = widest;
    params.peel = true;
  }
  const int64_t one_block = params.peel && shared > 1 ? kOneBlockShared : kOneBlock;
  if (list.device().arch < kClusters || !held || row_bytes(problem) <= one_block) {
    return;
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
        if (params.peel && params.batch >= kLeastOfTwo && params.batch <= kMostOfTwo && shared > 0) {
          Params two = params;
          two.unroll = 2;
          two.blocks_per_sm = resident_blocks(list, two);
          list.add(two, 1 - kShareOfTwo * std::min(2, shared));
        }
      }
    }
  }
}

}  // namespace nvfuser
