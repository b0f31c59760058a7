// SPDX-License-Identifier: Apache-2.0
// Builds the Plan of one call: output descriptions, groups, workspace, aliases, lowered programs; then, with their
// kernels compiled, argument images.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "nvfuser/runtime/kernel_store.h"
#include "nvfuser/runtime/plan.h"

namespace nvfuser {

class PlanBuilder;

/// A plan up to its programs.  Between order() and finish() the kernels are compiled, with those of other drafts where
/// several calls are prepared at once.  What the constructor is given outlives the draft.
class PlanDraft {
 public:
  /// `given`: the caller's tensors for the visible outputs, or none.
  PlanDraft(const std::shared_ptr<Fusion>& fusion, const std::vector<Argument>& arguments,
            std::span<const TensorArgument> given, ScalarBinding& binding, Way way, const ExecuteOptions& options,
            KernelStore& store);
  PlanDraft(PlanDraft&&) noexcept;
  ~PlanDraft();

  /// Without kernels where the evaluator runs or nothing is to be computed.
  KernelOrder order() const;
  /// Takes other kernels for compiled ones that spill; true when some of them are to be compiled.
  bool replace_spilling();
  /// Once its kernels are compiled.
  std::shared_ptr<Plan> finish();

 private:
  void build();

  std::shared_ptr<Fusion> fusion_;
  const std::vector<Argument>& arguments_;
  std::span<const TensorArgument> given_;
  ScalarBinding& binding_;
  Way way_;
  KernelStore& store_;
  Device device_;
  DeviceProps props_;
  std::unique_ptr<PlanBuilder> builder_;
};

}  // namespace nvfuser
