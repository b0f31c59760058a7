// SPDX-License-Identifier: Apache-2.0
// Builds the Plan of one call: output descriptions, groups, workspace, aliases, compiled kernels, argument images.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "nvfuser/runtime/group_compiler.h"
#include "nvfuser/runtime/plan.h"

namespace nvfuser {

/// Compiled kernels of one fusion by their text's key; shared by its plans.
class KernelStore {
 public:
  struct Entry {
    std::shared_ptr<Module> module;
    int kernel;
  };
  /// Compiles those texts that are not known yet, in one batch.  Entries in the order of the programs.
  std::vector<Entry> fetch(const std::vector<const Program*>& programs, Way way, const DeviceProps& device, int ordinal);

 private:
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;
};

/// The evaluator's plan has no steps.
std::shared_ptr<Plan> build_plan(const std::shared_ptr<Fusion>& fusion, const std::vector<Argument>& arguments, ScalarBinding& binding,
                                 Way way, const ExecuteOptions& options, KernelStore& store);

}  // namespace nvfuser
