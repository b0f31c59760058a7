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
  explicit PythonCall(const FusionExecutor& executor) : executor_(executor) {}
  PythonCall(const PythonCall&) = delete;
  PythonCall& operator=(const PythonCall&) = delete;

  /// Adds inputs: tensors of any framework, numbers, and lists of them, which are put in place.  TypeError names the
  /// input that is neither.
  void add_inputs(nb::handle inputs);
  /// Adds tensors into which visible results are written.
  void add_targets(nb::handle targets);

  CallArguments& arguments() { return arguments_; }
  /// Runs a plan of these arguments; the visible outputs.
  nb::list run(FusionExecutor& executor, const Plan& plan, ExecuteOptions options);

 private:
  struct Held {
    nb::object object;
    const Exchange* exchange;  ///< null for a number
  };

  void add_input(nb::handle object);
  void borrow(nb::object object);
  const Exchange& results_exchange() const;

  const FusionExecutor& executor_;
  alignas(std::max_align_t) std::array<std::byte, 4096> buffer_;
  std::pmr::monotonic_buffer_resource memory_{buffer_.data(), buffer_.size()};
  CallArguments arguments_{&memory_};
  std::pmr::vector<Held> held_{&memory_};
};

}  // namespace nvfuser::python
