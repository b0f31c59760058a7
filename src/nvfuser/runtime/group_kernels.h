// SPDX-License-Identifier: Apache-2.0
// All kernels of one group with given layouts on one machine, and the choice among them for the sizes of a call: a new
// shape is arithmetic as long as a kernel that is there serves it well.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nvfuser/backend/module.h"
#include "nvfuser/runtime/group_compiler.h"
#include "nvfuser/schedule/summary.h"

namespace nvfuser {

/// A kernel of a group, or several that follow each other; `module` is null until they are compiled.
struct GroupKernel {
  LoweredGroup lowered;
  Problem made_for;  ///< of the sizes that it was lowered for
  Params asked;      ///< the best candidate's then; another one's where those did not lower
  Made made;
  std::shared_ptr<Module> module;
  int position = 0;         ///< of the first in the module
  int64_t local_bytes = 0;  ///< most of a thread's own memory in any of them, once they are compiled
};

/// Was it found, once compiled, to keep values in memory that registers should hold?
bool spills(const GroupKernel& kernel);

/// Not thread-safe: its store's owner locks it.
class GroupKernels {
 public:
  GroupKernels(GroupCall call, const DeviceProps& device, Target target, std::string name);

  /// A kernel that serves these sizes: one that is there if its estimated time is within 10 % of the best candidate's,
  /// else a new one, until there are a few; then the best of those that are there, or one without facts.  Where the
  /// group reduces, the schedule decides the bits, so the best candidate that lowers is taken, whatever is there, but
  /// for those that were compiled and spill. Throws as lower_group does.
  std::shared_ptr<GroupKernel> pick(const SizeValues& sizes, const Alignments& alignments);
  SizeValues bind(const GroupMemory& memory, ScalarBinding& binding) const {
    return bind_sizes(*base_, memory, binding);
  }
  /// Forgets kernels that are not compiled: their compile failed.
  void drop_uncompiled();

 private:
  std::shared_ptr<GroupKernel> of_params(const Params& params, const SizeValues& sizes, const Alignments& alignments,
                                         Made made) const;
  /// A kernel of the group and what it is expected to take.
  struct Found {
    std::shared_ptr<GroupKernel> kernel;
    double microseconds;
  };
  Found best_of_known(const Problem& problem, const SizeValues& sizes, const Alignments& alignments) const;
  std::shared_ptr<GroupKernel> best_without_spills(const Problem& problem, const SizeValues& sizes,
                                                   const Alignments& alignments, std::vector<Candidate> candidates);
  double expected(const GroupKernel& kernel, const Problem& problem, const SizeValues& sizes) const;
  std::shared_ptr<GroupKernel> make(const Problem& problem, const SizeValues& sizes, const Alignments& alignments,
                                    const std::vector<Candidate>& candidates, Made made);

  GroupCall call_;
  DeviceProps device_;
  Target target_;
  std::string name_;
  std::unique_ptr<Kernel> base_;  ///< unscheduled
  Summary summary_;
  std::vector<std::shared_ptr<GroupKernel>> kernels_;
  std::optional<Error> refused_;  ///< no candidate lowers
};

}  // namespace nvfuser
