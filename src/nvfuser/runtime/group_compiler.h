// SPDX-License-Identifier: Apache-2.0
// From a group of a fusion to a lowered program: instantiate, summarize, choose, apply, derive facts, lower.  Owner of
// "this candidate does not work: take the next".
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
#include "nvfuser/schedule/schedule.h"

namespace nvfuser {

/// A group with what this call says of its memory.
struct GroupCall {
  std::shared_ptr<const Fusion> fusion;
  Group group;
  std::vector<Layout> input_layouts, output_layouts;
  std::vector<std::vector<int64_t>> input_strides, output_strides;  ///< elements, per logical axis
  Alignments alignments;
  std::vector<std::pair<int, int>> aliases;  ///< (input, output) of the group
};

/// A lowered program with the values of its sizes for this call.
struct LoweredGroup {
  Program program;
  Params params;
  SizeValues sizes;
};

/// Values of the kernel's sizes, which check_sizes has passed.
SizeValues bind_sizes(const Kernel& kernel, const GroupCall& call, ScalarBinding& binding);

/// `name` is the kernel's.  Throws ErrorKind::schedule when no candidate lowers (an illegal alias, say).  Errors end
/// with the user's lines.
LoweredGroup lower_group(const GroupCall& call, ScalarBinding& binding, const DeviceProps& device, Target target,
                         const std::string& name);

/// A telling, stable kernel name from a group's operations, such as "nvf_add_relu".
std::string kernel_name(const Group& group);

}  // namespace nvfuser
