// SPDX-License-Identifier: Apache-2.0
// Plans: a flat list of kernel launches with argument images that only need pointers and scalars patched in.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "nvfuser/backend/module.h"
#include "nvfuser/ir/evaluate.h"
#include "nvfuser/runtime/executor.h"

namespace nvfuser {

/// What is written into an argument image at each call.
struct Patch {
  enum class Kind : uint8_t { pointer, scalar } kind;
  int offset;       ///< bytes into the image
  int buffer = -1;  ///< pointer: inputs first, then outputs and workspace
  const Val* scalar = nullptr;
  DataType dtype = DataType::Null;
};

/// One launch.  grid, block and sizes are fixed by the plan's key; the image holds them already.
struct KernelStep {
  std::shared_ptr<Module> module;
  int kernel = 0;
  LaunchRequest launch;
  std::vector<char> image;
  std::vector<Patch> patches;
  std::vector<std::string> buffer_names;
  std::vector<BufferExtent> extents;
  std::vector<int> reads, writes;  ///< buffers
  std::string text, summary;
};

struct Plan {
  Way way = Way::evaluator;
  Device device;
  std::vector<OutputSpec> outputs;  ///< the fusion's, then workspace
  std::vector<KernelStep> steps;    ///< empty for the evaluator
  bool reads_scalars = false;       ///< some patch depends on scalar arguments
  std::string fallback_reason;
};

/// Launches all steps.  `buffers`: inputs, outputs, workspace; `scalars` is read only when the plan reads scalars.
void run_steps(const Plan& plan, const std::vector<void*>& buffers, ScalarBinding* scalars,
               const ExecuteOptions& options);

/// Writes a scalar in the dtype given; returns the bytes written.
int write_scalar(char* to, const ScalarValue& value, DataType dtype);

}  // namespace nvfuser
