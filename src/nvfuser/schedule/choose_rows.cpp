// SPDX-License-Identifier: Apache-2.0
// choose for kernels that reduce rows.
#include <algorithm>
#include <bit>

#include "nvfuser/schedule/candidate_list.h"

namespace nvfuser {

namespace {

constexpr int64_t kRowLanes = 512, kShortestLanes = 16;  ///< CPU: elements of a row at a time

/// A row in registers where some block holds it, or read again.
std::vector<Candidate> gpu_rows(CandidateList& list) {
  const int vector = list.common_vector();
  for (const int threads : {32, 64, 128, 256, 512, 1024}) {
    for (const int batch : {1, 2, 4, 8}) {
      const int64_t wave = int64_t{threads} * vector * batch;
      if (wave >= list.problem().columns && (batch == 1 || wave < 2 * list.problem().columns)) {
        list.add(
            {.family = Family::rows, .threads = threads, .batch = batch, .vector = vector, .home = Home::registers});
      }
    }
  }
  for (const int threads : {256, 512, 1024}) {
    for (const int batch : {1, 2, 4}) {
      list.add({.family = Family::rows, .threads = threads, .batch = batch, .vector = vector, .home = Home::reload});
    }
  }
  add_row_shares(list);
  add_ring_rows(list);
  return list.ranked({.family = Family::rows, .threads = 256, .home = Home::reload});
}

std::vector<Candidate> cpu_rows(CandidateList& list) {
  const int64_t lanes = std::min<int64_t>(
      kRowLanes, std::bit_ceil(static_cast<uint64_t>(std::max<int64_t>(kShortestLanes, list.problem().columns))));
  list.add({.family = Family::cpu_rows, .threads = 1, .task = lanes, .piece = row_piece(list.problem())});
  return list.ranked({.family = Family::cpu_rows, .threads = 1, .task = kRowLanes});
}

}  // namespace

std::vector<Candidate> choose_rows(CandidateList& list) { return list.device().gpu ? gpu_rows(list) : cpu_rows(list); }

}  // namespace nvfuser
