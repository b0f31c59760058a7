// SPDX-License-Identifier: Apache-2.0
// From a lowered program and the values of its sizes to a launch: argument image, patches, grid.
#pragma once

#include <cstdint>
#include <vector>

#include "nvfuser/lower/lower.h"
#include "nvfuser/runtime/plan.h"
#include "nvfuser/schedule/schedule.h"

namespace nvfuser {

/// A buffer of a kernel: its position among the plan's buffers and how many elements may be addressed.
struct StepBuffer {
  int position;
  int64_t elements;    ///< addressable from the pointer on
  int64_t before = 0;  ///< addressable below it
};

/// The buffers of a kernel, each list in the order of the kernel's.
struct StepBuffers {
  std::vector<StepBuffer> inputs, outputs, workspaces;
  StepBuffer semaphores{-1, 0};  ///< for programs whose blocks meet
};

/// Everything of a step but its module.
KernelStep make_kernel_step(const Program& program, const SizeValues& sizes, const StepBuffers& buffers);
/// How many elements a workspace holds.
int64_t element_count(const Tensor& workspace, const SizeValues& sizes);
/// How many semaphores a program needs.
int64_t semaphore_count(const Program& program, const SizeValues& sizes);
/// What follows from the steps, once all are there and no longer move: the workspace is placed, the buffers' extents
/// point at their names, and it is known whether the plan draws random numbers.
void complete(Plan& plan);

}  // namespace nvfuser
