// SPDX-License-Identifier: Apache-2.0
// Fusions with schedules written by hand, as the families of schedule/ would make them, for the tests of lowering.
#pragma once

#include "kernel_fixture.h"

namespace nvfuser {

inline TensorView* unary(PointwiseOp op, Val* a) { return static_cast<TensorView*>(pointwise(op, {a})); }
inline TensorView* binary(PointwiseOp op, Val* a, Val* b) { return static_cast<TensorView*>(pointwise(op, {a, b})); }

/// out = tanh(x[M, N] + b[N]) * x; the operations of a gelu without its constants.
struct BiasCase : KernelCase {
  BiasCase(int64_t m, int64_t n, DataType dtype = DataType::Float) {
    TensorView* x = input({m, n}, dtype);
    TensorView* b = input({n}, dtype);
    TensorView* t = binary(PointwiseOp::add, x, broadcast(b, {true, false}));
    output(binary(PointwiseOp::mul, unary(PointwiseOp::tanh, t), t));
  }
};

/// out = relu(x).t()
struct TransposeCase : KernelCase {
  TransposeCase(int64_t m, int64_t n) { output(permute(unary(PointwiseOp::relu, input({m, n})), {1, 0})); }
};

/// Loads at `loads`, the value that is stored at `stored`, all others innermost.
inline void inline_all(Kernel& kernel, int loads, int stored) {
  for (Tensor* t : kernel.tensors) {
    inline_at(*t, t->op == TensorOp::load ? loads : static_cast<int>(t->reference->loops.size()));
  }
  for (Tensor* store : kernel.outputs) {
    inline_at(*store->operands[0].tensor, stored);
  }
}

/// All axes merged; a block of `threads` takes a run of vectors.
inline void schedule_flat(Kernel& kernel, int64_t threads, int64_t vector) {
  const Loops loops(kernel, kernel.main());
  const auto [outer, lane] = loops.split(loops.merge_all(kernel.main().loops), vector);
  const auto [grid, thread] = loops.split(outer, threads);
  loops.parallelize(grid, ParallelType::grid_x);
  loops.parallelize(thread, ParallelType::block_x);
  loops.parallelize(lane, ParallelType::vectorize);
  inline_all(kernel, 2, 2);
}

/// Columns over blocks and threads, `rows` rows a thread, so that the bias is loaded once.
inline void schedule_rows(Kernel& kernel, int64_t threads, int64_t rows, int64_t vector) {
  const Loops loops(kernel, kernel.main());
  const auto [column_block, rest] = loops.split(loops[1], threads * vector);
  const auto [thread, lane] = loops.split(rest, vector);
  const auto [row_block, row] = loops.split(loops[0], rows);
  loops.reorder({column_block, row_block, thread, row, lane});
  loops.parallelize(column_block, ParallelType::grid_x);
  loops.parallelize(row_block, ParallelType::grid_y);
  loops.parallelize(thread, ParallelType::block_x);
  loops.parallelize(row, ParallelType::unroll);
  loops.parallelize(lane, ParallelType::vectorize);
  inline_all(kernel, 3, 4);
}

/// A tile of side x side through shared memory: read along the input's rows, written along the output's.
inline void schedule_transpose(Kernel& kernel, int64_t side, int64_t vector, int64_t tiles, bool swizzle, int64_t pad,
                               int64_t group = 1) {
  const Loops loops(kernel, kernel.main());
  const auto [i_block, i] = loops.split(loops[0], side);
  const auto [j_outer, j] = loops.split(loops[2], side);
  const auto [j_block, j_step] = loops.split(j_outer, tiles);
  loops.reorder({i_block, j_block, j_step, i, j});
  loops.parallelize(i_block, ParallelType::grid_x);
  loops.parallelize(j_block, ParallelType::grid_y);
  Reference& turned = fork(kernel, kernel.main());
  const auto bind = [&](Reference& reference, Id* outer, Id* inner) {
    const Loops own(kernel, reference);
    const auto [thread, lane] = own.split(own.merge(outer, inner), vector);
    own.parallelize(thread, ParallelType::block_x);
    own.parallelize(lane, ParallelType::vectorize);
  };
  bind(kernel.main(), i, j);
  bind(turned, j, i);
  Tensor *load = kernel.tensors[0], *relu = kernel.tensors[1];
  Tensor& tile = cache(kernel, *load, {}, MemoryType::shared);
  set_allocation(kernel, tile, {j, i}, pad, swizzle, group);
  place({load, &tile}, turned);
  inline_at(*load, 4);
  inline_at(tile, 3);
  inline_at(*relu, 4);
}

/// cpu: tasks of `task` elements of the merged axes, lanes of one loop.
inline void schedule_tasks(Kernel& kernel, int64_t task) {
  const Loops loops(kernel, kernel.main());
  const auto [grid, lane] = loops.split(loops.merge_all(kernel.main().loops), task);
  loops.parallelize(grid, ParallelType::grid_x);
  loops.parallelize(lane, ParallelType::vectorize);
  inline_all(kernel, 2, 2);
}

}  // namespace nvfuser
