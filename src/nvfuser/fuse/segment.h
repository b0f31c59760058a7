// SPDX-License-Identifier: Apache-2.0
// Which values share a kernel.  A group stores its outputs and reads its inputs from memory; everything between is
// computed inside, again in each group that needs it (pointwise chains are cheap).
#pragma once

#include <vector>

#include "nvfuser/ir/fusion.h"

namespace nvfuser {

struct Group {
  std::vector<const TensorView*> inputs;   ///< fusion inputs and cut tensors that are read
  std::vector<const TensorView*> outputs;  ///< fusion outputs (each once) and cut tensors that are stored
};

/// Where values of reductions are stored for other groups to read.
enum class Cuts : uint8_t {
  needed,      ///< where reductions over other axes, or values over further axes, follow
  reductions,  ///< behind every reduction: each then is a kernel of its own
};

/// Groups in an order in which every cut tensor is stored before it is read.  Cuts: the results of segment_set, and of
/// reductions.  A group reduces over one set of axes; its values iterate the kept axes or all of them.  Other values
/// whose iteration spaces differ go to groups of their own.
std::vector<Group> segment(const Fusion& fusion, Cuts cuts = Cuts::needed);

/// Text of the groups for dumps: what each reads, stores, and why it ends where it does.
std::string to_string(const std::vector<Group>& groups);

}  // namespace nvfuser
