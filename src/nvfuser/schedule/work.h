// SPDX-License-Identifier: Apache-2.0
// What families tell the estimate: the work of one block.
#pragma once

#include <algorithm>
#include <array>

#include "nvfuser/schedule/estimate.h"

namespace nvfuser {

/// What one block does.
struct Work {
  double tiles = 1;            ///< blocks, or what they do one after the other
  double read = 0, write = 0;  ///< bytes of a tile
  double instructions = 0;     ///< warp instructions a tile
  double special = 0;          ///< special-function operations a tile
  double accesses = 0;         ///< warp accesses to global memory
  double shared = 0;           ///< warp accesses to shared memory
  double reload = 0;           ///< bytes of sectors fetched again from L2, for their next element
  double cached = 0;           ///< bytes of later passes over what L2 may hold
  double again = 0;            ///< bytes of rows read again, from L2 as far as it holds them
  double pass = 0;             ///< bytes between two readings of a byte; 0: those of the tiles in work
  double rounds = 1;           ///< loads that wait for those before them
  double dependent = 0;        ///< further accesses of which the address or the use waits
  double barriers = 0;
  double barrier_issue = 60;  ///< instructions a warp at each, an exchange included
  double short_rows = 0;      ///< how far rows of a tile fall short of 256 bytes
  double registers = 24;      ///< a thread wants
  double blocks = 0;          ///< of a grid whose blocks do several tiles one after the other; 0: a tile each
  double arrivals = 0;        ///< of a block, each behind a fence
  double later_passes = 0;    ///< kernels behind the first that read rows again: from memory, as measured
  double meetings = 0;        ///< of the blocks that share a tile
  double told = 0;            ///< exchanges with blocks anywhere of which the block does not await the end
  double listeners = 0;       ///< blocks that tell each other there
  double uneven = 1;          ///< turns of all blocks, over those that have work
  bool level = false;         ///< blocks do equal parts of the work
  bool stays = false;         ///< which block does which tile is fixed
  bool in_step = false;       ///< a block's warps load, compute and store together, tile by tile
  double finish = 0;          ///< microseconds after the last tile
  int64_t shared_bytes = 0;
};

inline constexpr double kJoinLevel = 12;  ///< instructions a warp for one level of a join by shuffles
inline constexpr double kBlockJoin = 30;  ///< of a join by shuffles and slots
inline constexpr double kAccessIssue = 2, kAddressIssue = 4;  ///< instructions an access, a vector's addresses

inline double points_of(const Problem& problem) { return static_cast<double>(std::max<int64_t>(1, problem.points)); }
/// Microseconds by GridFinish, for what does not depend on the number of blocks; the last arriver as its sums of
/// 16384x8192 took .9 more than a dependent kernel's on an H200.
inline constexpr std::array<double, 4> kFinish = {2.9, 1.15, 2.05, 4.05};
/// Accesses of one buffer for `vector` elements in a row, `widest` of which it can move at once (0: none are adjacent).
double buffer_accesses(const Problem& problem, const ProblemBuffer& buffer, int widest, int vector);
/// Instructions an element, without those of its accesses.
double element_issue(const Problem& problem);

/// Registers a thread has where so many blocks share an SM: its warps are dealt to four parts, registers by eights.
inline int registers_a_thread(const DeviceProps& device, int threads, int blocks) {
  const int warps = std::max(1, (threads * blocks + 127) / 128);
  return device.registers_per_sm / (4 * 32 * warps) / 8 * 8;
}

/// Inputs that are the same for all rows.
int64_t shared_inputs(const Problem& problem);

/// Bytes of shared memory of a ring of rows.
int64_t ring_bytes(const Problem& problem, const Params& params);

/// Registers that a thread of a mixed kernel wants.
double mixed_registers(const Problem& problem, const Params& params);

/// By family.
Work rows_work(const Problem& problem, const Params& params);
Work columns_work(const Problem& problem, const Params& params);
Work mixed_work(const Problem& problem, const Params& params);

}  // namespace nvfuser
