// SPDX-License-Identifier: Apache-2.0
// The work of a block that reduces a strip of columns, group of rows by group of rows.
#include <cmath>

#include "nvfuser/schedule/work.h"

namespace nvfuser {

namespace {

constexpr double kSector = 32, kWideRow = 256, kVector = 16;  ///< bytes
constexpr double kStateBytes = 4, kStateBytesAMicrosecond = 4.0e6;

double at_least_one(int64_t n) { return static_cast<double>(std::max<int64_t>(1, n)); }

}  // namespace

Work columns_work(const Problem& problem, const Params& params) {
  Work work;
  const double columns = at_least_one(problem.rows) + (params.peel ? params.vector - 1 : 0),
               rows = at_least_one(problem.columns);
  const double strip = static_cast<double>(params.lanes) * params.vector;
  const double at_once = static_cast<double>(params.threads) / params.lanes * params.batch;
  const bool resident = params.home == Home::registers;
  const double passes = resident ? 1 : std::max(1, problem.passes);
  const double rounds = std::ceil(rows / at_once) * passes;
  work.blocks = std::ceil(columns / strip) * params.blocks;
  work.tiles = std::ceil(columns / strip) * rounds;
  const double vectors = static_cast<double>(params.threads) * params.batch;
  work.instructions =
      vectors / 32 * (element_issue(problem) * params.vector + access_issue(problem, params.vector, params.peel));
  work.special = vectors * params.vector * problem.special / problem.place;
  work.accesses = vectors / 32 * access_count(problem, params.vector, params.peel);
  work.barriers = work.blocks / work.tiles;
  work.registers = 24 + params.vector * std::max(1, problem.sums);
  for (const ProblemBuffer& buffer : problem.buffers) {
    if (is_full(problem, buffer)) {
      work.registers += (buffer.output ? 1 : params.batch) * std::max(1.0, params.vector * buffer.element_bytes / 4.0);
    }
  }
  const double bytes = problem.bytes * (1 - problem.written) / work.tiles;
  const double wide = std::min(strip, at_least_one(problem.piece)) * problem.narrowest_bytes;
  if (wide < at_least_one(problem.piece) * problem.narrowest_bytes) {
    // Neighbours of a strip belong to other blocks, and vectors of odd rows start anywhere in a sector.
    const auto starts_anywhere = [&](const ProblemBuffer& buffer) {
      return is_full(problem, buffer) && buffer.max_vector * buffer.element_bytes < kVector;
    };
    const bool anywhere = !params.peel && std::any_of(problem.buffers.begin(), problem.buffers.end(), starts_anywhere);
    const double sectors = wide / kSector + (anywhere ? 1 : 0);
    work.short_rows = std::max(0.0, kWideRow / wide - 1);
    work.reload = bytes * std::max(0.0, std::max(1.0, sectors) * kSector / wide - 1);
  }
  if (params.blocks > 1) {
    const double partial = columns * params.blocks * std::max(1, problem.sums) * kStateBytes;
    work.finish = (passes > 1 ? passes - 1 : 1) * kFinish[static_cast<size_t>(params.finish)] +
                  2 * partial / kStateBytesAMicrosecond;
  }
  work.cached = bytes * (passes - 1);
  return work;
}

}  // namespace nvfuser
