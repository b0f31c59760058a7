// SPDX-License-Identifier: Apache-2.0
// choose for kernels that reduce the same points along rows and across them.
#include <algorithm>
#include <bit>
#include <cmath>

#include "nvfuser/schedule/candidate_list.h"
#include "nvfuser/schedule/work.h"

namespace nvfuser {

namespace {

constexpr int64_t kMostElements = 64;                   ///< of a row that a thread takes
constexpr int kMostAccumulators = 96;                   ///< registers of a thread
constexpr int kFewestThreads = 4, kMostThreads = 1024;  ///< of a block that share a row
constexpr int kBlocks[] = {256, 512};                   ///< threads of a block
constexpr int kClusterThreads = 256;                    ///< the fewest of a block of a cluster
constexpr int kMostBlocks = 4;                          ///< an SM
constexpr double kSqueezed = 1;                         ///< registers that the compiler does without
constexpr int kLargestCluster = 8;                      ///< that every device of these architectures takes
/// Clusters of 4 and 8 find room on so many of a device's multiprocessors at once, as groups of them are of different
/// sizes: 30 and 15 clusters on an H200 (cuOccupancyMaxActiveClusters), where 32 and 16 took twice as long.
constexpr int kLargeCluster = 4, kTogether = 10, kOf = 11;
constexpr int kMostResident = 1024;       ///< threads of an SM whose registers hold accumulators and rows
constexpr int64_t kMostSlots = 64 << 10;  ///< bytes in which accumulators of rows side by side are joined
constexpr int kMostStages = 3;
/// What the estimate does not tell, fitted to candidates of 21 shapes of layer and RMS norm backward with 366 to 37123
/// columns (H200), of which those ranked first take 2 % longer than the fastest.  Rings are ahead of it.  Teams side by
/// side share a barrier; in front of a ring this costs, without one fewer blocks join their sums.  Two rows at once
/// share one too, but take more registers where a ring does not keep them or lanes are masked.
constexpr double kLevel = .89, kRing = .865, kSideInRing = 1.11, kSide = .95;
constexpr double kDeepInRing = .96, kDeep = 1.09;
constexpr double kSeveral = 1.07;  ///< blocks an SM
constexpr double kStage = 1.02;    ///< beyond two; not of one block of peeled rows an SM
/// Clusters of 4 and 8 blocks, which wait for each other at each turn; the latter so that two kernels take rows that
/// only they can hold: layer norm backward of 769x52589 took 149 us by these, 165 by clusters of 8.
constexpr double kWaiting = 1.02, kLongWaiting = 1.15;
constexpr double kNarrow = 1.2;  ///< single elements where rows could be peeled
/// Threads of an SM below and above which a turn is longer and shorter than estimated, and by which power of them.
constexpr double kFewThreads = 512, kManyThreads = 640, kByFew = .2, kByMany = .13;
constexpr int64_t kTurns = 4;                                     ///< of a block, below which it has no ring
constexpr int64_t kFewestValues = 32, kMostValueBytes = 8 << 10;  ///< rows of a block; of their own values
constexpr int64_t kReserve = 2048;  ///< bytes of shared memory that a block takes besides its ring

constexpr int64_t kLanes = 512, kFewestLanes = 16;    ///< CPU: elements of a row at a time
constexpr int64_t kAccumulatorBytes = 256 << 10;      ///< CPU: of a task, in its core's cache
constexpr int64_t kMostTasks = 64, kFewestRows = 16;  ///< CPU: rows of a task follow from the sizes alone

/// What a kernel of the rows alone would do.
Problem rows_part(Problem problem) {
  std::erase_if(problem.buffers, [](const ProblemBuffer& buffer) { return buffer.across; });
  problem.mixed = false;
  count_bytes(problem);
  return problem;
}

/// What one of the columns alone would do.
Problem columns_part(Problem problem) {
  std::erase_if(problem.buffers, [](const ProblemBuffer& buffer) { return buffer.output && !buffer.across; });
  problem.mixed = false;
  problem.outer = true;
  problem.piece = problem.columns;
  std::swap(problem.rows, problem.columns);
  problem.sums = problem.across;
  problem.passes = 1;
  count_bytes(problem);
  return problem;
}

/// Multiprocessors on which clusters find room at once: what lies beyond waits for a second wave, which takes as long.
int cluster_sms(const DeviceProps& device, int cluster) {
  return cluster < kLargeCluster ? device.sms : device.sms * kTogether / kOf / kLargestCluster * kLargestCluster;
}

/// Blocks, or clusters, that take turns: as many as the device holds, or as there are turns; of peeled rows as many as
/// let each have rows that start at one place.
int blocks_for(const CandidateList& list, const Params& params) {
  const int64_t turns = ceil_div(list.problem().rows, int64_t{params.rows} * params.unroll);
  const int sms = params.cluster > 1 ? cluster_sms(list.device(), params.cluster) : list.device().sms;
  const int64_t held = int64_t{sms} * params.blocks_per_sm / params.cluster;
  const auto blocks = static_cast<int>(std::min(std::max<int64_t>(held, 1), power_above(turns)));
  return params.peel ? std::max(blocks / params.vector, 1) * params.vector : blocks;
}

/// Bytes a row of what rows have one of each.
int64_t value_bytes(const Problem& problem) {
  int64_t bytes = 0;
  for (const ProblemBuffer& buffer : problem.buffers) {
    const bool of_row =
        !buffer.output && !is_full(problem, buffer) && buffer.max_vector == 0 && buffer.elements * 2 > problem.rows;
    bytes += of_row ? buffer.element_bytes : 0;
  }
  return bytes;
}

/// Rows of a block whose values it holds: powers of two, so that few kernels serve; 0 where there are too many.
int values_for(const Problem& problem, const Params& params) {
  const int64_t at_once = int64_t{params.rows} * params.unroll;
  const int64_t rows = ceil_div(problem.rows, at_once * params.grid) * at_once, bytes = value_bytes(problem);
  const int64_t held = std::max(kFewestValues, power_above(rows));
  return bytes > 0 && held * bytes <= kMostValueBytes ? static_cast<int>(held) : 0;
}

double handicap_of(const Params& params) {
  const bool ring = params.home == Home::shared, alone = params.blocks_per_sm == 1 && params.cluster == 1;
  const double threads = static_cast<double>(params.threads) * params.blocks_per_sm;
  double handicap = kLevel * std::pow(std::max(1.0, kFewThreads / threads), kByFew) *
                    std::pow(std::min(1.0, kManyThreads / threads), kByMany);
  handicap *= ring ? kRing : 1;
  handicap *= params.stages > 2 && !(params.peel && alone) ? kStage : 1;
  handicap *= params.rows > 1 ? (ring ? kSideInRing : kSide) : 1;
  const bool eases = ring && !params.peel && params.blocks_per_sm == 1 && params.rows == 1;
  handicap *= params.unroll > 1 ? (eases ? kDeepInRing : kDeep) : 1;
  handicap *= params.blocks_per_sm > 1 ? kSeveral : 1;
  return handicap * (params.cluster > kLargeCluster ? kLongWaiting : params.cluster == kLargeCluster ? kWaiting : 1);
}

/// Values are held between passes where registers allow it, and vectors taken where they do at all.
bool fits(const CandidateList& list, Params& params) {
  const int room = registers_a_thread(list.device(), params.threads, params.blocks_per_sm);
  params.hold = true;
  params.hold = mixed_registers(list.problem(), params) <= room + kSqueezed;
  return params.hold || mixed_registers(list.problem(), params) <= room + kSqueezed;
}

/// By a ring: turns have to be so many that the first ones, which nothing hides, cost little.
void add_rings(CandidateList& list, Params params, int64_t slots, double handicap) {
  const DeviceProps& device = list.device();
  const int64_t rows = list.problem().rows, at_once = int64_t{params.rows} * params.unroll;
  params.home = Home::shared;
  for (params.stages = 2; params.stages <= kMostStages && fits(list, params); ++params.stages) {
    const int64_t bytes =
        (ring_bytes(list.problem(), params) + slots + params.values * value_bytes(list.problem()) + kReserve) *
        params.blocks_per_sm;
    if (rows >= kTurns * at_once * params.grid && bytes <= device.shared_per_block) {
      list.add(params, handicap * handicap_of(params));
    }
  }
}

/// `slots`: bytes of shared memory in which accumulators are joined.
void add_turns(CandidateList& list, Params params, int64_t slots, double handicap) {
  const bool whole = comes_whole(list, params.vector, params.peel);
  for (params.unroll = 1; params.unroll <= 2; ++params.unroll) {
    for (params.blocks_per_sm = 1;
         params.blocks_per_sm <= kMostBlocks && params.blocks_per_sm * params.threads <= kMostResident;
         ++params.blocks_per_sm) {
      params.grid = blocks_for(list, params);
      params.values = values_for(list.problem(), params);
      if (fits(list, params)) {
        list.add(params, handicap * handicap_of(params));
      }
      if (whole) {
        add_rings(list, params, slots, handicap);
      }
    }
  }
}

/// Teams of so many threads a row, in blocks that take rows side by side or in clusters.
void add_team(CandidateList& list, Params params, int threads, double handicap) {
  const Problem& problem = list.problem();
  const int64_t accumulators = int64_t{params.batch} * params.vector * problem.across;
  if (params.batch * params.vector > kMostElements || accumulators > kMostAccumulators) {
    return;
  }
  const int64_t slots = params.rows > 1 ? 2 * params.rows * threads * accumulators * int64_t{sizeof(float)} : 0;
  if (slots <= kMostSlots) {
    params.threads = threads * params.rows;
    add_turns(list, params, slots, handicap);
  }
}

/// Blocks and clusters that hold their part of all columns: as few threads as so many vectors each leave.
void add_held(CandidateList& list, int vector, bool peel, double handicap) {
  Params params{.family = Family::mixed,
                .vector = vector,
                .peel = peel,
                .home = Home::registers,
                .finish = list.device().arch >= kEarlyStarts ? GridFinish::dependent : GridFinish::second};
  const int64_t vectors = ceil_div(list.problem().columns + (peel ? vector - 1 : 0), vector);
  const int largest = list.device().arch >= kClusters ? kLargestCluster : 1;
  for (params.cluster = 1; params.cluster <= largest; params.cluster *= 2) {
    int64_t before = 0;
    for (params.batch = 1; params.batch <= kMostElements / vector; ++params.batch) {
      const int64_t mine = ceil_div(vectors, int64_t{params.batch} * params.cluster);
      const int64_t threads =
          mine <= 16 ? std::max<int64_t>(kFewestThreads, power_above(mine)) : ceil_div(mine, 32) * 32;
      if (threads > kMostThreads || threads == before || (params.cluster > 1 && threads < kClusterThreads)) {
        continue;
      }
      before = threads;
      int rows = 0;
      for (const int block : kBlocks) {
        params.rows = params.cluster > 1
                          ? 1
                          : std::max(1, static_cast<int>(std::bit_floor(static_cast<unsigned>(block / threads))));
        if (params.rows != rows) {
          add_team(list, params, static_cast<int>(threads), handicap);
        }
        rows = params.rows;
      }
    }
  }
}

std::vector<Candidate> gpu_mixed(CandidateList& list) {
  const Problem& problem = list.problem();
  const int common = list.common_vector(), peel = std::min(list.widest_vector(), problem.peel);
  add_held(list, common, false, peel > common && common == 1 ? kNarrow : 1);
  if (peel > common) {
    add_held(list, peel, true, 1);
  }
  std::vector<Candidate> found = list.ranked();
  const auto alone = [&](const Problem& part) { return choose(part, list.device()).front().microseconds; };
  const double apart = alone(rows_part(problem)) + alone(columns_part(problem));
  const bool lean = !found.empty() && found.front().params.vector == 1 && peel > common;
  const double handicap = found.empty() ? 1 : handicap_of(found.front().params) * (lean ? kNarrow : 1);
  if (!found.empty() && apart < found.front().microseconds * handicap) {
    found.clear();
  }
  return found;
}

std::vector<Candidate> cpu_mixed(CandidateList& list) {
  const Problem& problem = list.problem();
  const int64_t lanes = std::clamp(power_above(problem.columns), kFewestLanes, kLanes);
  const int64_t batch = power_above(ceil_div(problem.columns, lanes));
  if (batch * lanes * problem.across * int64_t{sizeof(double)} <= kAccumulatorBytes) {
    list.add({.family = Family::cpu_mixed,
              .threads = 1,
              .batch = static_cast<int>(batch),
              .task = lanes,
              .piece = std::max(kFewestRows, power_above(ceil_div(problem.rows, kMostTasks)))});
  }
  return list.ranked();
}

}  // namespace

std::vector<Candidate> choose_mixed(CandidateList& list) {
  if (list.problem().points == 0) {
    return {};  // no shares, so nothing would be left for the finish
  }
  return list.device().gpu ? gpu_mixed(list) : cpu_mixed(list);
}

}  // namespace nvfuser
