// SPDX-License-Identifier: Apache-2.0
// choose: a short list of candidates per family, ranked.
#include <algorithm>
#include <array>
#include <bit>

#include "nvfuser/schedule/candidate_list.h"
#include "nvfuser/schedule/estimate.h"

namespace nvfuser {

namespace {

/// threads, batch, blocks an SM.
struct BlockShape {
  int threads, batch, blocks;
};

/// Full residency with one vector a thread; fewer, larger blocks; and room for kernels with many inputs.
constexpr BlockShape kFlatShapes[] = {{128, 1, 16}, {256, 1, 8},  {128, 2, 8}, {256, 2, 4}, {256, 1, 6}, {128, 1, 12},
                                      {256, 2, 6},  {128, 2, 16}, {256, 2, 8}, {256, 1, 4}, {256, 1, 2}};
/// For narrow vectors, which need more of them in flight.
constexpr BlockShape kNarrowShapes[] = {{256, 4, 8}, {256, 8, 8}, {256, 8, 4}};
constexpr BlockShape kPeelShapes[] = {{256, 1, 8}, {128, 1, 16}};
/// threads, blocks an SM, side of the tile over the usual one.
struct TileShape {
  int threads, blocks, scale;
};
constexpr TileShape kTileShapes[] = {{512, 2, 2}, {256, 4, 2}, {512, 4, 2}, {256, 4, 1}, {256, 6, 1}, {256, 8, 1}};
/// Side of a tile by bytes of the widest element: rows of 128 bytes, at least 32 elements.
constexpr std::array<int, 5> kTileSides = {128, 64, 32, 32, 32};
/// The same on a CPU: a tile of both sides stays in the first-level cache.
constexpr std::array<int, 5> kCpuTileSides = {64, 64, 32, 16, 16};

constexpr int64_t kSmallestTask = 1 << 14, kLargestTask = 1 << 18;  ///< points; powers of 4 between
constexpr int64_t kShortestRow = 256;
constexpr int kTasksPerThread = 4;
constexpr double kTaskBytes = 64 * 1024;

int log2_of(int bytes) { return std::clamp(static_cast<int>(std::bit_width(static_cast<unsigned>(bytes))) - 1, 0, 4); }

void add_gpu(CandidateList& list) {
  const Problem& problem = list.problem();
  const auto blocks = [&](const auto& shape) { return list.blocks(shape.threads, shape.blocks); };
  const int widest = list.widest_vector(), common = list.common_vector();
  for (const BlockShape& shape : kFlatShapes) {
    list.add({.threads = shape.threads, .batch = shape.batch, .vector = common, .blocks_per_sm = blocks(shape)});
  }
  if (common < widest) {
    for (const BlockShape& shape : kNarrowShapes) {
      list.add({.threads = shape.threads, .batch = shape.batch, .vector = common, .blocks_per_sm = blocks(shape)});
    }
    const bool some_wide = std::any_of(
        problem.buffers.begin(), problem.buffers.end(),
        [&](const ProblemBuffer& buffer) { return is_full(problem, buffer) && buffer.max_vector >= widest; });
    if (some_wide) {
      // The others are read by single elements then.
      list.add({.threads = 256, .vector = widest, .blocks_per_sm = list.blocks(256, 4)});
    }
  }
  if (problem.peel > common) {
    for (const BlockShape& shape : kPeelShapes) {
      list.add({.threads = shape.threads,
                .batch = shape.batch,
                .vector = std::min(widest, problem.peel),
                .blocks_per_sm = blocks(shape),
                .peel = true});
    }
  }
  if (!problem.transposed) {
    return;
  }
  const bool straight = false, turned = true;
  for (const TileShape& shape : kTileShapes) {
    Params params{.family = Family::tile, .threads = shape.threads, .blocks_per_sm = blocks(shape)};
    params.tile = kTileSides[log2_of(problem.widest_bytes)] * shape.scale;
    const int most = std::max(1, params.tile * params.tile / params.threads);
    params.vector = std::min(most, list.common_vector(&ProblemBuffer::max_vector_tile, &straight));
    params.vector_other = std::min(most, list.common_vector(&ProblemBuffer::max_vector_tile, &turned));
    list.add(params);
  }
}

/// Points of a task: enough tasks for all threads, none so small that handing it out costs more than its work.
int64_t task_points(const Problem& problem, const DeviceProps& device) {
  const double points = static_cast<double>(std::max<int64_t>(1, problem.points)),
               bytes = std::max(1.0, problem.bytes / points);
  const double wanted = std::max(kTaskBytes / bytes, points / (kTasksPerThread * std::max(1, device.sms)));
  int64_t task = kSmallestTask;
  while (task < std::min(kLargestTask, problem.points) && static_cast<double>(task * 4) <= wanted) {
    task *= 4;
  }
  return task;
}

void add_cpu(CandidateList& list) {
  const Problem& problem = list.problem();
  Params flat{.family = Family::cpu_flat, .threads = 1, .task = task_points(problem, list.device())};
  // Results that do not stay in the last-level cache anyway need not read the lines that they replace.
  flat.stream = problem.bytes * problem.written > static_cast<double>(list.device().l2_bytes) / 2;
  if (problem.run > 0 && problem.run < problem.points) {
    // Rows are tasks; the bound on their lanes need not exceed a row.
    flat.task = std::clamp<int64_t>(std::bit_ceil(static_cast<uint64_t>(problem.run)), kShortestRow, flat.task);
  }
  list.add(flat);
  if (problem.transposed) {
    list.add({.family = Family::cpu_tile, .threads = 1, .tile = kCpuTileSides[log2_of(problem.widest_bytes)]});
  }
}

}  // namespace

std::vector<Candidate> choose(const Problem& problem, const DeviceProps& device) {
  CandidateList list(problem, device);
  if (problem.mixed) {
    return choose_mixed(list);
  }
  if (problem.rows > 0) {
    return problem.outer ? choose_columns(list) : choose_rows(list);
  }
  if (device.gpu) {
    add_gpu(list);
    return list.ranked({.threads = 128});
  }
  add_cpu(list);
  return list.ranked({.family = Family::cpu_flat, .threads = 1, .task = kSmallestTask});
}

}  // namespace nvfuser
