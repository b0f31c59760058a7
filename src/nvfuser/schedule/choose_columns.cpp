// SPDX-License-Identifier: Apache-2.0
// choose for kernels that keep the innermost axis and reduce what lies further out.
#include <algorithm>
#include <bit>

#include "nvfuser/schedule/candidate_list.h"

namespace nvfuser {

namespace {

constexpr int kLanes = 32, kFewestLanes = 4;
constexpr int64_t kShortestStrip = 64, kWidestStrip = 1024;  ///< CPU: columns whose accumulators stay in the L1 cache
constexpr int kStripsPerThread = 2;
constexpr int64_t kShortestPiece = 8;  ///< CPU: fewer neighbours are no lanes

int64_t power_above(int64_t n) {
  return static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(std::max<int64_t>(1, n))));
}

/// Strips whose rows are read one group after the other.
void add_walked(CandidateList& list, int vector, int lanes) {
  for (const int threads : {256, 512}) {
    for (const int batch : {4, 8}) {
      for (const int blocks : {2, 4}) {
        list.add({.family = Family::columns,
                  .threads = threads,
                  .batch = batch,
                  .vector = vector,
                  .blocks_per_sm = list.blocks(threads, blocks),
                  .lanes = lanes});
      }
    }
  }
}

/// Strips of so few rows that registers hold them.
void add_held(CandidateList& list, int vector, int lanes) {
  for (const int row_threads : {1, 2, 4, 8, 16, 32}) {
    const int64_t batch = power_above((list.problem().columns + row_threads - 1) / row_threads);
    if (batch <= 8 && (batch > 1 || row_threads < 2 * list.problem().columns)) {
      list.add({.family = Family::columns,
                .threads = lanes * row_threads,
                .batch = static_cast<int>(batch),
                .vector = vector,
                .lanes = lanes,
                .home = Home::registers});
    }
  }
}

std::vector<Candidate> gpu_columns(CandidateList& list) {
  const int vector = list.common_vector();
  const int most =
      static_cast<int>(std::min<int64_t>(kLanes, power_above((list.problem().piece + vector - 1) / vector)));
  for (int lanes = most; lanes >= std::min(most, kFewestLanes); lanes /= 2) {
    add_walked(list, vector, lanes);
  }
  add_held(list, vector, most);
  return list.ranked({.family = Family::columns, .threads = 256, .lanes = kLanes});
}

/// Which task adds a column up is all one to its bits.
std::vector<Candidate> cpu_columns(CandidateList& list) {
  const int64_t run = list.problem().run, threads = std::max(1, list.device().sms);
  const int64_t share = power_above(run / (kStripsPerThread * threads));
  list.add({.family = Family::cpu_columns,
            .threads = 1,
            .task = std::clamp(share, std::min(kShortestStrip, power_above(run)), kWidestStrip)});
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
