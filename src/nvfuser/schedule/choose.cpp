// SPDX-License-Identifier: Apache-2.0
// choose: a short list of candidates per family, ranked by estimated time; among equals (1 %) by taste.
#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <tuple>

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

constexpr int kWidestBytes = 32;                                    ///< of one buffer in a thread's vector
constexpr int kHeldBytes = 256;                                     ///< of all buffers together
constexpr double kSpillLimit = 24;                                  ///< bytes a thread that cost little
constexpr double kEqual = 1.01;                                     ///< estimates that measurements do not tell apart
constexpr int64_t kSmallestTask = 1 << 14, kLargestTask = 1 << 18;  ///< points; powers of 4 between
constexpr int64_t kShortestRow = 256;
constexpr int kTasksPerThread = 4;
constexpr int64_t kRowLanes = 512, kShortestLanes = 16;  ///< elements of a row at a time
constexpr double kTaskBytes = 64 * 1024;

int log2_of(int bytes) { return std::clamp(static_cast<int>(std::bit_width(static_cast<unsigned>(bytes))) - 1, 0, 4); }

class Choice {
 public:
  Choice(const Problem& problem, const DeviceProps& device) : problem_(problem), device_(device) {}

  std::vector<Candidate> run() {
    if (problem_.rows > 0) {
      return device_.gpu ? gpu_rows() : cpu_rows();
    }
    if (device_.gpu) {
      gpu_candidates();
      return ranked({.threads = 128});
    }
    cpu_candidates();
    return ranked({.family = Family::cpu_flat, .threads = 1, .task = kSmallestTask});
  }

 private:
  struct Entry {
    Params params;
    double microseconds = 0;
    double spill = 0;
  };

  void add(const Params& params) {
    if (std::any_of(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.params == params; })) {
      return;
    }
    const Estimate e = estimate(problem_, params, device_);
    entries_.push_back({params, e.total, e.spill});
  }

  /// Widest vector for registers: the narrowest type fills 16 bytes unless the others grow too large with it.
  int widest_vector() const {
    int vector = 16 / problem_.narrowest_bytes;
    int bytes = 0;
    for (const ProblemBuffer& buffer : problem_.buffers) {
      bytes += is_full(problem_, buffer) ? buffer.element_bytes : 0;
    }
    while (vector > 1 && (vector * problem_.widest_bytes > kWidestBytes || vector * bytes > kHeldBytes)) {
      vector /= 2;
    }
    return vector;
  }

  /// The widest vector that all full-size buffers of one side allow.
  int common_vector(int ProblemBuffer::* widest, const bool* other) const {
    int vector = widest_vector();
    for (const ProblemBuffer& buffer : problem_.buffers) {
      const bool counts =
          is_full(problem_, buffer) && buffer.*widest > 0 && (other == nullptr || buffer.other == *other);
      vector = counts ? std::min(vector, buffer.*widest) : vector;
    }
    return vector;
  }

  void gpu_candidates() {
    const int widest = widest_vector(), common = common_vector(&ProblemBuffer::max_vector, nullptr);
    for (const BlockShape& shape : kFlatShapes) {
      add({.threads = shape.threads, .batch = shape.batch, .vector = common, .blocks_per_sm = blocks(shape)});
    }
    if (common < widest) {
      for (const BlockShape& shape : kNarrowShapes) {
        add({.threads = shape.threads, .batch = shape.batch, .vector = common, .blocks_per_sm = blocks(shape)});
      }
      const bool some_wide = std::any_of(
          problem_.buffers.begin(), problem_.buffers.end(),
          [&](const ProblemBuffer& buffer) { return is_full(problem_, buffer) && buffer.max_vector >= widest; });
      if (some_wide) {
        // The others are read by single elements then.
        add({.threads = 256, .vector = widest, .blocks_per_sm = blocks({256, 1, 4})});
      }
    }
    if (problem_.peel > common) {
      for (const BlockShape& shape : kPeelShapes) {
        add({.threads = shape.threads,
             .batch = shape.batch,
             .vector = std::min(widest, problem_.peel),
             .blocks_per_sm = blocks(shape),
             .peel = true});
      }
    }
    if (!problem_.transposed) {
      return;
    }
    const bool straight = false, turned = true;
    for (const TileShape& shape : kTileShapes) {
      Params params{
          .family = Family::tile, .threads = shape.threads, .blocks_per_sm = blocks({shape.threads, 0, shape.blocks})};
      params.tile = kTileSides[log2_of(problem_.widest_bytes)] * shape.scale;
      const int most = std::max(1, params.tile * params.tile / params.threads);
      params.vector = std::min(most, common_vector(&ProblemBuffer::max_vector_tile, &straight));
      params.vector_other = std::min(most, common_vector(&ProblemBuffer::max_vector_tile, &turned));
      add(params);
    }
  }

  /// A row in registers where some block holds it, or read again.
  std::vector<Candidate> gpu_rows() {
    const int vector = common_vector(&ProblemBuffer::max_vector, nullptr);
    for (const int threads : {32, 64, 128, 256, 512, 1024}) {
      for (const int batch : {1, 2, 4, 8}) {
        const int64_t wave = int64_t{threads} * vector * batch;
        if (wave >= problem_.columns && (batch == 1 || wave < 2 * problem_.columns)) {
          add({.family = Family::rows, .threads = threads, .batch = batch, .vector = vector, .home = Home::registers});
        }
      }
    }
    for (const int threads : {256, 512, 1024}) {
      for (const int batch : {1, 2, 4}) {
        add({.family = Family::rows, .threads = threads, .batch = batch, .vector = vector, .home = Home::reload});
      }
    }
    return ranked({.family = Family::rows, .threads = 256, .home = Home::reload});
  }

  std::vector<Candidate> cpu_rows() {
    const int64_t lanes = std::min<int64_t>(
        kRowLanes, std::bit_ceil(static_cast<uint64_t>(std::max<int64_t>(kShortestLanes, problem_.columns))));
    add({.family = Family::cpu_rows, .threads = 1, .task = lanes});
    return ranked({.family = Family::cpu_rows, .threads = 1, .task = kRowLanes});
  }

  /// Older devices hold fewer threads.
  int blocks(const BlockShape& shape) const {
    return std::max(1, std::min(shape.blocks, device_.threads_per_sm / shape.threads));
  }

  /// Points of a task: enough tasks for all threads, none so small that handing it out costs more than its work.
  int64_t task_points() const {
    const double points = static_cast<double>(std::max<int64_t>(1, problem_.points)),
                 bytes = std::max(1.0, problem_.bytes / points);
    const double wanted = std::max(kTaskBytes / bytes, points / (kTasksPerThread * std::max(1, device_.sms)));
    int64_t task = kSmallestTask;
    while (task < std::min(kLargestTask, problem_.points) && static_cast<double>(task * 4) <= wanted) {
      task *= 4;
    }
    return task;
  }

  void cpu_candidates() {
    Params flat{.family = Family::cpu_flat, .threads = 1, .task = task_points()};
    // Results that do not stay in the last-level cache anyway need not read the lines that they replace.
    flat.stream = problem_.bytes * problem_.written > static_cast<double>(device_.l2_bytes) / 2;
    if (problem_.run > 0 && problem_.run < problem_.points) {
      // Rows are tasks; the bound on their lanes need not exceed a row.
      flat.task = std::clamp<int64_t>(std::bit_ceil(static_cast<uint64_t>(problem_.run)), kShortestRow, flat.task);
    }
    add(flat);
    if (problem_.transposed) {
      add({.family = Family::cpu_tile, .threads = 1, .tile = kCpuTileSides[log2_of(problem_.widest_bytes)]});
    }
  }

  /// Simple forms first: rows as they lie, fewer vectors a thread, large tiles (rows of 256 bytes: 0.939 of a copy
  /// against 0.889 with 128 for relu + transpose 16384x8192 of 2 bytes on an H200), 256 threads, more blocks.
  static bool simpler(const Entry& a, const Entry& b) {
    const auto distance = [](const Params& p) {
      return std::abs(static_cast<int>(std::bit_width(static_cast<unsigned>(p.threads))) - 9);
    };
    const auto key = [&](const Entry& e) {
      return std::tuple(e.params.peel, e.params.batch, -e.params.tile, distance(e.params), -e.params.blocks_per_sm,
                        e.microseconds);
    };
    return key(a) < key(b);
  }

  std::vector<Candidate> ranked(const Params& last) {
    const bool some_fit =
        std::any_of(entries_.begin(), entries_.end(), [](const Entry& e) { return e.spill <= kSpillLimit; });
    if (some_fit) {
      std::erase_if(entries_, [](const Entry& e) { return e.spill > kSpillLimit; });
    }
    std::stable_sort(entries_.begin(), entries_.end(),
                     [](const Entry& a, const Entry& b) { return a.microseconds < b.microseconds; });
    const double limit = entries_.front().microseconds * kEqual;
    auto worse = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.microseconds > limit; });
    std::stable_sort(entries_.begin(), worse, simpler);
    std::vector<Candidate> list;
    for (const Entry& entry : entries_) {
      list.push_back({entry.params, entry.microseconds});
    }
    if (list.back().params != last) {
      list.push_back({last, estimate(problem_, last, device_).total});
    }
    return list;
  }

  const Problem& problem_;
  const DeviceProps& device_;
  std::vector<Entry> entries_;
};

}  // namespace

std::vector<Candidate> choose(const Problem& problem, const DeviceProps& device) {
  return Choice(problem, device).run();
}

}  // namespace nvfuser
