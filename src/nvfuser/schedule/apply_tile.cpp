// SPDX-License-Identifier: Apache-2.0
// The tile family: a block takes a square of two axes.  Tensors that are dense along the inner axis follow the main
// reference; those that are dense along the other axis follow a fork with the opposite order, and meet the rest in
// shared memory.  The only loop that both hold is the grid's, so a block-wide barrier stands between them.
#include <algorithm>

#include "nvfuser/schedule/addresses.h"
#include "nvfuser/schedule/apply_steps.h"

namespace nvfuser {

namespace {

/// Both sides of the tile.
struct Square {
  std::vector<Id*> inner;  ///< one loop; two (groups, elements of a group) in a swizzled layout
  Id* other;
  int64_t group;  ///< elements of one 16-byte access of either side
};

/// With the groups of a row permuted by the group of rows, a warp that writes rows and one that reads columns both
/// touch every bank once.
Square split_sides(const Loops& loops, Id* inner, Id* other, const Params& params) {
  Square square{{inner}, other, std::max(params.vector, params.vector_other)};
  if (params.vector > 1 && square.group < params.tile) {
    auto [groups, element] = loops.split(inner, square.group);
    square.inner = {groups, element};
  }
  return square;
}

/// Rows along the inner axis, so that the transposed side moves whole vectors.
void lay_out(Kernel& kernel, Tensor& tile, const Square& square) {
  std::vector<Id*> ids = square.inner;
  ids.push_back(square.other);
  if (ids.size() == 2) {
    // One 4-byte word more a row: columns go through all banks.
    set_allocation(kernel, tile, ids, std::max(1, 4 / std::max(1, bytes_of(tile.dtype))));
    return;
  }
  set_allocation(kernel, tile, ids);
  tile.allocation->swizzle_row = square.inner[0];
  tile.allocation->swizzle_column = square.other;
  tile.allocation->swizzle_group = square.group;
}

/// Thread loops of one reference, lanes along the last of `sides`.
BlockLoops order_block(Kernel& kernel, Reference& reference, Id* grid, const std::vector<Id*>& sides, int64_t threads,
                       int64_t vector) {
  const Loops loops(kernel, reference);
  const BlockLoops block = split_block(loops, loops.merge_all(sides), threads, vector);
  std::vector<Id*> order = {grid};
  for (Id* loop : block.list()) {
    order.push_back(loop);
  }
  loops.reorder(order);
  return block;
}

/// Loads and stores that are dense along the other axis move to the fork; what lies between the forks is shared.
std::vector<Tensor*> share_transposed(Kernel& kernel, Reference& fork, const TileAxes& axes) {
  std::vector<Tensor*> tiles;
  for (Tensor* access : accesses_of(kernel)) {
    if (!is_transposed(kernel, *access, axes)) {
      continue;
    }
    if (access->op == TensorOp::load) {
      tiles.push_back(&cache(kernel, *access, {}, MemoryType::shared));
      place({access, tiles.back()}, fork);
    } else {
      Tensor* value = access->operands[0].tensor;
      const bool has_tile = std::find(tiles.begin(), tiles.end(), value) != tiles.end();
      if (!has_tile) {
        tiles.push_back(&cache(kernel, *value, {access}, MemoryType::shared));
      }
      place({access}, fork);
    }
  }
  return tiles;
}

}  // namespace

void apply_tile(Kernel& kernel, const Params& params) {
  const TileAxes axes = tile_axes(kernel);
  check(axes.other != nullptr, ErrorKind::schedule, "tile: no tensor of the fusion is transposed");
  Reference& main = kernel.main();
  const Loops loops(kernel, main);
  std::vector<Id*> grid_loops;
  for (Id* loop : main.loops) {
    if (loop != axes.inner && loop != axes.other) {
      grid_loops.push_back(loop);
    }
  }
  auto [outer_other, other] = loops.split(axes.other, params.tile);
  auto [outer_inner, inner] = loops.split(axes.inner, params.tile);
  grid_loops.insert(grid_loops.end(), {outer_other, outer_inner});
  Id* grid = loops.merge_all(grid_loops);
  loops.parallelize(grid, ParallelType::grid_x);
  const Square square = split_sides(loops, inner, other, params);
  Reference& turned = fork(kernel, main);
  std::vector<Id*> straight = {square.other}, across = square.inner;
  straight.insert(straight.end(), square.inner.begin(), square.inner.end());
  across.push_back(square.other);
  const BlockLoops block = order_block(kernel, main, grid, straight, params.threads, params.vector);
  order_block(kernel, turned, grid, across, params.threads, params.vector_other);

  const std::vector<Tensor*> tiles = share_transposed(kernel, turned, axes);
  const std::vector<Tensor*> stored = stored_values(kernel);
  constexpr int kGridOnly = 1, kThreads = 2;
  const int at_stored = static_cast<int>(main.loops.size()) - (block.lane != nullptr);
  inline_tensors(kernel, main, stored, kThreads, at_stored);
  inline_tensors(kernel, turned, {}, kThreads, static_cast<int>(turned.loops.size()));
  for (Tensor* tile : tiles) {
    lay_out(kernel, *tile, square);
    inline_at(*tile, kGridOnly);
  }
}

}  // namespace nvfuser
