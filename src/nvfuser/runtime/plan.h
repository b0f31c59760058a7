// SPDX-License-Identifier: Apache-2.0
// Plans: a flat list of kernel launches with argument images that only need pointers and scalars patched in.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "nvfuser/backend/module.h"
#include "nvfuser/ir/evaluate.h"
#include "nvfuser/runtime/call_arguments.h"
#include "nvfuser/runtime/executor.h"
#include "nvfuser/runtime/scalar_tape.h"

namespace nvfuser {

struct GroupKernel;
struct Program;

/// What is written into an argument image at each call.
///   pointer       the address of a buffer
///   semaphores    the address of words that are 0, of the stream or else of a buffer
///   host_value    the element of an input on the CPU, read at the call
///   scalar        a scalar of the fusion
///   seed, offset  of the random generator's state
struct Patch {
  enum class Kind : uint8_t { pointer, semaphores, host_value, scalar, seed, offset } kind;
  int offset;       ///< bytes into the image
  int buffer = -1;  ///< pointer, semaphores, host_value: inputs first, then outputs and workspace
  const Val* scalar = nullptr;
  DataType dtype = DataType::Null;
  int argument = -1;  ///< scalar: the argument that it is; -1: computed from several
  int computed = -1;  ///< scalar: the position on the plan's tape
  int64_t place =
      0;  ///< pointer, semaphores, host_value: bytes from the buffer's start, for tensors that share the workspace
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
  std::vector<int> reads, writes;  ///< buffers: inputs, then the fusion's outputs, then tensors of the workspace
  std::shared_ptr<const GroupKernel> made_from;
  int program = 0;         ///< which of its programs
  int64_t semaphores = 0;  ///< words

  const Program& made() const;
};

struct Plan {
  std::shared_ptr<const Fusion> fusion;  ///< to which scalars of patches belong
  Way way = Way::evaluator;
  Device device;
  int inputs = 0;                   ///< of the fusion
  std::vector<OutputSpec> outputs;  ///< the fusion's, then the workspace where there is one
  std::vector<OutputSpec> placed;   ///< tensors of the workspace
  std::vector<KernelStep> steps;    ///< empty for the evaluator
  ScalarTape scalars;               ///< what patches compute from several arguments
  bool brief = false;               ///< few elements, all on the calling thread
  bool draws = true;                ///< some value depends on the state of the random generator
  uint64_t offset_advance = 0;      ///< how far a call moves the random offset
  std::string fallback_reason;
};

/// Launches some steps of the plan, in order.  `outputs`: addresses of the plan's outputs, workspace included.
void run_steps(const Plan& plan, std::span<const KernelStep> steps, const CallArguments& call,
               std::span<void* const> outputs, const RandomState& random, const ExecuteOptions& options);

/// Writes a scalar in the dtype given; returns the bytes written.
int write_scalar(char* to, const ScalarValue& value, DataType dtype);

}  // namespace nvfuser
