// SPDX-License-Identifier: Apache-2.0
// Lowered programs as text through the compiler into the emulator: many programs in one unit, those of one kernel one
// after the other, with its buffers and with what the evaluator says of them.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "kernel_fixture.h"
#include "nvfuser/backend/module.h"
#include "nvfuser/codegen/print.h"
#include "nvfuser/runtime/kernel_step.h"

namespace nvfuser {

/// A compiled program.
struct CompiledKernel {
  std::shared_ptr<Module> module;
  int kernel;
};

/// The buffers of one kernel and the results that they have to hold after a run of its programs.
class EmulatedRun {
 public:
  /// `fill`: bytes of an input.  `tolerance`: of Float results, relative to the largest of a tensor or 1; 0: equal
  /// bits.
  using Fill = std::vector<char> (*)(DataType dtype, int64_t elements, uint64_t seed);
  EmulatedRun(const KernelCase& test, const Program& program, Fill fill = input_bytes, double tolerance = 0)
      : EmulatedRun(test, std::vector<const Program*>{&program}, fill, tolerance) {}
  EmulatedRun(const KernelCase& test, const std::vector<const Program*>& programs, Fill fill = input_bytes,
              double tolerance = 0)
      : test_(test), tolerance_(tolerance), binding_(test.binding()), aliases_(programs[0]->aliases) {
    const Kernel& kernel = *programs[0]->kernel;
    const std::map<std::string, int64_t> sizes = test.sizes(kernel);
    for (size_t k = 0; k < kernel.inputs.size(); ++k) {
      add_buffer(inputs_, *kernel.inputs[k], test.input_sizes[k], sizes);
      given_.push_back(fill(kernel.inputs[k]->dtype, inputs_.back().elements, k + 1));
    }
    for (const Tensor* output : kernel.outputs) {
      add_buffer(outputs_, *output, binding_.sizes(output->view), sizes);
    }
    evaluate_expected();
    make_steps(programs, {sizes.begin(), sizes.end()});
    complete(plan_);
  }

  /// Outputs without elements launch nothing.
  bool launches() const {
    return std::any_of(outputs_.begin(), outputs_.end(), [](const Buffer& b) { return b.elements > 0; });
  }

  /// Empty, or what went wrong: the emulator's message, or the first wrong element.
  std::string run(const std::shared_ptr<Module>& module, int kernel, uint64_t seed) {
    return run({{module, kernel}}, seed);
  }
  std::string run(const std::vector<CompiledKernel>& kernels, uint64_t seed) {
    if (std::string fault = launch(kernels, seed); !fault.empty()) {
      return fault;
    }
    for (size_t k = 0; k < outputs_.size(); ++k) {
      if (const int64_t at = first_difference(k); at >= 0) {
        return "wrong result: out" + std::to_string(k) + "[" + std::to_string(at) + "]";
      }
    }
    return "";
  }

  /// Empty, or the emulator's message.
  std::string launch(const std::shared_ptr<Module>& module, int kernel, uint64_t seed) {
    return launch({{module, kernel}}, seed);
  }
  std::string launch(const std::vector<CompiledKernel>& kernels, uint64_t seed) {
    for (size_t k = 0; k < kernels.size(); ++k) {
      plan_.steps[k].module = kernels[k].module;
      plan_.steps[k].kernel = kernels[k].kernel;
    }
    fill_buffers();
    std::vector<void*> pointers;
    for (size_t k = 0; k < inputs_.size(); ++k) {
      pointers.push_back(memory_[k].data());
    }
    for (size_t k = 0; k < outputs_.size(); ++k) {
      pointers.push_back(memory_[place_of_output(k)].data());
    }
    pointers.push_back(semaphores_.data());
    for (std::vector<char>& workspace : workspaces_) {
      std::fill(workspace.begin(), workspace.end(), '\x7f');
      pointers.push_back(workspace.data());
    }
    ExecuteOptions options;
    options.seed = seed;
    try {
      // All buffers count as outputs.
      run_steps(plan_, plan_.steps, CallArguments(), pointers, RandomState{}, options);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  /// Output k after a launch, and as the evaluator has it.
  const std::vector<char>& got(size_t k) const { return memory_[place_of_output(k)]; }
  const std::vector<char>& wanted(size_t k) const { return wanted_[k]; }
  /// As every launch has to leave them.
  bool semaphores_are_zero() const {
    return std::all_of(semaphores_.begin(), semaphores_.end(), [](int32_t word) { return word == 0; });
  }

 private:
  struct Buffer {
    DataType dtype;
    Sizes sizes, strides;
    int64_t elements;
    std::vector<char> bytes() const {
      return std::vector<char>(std::max<int64_t>(1, elements) * bytes_of(dtype), '\x5a');
    }
  };

  static void add_buffer(std::vector<Buffer>& to, const Tensor& buffer, const Sizes& shape,
                         const std::map<std::string, int64_t>& sizes) {
    const Sizes strides = strides_of(buffer, sizes);
    to.push_back({buffer.dtype, shape, strides, addressed(shape, strides)});
  }

  static std::vector<StepBuffer> positions(const std::vector<Buffer>& buffers, int first) {
    std::vector<StepBuffer> found;
    for (const Buffer& buffer : buffers) {
      found.push_back({first + static_cast<int>(found.size()), buffer.elements});
    }
    return found;
  }

  /// Buffers are told apart by place: inputs, outputs, semaphores, workspaces.
  void make_steps(const std::vector<const Program*>& programs, const SizeValues& sizes) {
    const int given = static_cast<int>(inputs_.size()), all = given + static_cast<int>(outputs_.size());
    StepBuffers buffers{positions(inputs_, 0), positions(outputs_, given), {}, {}};
    for (const Tensor* workspace : programs[0]->kernel->workspaces) {
      const int64_t elements = element_count(*workspace, sizes);
      workspaces_.emplace_back(std::max<int64_t>(1, elements) * bytes_of(workspace->dtype));
      buffers.workspaces.push_back({all + static_cast<int>(workspaces_.size()), elements});
    }
    for (const Program* program : programs) {
      const int64_t words = semaphore_count(*program, sizes);
      semaphores_.resize(std::max<size_t>(semaphores_.size(), words));
      buffers.semaphores = {all, words};
      plan_.steps.push_back(make_kernel_step(*program, sizes, buffers));
      for (Patch& patch : plan_.steps.back().patches) {
        if (patch.kind == Patch::Kind::scalar) {
          patch.computed = plan_.scalars.add(patch.scalar, *test_.fusion, binding_);
        }
      }
    }
  }

  void evaluate_expected() {
    std::vector<HostArgument> arguments;
    for (size_t k = 0; k < inputs_.size(); ++k) {
      arguments.emplace_back(HostTensor{given_[k].data(), inputs_[k].dtype, inputs_[k].sizes, inputs_[k].strides});
    }
    std::vector<HostTensor> results;
    for (const Buffer& output : outputs_) {
      // What lies between the rows of a strided buffer stays as it is.
      const size_t place = place_of_output(wanted_.size());
      wanted_.push_back(place < inputs_.size() ? given_[place] : output.bytes());
      results.push_back({wanted_.back().data(), output.dtype, output.sizes, output.strides});
    }
    evaluate(*test_.fusion, arguments, results);
  }

  void fill_buffers() {
    memory_ = given_;
    for (const Buffer& output : outputs_) {
      memory_.push_back(output.bytes());
    }
  }

  size_t place_of_output(size_t k) const {
    for (const auto& [input, output] : aliases_) {
      if (output == static_cast<int>(k)) {
        return input;
      }
    }
    return inputs_.size() + k;
  }

  /// Bit for bit, any NaN like any other.  Outputs are dense.
  int64_t first_difference(size_t k) const {
    const std::vector<char>&got = memory_[place_of_output(k)], &want = wanted_[k];
    const int64_t size = bytes_of(outputs_[k].dtype);
    for (int64_t e = 0; e < outputs_[k].elements; ++e) {
      if (std::memcmp(got.data() + e * size, want.data() + e * size, size) != 0 && !both_nan(k, got, want, e) &&
          !near(k, got, want, e)) {
        return e;
      }
    }
    return -1;
  }

  bool near(size_t k, const std::vector<char>& got, const std::vector<char>& want, int64_t e) const {
    if (tolerance_ == 0 || outputs_[k].dtype != DataType::Float) {
      return false;
    }
    const auto *a = reinterpret_cast<const float*>(got.data()), *b = reinterpret_cast<const float*>(want.data());
    double largest = 1;
    for (int64_t other = 0; other < outputs_[k].elements; ++other) {
      largest = std::max<double>(largest, std::abs(b[other]));
    }
    return std::abs(a[e] - b[e]) <= tolerance_ * largest;
  }

  bool both_nan(size_t k, const std::vector<char>& a, const std::vector<char>& b, int64_t e) const {
    if (outputs_[k].dtype == DataType::Float) {
      return std::isnan(reinterpret_cast<const float*>(a.data())[e]) &&
             std::isnan(reinterpret_cast<const float*>(b.data())[e]);
    }
    return outputs_[k].dtype == DataType::Double && std::isnan(reinterpret_cast<const double*>(a.data())[e]) &&
           std::isnan(reinterpret_cast<const double*>(b.data())[e]);
  }

  const KernelCase& test_;
  double tolerance_;
  ScalarBinding binding_;
  std::vector<std::pair<int, int>> aliases_;
  std::vector<Buffer> inputs_, outputs_;
  std::vector<std::vector<char>> given_, wanted_, memory_;  ///< memory: inputs, then outputs
  std::vector<int32_t> semaphores_;
  std::vector<std::vector<char>> workspaces_;
  Plan plan_;
};

/// Compiles programs of one target, `per_unit` in a unit, `workers` units at a time.  Programs get names of their own.
inline std::vector<CompiledKernel> compile_programs(Way way, const std::vector<Program*>& programs, size_t per_unit,
                                                    size_t workers) {
  std::vector<CompiledKernel> compiled(programs.size());
  const size_t units = (programs.size() + per_unit - 1) / per_unit;
  const auto compile_unit = [&](size_t unit) {
    const size_t first = unit * per_unit, last = std::min(programs.size(), first + per_unit);
    std::vector<const Program*> mine;
    CompileRequest request{way, "", "", {}};
    for (size_t k = first; k < last; ++k) {
      programs[k]->name = "k" + std::to_string(k);
      mine.push_back(programs[k]);
      request.kernels.push_back({programs[k]->name, image_layout(*programs[k]).bytes, programs[k]->has_barrier});
    }
    const UnitText text = print_unit(mine);
    request.text = text.text;
    request.emulator_launchers = way == Way::emulator ? text.emulator_launchers : "";
    const std::shared_ptr<Module> module = compile(request);
    for (size_t k = first; k < last; ++k) {
      compiled[k] = {module, static_cast<int>(k - first)};
    }
  };
  std::vector<std::thread> threads;
  for (size_t worker = 0; worker < workers; ++worker) {
    threads.emplace_back([&, worker] {
      for (size_t unit = worker; unit < units; unit += workers) {
        compile_unit(unit);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  return compiled;
}

inline std::vector<CompiledKernel> compile_for_emulator(const std::vector<Program*>& programs, size_t per_unit,
                                                        size_t workers) {
  return compile_programs(Way::emulator, programs, per_unit, workers);
}
/// Runs all programs, compiled as one unit, against the evaluator; what went wrong with each, or "".  `case_of`: the
/// case of program k.
template <class CaseOf>
std::vector<std::string> run_in_emulator(std::vector<Program>& programs, CaseOf&& case_of) {
  std::vector<Program*> pointers;
  for (Program& program : programs) {
    pointers.push_back(&program);
  }
  const std::vector<CompiledKernel> compiled = compile_for_emulator(pointers, pointers.size(), 1);
  std::vector<std::string> problems;
  for (size_t k = 0; k < programs.size(); ++k) {
    EmulatedRun run(case_of(k), programs[k]);
    problems.push_back(run.run(compiled[k].module, compiled[k].kernel, k));
  }
  return problems;
}

/// Seconds since a moment.
inline double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// The number after `--name`, or `otherwise`.
inline int64_t number_option(int argc, char** argv, const std::string& name, int64_t otherwise) {
  for (int k = 1; k + 1 < argc; ++k) {
    if (argv[k] == "--" + name) {
      return std::atoll(argv[k + 1]);
    }
  }
  return otherwise;
}

/// The text after `--name`, or "".
inline std::string text_option(int argc, char** argv, const std::string& name) {
  for (int k = 1; k + 1 < argc; ++k) {
    if (argv[k] == "--" + name) {
      return argv[k + 1];
    }
  }
  return "";
}

}  // namespace nvfuser
