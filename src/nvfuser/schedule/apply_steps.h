// SPDX-License-Identifier: Apache-2.0
// What the families of apply share: the loops of one block, and where values are computed.
#pragma once

#include <unordered_set>
#include <vector>

#include "nvfuser/schedule/schedule.h"
#include "nvfuser/transform/schedule.h"

namespace nvfuser {

/// Loops of one block or tile, outermost first; whole, batch and lane are null where their extent would be 1.
struct BlockLoops {
  Id* thread = nullptr;
  Id* whole = nullptr;  ///< one point around all that a thread does, where full threads get a copy of their own
  Id* batch = nullptr;
  Id* lane = nullptr;
  Id* member = nullptr;  ///< over the blocks of a cluster; null where there is one
  Id* piece = nullptr;   ///< no loop, but what a block takes at once, as one: its threads and their lanes
  std::vector<Id*> list() const;
};

/// index = ((batch * cluster + member) * threads + thread) * vector + lane: neighbours in memory are neighbours in
/// threads and blocks for each batch.  `loop` has a constant extent, a multiple of cluster * threads * vector.
BlockLoops split_block(const Loops& loops, Id* loop, int64_t threads, int64_t vector, int cluster = 1);
/// Lets a thread whose elements all exist run without their tests, its lanes as vectors even where the vector does not
/// divide the extent.
void unswitch(const Loops& loops, BlockLoops& block);

/// The innermost axis, begun so far before its first element that its vectors are aligned in all full-size accesses,
/// which start their rows at one distance from aligned elements.  `dealt`: a loop that says so much of where a row
/// starts, as each of its points has every so many rows, a multiple of the vector; null: the row itself says it.
Id* shift_to_vectors(Kernel& kernel, const Loops& loops, Id* row, int64_t vector, const Id* dealt = nullptr);

/// All loops in memory order as one; null when the fusion has no axes.
Id* merge_main(Kernel& kernel);
/// These as one; null when there are none.
Id* merge_roots(const Loops& loops, const std::vector<Id*>& roots);

/// Makes every store read a value that nothing but stores reads, so its lanes are collected and leave as one vector
/// while the rest of the fusion stays one loop: what is cut off from that loop is a source or a sink of it.  A store
/// that follows a fork may read shared memory itself.
std::vector<Tensor*> stored_values(Kernel& kernel);

/// Loads stand at `loads` (all of a thread's are issued before first use), values that are stored at `stored`, all
/// other values where they are used; for tensors of one reference.
void inline_tensors(Kernel& kernel, const Reference& reference, const std::vector<Tensor*>& stored, int loads,
                    int at_stored);

/// A load that is the same for all rows, such as weights, or for neighbours of a row: the first-level cache keeps it,
/// registers need not.
bool is_shared(const Kernel& kernel, const Tensor& t, const std::vector<Id*>& row);
/// Loads that a row has to itself.
std::unordered_set<const Tensor*> own_loads(const Kernel& kernel, const std::vector<Id*>& row);
/// Do blocks share rows that come by a ring, each working on the next one while the others are told of this one?
inline bool overlaps(const Params& params) { return params.home == Home::shared && params.blocks > 1; }
/// Brings the statistics of rows to their form and gives passes their own tensors, but for loads where rows stay in
/// registers or in shared memory; see stored_values, which it returns.
std::vector<Tensor*> prepare_rows(Kernel& kernel, const Params& params);

/// A fixed number of blocks that take rows: the loops over turns and over blocks, or over rows that they claim.
std::vector<Id*> take_rows(const Loops& loops, Id* rows, const Params& params);
/// Loads of whole rows come by a ring, the next turns' under this one's work, and into registers from there; what is
/// the same for all rows stays in registers.  `rows`: a turn's loops, the innermost one over a row that was fitted, or
/// over a piece of it; `outside`: loops around a turn; `held`: position of what a thread holds.
void bring_by_ring(Kernel& kernel, const std::vector<Id*>& rows, int outside, int held, int stages);

/// Blocks that take rows by turns: what a row has one of, its mean for example, is in shared memory before the first
/// turn, for `params.values` rows.  `rows`: roots; `turn`: loops over what a block takes of them, outermost first; the
/// main reference's first loop is over blocks.
void hold_row_values(Kernel& kernel, const std::vector<Id*>& rows, const std::vector<Id*>& turn, const Params& params);

void apply_flat(Kernel& kernel, const Params& params);
void apply_tile(Kernel& kernel, const Params& params);
void apply_rows(Kernel& kernel, const Params& params);
/// Rows that several blocks or tasks share.
void apply_row_shares(Kernel& kernel, const Params& params, bool on_gpu);
void apply_columns(Kernel& kernel, const Params& params);
void apply_cpu_flat(Kernel& kernel, const Params& params);
void apply_cpu_tile(Kernel& kernel, const Params& params);
void apply_cpu_rows(Kernel& kernel, const Params& params);
void apply_cpu_columns(Kernel& kernel, const Params& params);
void apply_mixed(Kernel& kernel, const Params& params);
void apply_cpu_mixed(Kernel& kernel, const Params& params);

}  // namespace nvfuser
