// SPDX-License-Identifier: Apache-2.0
// Which values share a kernel.  A group stores its outputs and reads its inputs from memory; everything between is
// computed inside, again in each group that needs it where that is cheap.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "nvfuser/fuse/legality.h"
#include "nvfuser/ir/fusion.h"

namespace nvfuser {

struct Group {
  /// A tensor that another group touches too, and why the two are not one.
  struct Border {
    const TensorView* tensor;
    int other;  ///< position of the other group
    std::string_view reason;
  };

  std::vector<const TensorView*> inputs;   ///< fusion inputs and cut tensors that are read
  std::vector<const TensorView*> outputs;  ///< fusion outputs (each once) and cut tensors that are stored
  GroupKind kind = GroupKind::pointwise;
  std::vector<Border> stored_for;  ///< outputs that other groups read
  std::vector<Border> read_with;   ///< inputs that an earlier group reads too: the first of those
};

/// Groups in an order in which every cut tensor is stored before it is read; the same for all sizes of a fusion, so
/// that a call's bits do not depend on earlier ones.  Extents that are not static count as equal, and large.  `cuts`:
/// values that no group both computes and uses, beside the results of segment_set.
std::vector<Group> segment(const Fusion& fusion, const CutSet& cuts = {});

/// Where a group has no schedule: parts its reductions along rows from those across them; or adds its reductions to the
/// cuts, or where they stand there all that it computes.  False when nothing is left to cut.
bool cut_again(const Group& refused, CutSet& cuts);

/// Text of the groups for dumps: what each reads and stores, in bytes, and why it ends where it does.
std::string to_string(const std::vector<Group>& groups, const std::function<int64_t(const TensorView*)>& bytes);

}  // namespace nvfuser
