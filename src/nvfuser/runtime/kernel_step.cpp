// SPDX-License-Identifier: Apache-2.0
// Argument images: what is known when a plan is made stands in them, pointers and scalars are patched in at each call.
#include "nvfuser/runtime/kernel_step.h"

#include <algorithm>
#include <cstring>

#include "nvfuser/runtime/divisor.h"
#include "nvfuser/runtime/workspace.h"

namespace nvfuser {
namespace {

int64_t value_of(Index index, const SizeValues& sizes) {
  return evaluate(index, [&](const Atom& atom) { return sizes.at(atom.name); });
}

template <class T>
void put(KernelStep& step, int offset, const T& data) {
  std::memcpy(step.image.data() + offset, &data, sizeof data);
}

void add_buffer(KernelStep& step, const Parameter& parameter, int offset, const StepBuffer& buffer) {
  step.patches.push_back({Patch::Kind::pointer, offset, buffer.position});
  step.buffer_names.push_back(parameter.name);
  step.extents.push_back({nullptr, buffer.elements, buffer.before});
  const bool writes = parameter.kind == Parameter::Kind::output || parameter.written;
  (writes ? step.writes : step.reads).push_back(buffer.position);
}

/// What a scalar parameter is filled with.
Patch scalar_patch(const Program& program, const Parameter& parameter, int offset,
                   const std::vector<StepBuffer>& inputs) {
  const Val* scalar = parameter.scalar;
  if (scalar->is_tensor()) {
    const std::vector<Tensor*>& known = program.kernel->inputs;
    const auto place = std::find_if(known.begin(), known.end(), [&](const Tensor* t) { return t->view == scalar; });
    ensure(place != known.end(), "a value on the host is an input of its kernel: ", *scalar);
    return {Patch::Kind::host_value, offset, inputs[place - known.begin()].position, nullptr, parameter.dtype};
  }
  const Patch::Kind kind = scalar->role() == ScalarRole::seed     ? Patch::Kind::seed
                           : scalar->role() == ScalarRole::offset ? Patch::Kind::offset
                                                                  : Patch::Kind::scalar;
  return {kind, offset, -1, scalar, parameter.dtype};
}

void put_size(KernelStep& step, bool wide, int offset, int64_t value) {
  wide ? put(step, offset, value) : put(step, offset, static_cast<int32_t>(value));
}

void put_divisor(KernelStep& step, bool wide, int offset, int64_t value) {
  wide ? put(step, offset, make_divisor64(value)) : put(step, offset, make_divisor32(value));
}

}  // namespace

int64_t element_count(const Tensor& workspace, const SizeValues& sizes) {
  const std::vector<Allocation::Dim>& dims = workspace.allocation->dims;  // outermost first
  return dims.empty() ? 1 : value_of(dims.front().extent, sizes) * value_of(dims.front().stride, sizes);
}

int64_t semaphore_count(const Program& program, const SizeValues& sizes) {
  return program.semaphores == nullptr ? 0 : value_of(program.semaphores, sizes);
}

KernelStep make_kernel_step(const Program& program, const SizeValues& sizes, const StepBuffers& buffers) {
  KernelStep step;
  const ImageLayout layout = image_layout(program);
  step.image.assign(layout.bytes, 0);
  for (size_t k = 0; k < program.parameters.size(); ++k) {
    const Parameter& parameter = program.parameters[k];
    const int offset = layout.offsets[k];
    switch (parameter.kind) {
      case Parameter::Kind::input:
        add_buffer(step, parameter, offset, buffers.inputs[parameter.position]);
        break;
      case Parameter::Kind::output:
        add_buffer(step, parameter, offset, buffers.outputs[parameter.position]);
        break;
      case Parameter::Kind::workspace:
        add_buffer(step, parameter, offset, buffers.workspaces[parameter.position]);
        break;
      case Parameter::Kind::semaphores:
        add_buffer(step, parameter, offset, buffers.semaphores);
        step.patches.back().kind = Patch::Kind::semaphores;
        step.semaphores = buffers.semaphores.elements;
        break;
      case Parameter::Kind::size:
        put_size(step, program.wide, offset, value_of(parameter.value, sizes));
        break;
      case Parameter::Kind::divisor:
        put_divisor(step, program.wide, offset, value_of(parameter.value, sizes));
        break;
      case Parameter::Kind::scalar:
        step.patches.push_back(scalar_patch(program, parameter, offset, buffers.inputs));
        break;
    }
  }
  for (int d = 0; d < 3; ++d) {
    step.launch.grid[d] = program.grid[d] ? std::max<int64_t>(1, value_of(program.grid[d], sizes)) : 1;
    step.launch.block[d] = program.block[d];
  }
  step.launch.shared_bytes = program.shared_bytes;
  step.launch.cooperative = program.cooperative;
  step.launch.cluster = program.apart ? 1 : program.cluster;
  step.launch.dependent = program.waits;
  return step;
}

namespace {

/// Elements that a thread computes in some microseconds, whatever the operations.
constexpr int64_t kBriefElements = 1 << 13;

bool is_brief(const Plan& plan) {
  int64_t elements = 0;
  for (const OutputSpec& spec : plan.outputs) {
    elements += spec.elements;
  }
  const auto one_task = [](const KernelStep& step) {
    return step.launch.grid[0] * step.launch.grid[1] * step.launch.grid[2] == 1;
  };
  return plan.way == Way::host && elements <= kBriefElements &&
         std::all_of(plan.steps.begin(), plan.steps.end(), one_task);
}

}  // namespace

void complete(Plan& plan) {
  plan.brief = is_brief(plan);
  place_workspace(plan);
  const auto draws = [](const Patch& patch) {
    return patch.kind == Patch::Kind::seed || patch.kind == Patch::Kind::offset;
  };
  plan.draws = plan.way == Way::evaluator || plan.offset_advance != 0 || plan.scalars.draws();
  for (KernelStep& step : plan.steps) {
    plan.draws |= std::any_of(step.patches.begin(), step.patches.end(), draws);
    for (size_t k = 0; k < step.extents.size(); ++k) {
      step.extents[k].name = step.buffer_names[k].c_str();
    }
  }
}

}  // namespace nvfuser
