// SPDX-License-Identifier: Apache-2.0
// Running a plan: patch a copy of each argument image and launch it.
#include "nvfuser/runtime/plan.h"

#include <array>
#include <cstring>

#include "nvfuser/device/generic/convert.h"
#include "nvfuser/ir/evaluate.h"
#include "nvfuser/runtime/group_kernels.h"

namespace nvfuser {

const Program& KernelStep::made() const { return made_from->lowered.programs.at(program); }

namespace {

template <class T>
int put(char* to, const T& value) {
  std::memcpy(to, &value, sizeof value);
  return sizeof value;
}

template <class T>
T as(const ScalarValue& value) {
  return std::visit(
      [](const auto& v) -> T {
        if constexpr (std::is_same_v<std::decay_t<decltype(v)>, std::complex<double>>) {
          return static_cast<T>(v.real());
        } else {
          return static_cast<T>(v);
        }
      },
      value);
}

std::complex<double> as_complex(const ScalarValue& value) {
  const auto* complex = std::get_if<std::complex<double>>(&value);
  return complex ? *complex : std::complex<double>(as<double>(value), 0.0);
}

}  // namespace

int write_scalar(char* to, const ScalarValue& value, DataType dtype) {
  switch (dtype) {
    case DataType::Double:
      return put(to, as<double>(value));
    case DataType::Float:
      return put(to, as<float>(value));
    case DataType::Half:
      return put(to, rt::to<rt::float16>(as<float>(value)));
    case DataType::BFloat16:
      return put(to, rt::to<rt::bfloat16>(as<float>(value)));
    case DataType::Float8_e4m3fn:
      return put(to, rt::to<rt::float8_e4m3fn>(as<float>(value)));
    case DataType::Float8_e5m2:
      return put(to, rt::to<rt::float8_e5m2>(as<float>(value)));
    case DataType::Float8_e8m0fnu:
      return put(to, rt::to<rt::float8_e8m0fnu>(as<float>(value)));
    case DataType::Int:
    case DataType::Index:
    case DataType::UInt64:
      return put(to, as<int64_t>(value));
    case DataType::Int32:
      return put(to, static_cast<int32_t>(as<int64_t>(value)));
    case DataType::Bool:
      return put(to, static_cast<uint8_t>(as<double>(value) != 0));
    case DataType::ComplexFloat:
      return put(to, std::complex<float>(as_complex(value)));
    case DataType::ComplexDouble:
      return put(to, as_complex(value));
    default:
      fail(ErrorKind::dtype, "a scalar of type ", name_of(dtype), " cannot be passed to a kernel");
  }
}

namespace {

/// Images up to this size are patched on the stack.
constexpr size_t kStackImage = 1024;
/// And so many computed scalars are held there.
constexpr size_t kStackScalars = 32;

/// What patches of one call are made from.
struct Values {
  const CallArguments& call;
  std::span<void* const> outputs;
  std::span<const ScalarValue> scalars;  ///< of the plan's tape
  const RandomState& random;
  int inputs;
  void* semaphores = nullptr;  ///< of the stream; null: the buffer's

  void* address(const Patch& patch) const {
    void* start = patch.buffer < inputs ? call.data(patch.buffer) : outputs[patch.buffer - inputs];
    return static_cast<char*>(start) + patch.place;
  }
  ScalarValue scalar(const Patch& patch) const {
    return patch.argument >= 0 ? call.scalar(patch.argument) : scalars[patch.computed];
  }
};

void apply(const Patch& patch, char* image, const Values& values) {
  char* to = image + patch.offset;
  switch (patch.kind) {
    case Patch::Kind::pointer:
      put(to, values.address(patch));
      break;
    case Patch::Kind::semaphores:
      put(to, values.semaphores != nullptr ? values.semaphores : values.address(patch));
      break;
    case Patch::Kind::host_value:
      std::memcpy(to, values.address(patch), bytes_of(patch.dtype));
      break;
    case Patch::Kind::scalar:
      write_scalar(to, values.scalar(patch), patch.dtype);
      break;
    case Patch::Kind::seed:
      put(to, values.random.seed);
      break;
    case Patch::Kind::offset:
      put(to, values.random.offset);
      break;
  }
}

}  // namespace

namespace {

/// Those of the stream, or else the buffer's, cleared.
void find_semaphores(const KernelStep& step, Values& values, void* stream) {
  values.semaphores = step.module->semaphores(step.semaphores, stream);
  if (values.semaphores != nullptr) {
    return;
  }
  for (const Patch& patch : step.patches) {
    if (patch.kind == Patch::Kind::semaphores) {
      step.module->clear(values.address(patch), step.semaphores * bytes_of(DataType::Int32), stream);
    }
  }
}

void launch_steps(std::span<const KernelStep> steps, Values values, const ExecuteOptions& options) {
  alignas(16) char stack[kStackImage];
  std::vector<char> heap;
  for (const KernelStep& step : steps) {
    char* image = stack;
    if (step.image.size() > kStackImage) {
      heap.resize(step.image.size());
      image = heap.data();
    }
    std::memcpy(image, step.image.data(), step.image.size());
    if (step.semaphores > 0) {
      find_semaphores(step, values, options.stream);
    }
    for (const Patch& patch : step.patches) {
      apply(patch, image, values);
    }
    LaunchRequest launch = step.launch;
    launch.image = image;
    launch.image_bytes = static_cast<int>(step.image.size());
    launch.stream = options.stream;
    launch.seed = options.seed;
    launch.buffers = step.extents.data();
    launch.buffer_count = static_cast<int>(step.extents.size());
    step.module->launch(step.kernel, launch);
  }
}

}  // namespace

void run_steps(const Plan& plan, std::span<const KernelStep> steps, const CallArguments& call,
               std::span<void* const> outputs, const RandomState& random, const ExecuteOptions& options) {
  if (plan.scalars.empty()) {
    return launch_steps(steps, {call, outputs, {}, random, plan.inputs}, options);
  }
  std::array<ScalarValue, kStackScalars> stack;
  std::vector<ScalarValue> heap(plan.scalars.size() > kStackScalars ? plan.scalars.size() : 0);
  const std::span<ScalarValue> computed(heap.empty() ? stack.data() : heap.data(), plan.scalars.size());
  plan.scalars.run(call, random, computed);
  launch_steps(steps, {call, outputs, computed, random, plan.inputs}, options);
}

}  // namespace nvfuser
