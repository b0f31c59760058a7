// SPDX-License-Identifier: Apache-2.0
// One allocation for all tensors that live between the steps of a plan: those that are never alive together share
// bytes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "nvfuser/runtime/plan.h"

namespace nvfuser {

/// Memory that is needed from one step to another, both included.
struct Lifetime {
  int first, last;
  int64_t bytes;
};

/// Where each lies, and how many bytes hold them all.
struct WorkspaceLayout {
  std::vector<int64_t> offsets;
  int64_t bytes = 0;
};

/// Starts of tensors are multiples of it.
inline constexpr int64_t kWorkspaceAlignment = 256;

/// Largest first, each at the lowest place that is free while it lives.
WorkspaceLayout place(std::span<const Lifetime> lifetimes);

/// Moves the workspace outputs of a plan to `placed`, and adds one output that holds them all, to which their patches
/// then point.
void place_workspace(Plan& plan);

}  // namespace nvfuser
