// SPDX-License-Identifier: Apache-2.0
// The row families: what is reduced together is a row; a block or a task takes one row after another pass.  Kept axes
// are merged to rows, reduced ones to columns; values of a row alone are computed once, outside the column loops.
#include <algorithm>
#include <tuple>
#include <unordered_set>

#include "nvfuser/schedule/addresses.h"
#include "nvfuser/schedule/apply_steps.h"
#include "nvfuser/transform/passes.h"

namespace nvfuser {

namespace {

/// The reference as one loop over rows, bound to the grid, and one over columns; null where there is none.
struct RowLoops {
  std::vector<Id*> row;    ///< roots that are reduced
  std::vector<Id*> order;  ///< loops so far: the rows
  Id* columns;
};

/// Positions of loops where tensors of each kind are computed.
struct Positions {
  int row;     ///< values of a row
  int load;    ///< loads along the row
  int vector;  ///< other values along the row of which a vector is stored or joins an accumulator
};

/// A load that is the same for all rows, such as weights: the first-level cache keeps it, registers need not.
bool is_shared(const Kernel& kernel, const Tensor& t, const std::vector<Id*>& row) {
  const std::vector<Id*> mine = needs(t);
  return t.op == TensorOp::load && row.size() < kernel.references.front().roots.size() &&
         std::all_of(
             mine.begin(), mine.end(),
             [&](const Id* id) { return std::find(row.begin(), row.end(), id) != row.end(); });
}

void inline_rows(Kernel& kernel, const std::vector<Id*>& row, std::vector<Tensor*> vectors,
                 const Positions& positions) {
  const int innermost = static_cast<int>(kernel.main().loops.size());
  for (const Tensor* t : kernel.tensors) {
    for (const Operand& operand : t->op == TensorOp::reduce ? t->operands : std::vector<Operand>{}) {
      vectors.push_back(operand.tensor);
    }
  }
  for (Tensor* t : kernel.tensors) {
    if (t->op == TensorOp::store) {
      inline_at(*t, innermost);
    } else if (!varies_along(*t, row)) {
      inline_at(*t, positions.row);
    } else {
      const bool is_vector = std::find(vectors.begin(), vectors.end(), t) != vectors.end();
      const int usual = is_shared(kernel, *t, row) ? std::max(positions.load, positions.vector)
                        : t->op == TensorOp::load  ? positions.load
                                                   : innermost;
      inline_at(*t, is_vector ? std::min(positions.vector, usual) : usual);
    }
  }
}

/// Loads that a row has to itself.
std::unordered_set<const Tensor*> own_loads(const Kernel& kernel, const std::vector<Id*>& row) {
  std::unordered_set<const Tensor*> found;
  for (const Tensor* t : kernel.tensors) {
    if (t->op == TensorOp::load && !is_shared(kernel, *t, row)) {
      found.insert(t);
    }
  }
  return found;
}

/// Computed row values that are stored too are copied, so that the store stands alone.
std::vector<Tensor*> prepare(Kernel& kernel, const std::vector<Id*>& row, bool resident) {
  split_passes(kernel, row, resident ? own_loads(kernel, row) : std::unordered_set<const Tensor*>{});
  return stored_values(kernel);
}

RowLoops merge_rows(Kernel& kernel) {
  RowLoops merged{reduced_roots(kernel), {}, nullptr};
  const Loops loops(kernel, kernel.main());
  std::vector<Id*> kept;
  for (Id* root : kernel.main().roots) {
    if (std::find(merged.row.begin(), merged.row.end(), root) == merged.row.end()) {
      kept.push_back(root);
    }
  }
  if (Id* rows = merge_roots(loops, kept)) {
    loops.parallelize(rows, ParallelType::grid_x);
    merged.order.push_back(rows);
  }
  merged.columns = merge_roots(loops, merged.row);
  return merged;
}

}  // namespace

void apply_rows(Kernel& kernel, const Params& params) {
  if (params.blocks > 1) {
    return apply_row_shares(kernel, params, true);
  }
  const bool resident = params.home != Home::reload, ring = params.home == Home::shared;
  const std::vector<Tensor*> stored = prepare(kernel, reduced_roots(kernel), resident);
  const Loops loops(kernel, kernel.main());
  auto [row, order, columns] = merge_rows(kernel);
  if (ring) {
    check(order.size() == 1 && columns != nullptr, ErrorKind::schedule, "rows by turns, where there is one row");
    order = take_rows(loops, order[0], params);
  }
  const int outside = static_cast<int>(order.size());
  if (columns == nullptr) {
    inline_rows(kernel, row, stored, {outside, outside, outside});
    return;
  }
  const int64_t wave = int64_t{params.threads} * params.vector * params.batch;
  Id* chunk = nullptr;
  Id* inner = nullptr;
  if (resident) {
    inner = loops.fit(columns, wave);
    chunk = inner->definition->outputs[0];
  } else {
    std::tie(chunk, inner) = loops.split(columns, wave);
  }
  const BlockLoops block = split_block(loops, inner, params.threads, params.vector);
  order.push_back(block.thread);
  order.push_back(chunk);
  for (Id* loop : {block.batch, block.lane}) {
    if (loop != nullptr) {
      order.push_back(loop);
    }
  }
  loops.reorder(order);
  const int loads = resident ? outside + 1 : outside + 2;
  inline_rows(kernel, row, stored, {outside, loads, loops.size() - (block.lane != nullptr)});
  if (ring) {
    bring_by_ring(kernel, inner, outside, params.stages);
  }
}

void apply_cpu_rows(Kernel& kernel, const Params& params) {
  if (params.piece > 0) {
    return apply_row_shares(kernel, params, false);
  }
  split_passes(kernel, reduced_roots(kernel), {});
  const Loops loops(kernel, kernel.main());
  auto [row, order, columns] = merge_rows(kernel);
  const int outside = static_cast<int>(order.size());
  if (columns != nullptr) {
    const auto [chunk, lanes] = loops.split(columns, params.task);
    loops.parallelize(lanes, ParallelType::vectorize);
    order.insert(order.end(), {chunk, lanes});
    loops.reorder(order);
  }
  inline_rows(kernel, row, {}, {outside, loops.size(), columns != nullptr ? outside + 1 : outside});
}

}  // namespace nvfuser
