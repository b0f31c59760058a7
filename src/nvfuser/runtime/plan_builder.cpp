// SPDX-License-Identifier: Apache-2.0
// One call's plan: which buffers exist, which group writes which, what is compiled, what stands in the images.
#include "nvfuser/runtime/plan_builder.h"

#include <algorithm>
#include <sstream>

#include "nvfuser/base/dump.h"
#include "nvfuser/runtime/arguments.h"
#include "nvfuser/runtime/kernel_step.h"
#include "nvfuser/runtime/layout.h"

namespace nvfuser {

namespace {

std::string list_text(const std::vector<int64_t>& sizes) {
  std::string text;
  for (const int64_t size : sizes) {
    text += (text.empty() ? "" : ", ") + std::to_string(size);
  }
  return "[" + text + "]";
}

/// Bytes that can be asked for.
void check_bytes(const TensorView* tensor, const std::vector<int64_t>& sizes) {
  int64_t bytes = std::max(1, bytes_of(tensor->dtype()));
  for (const int64_t size : sizes) {
    const bool overflow = __builtin_mul_overflow(bytes, std::max<int64_t>(size, 1), &bytes);
    check(!overflow, ErrorKind::shape, *tensor, " of sizes ", list_text(sizes), " exceeds 2^63 bytes", AtLine{*tensor});
  }
}

}  // namespace

class PlanBuilder {
 public:
  PlanBuilder(const std::shared_ptr<Fusion>& fusion, const std::vector<Argument>& arguments,
              std::span<const TensorArgument> given, ScalarBinding& binding, Way way, KernelStore& store)
      : fusion_(fusion),
        arguments_(arguments),
        given_(given),
        binding_(binding),
        store_(store),
        plan_(std::make_shared<Plan>()) {
    plan_->fusion = fusion;
    plan_->way = way;
    plan_->inputs = input_count();
    plan_->device = device_;
    plan_->offset_advance = fusion->offset_advance() == nullptr ? 0 : binding.integer(fusion->offset_advance());
    target_ = way == Way::host ? Target::cpu : Target::gpu;
  }

  void describe_outputs(const Device& device);
  /// Null, or the group that has no schedule.
  const Group* lower_groups(const DeviceProps& props, const CutSet& cuts);
  std::vector<std::shared_ptr<GroupKernel>> kernels() const;
  std::shared_ptr<Plan> finish();
  const Plan& plan() const { return *plan_; }
  /// Of the group that has no schedule.
  const Error& refusal() const { return *refusal_; }

 private:
  /// A group's call, its memory, and where its buffers are.
  struct Draft {
    GroupCall call;
    GroupMemory memory;
    std::vector<int> inputs, outputs;  ///< buffers, in the order of the kernel's inputs and outputs
  };
  /// The kernel of a group.
  struct Lowered {
    std::shared_ptr<GroupKernel> kernel;
    SizeValues sizes;
    std::vector<int> inputs, outputs;
  };

  int input_count() const { return static_cast<int>(fusion_->inputs().size()); }
  int add_output(const TensorView* tensor, bool workspace);
  void check_target(size_t k, const TensorArgument& target, const std::string& name) const;
  void alias_output(size_t k, const OutputAlias& alias);
  void give_output(size_t k, int position);
  const TensorArgument* given_for(int buffer) const;
  int indirect_target(int place) const;
  int input_position(const Val* tensor) const;
  const TensorArgument& tensor_argument(int position) const { return std::get<TensorArgument>(arguments_[position]); }
  int buffer_of(const TensorView* tensor) const;
  bool read_later(const std::vector<Group>& groups, size_t from, const Val* input) const;
  bool empty(const TensorView* tensor) const;
  int64_t bytes_of_call(const TensorView* tensor) const;
  void describe_input(Draft& draft, const TensorView* tensor, int buffer) const;
  void describe_target(Draft& draft, const TensorView* tensor, int buffer) const;
  void lower_one(const std::vector<Group>& groups, size_t index, const DeviceProps& props);
  bool try_in_place(const std::vector<Group>& groups, size_t index, const DeviceProps& props);
  void lower_call(Draft draft, const DeviceProps& props);
  void note_written(const Group& group, const std::vector<int>& buffers);
  void copy_back(const TensorView* tensor, int from, int target, const DeviceProps& props);
  std::vector<int64_t> strides_of(int buffer) const;
  const std::vector<int64_t>& sizes_of(int buffer) const;
  void add_steps(const Lowered& lowered);
  int add_workspace(DataType dtype, int64_t elements);
  std::vector<StepBuffer> step_buffers(const std::vector<int>& buffers) const;

  std::shared_ptr<Fusion> fusion_;
  const std::vector<Argument>& arguments_;
  std::span<const TensorArgument> given_;
  ScalarBinding& binding_;
  KernelStore& store_;
  std::shared_ptr<Plan> plan_;
  Device device_;
  Target target_;
  std::unordered_map<const TensorView*, int> output_of_;  ///< first place in plan_->outputs
  /// The buffer that holds a tensor once its group has run: where it is aliased, not that of its place.
  std::unordered_map<const TensorView*, int> written_;
  std::vector<Lowered> lowered_;
  std::vector<Lowered>* sink_ = &lowered_;
  std::vector<Lowered> copies_;
  std::optional<Error> refusal_;
};

int PlanBuilder::add_output(const TensorView* tensor, bool workspace) {
  OutputSpec spec;
  spec.dtype = tensor->dtype();
  spec.device = device_;
  spec.sizes = binding_.sizes(tensor);
  check_bytes(tensor, spec.sizes);
  spec.strides = dense_strides(allocation_layout(*tensor), spec.sizes);
  spec.elements = addressed_elements(spec.sizes, spec.strides);
  spec.workspace = workspace;
  plan_->outputs.push_back(std::move(spec));
  return static_cast<int>(plan_->outputs.size()) - 1;
}

int PlanBuilder::input_position(const Val* tensor) const {
  auto place = std::find(fusion_->inputs().begin(), fusion_->inputs().end(), tensor);
  return place == fusion_->inputs().end() ? -1 : static_cast<int>(place - fusion_->inputs().begin());
}

/// May output k be written into this memory?  `name`: as messages call it, such as "out[0]".
void PlanBuilder::check_target(size_t k, const TensorArgument& target, const std::string& name) const {
  const OutputSpec& spec = plan_->outputs[k];
  const TensorView& tensor = *fusion_->outputs()[k];
  const std::string title =
      "output " + std::to_string(k) + ", " + to_string(tensor) + ", cannot be written into " + name;
  check(target.sizes == spec.sizes && target.dtype == spec.dtype, ErrorKind::shape, title,
        " sizes or dtypes differ: the output is ", name_of(spec.dtype), " ", list_text(spec.sizes), ", the tensor ",
        name_of(target.dtype), " ", list_text(target.sizes), AtLine{tensor});
  check(target.device == spec.device, ErrorKind::device, title, " which is on ", to_string(target.device),
        " while the call runs on ", to_string(spec.device), AtLine{tensor});
  for (size_t axis = 0; axis < target.sizes.size(); ++axis) {
    check(target.strides[axis] != 0 || target.sizes[axis] <= 1, ErrorKind::shape, title, " which has stride 0 in axis ",
          axis, ", so several elements share memory", AtLine{tensor});
  }
  const auto [outer, inner] = overlapping_axes(target.sizes, target.strides);
  check(outer < 0, ErrorKind::shape, title, " whose axes ", outer, " and ", inner,
        " overlap, so several elements share memory", AtLine{tensor});
}

void PlanBuilder::alias_output(size_t k, const OutputAlias& alias) {
  OutputSpec& spec = plan_->outputs[k];
  spec.alias_input = input_position(alias.input);
  spec.hidden = alias.hidden;
  std::ostringstream name;
  name << InputTitle{static_cast<size_t>(spec.alias_input), alias.input};
  check_target(k, tensor_argument(spec.alias_input), name.str());
  spec.strides = tensor_argument(spec.alias_input).strides;
}

/// Output k goes into the caller's tensor of that position.
void PlanBuilder::give_output(size_t k, int position) {
  OutputSpec& spec = plan_->outputs[k];
  const TensorArgument& target = given_[position];
  const std::string name = "out[" + std::to_string(position) + "]";
  check(spec.alias_input < 0, ErrorKind::definition, "output ", k, " is written into input ", spec.alias_input,
        " by its definition, so ", name, " cannot take it");
  check_target(k, target, name + ",");
  for (int other = 0; other < position; ++other) {
    check(!ranges_meet(range_of(target), range_of(given_[other])), ErrorKind::shape, name, " and out[", other,
          "] share memory");
  }
  spec.given = position;
  spec.strides = target.strides;
  spec.elements = addressed_elements(spec.sizes, spec.strides);
}

void PlanBuilder::describe_outputs(const Device& device) {
  device_ = plan_->device = device;
  int visible = 0;
  for (size_t k = 0; k < fusion_->outputs().size(); ++k) {
    const TensorView* tensor = fusion_->outputs()[k];
    const int position = add_output(tensor, false);
    auto [place, fresh] = output_of_.emplace(tensor, position);
    if (!fresh) {
      plan_->outputs[position].same_as = place->second;
    }
    if (const OutputAlias* alias = fusion_->alias(k)) {
      alias_output(k, *alias);
    }
    if (plan_->outputs[position].hidden) {
      continue;
    }
    if (visible < static_cast<int>(given_.size())) {
      check(fresh, ErrorKind::definition, "output ", k, " is output ", plan_->outputs[position].same_as,
            " once more, and cannot be written into two tensors; call without `out`");
      give_output(k, visible);
    }
    ++visible;
  }
  check(given_.empty() || static_cast<int>(given_.size()) == visible, ErrorKind::definition, "Expected ", visible,
        " tensors in `out`, but got ", given_.size());
}

/// The caller's tensor that a buffer is; null for inputs and memory of our own.
const TensorArgument* PlanBuilder::given_for(int buffer) const {
  if (buffer < input_count()) {
    return &tensor_argument(buffer);
  }
  const int position = plan_->outputs[buffer - input_count()].given;
  return position >= 0 ? &given_[position] : nullptr;
}

/// The buffer to which a result is copied last, because it cannot be written while the inputs are read: an aliased
/// input, or a given tensor that shares memory with an input; -1 for others.
int PlanBuilder::indirect_target(int place) const {
  const OutputSpec& spec = plan_->outputs[place];
  if (spec.alias_input >= 0) {
    return spec.alias_input;
  }
  const bool meets = spec.given >= 0 && std::any_of(arguments_.begin(), arguments_.end(), [&](const Argument& input) {
                       const auto* tensor = std::get_if<TensorArgument>(&input);
                       return tensor != nullptr && ranges_meet(range_of(*tensor), range_of(given_[spec.given]));
                     });
  return meets ? input_count() + place : -1;
}

/// The memory of an input can hold output k.
bool PlanBuilder::read_later(const std::vector<Group>& groups, size_t from, const Val* input) const {
  for (size_t k = from + 1; k < groups.size(); ++k) {
    if (std::find(groups[k].inputs.begin(), groups[k].inputs.end(), input) != groups[k].inputs.end()) {
      return true;
    }
  }
  return false;
}

bool PlanBuilder::empty(const TensorView* tensor) const {
  const std::vector<int64_t> sizes = binding_.sizes(tensor);
  return std::find(sizes.begin(), sizes.end(), 0) != sizes.end();
}

int PlanBuilder::buffer_of(const TensorView* tensor) const {
  const int position = input_position(tensor);
  if (position >= 0) {
    return position;
  }
  const auto written = written_.find(tensor);
  return written != written_.end() ? written->second : input_count() + output_of_.at(tensor);
}

const std::vector<int64_t>& PlanBuilder::sizes_of(int buffer) const {
  return buffer < input_count() ? tensor_argument(buffer).sizes : plan_->outputs[buffer - input_count()].sizes;
}

std::vector<int64_t> PlanBuilder::strides_of(int buffer) const {
  return buffer < input_count() ? tensor_argument(buffer).strides : plan_->outputs[buffer - input_count()].strides;
}

void PlanBuilder::describe_input(Draft& draft, const TensorView* tensor, int buffer) const {
  draft.inputs.push_back(buffer);
  draft.call.group.inputs.push_back(tensor);
  draft.memory.input_strides.push_back(strides_of(buffer));
  draft.call.input_layouts.push_back(layout_of(*tensor, sizes_of(buffer), strides_of(buffer)));
  draft.memory.alignments.inputs.push_back(buffer < input_count() ? alignment_of(tensor_argument(buffer).data) : 16);
}

void PlanBuilder::describe_target(Draft& draft, const TensorView* tensor, int buffer) const {
  draft.outputs.push_back(buffer);
  draft.call.group.outputs.push_back(tensor);
  draft.memory.output_strides.push_back(strides_of(buffer));
  const TensorArgument* given = given_for(buffer);
  draft.call.output_layouts.push_back(given
                                          ? layout_of(*tensor, sizes_of(buffer), strides_of(buffer), BufferUse::written)
                                          : allocation_layout(*tensor));
  draft.memory.alignments.outputs.push_back(given ? alignment_of(given->data) : 16);
}

void PlanBuilder::lower_call(Draft draft, const DeviceProps& props) {
  draft.call.fusion = fusion_;
  const int number = static_cast<int>(lowered_.size() + copies_.size());
  GroupKernels& kernels = store_.group(std::move(draft.call), props, device_.index, target_, number);
  SizeValues sizes = kernels.bind(draft.memory, binding_);
  std::shared_ptr<GroupKernel> kernel = kernels.pick(sizes, draft.memory.alignments);
  sink_->push_back({std::move(kernel), std::move(sizes), std::move(draft.inputs), std::move(draft.outputs)});
}

void PlanBuilder::note_written(const Group& group, const std::vector<int>& buffers) {
  for (size_t k = 0; k < buffers.size(); ++k) {
    written_[group.outputs[k]] = buffers[k];
  }
}

/// All aliased outputs of the group straight into their inputs' buffers; false when the compiler refuses.
bool PlanBuilder::try_in_place(const std::vector<Group>& groups, size_t index, const DeviceProps& props) {
  Draft draft;
  for (const TensorView* input : groups[index].inputs) {
    describe_input(draft, input, buffer_of(input));
  }
  for (const TensorView* output : groups[index].outputs) {
    const int own = input_position(output) >= 0 ? -1 : plan_->outputs[output_of_.at(output)].alias_input;
    const int buffer = own >= 0 ? own : input_count() + output_of_.at(output);
    if (own >= 0) {
      if (read_later(groups, index, fusion_->inputs()[own]) || !shared_inputs(arguments_, {own}).empty()) {
        return false;
      }
      auto read = std::find(groups[index].inputs.begin(), groups[index].inputs.end(), fusion_->inputs()[own]);
      if (read != groups[index].inputs.end()) {
        draft.call.aliases.emplace_back(static_cast<int>(read - groups[index].inputs.begin()),
                                        static_cast<int>(draft.outputs.size()));
      }
    }
    describe_target(draft, output, buffer);
  }
  try {
    note_written(groups[index], draft.outputs);
    lower_call(std::move(draft), props);
    return true;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::schedule) {
      throw;
    }
    return false;
  }
}

void PlanBuilder::copy_back(const TensorView* tensor, int from, int target, const DeviceProps& props) {
  Draft draft;
  describe_input(draft, tensor, from);
  describe_target(draft, tensor, target);
  sink_ = &copies_;
  lower_call(std::move(draft), props);
  sink_ = &lowered_;
}

void PlanBuilder::lower_one(const std::vector<Group>& groups, size_t index, const DeviceProps& props) {
  const bool aliased =
      std::any_of(groups[index].outputs.begin(), groups[index].outputs.end(), [&](const TensorView* output) {
        return output_of_.contains(output) && plan_->outputs[output_of_.at(output)].alias_input >= 0;
      });
  if (aliased && try_in_place(groups, index, props)) {
    return;
  }
  Draft draft;
  for (const TensorView* input : groups[index].inputs) {
    describe_input(draft, input, buffer_of(input));
  }
  for (const TensorView* output : groups[index].outputs) {
    const int place = output_of_.at(output);
    int buffer = input_count() + place;
    if (const int target = indirect_target(place); target >= 0) {
      buffer = input_count() + add_output(output, true);
      copy_back(output, buffer, target, props);
    }
    describe_target(draft, output, buffer);
  }
  note_written(groups[index], draft.outputs);
  lower_call(std::move(draft), props);
}

int64_t PlanBuilder::bytes_of_call(const TensorView* tensor) const {
  int64_t bytes = std::max(1, bytes_of(tensor->dtype()));
  for (const int64_t size : binding_.sizes(tensor)) {
    bytes *= size;
  }
  return bytes;
}

const Group* PlanBuilder::lower_groups(const DeviceProps& props, const CutSet& cuts) {
  const std::vector<Group>& found = store_.groups_of(*fusion_, cuts);
  if (dump_enabled(DumpStage::segments)) {
    dump(DumpStage::segments, to_string(found, [&](const TensorView* tensor) { return bytes_of_call(tensor); }));
  }
  std::vector<Group> groups = found;
  for (const Group& group : groups) {
    for (const TensorView* output : group.outputs) {
      if (!output_of_.contains(output)) {
        output_of_.emplace(output, add_output(output, true));
      }
    }
  }
  for (size_t k = 0; k < groups.size(); ++k) {
    // Outputs without elements are not stored: where every axis is expanded, no test would keep a store from running.
    std::erase_if(groups[k].outputs, [&](const TensorView* output) { return empty(output); });
    if (groups[k].outputs.empty()) {
      continue;
    }
    try {
      lower_one(groups, k, props);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::schedule) {
        throw;
      }
      refusal_ = error;
      return &found[k];
    }
  }
  std::move(copies_.begin(), copies_.end(), std::back_inserter(lowered_));
  return nullptr;
}

std::vector<StepBuffer> PlanBuilder::step_buffers(const std::vector<int>& buffers) const {
  std::vector<StepBuffer> described;
  for (int buffer : buffers) {
    const std::vector<int64_t>& sizes = sizes_of(buffer);
    const std::vector<int64_t> strides = strides_of(buffer);
    described.push_back({buffer, addressed_elements(sizes, strides), elements_before(sizes, strides)});
  }
  return described;
}

/// Memory that only the kernels of one group see.
int PlanBuilder::add_workspace(DataType dtype, int64_t elements) {
  OutputSpec spec;
  spec.dtype = dtype;
  spec.device = device_;
  spec.sizes = {elements};
  spec.strides = {1};
  spec.elements = elements;
  spec.workspace = true;
  plan_->outputs.push_back(std::move(spec));
  return input_count() + static_cast<int>(plan_->outputs.size()) - 1;
}

void PlanBuilder::add_steps(const Lowered& lowered) {
  const std::vector<Program>& programs = lowered.kernel->lowered.programs;
  StepBuffers buffers{step_buffers(lowered.inputs), step_buffers(lowered.outputs), {}};
  for (const Tensor* workspace : programs.front().kernel->workspaces) {
    const int64_t elements = element_count(*workspace, lowered.sizes);
    buffers.workspaces.push_back({add_workspace(workspace->dtype, elements), elements});
  }
  for (size_t k = 0; k < programs.size(); ++k) {
    if (const int64_t words = semaphore_count(programs[k], lowered.sizes); words > 0) {
      buffers.semaphores = {add_workspace(DataType::Int32, words), words};
    }
    KernelStep step = make_kernel_step(programs[k], lowered.sizes, buffers);
    step.module = lowered.kernel->module;
    step.kernel = lowered.kernel->position + static_cast<int>(k);
    step.made_from = lowered.kernel;
    step.program = static_cast<int>(k);
    plan_->steps.push_back(std::move(step));
  }
}

std::vector<std::shared_ptr<GroupKernel>> PlanBuilder::kernels() const {
  std::vector<std::shared_ptr<GroupKernel>> kernels;
  for (const Lowered& lowered : lowered_) {
    kernels.push_back(lowered.kernel);
  }
  return kernels;
}

std::shared_ptr<Plan> PlanBuilder::finish() {
  std::for_each(lowered_.begin(), lowered_.end(), [&](const Lowered& lowered) { add_steps(lowered); });
  for (KernelStep& step : plan_->steps) {
    for (Patch& patch : step.patches) {
      patch.argument = patch.kind == Patch::Kind::scalar ? input_position(patch.scalar) : -1;
      if (patch.kind == Patch::Kind::scalar && patch.argument < 0) {
        patch.computed = plan_->scalars.add(patch.scalar, *fusion_, binding_);
      }
    }
  }
  complete(*plan_);
  return plan_;
}

PlanDraft::PlanDraft(const std::shared_ptr<Fusion>& fusion, const std::vector<Argument>& arguments,
                     std::span<const TensorArgument> given, ScalarBinding& binding, Way way,
                     const ExecuteOptions& options, KernelStore& store)
    : fusion_(fusion), arguments_(arguments), given_(given), binding_(binding), way_(way), store_(store) {
  for (const Argument& argument : arguments) {
    const auto* tensor = std::get_if<TensorArgument>(&argument);
    if (tensor && tensor->device.kind == Device::Kind::cuda) {
      device_ = tensor->device;
    }
  }
  if (way != Way::evaluator) {
    props_ = way == Way::cuda   ? cuda_device_props(device_.index)
             : way == Way::host ? cpu_device_props()
                                : known_device(options.device_props.empty() ? "H200" : options.device_props);
  }
  build();
}

void PlanDraft::build() {
  const auto begin = [&] {
    builder_ = std::make_unique<PlanBuilder>(fusion_, arguments_, given_, binding_, way_, store_);
    builder_->describe_outputs(device_);
  };
  begin();
  CutSet cuts;
  while (const Group* refused = way_ == Way::evaluator ? nullptr : builder_->lower_groups(props_, cuts)) {
    if (!cut_again(*refused, cuts)) {
      throw Error(builder_->refusal());
    }
    begin();
  }
}

bool PlanDraft::replace_spilling() {
  const auto any = [&](const auto& holds) {
    const std::vector<std::shared_ptr<GroupKernel>> kernels = builder_->kernels();
    return std::any_of(kernels.begin(), kernels.end(), [&](const auto& kernel) { return holds(*kernel); });
  };
  if (!any(spills)) {
    return false;
  }
  build();
  return any([](const GroupKernel& kernel) { return kernel.module == nullptr; });
}

PlanDraft::PlanDraft(PlanDraft&&) noexcept = default;
PlanDraft::~PlanDraft() = default;

KernelOrder PlanDraft::order() const {
  return {&store_, builder_->kernels(), builder_->plan().way, props_.arch, builder_->plan().device.index};
}

std::shared_ptr<Plan> PlanDraft::finish() { return builder_->finish(); }

}  // namespace nvfuser
