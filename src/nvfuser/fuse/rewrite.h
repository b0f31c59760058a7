// SPDX-License-Identifier: Apache-2.0
// Whole-fusion rewrites before segmentation: simpler expressions, fewer conversions, no value computed twice.  The
// evaluator and every text that a user sees stay with the fusion as it was written.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "nvfuser/ir/fusion.h"

namespace nvfuser {

/// A fusion that computes the same outputs, each exactly or more accurately, in a simpler way; the fusion itself where
/// no rule applies.  Inputs, outputs (dtypes, axes, memory order) and aliases are parallel to the original's, and no
/// rule looks across a segment_set.  `map` gets old -> new for the values that remain; a value that was computed twice
/// or simplified maps to what stands for it.
std::shared_ptr<Fusion> rewrite(const std::shared_ptr<Fusion>& fusion,
                                std::vector<std::pair<const Val*, Val*>>* map = nullptr);

}  // namespace nvfuser
