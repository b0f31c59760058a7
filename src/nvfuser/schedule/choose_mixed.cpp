// SPDX-License-Identifier: Apache-2.0
// choose for kernels that reduce the same points along rows and across them.
#include <algorithm>
#include <bit>

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
constexpr double kSqueezed = 6;                         ///< registers that the compiler does without
constexpr int kLargestCluster = 8;                      ///< that every device of these architectures takes
/// Clusters of 4 and 8 find room on so many of a device's multiprocessors at once, as groups of them are of different
/// sizes: 30 and 15 clusters on an H200 (cuOccupancyMaxActiveClusters), where 32 and 16 took twice as long.
constexpr int kLargeCluster = 4, kTogether = 10, kOf = 11;
constexpr int kMostResident = 1024;       ///< threads of an SM whose registers hold accumulators and rows
constexpr int64_t kMostSlots = 64 << 10;  ///< bytes in which accumulators of rows side by side are joined
constexpr int kMostStages = 3;
/// Handicaps of rings, which are ahead of their estimate: layer and RMS norm backward 16384x4096 (H200) have .75 and
/// .88 of a copy without; .878 and .900 where a block an SM takes two rows a turn, .854 and .888 where two take one.
/// These have 64 KB an SM on their way; with half of that .76 is left of .87, 32 KB more cost .03.
constexpr double kRing = .75, kBlocks2 = 1.03, kTooFew = .3, kTooMany = .06;
constexpr double kOnTheirWay = 64 << 10;
/// Handicap of single elements where rows can be peeled: layer norm backward of 68037x1089 took 1.7 times its estimate
/// with them (H200).  Two elements need none with two sums a column: of 94577x522, 17199x3578 and 8552x6986 they took
/// 132, 130 and 129 us, peeled rows 190, 128 and 135.
constexpr double kNarrow = 1.3;
/// Handicaps of clusters of 2, 4 and 8 blocks, which wait for each other at each turn: layer norm backward of
/// 4605x14347 took 165, 213 and 250 us, of 1911x34189 260 by 4 and 249 by 8, RMS norm backward of 2168x27961 109 by 2
/// and 157 by 8, of 1055x37123 159 by 4 and 114 by 8 (H200).
constexpr double kWaiting[] = {1, 1.05, 1.45, 1.4};
/// Handicap of rings of peeled rows of so few bytes: layer norm backward of 94577x522 took 194 us by one and 137
/// without, of 86520x769 201 and 185, RMS norm backward of 93551x366 89 and 70, but of 59745x1035 130 and 153 (H200).
constexpr double kSmallCopies = 1.5;
constexpr int64_t kSmall = 1600;
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

/// Of a ring, by its blocks an SM and the bytes that are on their way to them.
double ring_handicap(const Problem& problem, const Params& params) {
  const double way = static_cast<double>(ring_bytes(problem, params)) * params.blocks_per_sm / kOnTheirWay;
  const double off = way < 1 ? kTooFew * (1 - way) : kTooMany * (way - 1);
  const bool small = params.peel && problem.columns * problem.narrowest_bytes < kSmall;
  return kRing * (params.blocks_per_sm > 1 ? kBlocks2 : 1) * (1 + off) * (small ? kSmallCopies : 1);
}

double cluster_handicap(const Params& params) {
  return kWaiting[std::bit_width(static_cast<unsigned>(params.cluster)) - 1];
}

/// Values are held between passes where registers allow it, and vectors taken where they do at all.
bool fits(const CandidateList& list, Params& params) {
  const int room = registers_a_thread(list.device(), params.threads, params.blocks_per_sm);
  params.hold = true;
  params.hold = mixed_registers(list.problem(), params) <= room + kSqueezed;
  return params.hold || mixed_registers(list.problem(), params) <= room + kSqueezed;
}

/// By a ring: turns have to be so many that the first ones, which nothing hides, cost little.
void add_rings(CandidateList& list, Params params, int64_t slots) {
  const DeviceProps& device = list.device();
  const int64_t rows = list.problem().rows, at_once = int64_t{params.rows} * params.unroll;
  params.home = Home::shared;
  for (params.stages = 2; params.stages <= kMostStages && fits(list, params); ++params.stages) {
    const int64_t bytes =
        (ring_bytes(list.problem(), params) + slots + params.values * value_bytes(list.problem()) + kReserve) *
        params.blocks_per_sm;
    if (rows >= kTurns * at_once * params.grid && bytes <= device.shared_per_block) {
      list.add(params, ring_handicap(list.problem(), params) * cluster_handicap(params));
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
        list.add(params, handicap * cluster_handicap(params));
      }
      if (whole) {
        add_rings(list, params, slots);
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
  add_held(list, common, false, peel > common && (common == 1 || problem.across == 1) ? kNarrow : 1);
  if (peel > common) {
    add_held(list, peel, true, 1);
  }
  std::vector<Candidate> found = list.ranked();
  const auto alone = [&](const Problem& part) { return choose(part, list.device()).front().microseconds; };
  const double apart = alone(rows_part(problem)) + alone(columns_part(problem));
  const double handicap = found.empty() ? 1 : cluster_handicap(found.front().params);
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
