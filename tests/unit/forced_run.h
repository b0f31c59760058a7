// SPDX-License-Identifier: Apache-2.0
// Programs of reductions with schedules that a test forces: one unit for all kernels of a way, each run compared with
// the evaluator, which accumulates in Double.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kernel_fixture.h"
#include "nvfuser/backend/module.h"
#include "nvfuser/codegen/print.h"
#include "nvfuser/runtime/group_kernels.h"
#include "nvfuser/runtime/kernel_step.h"
#include "nvfuser/runtime/layout.h"

namespace nvfuser {

/// One fusion of one shape under one schedule.
class ForcedRun {
 public:
  ForcedRun(std::shared_ptr<const KernelCase> test, const Params& params, bool gpu, const std::string& name)
      : test_(std::move(test)), way_(gpu ? Way::emulator : Way::host) {
    const GroupCall call = make_call();
    ScalarBinding binding = test_->binding();
    GroupMemory memory;
    for (size_t k = 0; k < test_->input_sizes.size(); ++k) {
      memory.input_strides.push_back(dense(test_->input_sizes[k]));
      memory.alignments.inputs.push_back(16);
    }
    for (const TensorView* output : call.group.outputs) {
      memory.output_strides.push_back(dense(binding.sizes(output)));
      memory.alignments.outputs.push_back(16);
    }
    sizes_ = bind_sizes(*instantiate_group(call), memory, binding);
    const DeviceProps& device = known_device(gpu ? "H200" : "CPU");
    lowered_ = std::make_unique<LoweredGroup>(
        lower_group(call, {device, gpu ? Target::gpu : Target::cpu, name}, sizes_, memory.alignments, {{params, 0}}));
    make_buffers(binding);
    make_plan(binding);
  }

  const std::vector<Program>& programs() const { return lowered_->programs; }
  const Plan& plan() const { return plan_; }
  void set_module(const std::shared_ptr<Module>& module, int first) {
    for (KernelStep& step : plan_.steps) {
      step.module = module;
      step.kernel = first + step.program;
    }
  }

  /// Empty, or what went wrong: a fault, or an element that is further from the evaluator's than `tolerance` (of its
  /// size, at least of 1).
  std::string run(double tolerance, uint64_t seed = 1) {
    const std::string fault = launch(seed);
    if (!fault.empty()) {
      return fault;
    }
    std::vector<HostTensor> wanted;
    std::vector<std::vector<char>> bytes;
    for (const Buffer& output : outputs_) {
      bytes.push_back(output.bytes);
      wanted.push_back({bytes.back().data(), output.dtype, output.sizes, dense(output.sizes)});
    }
    evaluate(*test_->fusion, arguments(), wanted);
    for (size_t k = 0; k < outputs_.size(); ++k) {
      for (int64_t e = 0; e < product(outputs_[k].sizes); ++e) {
        const double got = element(outputs_[k].dtype, outputs_[k].bytes, e),
                     want = element(wanted[k].dtype, bytes[k], e);
        const bool same = got == want || (std::isnan(got) && std::isnan(want));
        if (!same && !(std::abs(got - want) <= tolerance * std::max(1.0, std::abs(want)))) {
          return "out" + std::to_string(k) + "[" + std::to_string(e) + "] is " + std::to_string(got) + ", not " +
                 std::to_string(want);
        }
      }
    }
    return "";
  }

  /// Bytes of all results after a run.
  std::vector<char> results(uint64_t seed = 1) {
    EXPECT_EQ(launch(seed), "");
    std::vector<char> all;
    for (const Buffer& output : outputs_) {
      all.insert(all.end(), output.bytes.begin(), output.bytes.end());
    }
    return all;
  }

 private:
  struct Buffer {
    DataType dtype;
    Sizes sizes;
    std::vector<char> bytes;
  };

  GroupCall make_call() const {
    GroupCall call;
    call.fusion = test_->fusion;
    for (const Val* input : test_->fusion->inputs()) {
      call.group.inputs.push_back(static_cast<const TensorView*>(input));
    }
    call.group.outputs.assign(test_->fusion->outputs().begin(), test_->fusion->outputs().end());
    call.input_layouts = test_->layouts;
    for (const TensorView* output : call.group.outputs) {
      call.output_layouts.push_back(row_major(*output));
    }
    return call;
  }

  void make_buffers(ScalarBinding& binding) {
    for (size_t k = 0; k < test_->input_sizes.size(); ++k) {
      const DataType dtype = lowered_->programs[0].kernel->inputs[k]->dtype;
      inputs_.push_back({dtype, test_->input_sizes[k], input_bytes(dtype, product(test_->input_sizes[k]), k + 1)});
    }
    for (const Tensor* output : lowered_->programs[0].kernel->outputs) {
      const Sizes shape = binding.sizes(output->view);
      const size_t bytes = static_cast<size_t>(std::max<int64_t>(1, product(shape)) * bytes_of(output->dtype));
      outputs_.push_back({output->dtype, shape, std::vector<char>(bytes, '\x5a')});
    }
  }

  void make_plan(ScalarBinding& binding) {
    plan_.way = way_;
    StepBuffers buffers;
    for (const Buffer& input : inputs_) {
      buffers.inputs.push_back({static_cast<int>(plan_.outputs.size()), product(input.sizes)});
      add_spec(input.dtype, product(input.sizes), false);
    }
    for (const Buffer& output : outputs_) {
      buffers.outputs.push_back({static_cast<int>(plan_.outputs.size()), product(output.sizes)});
      add_spec(output.dtype, product(output.sizes), false);
    }
    for (const Tensor* workspace : lowered_->programs[0].kernel->workspaces) {
      const int64_t elements = element_count(*workspace, sizes_);
      buffers.workspaces.push_back({static_cast<int>(plan_.outputs.size()), elements});
      add_spec(workspace->dtype, elements, true);
    }
    for (const Program& program : lowered_->programs) {
      if (const int64_t words = semaphore_count(program, sizes_); words > 0) {
        buffers.semaphores = {static_cast<int>(plan_.outputs.size()), words};
        add_spec(DataType::Int32, words, true);
      }
      plan_.steps.push_back(make_kernel_step(program, sizes_, buffers));
      plan_.steps.back().program = static_cast<int>(plan_.steps.size()) - 1;
      for (Patch& patch : plan_.steps.back().patches) {
        patch.computed =
            patch.kind == Patch::Kind::scalar ? plan_.scalars.add(patch.scalar, *test_->fusion, binding) : -1;
      }
    }
    complete(plan_);
  }

  /// All buffers count as outputs.
  void add_spec(DataType dtype, int64_t elements, bool workspace) {
    OutputSpec spec{};
    spec.dtype = dtype;
    spec.elements = elements;
    spec.workspace = workspace;
    plan_.outputs.push_back(spec);
  }

  std::string launch(uint64_t seed) {
    std::vector<void*> pointers;
    for (std::vector<Buffer>* buffers : {&inputs_, &outputs_}) {
      for (Buffer& buffer : *buffers) {
        pointers.push_back(buffer.bytes.data());
      }
    }
    std::vector<std::max_align_t> workspace;
    if (pointers.size() < plan_.outputs.size()) {
      workspace.resize(static_cast<size_t>(plan_.outputs.back().elements) / sizeof(std::max_align_t) + 1);
      std::memset(workspace.data(), 0x7f, workspace.size() * sizeof(std::max_align_t));
      pointers.push_back(workspace.data());
    }
    ExecuteOptions options;
    options.seed = seed;
    try {
      run_steps(plan_, plan_.steps, CallArguments(), pointers, RandomState{}, options);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  std::vector<HostArgument> arguments() {
    std::vector<HostArgument> all;
    for (Buffer& input : inputs_) {
      all.emplace_back(HostTensor{input.bytes.data(), input.dtype, input.sizes, dense(input.sizes)});
    }
    return all;
  }

  static double element(DataType dtype, const std::vector<char>& bytes, int64_t e) {
    const HostTensor tensor{const_cast<char*>(bytes.data()), dtype == DataType::Index ? DataType::Int : dtype, {}, {}};
    const ScalarValue value = load_element(tensor, e);
    return std::visit(
        [](const auto& v) -> double {
          if constexpr (std::is_arithmetic_v<std::decay_t<decltype(v)>>) {
            return static_cast<double>(v);
          } else {
            return v.real();
          }
        },
        value);
  }

  std::shared_ptr<const KernelCase> test_;
  Way way_;
  SizeValues sizes_;
  std::unique_ptr<LoweredGroup> lowered_;
  std::vector<Buffer> inputs_, outputs_;
  Plan plan_;
};

/// Compiles the programs of all runs as one unit.
inline void compile_runs(const std::vector<ForcedRun*>& runs, Way way) {
  std::vector<const Program*> programs;
  CompileRequest request{way, "", "", {}};
  for (const ForcedRun* run : runs) {
    for (const Program& program : run->programs()) {
      programs.push_back(&program);
      request.kernels.push_back({program.name, image_layout(program).bytes, program.has_barrier});
    }
  }
  const UnitText text = print_unit(programs);
  request.text = text.text;
  request.emulator_launchers = way == Way::emulator ? text.emulator_launchers : "";
  const std::shared_ptr<Module> module = compile(request);
  int first = 0;
  for (ForcedRun* run : runs) {
    run->set_module(module, first);
    first += static_cast<int>(run->programs().size());
  }
}

}  // namespace nvfuser
