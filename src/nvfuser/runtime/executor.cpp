// SPDX-License-Identifier: Apache-2.0
// The executor: arguments -> key -> plan, and running a plan.
#include "nvfuser/runtime/executor.h"

#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <tuple>

#include "nvfuser/base/dump.h"
#include "nvfuser/base/options.h"
#include "nvfuser/codegen/print.h"
#include "nvfuser/fuse/rewrite.h"
#include "nvfuser/runtime/arguments.h"
#include "nvfuser/runtime/layout.h"
#include "nvfuser/runtime/plan_builder.h"

namespace nvfuser {

namespace {

/// What an executor remembers of its fusion as it was.
struct Known {
  const std::vector<bool>& sizing;
  const std::vector<int>& written;
  size_t outputs;
};

}  // namespace

struct FusionExecutor::Impl {
  /// The evaluator runs what the user wrote, kernels a copy that is rewritten once; inputs and outputs are parallel.
  const std::shared_ptr<Fusion>& fusion_for(Way way, const std::shared_ptr<Fusion>& original);

  std::mutex mutex;
  std::map<std::vector<int64_t>, std::shared_ptr<const Plan>> plans;
  KernelStore kernels;
  std::vector<bool> sizing;  ///< see sizing_scalars
  std::vector<int> written;  ///< see written_inputs
  size_t outputs = 0;        ///< of the fusion when the executor was made
  Known known() const { return {sizing, written, outputs}; }

 private:
  std::once_flag once_;
  std::shared_ptr<Fusion> rewritten_;
};

const std::shared_ptr<Fusion>& FusionExecutor::Impl::fusion_for(Way way, const std::shared_ptr<Fusion>& original) {
  if (way == Way::evaluator) {
    return original;
  }
  std::call_once(once_, [&] {
    rewritten_ = rewrite(original);
    if (rewritten_ != original && dump_enabled(DumpStage::fusion)) {
      dump(DumpStage::fusion, "rewritten:\n" + print_math(*rewritten_));
    }
  });
  return rewritten_;
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

/// A call, checked.
struct CheckedCall {
  CheckedCall(const Fusion& fusion, const Known& known, const std::vector<Argument>& given,
              const ExecuteOptions& options)
      : arguments(given), original(fusion), binding(fusion) {
    check(fusion.outputs().size() == known.outputs && fusion.inputs().size() == known.sizing.size(),
          ErrorKind::definition,
          "the fusion got inputs or outputs after its first call; define them inside `with fd:`");
    bind_arguments(fusion, given, binding);
    std::tie(way, reason) = pick_way(device_of(given), options);
    key = facts_key(given, static_cast<int>(way), known.sizing);
    for (const auto& [target, other] : shared_inputs(given, known.written)) {
      key.insert(key.end(), {target, other});
    }
    for (char letter : options.device_props) {
      key.push_back(letter);
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

  const std::vector<Argument>& arguments;
  const Fusion& original;
  ScalarBinding binding;
  std::optional<ScalarBinding> rewritten_binding;
  Way way;
  std::string reason;  ///< why the evaluator runs although nobody asked for it
  std::vector<int64_t> key;
};

/// Plans of drafts, whose kernels are compiled together.
std::vector<std::shared_ptr<Plan>> finish(std::vector<PlanDraft>& drafts, const std::vector<KernelStore*>& stores) {
  std::vector<KernelOrder> orders;
  for (size_t k = 0; k < drafts.size(); ++k) {
    orders.push_back(drafts[k].order(*stores[k]));
  }
  const std::vector<std::vector<KernelStore::Entry>> entries = fetch_kernels(orders);
  std::vector<std::shared_ptr<Plan>> plans;
  for (size_t k = 0; k < drafts.size(); ++k) {
    plans.push_back(drafts[k].finish(entries[k]));
  }
  return plans;
}

std::shared_ptr<Plan> make_plan(const std::shared_ptr<Fusion>& fusion, CheckedCall& call, Way way,
                                const ExecuteOptions& options, KernelStore& store) {
  const TimedScope timed("plan, " + std::string(name_of(way)));
  std::vector<PlanDraft> drafts;
  drafts.emplace_back(fusion, call.arguments, call.bound_to(*fusion), way, options);
  return finish(drafts, {&store}).front();
}

std::shared_ptr<const Plan> completed(std::shared_ptr<Plan> plan, std::string reason) {
  plan->fallback_reason = std::move(reason);
  dump(DumpStage::plan, FusionExecutor::describe(*plan));
  return plan;
}

}  // namespace

std::shared_ptr<const Plan> FusionExecutor::prepare(const std::vector<Argument>& arguments,
                                                    const ExecuteOptions& options) {
  CheckedCall call(*fusion_, impl_->known(), arguments, options);
  std::lock_guard<std::mutex> lock(impl_->mutex);
  std::shared_ptr<const Plan>& plan = impl_->plans[call.key];
  if (plan) {
    return plan;
  }
  std::shared_ptr<Plan> built;
  try {
    built = make_plan(impl_->fusion_for(call.way, fusion_), call, call.way, options, impl_->kernels);
  } catch (const Error& error) {
    // A compiler that fails on the host leaves the evaluator, which needs none, unless the caller asked for the host.
    const bool asked = options.way || !nvfuser::options().target.empty();
    if (error.kind() != ErrorKind::compile || call.way != Way::host || asked) {
      throw;
    }
    call.reason = error.what();
    built = make_plan(fusion_, call, Way::evaluator, options, impl_->kernels);
  }
  return plan = completed(std::move(built), std::move(call.reason));
}

std::vector<std::shared_ptr<const Plan>> FusionExecutor::prepare_all(const std::vector<Preparation>& calls) {
  std::deque<CheckedCall> checked;
  std::set<Impl*> involved;  // locked in the order of addresses
  for (const Preparation& call : calls) {
    checked.emplace_back(*call.executor->fusion_, call.executor->impl_->known(), call.arguments, call.options);
    involved.insert(call.executor->impl_.get());
  }
  std::vector<std::unique_lock<std::mutex>> locks;
  for (Impl* impl : involved) {
    locks.emplace_back(impl->mutex);
  }
  std::vector<PlanDraft> drafts;
  std::vector<KernelStore*> stores;
  std::vector<size_t> missing;
  for (size_t k = 0; k < calls.size(); ++k) {
    Impl& impl = *calls[k].executor->impl_;
    if (impl.plans[checked[k].key]) {
      continue;
    }
    const std::shared_ptr<Fusion>& fusion = impl.fusion_for(checked[k].way, calls[k].executor->fusion_);
    drafts.emplace_back(fusion, calls[k].arguments, checked[k].bound_to(*fusion), checked[k].way, calls[k].options);
    stores.push_back(&impl.kernels);
    missing.push_back(k);
  }
  const std::vector<std::shared_ptr<Plan>> built = finish(drafts, stores);
  for (size_t k = 0; k < missing.size(); ++k) {
    calls[missing[k]].executor->impl_->plans[checked[missing[k]].key] = completed(built[k], checked[missing[k]].reason);
  }
  std::vector<std::shared_ptr<const Plan>> plans;
  for (size_t k = 0; k < calls.size(); ++k) {
    plans.push_back(calls[k].executor->impl_->plans[checked[k].key]);
  }
  return plans;
}

std::vector<std::string> FusionExecutor::kernel_texts(const Preparation& call) {
  CheckedCall checked(*call.executor->fusion_, call.executor->impl_->known(), call.arguments, call.options);
  KernelStore store;
  PlanDraft draft(call.executor->fusion_, call.arguments, checked.binding, checked.way, call.options);
  std::vector<std::string> texts;
  for (const Program* program : draft.order(store).programs) {
    texts.push_back(print_kernel(*program));
  }
  return texts;
}

namespace {

HostTensor host_tensor(const TensorArgument& tensor) {
  return {tensor.data, tensor.dtype, tensor.sizes, tensor.strides};
}

void run_evaluator(const Fusion& fusion, const Plan& plan, const std::vector<Argument>& arguments,
                   const std::vector<void*>& outputs) {
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
  evaluate(fusion, inputs, results);
}

}  // namespace

void FusionExecutor::run(const Plan& plan, const std::vector<Argument>& arguments, const std::vector<void*>& outputs,
                         const ExecuteOptions& options) {
  if (plan.way == Way::evaluator) {
    return run_evaluator(*fusion_, plan, arguments, outputs);
  }
  std::vector<void*> buffers;
  buffers.reserve(arguments.size() + outputs.size());
  for (const Argument& argument : arguments) {
    const auto* tensor = std::get_if<TensorArgument>(&argument);
    buffers.push_back(tensor ? tensor->data : nullptr);
  }
  buffers.insert(buffers.end(), outputs.begin(), outputs.end());
  if (!plan.reads_scalars) {
    return run_steps(plan, buffers, nullptr, options);
  }
  const Fusion& planned = *impl_->fusion_for(plan.way, fusion_);
  ScalarBinding binding(planned);
  bind_arguments(planned, arguments, binding);
  run_steps(plan, buffers, &binding, options);
}

const std::vector<OutputSpec>& FusionExecutor::outputs_of(const Plan& plan) { return plan.outputs; }
Way FusionExecutor::way_of(const Plan& plan) { return plan.way; }
const std::string& FusionExecutor::fallback_reason(const Plan& plan) { return plan.fallback_reason; }

std::string FusionExecutor::kernel_text(const Plan& plan) {
  std::string text;
  for (const KernelStep& step : plan.steps) {
    text += step.text;
  }
  return text;
}

std::string FusionExecutor::describe(const Plan& plan) {
  std::string text = "way " + std::string(name_of(plan.way)) + ", " + std::to_string(plan.steps.size()) + " kernels\n";
  for (const KernelStep& step : plan.steps) {
    text += "  " + step.summary + "; grid " + std::to_string(step.launch.grid[0]) + ", block " +
            std::to_string(step.launch.block[0]) + ", shared " + std::to_string(step.launch.shared_bytes) + " B\n";
  }
  return text;
}

}  // namespace nvfuser
