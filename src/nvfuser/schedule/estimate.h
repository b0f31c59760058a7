// SPDX-License-Identifier: Apache-2.0
// The time estimate behind choose: pure arithmetic on a Problem, Params and a device.
#pragma once

#include <algorithm>

#include "nvfuser/schedule/schedule.h"
#include "nvfuser/schedule/time_model.h"

namespace nvfuser {

/// Has the buffer about as many elements as the reference?
inline bool is_full(const Problem& problem, const ProblemBuffer& buffer) {
  return buffer.elements * 2 > problem.points;
}

/// Sets the least bytes and the share that is written, by the buffers.
void count_bytes(Problem& problem);

/// Terms of the estimate in nanoseconds (a tile on an SM), stream, tail and total in microseconds.  CPU: total only.
struct Estimate {
  double resident = 0;  ///< blocks an SM holds
  double tiles = 0;
  double life = 0, memory = 0, issue = 0, special = 0, access = 0, period = 0;
  double stream = 0, tail = 0, total = 0;
  double spill = 0;  ///< bytes a thread is expected to spill
};

/// Memory instructions that move `vector` consecutive elements of the flat order of all buffers, or of peeled rows.
double access_count(const Problem& problem, int vector, bool peel = false);
/// Instructions for these, addresses included.
double access_issue(const Problem& problem, int vector, bool peel = false);

Estimate estimate(const Problem& problem, const Params& params, const DeviceProps& device);

}  // namespace nvfuser
