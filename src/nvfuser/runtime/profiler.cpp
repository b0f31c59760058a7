// SPDX-License-Identifier: Apache-2.0
// Times come from a clock that is read when the profile is first asked for, so that profiled calls follow each other on
// a GPU as others do.
#include "nvfuser/runtime/profiler.h"

#include <map>
#include <span>

#include "nvfuser/base/errors.h"
#include "nvfuser/runtime/call_arguments.h"
#include "nvfuser/runtime/group_kernels.h"
#include "nvfuser/runtime/plan.h"

namespace nvfuser {

std::atomic<int> profilers_on{0};

/// What a profiler and the thread that it profiles share: each may go first.
struct Profiler::Recorder {
  explicit Recorder(std::string name) : scheduler(std::move(name)) {}
  const std::string scheduler;
  std::atomic<bool> is_on{false};
  std::mutex mutex;
  std::shared_ptr<CallProfile> last;  ///< guarded by mutex

  void set_last(std::shared_ptr<CallProfile> profile) {
    const std::lock_guard lock(mutex);
    last.swap(profile);
  }
};

namespace {

thread_local std::shared_ptr<Profiler::Recorder> recorder_of_thread;

std::atomic<int64_t> launches{0};

/// Bytes of the distinct elements: expanded axes count once.
int64_t distinct_bytes(DataType dtype, std::span<const int64_t> sizes, std::span<const int64_t> strides) {
  int64_t elements = 1;
  for (size_t axis = 0; axis < sizes.size(); ++axis) {
    elements *= strides[axis] == 0 && sizes[axis] > 1 ? 1 : sizes[axis];
  }
  return elements * bytes_of(dtype);
}

/// Bytes of a buffer of the plan, as `reads` and `writes` number them.
int64_t buffer_bytes(const Plan& plan, const CallArguments& call, int buffer) {
  if (buffer < plan.inputs) {
    return call.is_tensor(buffer) ? distinct_bytes(call.dtype(buffer), call.sizes(buffer), call.strides(buffer)) : 0;
  }
  const size_t place = buffer - plan.inputs;
  const size_t results = plan.outputs.size() - (!plan.outputs.empty() && plan.outputs.back().workspace ? 1 : 0);
  const OutputSpec& spec = place < results ? plan.outputs[place] : plan.placed[place - results];
  return distinct_bytes(spec.dtype, spec.sizes, spec.strides);
}

int64_t sum_bytes(const Plan& plan, const CallArguments& call, const std::vector<int>& buffers) {
  int64_t bytes = 0;
  for (int buffer : buffers) {
    bytes += buffer_bytes(plan, call, buffer);
  }
  return bytes;
}

double gigabytes_per_second(int64_t bytes, double milliseconds) {
  return milliseconds > 0 ? static_cast<double>(bytes) / milliseconds * 1e-6 : 0;
}

double percent_of(double bandwidth, double peak) { return peak > 0 ? 100 * bandwidth / peak : 0; }

double milliseconds_of(std::chrono::steady_clock::duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

}  // namespace

// ---- one call ----

CallProfile::CallProfile(int64_t fusion_id, std::string scheduler)
    : scheduler_(std::move(scheduler)), start_(std::chrono::steady_clock::now()) {
  profile_.fusion_id = fusion_id;
}

void CallProfile::begin_steps(const Plan& plan, const CallArguments& call, const ExecuteOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  for (int k = 0; k < plan.inputs; ++k) {
    profile_.input_bytes += buffer_bytes(plan, call, k);
  }
  for (size_t k = 0; k < plan.outputs.size(); ++k) {
    const OutputSpec& spec = plan.outputs[k];
    profile_.output_bytes += spec.workspace || spec.same_as >= 0 ? 0 : buffer_bytes(plan, call, plan.inputs + int(k));
  }
  describe_steps(plan, call, options);
  peak_gbs_ = plan.way == Way::cuda ? cuda_peak_bandwidth(plan.device.index) : 0;
  stream_ = options.stream;
  clock_ = make_stream_clock(plan.way, plan.device.index, stream_);
  own_ = std::chrono::steady_clock::now() - start;
  end_step();
}

void CallProfile::describe_steps(const Plan& plan, const CallArguments& call, const ExecuteOptions& options) {
  std::map<const Module*, int> sharing;
  for (const KernelStep& step : plan.steps) {
    ++sharing[step.module.get()];
  }
  for (const KernelStep& step : plan.steps) {
    KernelProfile& kernel = profile_.kernels.emplace_back();
    kernel.name = step.made().name;
    kernel.scheduler = scheduler_.empty() ? step.made_from->lowered.params.family_name() : scheduler_;
    const Module::Origin& origin = step.module->origin();
    kernel.compile_ms = origin.ready < start_ ? 0 : 1e3 * origin.seconds / sharing[step.module.get()];
    kernel.grid = step.launch.grid;
    kernel.block = step.launch.block;
    const KernelResources resources = step.module->resources(step.kernel);
    kernel.registers = resources.registers;
    kernel.static_shared = resources.static_shared_bytes;
    kernel.dynamic_shared = step.launch.shared_bytes;
    kernel.input_bytes = sum_bytes(plan, call, step.reads);
    kernel.output_bytes = sum_bytes(plan, call, step.writes);
  }
  if (plan.way == Way::evaluator) {
    KernelProfile& whole = profile_.kernels.emplace_back();
    whole.name = whole.scheduler = name_of(Way::evaluator);
    whole.input_bytes = profile_.input_bytes;
    whole.output_bytes = profile_.output_bytes;
  }
  for (size_t k = 0; k < profile_.kernels.size(); ++k) {
    profile_.kernels[k].segment = static_cast<int>(k);
    profile_.kernels[k].device = plan.device.index;
    profile_.kernels[k].stream = reinterpret_cast<uintptr_t>(options.stream);
    profile_.kernels[k].correlation = ++launches;
  }
}

void CallProfile::end_step() {
  if (clock_ != nullptr) {
    clock_->mark(stream_);
  }
}

void CallProfile::end() {
  profile_.host_ms = milliseconds_of(std::chrono::steady_clock::now() - start_ - own_);
  profile_.compile_ms = milliseconds_of(compile_);
}

const FusionProfile& CallProfile::profile() {
  const std::lock_guard lock(mutex_);
  if (clock_ != nullptr) {
    add_times();
    clock_.reset();
  }
  return profile_;
}

void CallProfile::add_times() {
  const std::vector<double> times = clock_->milliseconds();
  for (size_t k = 0; k < profile_.kernels.size() && k < times.size(); ++k) {
    KernelProfile& kernel = profile_.kernels[k];
    kernel.time_ms = times[k];
    kernel.bandwidth_gbs = gigabytes_per_second(kernel.input_bytes + kernel.output_bytes, kernel.time_ms);
    kernel.peak_percent = percent_of(kernel.bandwidth_gbs, peak_gbs_);
    profile_.kernel_ms += kernel.time_ms;
  }
  profile_.event_ms = profile_.kernel_ms;  // marks are shared by neighbours, so nothing lies between
  profile_.bandwidth_gbs = gigabytes_per_second(profile_.input_bytes + profile_.output_bytes, profile_.kernel_ms);
  profile_.peak_percent = percent_of(profile_.bandwidth_gbs, peak_gbs_);
}

// ---- whose calls ----

Profiler::Profiler(std::string scheduler) : recorder_(std::make_shared<Recorder>(std::move(scheduler))) {}

Profiler::~Profiler() { stop(); }

void Profiler::start() {
  check(recorder_of_thread == nullptr || !recorder_of_thread->is_on, ErrorKind::definition,
        "this thread has a profiler that is on; profilers do not nest");
  check(!recorder_->is_on, ErrorKind::definition, "the profiler is on in another thread");
  recorder_->set_last(nullptr);
  recorder_->is_on = true;
  recorder_of_thread = recorder_;
  profilers_on.fetch_add(1, std::memory_order_relaxed);
}

void Profiler::stop() {
  if (recorder_->is_on.exchange(false)) {
    profilers_on.fetch_sub(1, std::memory_order_relaxed);
  }
}

std::shared_ptr<CallProfile> Profiler::last() const {
  const std::lock_guard lock(recorder_->mutex);
  return recorder_->last;
}

std::shared_ptr<CallProfile> Profiler::last_of_thread() {
  if (recorder_of_thread == nullptr) {
    return nullptr;
  }
  const std::lock_guard lock(recorder_of_thread->mutex);
  return recorder_of_thread->last;
}

void Profiler::reset_thread() {
  if (recorder_of_thread != nullptr) {
    recorder_of_thread->set_last(nullptr);
  }
}

std::shared_ptr<CallProfile> begin_profile(int64_t fusion_id) {
  const std::shared_ptr<Profiler::Recorder>& recorder = recorder_of_thread;
  return recorder != nullptr && recorder->is_on ? std::make_shared<CallProfile>(fusion_id, recorder->scheduler)
                                                : nullptr;
}

void end_profile(const std::shared_ptr<CallProfile>& profile) {
  profile->end();
  if (recorder_of_thread != nullptr && recorder_of_thread->is_on) {
    recorder_of_thread->set_last(profile);
  }
}

}  // namespace nvfuser
