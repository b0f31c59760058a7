// SPDX-License-Identifier: Apache-2.0
// The kernels of one fusion by group and layouts, and the compile that fills several stores with one unit.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "nvfuser/backend/module.h"
#include "nvfuser/runtime/group_kernels.h"

namespace nvfuser {

/// Shared by the plans of a fusion.  Its owner locks it.
class KernelStore {
 public:
  /// The kernels of a group on a device, made where there are none yet: modules belong to one.  `ordinal` tells equal
  /// devices apart, `number` the kernels of one program in profilers.
  GroupKernels& group(GroupCall call, const DeviceProps& device, int ordinal, Target target, int number);
  void drop_uncompiled();
  /// See segment(); a fusion no longer changes once it is asked about.
  const std::vector<Group>& groups_of(const Fusion& fusion, const CutSet& cuts);

 private:
  std::map<std::pair<const Fusion*, CutSet>, std::vector<Group>> segments_;
  std::map<std::vector<int64_t>, GroupKernels> groups_;
};

/// What one plan wants compiled, for which machine, and the store that keeps it.
struct KernelOrder {
  KernelStore* store;
  std::vector<std::shared_ptr<GroupKernel>> kernels;
  Way way;
  int arch;     ///< Way::cuda
  int ordinal;  ///< Way::cuda
};

/// Compiles what is not compiled yet, one unit for all orders of equal way and device.  In a unit of several orders the
/// programs get names that tell them apart.
void compile_kernels(const std::vector<KernelOrder>& orders);

}  // namespace nvfuser
