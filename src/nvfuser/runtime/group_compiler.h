// SPDX-License-Identifier: Apache-2.0
// From a group of a fusion to a lowered program: instantiate, apply, derive facts, lower.  Owner of "this candidate
// does not work: take the next".
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "nvfuser/base/device_props.h"
#include "nvfuser/fuse/segment.h"
#include "nvfuser/graph/instantiate.h"
#include "nvfuser/ir/evaluate.h"
#include "nvfuser/lower/lower.h"
#include "nvfuser/schedule/facts_check.h"
#include "nvfuser/schedule/schedule.h"

namespace nvfuser {

/// A group and what its kernels are made for: layouts, aliases, a machine.
struct GroupCall {
  std::shared_ptr<const Fusion> fusion;
  Group group;
  std::vector<Layout> input_layouts, output_layouts;
  std::vector<std::pair<int, int>> aliases;  ///< (input, output) of the group
};

/// What one call says of a group's memory.
struct GroupMemory {
  std::vector<std::vector<int64_t>> input_strides, output_strides;  ///< elements, per logical axis
  Alignments alignments;
};

/// What kernels are lowered for.  `device` outlives the request.
struct GroupTarget {
  const DeviceProps& device;
  Target target;
  std::string name;  ///< of the kernel
};

/// The programs of a schedule, to be launched in order, and what it asks of sizes.  They share one Kernel, whose
/// workspaces lead from one to the next.
struct LoweredGroup {
  std::vector<Program> programs;
  Params params;
  FactsCheck check;
};

std::unique_ptr<Kernel> instantiate_group(const GroupCall& call);

/// Values of the kernel's sizes, which check_sizes has passed.
SizeValues bind_sizes(const Kernel& kernel, const GroupMemory& memory, ScalarBinding& binding);

/// Which of the facts that hold a kernel is made for.
enum class Made : uint8_t {
  for_call,      ///< all
  for_accesses,  ///< not that tiles divide: any sizes of the same vectors are served
  for_all,       ///< none but those that the option `withhold` cannot name: all sizes are served
};

/// A program a phase of the request's kernel, or one for all where its blocks meet; those behind the first are named
/// after their places.
std::vector<Program> lower_phases(LowerRequest request, const std::string& name);

/// The first of the candidates that lowers.  Throws ErrorKind::schedule when none lowers (an illegal alias, say).
/// Errors end with the user's lines.
LoweredGroup lower_group(const GroupCall& call, const GroupTarget& target, const SizeValues& sizes,
                         const Alignments& alignments, const std::vector<Candidate>& candidates,
                         Made made = Made::for_call);

/// A telling, stable kernel name from a group's operations, such as "nvf_add_relu".
std::string kernel_name(const Group& group);

}  // namespace nvfuser
