// SPDX-License-Identifier: Apache-2.0
// Passes over a row: a reduction reads the whole row before anything that needs its result, so what is read on both
// sides is kept or computed again.
#pragma once

#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "nvfuser/graph/kernel.h"
#include "nvfuser/graph/statistics.h"

namespace nvfuser {

/// The axes that the kernel's reductions sum over, in the order of the roots; a schedule error when they differ.
std::vector<Id*> reduced_roots(const Kernel& kernel);
/// Axes of a kernel that reduces the same points in two ways: along rows and across them.
struct MixedRoots {
  std::vector<Id*> columns;  ///< the innermost root among them: what is reduced along rows, kept across them
  std::vector<Id*> rows;     ///< all others
};
/// None where all reductions are over the same axes; a schedule error where they part the roots in other ways.
std::optional<MixedRoots> mixed_roots(const Kernel& kernel);
/// Is t a result of a reduction across the rows?
bool is_across(const Tensor& t, const MixedRoots& roots);
/// Reductions across rows, of each its leading part.
std::vector<Tensor*> reductions_across(const Kernel& kernel, const MixedRoots& roots);
/// Results of reductions across rows, and all that is made of them.
std::unordered_set<const Tensor*> behind_columns(const Kernel& kernel, const MixedRoots& roots);

/// Does an element of t depend on one of these axes?
bool varies_along(const Tensor& t, const std::vector<Id*>& axes);
/// How many reductions lie one behind the other on the longest way to each tensor, where these chains are one.
std::unordered_map<const Tensor*, int> levels_of(const Kernel& kernel, const std::vector<Chain>& joined = {});
/// The passes in which each tensor along the row is computed where nothing is kept; none where these chains, as one,
/// leave it without a reader.
std::unordered_map<const Tensor*, std::set<int>> passes_of(const Kernel& kernel, const std::vector<Id*>& row,
                                                           const std::vector<Chain>& joined = {});
/// Where each value along the row is computed once, what several passes read and nothing of `behind`.
std::unordered_set<const Tensor*> shared_values(const Kernel& kernel, const std::vector<Id*>& row,
                                                const std::unordered_set<const Tensor*>& behind);
/// Gives each pass its own instance of the tensors that it shares with others and that vary along the row, but for
/// those of `resident`: loads are repeated, values computed again.
void split_passes(Kernel& kernel, const std::vector<Id*>& row, const std::unordered_set<const Tensor*>& resident);

}  // namespace nvfuser
