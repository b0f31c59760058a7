// SPDX-License-Identifier: Apache-2.0
// Constants of the time estimate.  Fitted on 1,621 timed variants of hand-written kernels on an H200; taken over for
// other devices except where a row says otherwise.  Nothing of them stands in code.
#pragma once

namespace nvfuser {

/// GPUs of one class.  Times in ns unless named otherwise; shares without unit.
struct TimeModel {
  int least_arch;          ///< compute capability * 10 from which the row holds
  double sm_bytes = 56;    ///< bytes a clock that one SM draws while the others rest
  double launch = 4.2;     ///< us
  double latency = 510;    ///< of a load under load
  double dependent = 653;  ///< of a further, dependent access
  double relaunch = 276;   ///< hand-over of a block's slot
  double relaunch_thread = .297;
  double start = 75;     ///< one block start an SM
  double barrier = 174;  ///< block-wide exchange
  double barrier_thread = .0597;
  double arrival = 2000;  ///< of a block that counts itself in, behind a fence (sum of 133 rows of 2^20, H200)
  double next_pass = 3;   ///< microseconds until a further kernel is under way that reads rows again (norms of 7 and
                          ///< 133 rows of 2^17 and 2^20, H200)
  double meeting = 2800;  ///< exchange of a few blocks through L2
  double told = 700;      ///< such an exchange with blocks anywhere, where the next row is worked on meanwhile, and for
  double told_block = 10;  ///< each of them (norms of 7 and 133 rows of 2^20, H200)
  double together = 1.2;   ///< blocks that meet load at one time and store at another (rows of 2^20 and 128255, H200)
  double cluster = 300;    ///< cluster exchange
  double cluster_block = 30;
  double cluster_start = .234;
  double cluster_loss = .15;
  double cluster_phases = .04;  ///< for each block an SM below four: a cluster's blocks load and store together (batch
                                ///< norm of 64x256x56x56, norms of 133x131072, H200; the three above too)
  double claim = 2.01;          ///< one claim from a counter, whole chip
  double issue_share = .936;    ///< of peak issue slots
  double special_share = .837;
  double chain = 2.12;  ///< cycles an instruction of one warp
  double drift = .149;  ///< overlap of warps that no barrier holds together
  double access_cycles = 4.05;
  double shared_cycles = 2;
  double static_loss = .0764;  ///< static division where kernels write
  double burst = .0391;        ///< large batches of one-shot blocks
  double ring_loss = .0257;
  double ring_stage = 153;
  double release = 1.27;
  double spill = .747;        ///< spilled bytes relative to DRAM bytes
  double cached = .215;       ///< L2 bytes relative to DRAM bytes
  double again = .1;          ///< rows read again, relative to DRAM bytes, while they fill less than this share of L2
  double again_from = .35;    ///< (RMS and layer norm of 4096x32768, H200)
  double again_slope = 1.25;  ///< and so much more for each further share
  double few_threads = .06;   ///< blocks of fewer than 512 threads that read past the first-level cache (sum of
                              ///< 16384x8192, H200)
  double alone = .25;    ///< one block an SM, which reads and writes by turns (group norm of 16x512x64x64, batch norm
                         ///< of 64x256x56x56, H200)
  double in_step = .87;  ///< of a life that is not hidden where warps are in step (norms' gradients of 16 shapes, H200)
  double tail = .162;    ///< drain, in lives of a block
  double narrow_loss = .0318;      ///< accesses below 16 bytes
  double block_instructions = 14;  ///< a warp and tile, before and after its elements
  double short_rows = .06;         ///< tiles with rows of 128 bytes in place of 256 (relu + transpose of 2 bytes, H200)
  double strided_reload = .35;  ///< a sector fetched again for its next element, relative to DRAM bytes (not measured)
};

/// By architecture, newest first.
inline constexpr TimeModel kTimeModels[] = {
    {.least_arch = 100, .static_loss = 0},
    {.least_arch = 90},
    {.least_arch = 0, .static_loss = 0},
};

/// A CPU's: none of it is fitted.
struct CpuTimeModel {
  double call_us = .3;           ///< a kernel on the calling thread
  double pool_us = 4;            ///< waking and joining the pool
  double task_ns = 10;           ///< a task, its index taken apart
  double row_cycles = 12;        ///< start of a lane loop
  double strided_cycles = 4;     ///< an element that is not adjacent to its neighbour, block in cache
  double scattered_cycles = 16;  ///< the same, block not in cache
  double pipes = 2;              ///< vector instructions a clock
};
inline constexpr CpuTimeModel kCpuTimeModel{};

}  // namespace nvfuser
