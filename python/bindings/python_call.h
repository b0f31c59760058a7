// SPDX-License-Identifier: Apache-2.0
// One call from Python: inputs borrowed from their frameworks, results made by them.
#pragma once

#include <array>
#include <cstddef>
#include <memory_resource>
#include <vector>

#include "exchange.h"

namespace nvfuser::python {

/// The arguments of a call while it lasts.  A warm call allocates nothing here: all lies on the stack.
class PythonCall {
 public:
  explicit PythonCall(const FusionExecutor& executor);
  PythonCall(const PythonCall&) = delete;
  PythonCall& operator=(const PythonCall&) = delete;

  /// Adds inputs: tensors of any framework, numbers, and lists of them, which are put in place.  TypeError names the
  /// input that is neither.
  void add_inputs(nb::handle inputs);
  /// Adds tensors into which visible results are written.
  void add_targets(nb::handle targets);

  CallArguments& arguments() { return arguments_; }
  /// The stream on which the framework of the first tensor works on its device at present.
  void* stream() const;

  /// The steps of a call whose plan is there: results are made, the plan is run, the visible outputs are listed.
  void allocate(const Plan& plan);
  void launch(FusionExecutor& executor, const Plan& plan, ExecuteOptions& options);
  nb::list finish(const Plan& plan);

 private:
  struct Held {
    nb::object object;
    const Exchange* exchange;  ///< null for a number
  };

  void add_input(nb::handle object);
  void lend(nb::handle object, const Exchange& exchange);
  void add_unknown(nb::handle object);
  void add_result(const OutputSpec& spec);
  const Exchange& results_exchange() const;

  const FusionExecutor& executor_;
  alignas(std::max_align_t) std::array<std::byte, 4096> buffer_;
  std::pmr::monotonic_buffer_resource memory_{buffer_.data(), buffer_.size()};
  CallArguments arguments_{&memory_};
  std::pmr::vector<Held> held_{&memory_};                                  ///< parallel to the arguments
  std::pmr::vector<Held> results_{&memory_};                               ///< parallel to the plan's outputs
  std::pmr::vector<void*> addresses_ = std::pmr::vector<void*>(&memory_);  // braces would make it an element
  const Exchange* maker_ = nullptr;                                        ///< of results
};

}  // namespace nvfuser::python
