// SPDX-License-Identifier: Apache-2.0
// The estimate.  An SM holds R blocks; a block loads its tile, uses it, stores, ends.  Little's law (life / R) and the
// slowest resource bound the time a tile costs an SM.
#include "nvfuser/schedule/estimate.h"

#include <cmath>

#include "nvfuser/schedule/work.h"

namespace nvfuser {

namespace {

constexpr double kRowIndex = 10;  ///< instructions that find the row and the start of a peeled vector

double pow4(double x) { return x * x * x * x; }
double root4(double x) { return std::sqrt(std::sqrt(x)); }
double norm4(double a, double b, double c) { return root4(pow4(a) + pow4(b) + pow4(c)); }

const TimeModel& model_of(const DeviceProps& device) {
  const TimeModel* model = kTimeModels;
  while (model->least_arch > device.arch) {
    ++model;
  }
  return *model;
}

/// Registers of the values that a thread holds between its loads and its stores.
double held_registers(const Problem& problem, int vector, int batch) {
  double held = 0;
  for (const ProblemBuffer& buffer : problem.buffers) {
    const bool lanes = buffer.max_vector > 0 || is_full(problem, buffer);
    held += (buffer.output ? 1 : batch) * std::max(1.0, (lanes ? vector : 1) * buffer.element_bytes / 4.0);
  }
  return held;
}

/// Vectors that a row of `row` elements touches, wherever it starts; all of the row's own where nothing is peeled.
double vectors_a_row(const Problem& problem, const Params& params) {
  const double own = static_cast<double>(std::max<int64_t>(1, problem.row)) / params.vector;
  return params.peel ? std::ceil(own + 1 - 1.0 / params.vector) : own;
}

/// Warps with an end of a row among theirs mask it lane by lane: charged as if lanes moved alone (not measured).
void add_ends(const Problem& problem, const Params& params, Work& work) {
  const double share = std::min(1.0, 2 * 32 / vectors_a_row(problem, params));
  const double warps = static_cast<double>(params.threads) * params.batch / 32;
  const double moves = share * params.vector * static_cast<double>(problem.buffers.size());
  work.accesses += warps * moves;
  work.instructions += warps * (3 * moves + share * params.vector * element_issue(problem) + kRowIndex);
}

Work flat_work(const Problem& problem, const Params& params) {
  Work work;
  const double vectors = static_cast<double>(params.threads) * params.batch, elements = vectors * params.vector;
  const double rows = points_of(problem) / static_cast<double>(std::max<int64_t>(1, problem.row));
  work.tiles = params.peel ? rows * vectors_a_row(problem, params) / vectors : points_of(problem) / elements;
  work.instructions =
      vectors / 32 * (element_issue(problem) * params.vector + access_issue(problem, params.vector, params.peel));
  work.special = elements * problem.special / problem.place;
  work.accesses = vectors / 32 * access_count(problem, params.vector, params.peel);
  if (params.peel) {
    add_ends(problem, params, work);
  }
  work.registers = std::max(24.0, 12 + held_registers(problem, params.vector, params.batch));
  for (const ProblemBuffer& buffer : problem.buffers) {
    work.reload += buffer.other && is_full(problem, buffer) ? elements * std::max(0, 32 - buffer.element_bytes) : 0;
  }
  return work;
}

Work tile_work(const Problem& problem, const Params& params) {
  Work work;
  const auto side = static_cast<double>(params.tile);
  const double elements = side * side, area = static_cast<double>(problem.inner) * static_cast<double>(problem.other);
  work.tiles =
      std::ceil(problem.inner / side) * std::ceil(problem.other / side) * points_of(problem) / std::max(1.0, area);
  double element = element_issue(problem), global = 0, shared = 0;
  for (const ProblemBuffer& buffer : problem.buffers) {
    const int vector = buffer.other ? params.vector_other : params.vector;
    const double count = buffer_accesses(problem, buffer, buffer.max_vector_tile, vector) / vector;
    global += count;
    element += 2 * count;
    if (buffer.other) {
      // One side moves vectors (a 16-byte access takes two slots of a narrow one), the other single elements.
      shared += 1 + (vector > 1 && params.vector > 1 ? buffer.element_bytes / 8.0 : 1);
      element += 1 + 1.0 / vector;
      work.shared_bytes += static_cast<int64_t>(elements) * buffer.element_bytes;
    }
  }
  element += 4.0 / params.vector + 4.0 / params.vector_other;
  work.instructions = elements / 32 * element;
  work.special = elements * problem.special / problem.place;
  work.accesses = elements / 32 * global;
  work.shared = elements / 32 * shared;
  work.barriers = 1;
  work.short_rows = std::max(0.0, 256 / (side * problem.narrowest_bytes) - 1);
  const int batch = std::max(1, static_cast<int>(elements) / (params.threads * params.vector));
  work.registers = 18 + held_registers(problem, params.vector, batch);
  return work;
}

double register_cap(const Params& params, const DeviceProps& device) {
  return std::min(255, registers_a_thread(device, params.threads, std::max(1, params.blocks_per_sm)));
}

/// Blocks an SM holds, before the number of blocks limits it.
double residency(const Work& work, const Params& params, const DeviceProps& device, double cap) {
  const double registers = std::ceil((params.blocks_per_sm == 0 ? std::max(work.registers, 32.0) : cap) / 8) * 8;
  double blocks = std::min({device.blocks_per_sm, device.threads_per_sm / params.threads,
                            static_cast<int>(device.registers_per_sm / (registers * params.threads))});
  if (work.shared_bytes > 0) {
    blocks = std::min(
        blocks, std::floor(static_cast<double>(device.shared_per_sm) / static_cast<double>(work.shared_bytes + 1024)));
  }
  return std::max(blocks, 1.0);
}

/// Time that a tile takes in its block where the next ones come meanwhile.
double ring_life(const TimeModel& model, const Params& params, double use, double ahead) {
  // Blocks that share rows are at two of them at once.
  const double stages = std::min<double>(params.stages - (params.blocks > 1), std::max(1.0, ahead));
  return norm4(use + model.ring_stage, (model.latency + model.release * (use + model.ring_stage)) / stages, 0);
}

/// Share of rows read again that comes from memory, or takes as long as if it did: rows in work fill L2.
double missed_share(const TimeModel& model, const DeviceProps& device, double bytes_an_sm) {
  const double full = device.sms * bytes_an_sm / static_cast<double>(std::max<int64_t>(1, device.l2_bytes));
  return std::clamp(model.again + (full - model.again_from) * model.again_slope, model.again, 1.0);
}

/// Nanoseconds that the tiles of a last wave take beyond their share, where there are few waves: an SM draws no more
/// while the others rest.  Clusters load together and store together, so that a wave of a part of them takes most of a
/// whole one's time; a few find room on the faster SMs.
double last_wave(const TimeModel& model, const DeviceProps& device, const Params& params, const Work& work,
                 const Estimate& e) {
  constexpr double kFewWaves = 3, kFew = .05, kMost = .7;
  const double slots = device.sms * e.resident, waves = std::floor(work.tiles / slots);
  const double rest = work.tiles - waves * slots;
  if (work.blocks > 0 || waves < 1 || waves >= kFewWaves || rest <= (params.cluster > 1 ? kFew * slots : 0)) {
    return 0;
  }
  const double bytes = work.read + work.again + work.write;
  const double alone = std::max(e.life, bytes / (model.sm_bytes * device.clock_ghz));
  const double together = params.cluster > 1 ? kMost * (slots - rest) / device.sms * e.period : 0;
  return std::max({0.0, together, alone - rest / device.sms * e.period});
}

Estimate estimate_gpu(const Problem& problem, const Params& params, const DeviceProps& device, Work work) {
  const TimeModel& model = model_of(device);
  const double clock = device.clock_ghz, sms = device.sms, threads = params.threads, warps = threads / 32;
  work.read = problem.bytes * (1 - problem.written) / work.tiles;
  work.write = problem.bytes * problem.written / work.tiles;
  work.instructions += warps * model.block_instructions + work.barriers * warps * work.barrier_issue;

  Estimate e;
  const double cap = register_cap(params, device), per_sm = work.tiles / sms,
               blocks = work.blocks > 0 ? work.blocks / sms : per_sm;
  e.tiles = work.tiles;
  e.spill = 4 * std::max(0.0, work.registers - cap);
  const double room = residency(work, params, device, cap);
  e.resident = std::min(room, std::max(blocks, 1.0));

  const double mixed = 2 * std::min(problem.written, .5);
  const double big = .4 * std::clamp(std::log2(std::max(work.read, 1.0) / 4096), 0.0, 2.0) / 2 +
                     .6 * std::clamp(std::log2(static_cast<double>(std::max(params.batch, 1))), 0.0, 2.0) / 2;
  const bool few = params.stream && params.threads < 512 && work.barriers > 0;
  const bool narrow = params.vector * problem.narrowest_bytes < 16;
  const bool ring = params.stages > 0;
  const double form = (ring ? 1 + model.ring_loss : 1) + model.burst * (ring ? 1 : big) * mixed +
                      (few ? model.few_threads : 0) + (narrow ? model.narrow_loss : 0) +
                      (work.stays ? model.static_loss * mixed * std::sqrt(mixed) : 0) +
                      model.short_rows * work.short_rows;
  const double missed =
      work.later_passes > 0 ? 1 : missed_share(model, device, work.pass > 0 ? work.pass / sms : e.resident * work.read);
  e.memory =
      sms / 1000 *
      ((work.read / device.read_tbps + work.write / device.write_tbps) * form +
       (work.reload * model.strided_reload + work.cached * model.cached + work.again * missed) / device.read_tbps +
       e.spill * threads * model.spill / device.write_tbps);
  e.memory *= std::clamp(blocks, std::min(1.0, device.read_tbps * 1000 / sms / (model.sm_bytes * clock)), 1.0);
  e.memory *= 1 + model.cluster_loss * (1 - 1.0 / params.cluster);
  e.issue = work.instructions / 4 / clock / model.issue_share;
  e.special = work.special / 16 / clock / model.special_share;
  e.access = (work.accesses * model.access_cycles + work.shared * model.shared_cycles) / clock;

  const double lock = work.barriers >= .5 ? std::max(model.drift, 1 / work.rounds) : model.drift;
  const double own = norm4(work.instructions / warps * model.chain / clock, lock * e.issue, lock * e.special);
  const double exchange = model.barrier + model.barrier_thread * threads +
                          (params.cluster > 1 ? model.cluster + model.cluster_block * params.cluster : 0);
  const double use = own + work.barriers * exchange + work.meetings * model.meeting +
                     work.told * (model.told + model.told_block * work.listeners);
  const double relaunch =
      (model.relaunch + model.relaunch_thread * threads) * (1 + model.cluster_start * (params.cluster - 1));
  e.life = model.latency * work.rounds + model.dependent * work.dependent + model.arrival * work.arrivals + use +
           (work.blocks > 0 ? 0 : relaunch);
  const double bound = std::sqrt(norm4(e.memory * e.memory, e.issue * e.issue,
                                       norm4(e.special * e.special, e.access * e.access, model.start * model.start)));
  const double phases = params.cluster > 1 ? model.cluster_phases * std::max(0.0, 4 - room)
                                           : model.alone * std::clamp(2 - room, 0.0, 1.0);
  e.period = norm4(e.life / e.resident, bound, 0) * (1 + phases * mixed);
  if (ring) {
    // Rows come at the rate of memory as soon as it is the slower one.
    e.life = ring_life(model, params, use, per_sm / e.resident);
    const double hand_out = params.counter ? std::max(bound, model.claim * sms) : bound;
    e.period = root4(norm4(pow4(e.life / e.resident), pow4(hand_out), 0));
  }
  if (work.in_step) {
    // What each of them takes hides the others' in part only.
    const double shown = model.in_step * e.life / e.resident;
    e.period = std::sqrt(e.memory * e.memory + e.issue * e.issue + shown * shown);
  }
  const double uneven = work.level && blocks > 1 ? std::ceil(blocks) / blocks : work.uneven;
  e.stream = per_sm / std::min(1.0, blocks) * e.period * uneven * (work.meetings > 0 ? model.together : 1) / 1000;
  e.tail = model.tail * (e.life + std::min(e.resident, 8.0) * e.memory) / 1000;
  e.total = model.launch + model.next_pass * work.later_passes + e.stream +
            last_wave(model, device, params, work, e) / 1000 + e.tail + work.finish;
  return e;
}

Estimate estimate_cpu(const Problem& problem, const Params& params, const DeviceProps& device) {
  const CpuTimeModel& model = kCpuTimeModel;
  const double points = points_of(problem);
  const bool tiled = params.family == Family::cpu_tile;
  const double run = tiled ? params.tile : static_cast<double>(std::clamp<int64_t>(problem.run, 1, params.task));
  const double task = tiled ? run * run : run;

  Estimate e;
  e.tiles = std::max(1.0, std::ceil(points / task));
  const double threads = std::min<double>(device.sms, e.tiles), lanes = std::max(1.0, device.simd_bytes / 4.0);
  double cycles = (element_issue(problem) + 2.0 * static_cast<double>(problem.buffers.size())) / lanes / model.pipes +
                  model.row_cycles / run;
  for (const ProblemBuffer& buffer : problem.buffers) {
    cycles += buffer.other ? (tiled ? model.strided_cycles : model.scattered_cycles) : 0;
  }
  e.issue = points * cycles / threads / device.clock_ghz;
  e.memory = problem.bytes * ((1 - problem.written) / device.read_tbps + problem.written / device.write_tbps) / 1000;
  e.stream = std::max(e.issue, e.memory) / 1000;
  e.total = model.call_us + (e.tiles > 1 ? model.pool_us + e.tiles / threads * model.task_ns / 1000 : 0) + e.stream;
  return e;
}

}  // namespace

void count_bytes(Problem& problem) {
  double written = 0;
  problem.bytes = 0;
  for (const ProblemBuffer& buffer : problem.buffers) {
    const double bytes = static_cast<double>(buffer.elements) * buffer.element_bytes;
    problem.bytes += bytes;
    written += buffer.output ? bytes : 0;
  }
  problem.written = problem.bytes > 0 ? written / problem.bytes : 1;
}

double buffer_accesses(const Problem& problem, const ProblemBuffer& buffer, int widest, int vector) {
  if (widest >= vector) {
    return std::max(1.0, vector * buffer.element_bytes / 16.0);
  }
  if (!buffer.output && widest > 0 && vector * buffer.element_bytes >= 16) {
    return vector * buffer.element_bytes / 16.0 + 1;  // the aligned ones around them
  }
  return widest == 0 && !is_full(problem, buffer) ? 1 : vector;
}

double element_issue(const Problem& problem) {
  return std::max(0.0, problem.issue - access_issue(problem, problem.place)) / problem.place;
}

double access_count(const Problem& problem, int vector, bool peel) {
  double count = 0;
  for (const ProblemBuffer& buffer : problem.buffers) {
    const bool peeled = peel && is_full(problem, buffer);
    count += buffer_accesses(problem, buffer, peeled ? vector : peel ? 1 : buffer.max_vector, vector);
  }
  return count;
}

double access_issue(const Problem& problem, int vector, bool peel) {
  // Fitted on copies: two instructions an access, and four for the addresses of a whole vector, two for those of a
  // narrower one.
  return 2 * access_count(problem, vector, peel) + (vector * problem.narrowest_bytes >= 16 ? 4 : 2);
}

Estimate estimate(const Problem& problem, const Params& params, const DeviceProps& device) {
  switch (params.family) {
    case Family::flat:
      return estimate_gpu(problem, params, device, flat_work(problem, params));
    case Family::tile:
      return estimate_gpu(problem, params, device, tile_work(problem, params));
    case Family::rows:
      return estimate_gpu(problem, params, device, rows_work(problem, params));
    case Family::columns:
      return estimate_gpu(problem, params, device, columns_work(problem, params));
    case Family::mixed:
      return estimate_gpu(problem, params, device, mixed_work(problem, params));
    default:
      return estimate_cpu(problem, params, device);
  }
}

}  // namespace nvfuser
