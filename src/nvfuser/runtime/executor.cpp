// SPDX-License-Identifier: Apache-2.0
// The executor: arguments -> key -> plan, and running a plan.
#include "nvfuser/runtime/executor.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>
#include <new>
#include <set>
#include <tuple>

#include "nvfuser/base/dump.h"
#include "nvfuser/base/fork_mutex.h"
#include "nvfuser/base/options.h"
#include "nvfuser/codegen/print.h"
#include "nvfuser/fuse/rewrite.h"
#include "nvfuser/runtime/arguments.h"
#include "nvfuser/runtime/call_arguments.h"
#include "nvfuser/runtime/generator.h"
#include "nvfuser/runtime/layout.h"
#include "nvfuser/runtime/plan_builder.h"
#include "nvfuser/runtime/plan_cache.h"
#include "nvfuser/runtime/profiler.h"

namespace nvfuser {

struct FusionExecutor::Impl {
  /// The evaluator runs what the user wrote, kernels a copy that is rewritten once; inputs and outputs are parallel.
  /// `host_values`: inputs of which kernels get the value (see arguments.h).
  const std::shared_ptr<Fusion>& fusion_for(Way way, const std::shared_ptr<Fusion>& original,
                                            const std::vector<bool>& host_values);

  PlanCache plans;
  LongMutex building{[this] { begin_anew(); }};  ///< held while plans are made; guards `kernels`
  KernelStore kernels;
  std::vector<bool> sizing;  ///< see sizing_scalars
  std::vector<int> written;  ///< see written_inputs
  size_t outputs = 0;        ///< of the fusion when the executor was made
  std::atomic<int> last_way = -1;

 private:
  /// In a forked child whose parent was making a plan: what may be half done is left where it is, and nobody's.
  void begin_anew() {
    new (&kernels) KernelStore;
    new (&rewritten_) std::map<std::vector<bool>, std::shared_ptr<Fusion>>;
  }

  std::map<std::vector<bool>, std::shared_ptr<Fusion>> rewritten_;  ///< by host_values
};

namespace {

/// The fusion, or a copy with further inputs of which kernels get the value.
std::shared_ptr<Fusion> with_host_values(const std::shared_ptr<Fusion>& fusion, const std::vector<bool>& host_values) {
  std::shared_ptr<Fusion> result = fusion;
  for (size_t k = 0; k < host_values.size(); ++k) {
    if (host_values[k] && !static_cast<const TensorView*>(fusion->inputs()[k])->is_cpu_scalar()) {
      result = result == fusion ? clone(*fusion) : result;
      static_cast<TensorView*>(result->inputs()[k])->set_cpu_scalar(true);
    }
  }
  return result;
}

}  // namespace

const std::shared_ptr<Fusion>& FusionExecutor::Impl::fusion_for(Way way, const std::shared_ptr<Fusion>& original,
                                                                const std::vector<bool>& host_values) {
  if (way == Way::evaluator) {
    return original;
  }
  std::shared_ptr<Fusion>& rewritten = rewritten_[host_values];
  if (rewritten == nullptr) {
    rewritten = rewrite(with_host_values(original, host_values));
    if (rewritten != original && dump_enabled(DumpStage::fusion)) {
      dump(DumpStage::fusion, "rewritten:\n" + print_math(*rewritten));
    }
  }
  return rewritten;
}

FusionExecutor::FusionExecutor(std::shared_ptr<Fusion> fusion)
    : fusion_(std::move(fusion)), impl_(std::make_unique<Impl>()) {
  check(!fusion_->outputs().empty(), ErrorKind::definition, "the fusion has no outputs");
  verify(*fusion_);
  impl_->sizing = sizing_scalars(*fusion_);
  impl_->written = written_inputs(*fusion_);
  impl_->outputs = fusion_->outputs().size();
  if (dump_enabled(DumpStage::fusion)) {
    dump(DumpStage::fusion, print_math(*fusion_));
  }
}

FusionExecutor::~FusionExecutor() = default;

namespace {

std::optional<Way> way_named(const std::string& name) {
  for (Way way : {Way::cuda, Way::host, Way::emulator, Way::evaluator}) {
    if (name_of(way) == name) {
      return way;
    }
  }
  check(name.empty(), ErrorKind::option, "unknown target '", name, "'; known: cuda, host, emulator, evaluator");
  return std::nullopt;
}

/// The way of a call, and why it is the evaluator when nobody asked for it.
std::pair<Way, std::string> pick_way(const Device& device, const ExecuteOptions& options) {
  std::optional<Way> asked = options.way ? options.way : way_named(nvfuser::options().target);
  if (device.kind == Device::Kind::cuda) {
    check(!asked || *asked == Way::cuda, ErrorKind::device, "CUDA tensors run on cuda, not on ",
          asked ? name_of(*asked) : "");
    return {Way::cuda, ""};
  }
  if (asked) {
    check(*asked != Way::cuda, ErrorKind::device, "CPU tensors do not run on cuda; move the inputs to the GPU");
    return {*asked, ""};
  }
  std::string why;
  return host_compiler_available(&why) ? std::pair{Way::host, std::string()} : std::pair{Way::evaluator, why};
}

/// A call whose plan is to be made, checked.
struct CheckedCall {
  CheckedCall(const Fusion& fusion, const CallArguments& call, const ExecuteOptions& options)
      : arguments(call.arguments(0, call.inputs())), original(fusion), binding(fusion) {
    bind_arguments(fusion, arguments, binding);
    const Device device = device_of(fusion, arguments);
    by_value = host_values(fusion, arguments, device);
    std::tie(way, reason) = pick_way(device, options);
    check_sizes(fusion, binding);
    for (const Argument& target : call.arguments(call.inputs(), call.size())) {
      given.push_back(std::get<TensorArgument>(target));
    }
  }

  /// The arguments bound to the fusion itself or to its rewritten copy.
  ScalarBinding& bound_to(const Fusion& fusion) {
    if (&fusion == &original) {
      return binding;
    }
    bind_arguments(fusion, arguments, rewritten_binding.emplace(fusion));
    return *rewritten_binding;
  }

  std::vector<Argument> arguments;
  std::vector<TensorArgument> given;  ///< tensors for the results
  const Fusion& original;
  ScalarBinding binding;
  std::optional<ScalarBinding> rewritten_binding;
  std::vector<bool> by_value;  ///< see host_values
  Way way;
  std::string reason;  ///< why the evaluator runs although nobody asked for it
};

/// Plans of drafts, whose kernels are compiled together.
std::vector<std::shared_ptr<Plan>> finish(std::vector<PlanDraft>& drafts) {
  bool changed = true;
  while (changed) {
    std::vector<KernelOrder> orders;
    for (const PlanDraft& draft : drafts) {
      orders.push_back(draft.order());
    }
    compile_kernels(orders);
    changed = false;
    for (PlanDraft& draft : drafts) {
      changed = draft.replace_spilling() || changed;
    }
  }
  std::vector<std::shared_ptr<Plan>> plans;
  for (PlanDraft& draft : drafts) {
    plans.push_back(draft.finish());
  }
  return plans;
}

std::shared_ptr<Plan> make_plan(const std::shared_ptr<Fusion>& fusion, CheckedCall& call, Way way,
                                const ExecuteOptions& options, KernelStore& store) {
  const TimedScope timed("plan, " + std::string(name_of(way)));
  std::vector<PlanDraft> drafts;
  drafts.emplace_back(fusion, call.arguments, call.given, call.bound_to(*fusion), way, options, store);
  return finish(drafts).front();
}

CallArguments flat(const std::vector<Argument>& arguments, const std::vector<bool>& sizing) {
  CallArguments call;
  for (size_t k = 0; k < arguments.size(); ++k) {
    call.add(arguments[k], k < sizing.size() && sizing[k]);
  }
  return call;
}

/// Which inputs, and which earlier targets, share memory with a tensor that is written into.
void add_shared(CallArguments& call, int target) {
  const MemoryRange written = range_of(call, target);
  for (int other = 0; other < std::max(call.inputs(), target); ++other) {
    if (other != target && call.is_tensor(other) && ranges_meet(written, range_of(call, other))) {
      call.add_fact(int64_t{target} << 32 | other);
    }
  }
}

/// Plans that one fusion keeps.
size_t most_plans() {
  // Asked for every new plan, so kept until an option changes.
  static std::atomic<uint64_t> version{~uint64_t{0}};
  static std::atomic<int64_t> known{0};
  if (const uint64_t now = options_version(); version.load(std::memory_order_acquire) != now) {
    known.store(nvfuser::options().plans, std::memory_order_relaxed);
    version.store(now, std::memory_order_release);
  }
  return static_cast<size_t>(known.load(std::memory_order_relaxed));
}

std::shared_ptr<const Plan> completed(std::shared_ptr<Plan> plan, std::string reason) {
  plan->fallback_reason = std::move(reason);
  dump(DumpStage::plan, FusionExecutor::describe(*plan));
  return plan;
}

/// Modules cannot be loaded while a stream is captured, and trying it would end the capture: nothing of the driver may
/// be touched before this.
void refuse_capture(const CallArguments& call, const ExecuteOptions& options) {
  for (int k = 0; k < call.size(); ++k) {
    if (call.is_tensor(k) && call.device(k).kind == Device::Kind::cuda) {
      check(
          !cuda_capturing(options.stream), ErrorKind::device,
          "the stream is captured into a CUDA graph, and this call needs a plan, which cannot be made meanwhile; make "
          "the call once with tensors of the same sizes, strides, dtypes and alignments before the capture begins. "
          "The capture is still usable");
      return;
    }
  }
}

}  // namespace

/// Facts beyond those of the arguments: which tensors share memory where results are written into given memory, what
/// the caller and the options ask for.
void FusionExecutor::add_facts(CallArguments& call, const ExecuteOptions& options) const {
  check(fusion_->outputs().size() == impl_->outputs && fusion_->inputs().size() == impl_->sizing.size(),
        ErrorKind::definition, "the fusion got inputs or outputs after its first call; define them inside `with fd:`");
  check_count(*fusion_, static_cast<size_t>(call.inputs()));
  for (int target : impl_->written) {
    if (call.is_tensor(target)) {
      add_shared(call, target);
    }
  }
  for (int target = call.inputs(); target < call.size(); ++target) {
    add_shared(call, target);
  }
  call.add_fact(call.size());
  call.add_fact(options.way ? static_cast<int64_t>(*options.way) : -1);
  call.add_fact(static_cast<int64_t>(options_version()));
  if (!options.device_props.empty()) {
    call.add_fact(static_cast<int64_t>(hash64(options.device_props)));
  }
  call.complete();
}

std::shared_ptr<const Plan> FusionExecutor::find(CallArguments& call, const ExecuteOptions& options) {
  add_facts(call, options);
  return impl_->plans.find(call.facts());
}

std::shared_ptr<const Plan> FusionExecutor::prepare(CallArguments& call, const ExecuteOptions& options) {
  if (!call.is_complete()) {
    if (std::shared_ptr<const Plan> plan = find(call, options)) {
      return plan;
    }
  }
  refuse_capture(call, options);
  const CompileTime timed(options.profile);
  const std::lock_guard lock(impl_->building);
  if (std::shared_ptr<const Plan> plan = impl_->plans.find(call.facts())) {
    return plan;  // another thread made it meanwhile
  }
  CheckedCall checked(*fusion_, call, options);
  std::shared_ptr<Plan> built;
  try {
    built = make_plan(impl_->fusion_for(checked.way, fusion_, checked.by_value), checked, checked.way, options,
                      impl_->kernels);
  } catch (const Error& error) {
    // A compiler that fails on the host leaves the evaluator, which needs none, unless the caller asked for the host.
    const bool asked = options.way || !nvfuser::options().target.empty();
    if (error.kind() != ErrorKind::compile || checked.way != Way::host || asked) {
      throw;
    }
    checked.reason = error.what();
    built = make_plan(fusion_, checked, Way::evaluator, options, impl_->kernels);
  }
  return impl_->plans.add(call.facts(), completed(std::move(built), std::move(checked.reason)), most_plans());
}

std::shared_ptr<const Plan> FusionExecutor::prepare(const std::vector<Argument>& arguments,
                                                    const ExecuteOptions& options) {
  CallArguments call = flat(arguments, impl_->sizing);
  return prepare(call, options);
}

bool FusionExecutor::is_sizing(int k) const { return k < input_count() && impl_->sizing[k]; }
int FusionExecutor::input_count() const { return static_cast<int>(impl_->sizing.size()); }
std::optional<Way> FusionExecutor::last_way() const {
  const int way = impl_->last_way.load(std::memory_order_relaxed);
  return way >= 0 ? std::optional(static_cast<Way>(way)) : std::nullopt;
}
size_t FusionExecutor::plan_count() const { return impl_->plans.size(); }

std::vector<std::shared_ptr<const Plan>> FusionExecutor::prepare_all(const std::vector<Preparation>& calls) {
  std::deque<CallArguments> flats;
  std::set<Impl*> involved;  // locked in the order of addresses
  for (const Preparation& call : calls) {
    flats.push_back(flat(call.arguments, call.executor->impl_->sizing));
    call.executor->add_facts(flats.back(), call.options);
    involved.insert(call.executor->impl_.get());
  }
  std::vector<std::unique_lock<LongMutex>> locks;
  for (Impl* impl : involved) {
    locks.emplace_back(impl->building);
  }
  std::vector<std::shared_ptr<const Plan>> plans(calls.size());
  std::deque<CheckedCall> checked;
  std::vector<PlanDraft> drafts;
  std::vector<size_t> missing;
  for (size_t k = 0; k < calls.size(); ++k) {
    FusionExecutor& executor = *calls[k].executor;
    plans[k] = executor.impl_->plans.find(flats[k].facts());
    if (!plans[k]) {
      CheckedCall& call = checked.emplace_back(*executor.fusion_, flats[k], calls[k].options);
      const std::shared_ptr<Fusion>& fusion = executor.impl_->fusion_for(call.way, executor.fusion_, call.by_value);
      drafts.emplace_back(fusion, call.arguments, call.given, call.bound_to(*fusion), call.way, calls[k].options,
                          executor.impl_->kernels);
      missing.push_back(k);
    }
  }
  const std::vector<std::shared_ptr<Plan>> built = finish(drafts);
  for (size_t k = 0; k < missing.size(); ++k) {
    plans[missing[k]] = calls[missing[k]].executor->impl_->plans.add(
        flats[missing[k]].facts(), completed(built[k], checked[k].reason), most_plans());
  }
  return plans;
}

std::vector<std::string> FusionExecutor::kernel_texts(const Preparation& call) {
  FusionExecutor& executor = *call.executor;
  CheckedCall checked(*executor.fusion_, flat(call.arguments, executor.impl_->sizing), call.options);
  const std::lock_guard lock(executor.impl_->building);
  const std::shared_ptr<Fusion>& fusion = executor.impl_->fusion_for(checked.way, executor.fusion_, checked.by_value);
  KernelStore store;
  const PlanDraft draft(fusion, checked.arguments, {}, checked.bound_to(*fusion), checked.way, call.options, store);
  std::vector<std::string> texts;
  for (const std::shared_ptr<GroupKernel>& kernel : draft.order().kernels) {
    for (const Program& program : kernel->lowered.programs) {
      texts.push_back(print_kernel(program));
    }
  }
  return texts;
}

namespace {

HostTensor host_tensor(const TensorArgument& tensor) {
  return {tensor.data, tensor.dtype, tensor.sizes, tensor.strides};
}

void run_evaluator(const Fusion& fusion, const Plan& plan, const std::vector<Argument>& arguments,
                   std::span<void* const> outputs, const RandomState& random) {
  std::vector<HostArgument> inputs;
  for (const Argument& argument : arguments) {
    const auto* tensor = std::get_if<TensorArgument>(&argument);
    inputs.push_back(tensor ? HostArgument(host_tensor(*tensor)) : HostArgument(std::get<ScalarValue>(argument)));
  }
  std::vector<HostTensor> results;
  for (size_t k = 0; k < fusion.outputs().size(); ++k) {
    const OutputSpec& spec = plan.outputs[k];
    if (spec.alias_input >= 0) {
      results.push_back(host_tensor(std::get<TensorArgument>(arguments[spec.alias_input])));
    } else {
      const int source = spec.same_as >= 0 ? spec.same_as : static_cast<int>(k);
      results.push_back({outputs[source], spec.dtype, spec.sizes, spec.strides});
      if (plan.outputs[source].alias_input >= 0) {
        results.back() = results[source];
      }
    }
  }
  evaluate(fusion, inputs, results, EvaluatePrecision::kernel, random);
}

void end_step(const ExecuteOptions& options) {
  if (options.profile != nullptr) {
    options.profile->end_step();
  }
}

RandomState random_state(const Plan& plan, const ExecuteOptions& options) {
  if (!plan.draws) {
    return {};
  }
  return options.random ? *options.random : default_generator().take(plan.offset_advance);
}

}  // namespace

void FusionExecutor::run(const Plan& plan, const CallArguments& call, std::span<void* const> outputs,
                         const ExecuteOptions& options) {
  impl_->last_way.store(static_cast<int>(plan.way), std::memory_order_relaxed);
  const RandomState random = random_state(plan, options);
  if (options.profile != nullptr) [[unlikely]] {
    options.profile->begin_steps(plan, call, options);
  }
  if (plan.way == Way::evaluator) {
    run_evaluator(*plan.fusion, plan, call.arguments(0, plan.inputs), outputs, random);
    return end_step(options);
  }
  if (options.profile == nullptr) {
    return run_steps(plan, plan.steps, call, outputs, random, options);
  }
  for (const KernelStep& step : plan.steps) {  // a profile is told of each
    run_steps(plan, {&step, 1}, call, outputs, random, options);
    end_step(options);
  }
}

void FusionExecutor::run(const Plan& plan, const std::vector<Argument>& arguments, const std::vector<void*>& outputs,
                         const ExecuteOptions& options) {
  run(plan, flat(arguments, impl_->sizing), outputs, options);
}

const std::vector<OutputSpec>& FusionExecutor::outputs_of(const Plan& plan) { return plan.outputs; }
Way FusionExecutor::way_of(const Plan& plan) { return plan.way; }
Device FusionExecutor::device_of(const Plan& plan) { return plan.device; }
bool FusionExecutor::is_brief(const Plan& plan) { return plan.brief; }
uint64_t FusionExecutor::offset_advance_of(const Plan& plan) { return plan.offset_advance; }
const std::string& FusionExecutor::fallback_reason(const Plan& plan) { return plan.fallback_reason; }

std::string FusionExecutor::kernel_text(const Plan& plan) {
  std::string text;
  for (const KernelStep& step : plan.steps) {
    text += print_kernel(step.made());
  }
  return text;
}

std::string FusionExecutor::describe(const Plan& plan) {
  std::string text = "way " + std::string(name_of(plan.way)) + ", " + std::to_string(plan.steps.size()) + " kernels\n";
  for (const KernelStep& step : plan.steps) {
    const LoweredGroup& made = step.made_from->lowered;
    text += "  " + step.made().name + ": " + made.params.text() + "; facts: " + step.made().facts.text() + "; grid " +
            std::to_string(step.launch.grid[0]) + ", block " + std::to_string(step.launch.block[0]) + ", shared " +
            std::to_string(step.launch.shared_bytes) + " B\n";
  }
  return text;
}

}  // namespace nvfuser
