// SPDX-License-Identifier: Apache-2.0
// The row families: what is reduced together is a row; a block, a part of one or a task takes a row pass after pass.
// Kept axes are merged to rows, reduced ones to columns; values of a row alone are computed once, outside the column
// loops.
#include <algorithm>
#include <tuple>
#include <unordered_set>

#include "nvfuser/schedule/addresses.h"
#include "nvfuser/schedule/apply_steps.h"
#include "nvfuser/transform/passes.h"
#include "nvfuser/transform/wide_sums.h"

namespace nvfuser {

namespace {

/// The reference as one loop over rows and one over columns; null where there is none.
struct RowLoops {
  std::vector<Id*> row;  ///< roots that are reduced
  Id* rows = nullptr;
  Id* columns = nullptr;
};

/// Positions of loops where tensors of each kind are computed.
struct Positions {
  int row;     ///< values of a row
  int load;    ///< loads along the row
  int vector;  ///< other values along the row of which a vector is stored or joins an accumulator
  int shared;  ///< loads that are the same for all rows
};

/// A load that is the same for neighbours of a row, such as weights of channels of several elements each.
bool is_stepped(const Kernel& kernel, const Tensor& t, const std::vector<Id*>& row) {
  const std::vector<Id*> mine = needs(t);
  return varies_along(t, row) &&
         std::find(mine.begin(), mine.end(), kernel.references.front().roots.back()) == mine.end();
}

}  // namespace

bool is_shared(const Kernel& kernel, const Tensor& t, const std::vector<Id*>& row) {
  const auto along = [&](Index p) {
    const std::vector<const Atom*> atoms = atoms_of(p);
    return std::all_of(atoms.begin(), atoms.end(), [&](const Atom* atom) {
      return atom->kind != AtomKind::axis || std::find(row.begin(), row.end(), id_of(*atom)) != row.end();
    });
  };
  const auto for_all_rows = [&] {
    return row.size() < kernel.references.front().roots.size() && std::all_of(t.map.begin(), t.map.end(), along) &&
           std::all_of(t.tests.begin(), t.tests.end(), [&](const Test& test) { return along(test.index); });
  };
  return t.op == TensorOp::load && (is_stepped(kernel, t, row) || for_all_rows());
}

namespace {

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
      const int usual = is_shared(kernel, *t, row) ? positions.shared
                        : t->op == TensorOp::load  ? positions.load
                                                   : innermost;
      inline_at(*t, is_vector ? std::min(positions.vector, usual) : usual);
    }
  }
}

}  // namespace

std::unordered_set<const Tensor*> own_loads(const Kernel& kernel, const std::vector<Id*>& row) {
  std::unordered_set<const Tensor*> found;
  for (const Tensor* t : kernel.tensors) {
    if (t->op == TensorOp::load && !is_shared(kernel, *t, row)) {
      found.insert(t);
    }
  }
  return found;
}

std::vector<Tensor*> prepare_rows(Kernel& kernel, const Params& params) {
  if (params.form == Form::streaming) {
    for (const Chain& chain : find_chains(kernel)) {
      make_streaming(kernel, chain);
    }
  }
  const std::vector<Id*> row = reduced_roots(kernel);
  const bool resident = params.home != Home::reload;
  if (overlaps(params)) {
    for (Tensor* t : std::vector<Tensor*>(kernel.tensors)) {
      if (t->op == TensorOp::load && !is_shared(kernel, *t, row)) {
        cache(kernel, *t);  // each pass has its own
      }
    }
  }
  split_passes(kernel, row, resident ? own_loads(kernel, row) : std::unordered_set<const Tensor*>{});
  for (Tensor* t : kernel.tensors) {
    t->streaming = params.stream && t->op == TensorOp::load && !is_shared(kernel, *t, row);
  }
  return stored_values(kernel);
}

namespace {

RowLoops merge_rows(Kernel& kernel) {
  RowLoops merged{reduced_roots(kernel)};
  const Loops loops(kernel, kernel.main());
  std::vector<Id*> kept;
  for (Id* root : kernel.main().roots) {
    if (std::find(merged.row.begin(), merged.row.end(), root) == merged.row.end()) {
      kept.push_back(root);
    }
  }
  merged.rows = merge_roots(loops, kept);
  merged.columns = merge_roots(loops, merged.row);
  return merged;
}

/// Rows to blocks, `side` of them beside each other; the loops, outermost first.
std::vector<Id*> bind_rows(const Loops& loops, Id* rows, int side) {
  if (rows == nullptr) {
    return {};
  }
  std::vector<Id*> bound = {rows};
  if (side > 1) {
    const auto [blocks, mine] = loops.split(rows, side);
    loops.parallelize(mine, ParallelType::block_y);
    bound = {blocks, mine};
  }
  loops.parallelize(bound.front(), ParallelType::grid_x);
  return bound;
}

/// Blocks anywhere on the GPU have equal parts of what was fitted into all of them; the loop over blocks, and a part.
std::pair<Id*, Id*> split_among_blocks(const Loops& loops, Id* row, int64_t part) {
  const auto [blocks, mine] = loops.split(row, part);
  loops.parallelize(blocks, ParallelType::grid_y);
  blocks->cluster = blocks->apart = true;
  return {blocks, mine};
}

/// Rows of a block, of which each thread takes several at once; they all start at one place relative to vectors.
struct DealtRows {
  std::vector<Id*> bound;  ///< loops over blocks and over rows side by side
  Id* deep = nullptr;      ///< over those of a thread
  Id* place = nullptr;     ///< says where they start
};

DealtRows deal_rows(const Loops& loops, Id* rows, const Params& params) {
  DealtRows made;
  Id *group = nullptr, *mine = nullptr, *side = nullptr;
  std::tie(group, mine) = loops.split(rows, int64_t{params.unroll} * params.rows * params.vector);
  std::tie(made.deep, mine) = loops.split(mine, int64_t{params.rows} * params.vector);
  loops.parallelize(made.deep, ParallelType::unroll);
  if (params.rows > 1) {
    std::tie(side, mine) = loops.split(mine, params.vector);
    loops.parallelize(side, ParallelType::block_y);
  }
  made.place = mine;
  made.bound = {loops.merge(group, mine)};
  loops.parallelize(made.bound[0], ParallelType::grid_x);
  if (side != nullptr) {
    made.bound.push_back(side);
  }
  return made;
}

}  // namespace

void apply_rows(Kernel& kernel, const Params& params) {
  if (params.blocks > 1 && !overlaps(params)) {
    return apply_row_shares(kernel, params, true);
  }
  const bool resident = params.home != Home::reload, ring = params.home == Home::shared;
  const std::vector<Tensor*> stored = prepare_rows(kernel, params);
  const Loops loops(kernel, kernel.main());
  const RowLoops merged = merge_rows(kernel);
  const bool deals = params.unroll > 1 && merged.rows != nullptr && merged.columns != nullptr;
  check(!deals || (params.peel && params.home == Home::registers), ErrorKind::schedule,
        "several rows a thread: peeled ones in registers are wanted");
  const DealtRows dealt = deals ? deal_rows(loops, merged.rows, params) : DealtRows{};
  std::vector<Id*> order = deals ? dealt.bound : bind_rows(loops, merged.rows, params.rows);
  if (ring) {
    check(order.size() == 1 && merged.columns != nullptr, ErrorKind::schedule, "rows by turns, where there is one row");
    order = take_rows(loops, order[0], params);
  }
  const int outside = static_cast<int>(order.size());
  if (merged.columns == nullptr) {
    inline_rows(kernel, merged.row, stored, {outside, outside, outside, outside});
    return;
  }
  Id* columns = merged.columns;
  if (params.peel) {
    check(merged.row.size() == 1, ErrorKind::schedule, "rows of several axes have no one place to peel");
    columns = shift_to_vectors(kernel, loops, columns, params.vector, dealt.place);
  }
  const int64_t threads = params.threads / params.rows, wave = threads * params.cluster * params.vector * params.batch;
  Id* chunk = nullptr;
  Id* inner = nullptr;
  if (resident) {
    inner = loops.fit(columns, wave * params.blocks);
    chunk = inner->definition->outputs[0];
  } else {
    std::tie(chunk, inner) = loops.split(columns, wave);
  }
  if (overlaps(params)) {
    std::tie(order.emplace_back(), inner) = split_among_blocks(loops, inner, wave);
  }
  BlockLoops block = split_block(loops, inner, threads, params.vector, params.cluster);
  if (params.peel) {
    unswitch(loops, block);  // a vector at a time: few of them reach beyond an end
  }
  for (Id* loop : {block.member, block.thread, chunk, block.batch, dealt.deep, block.whole, block.lane}) {
    if (loop != nullptr) {
      order.push_back(loop);
    }
  }
  loops.reorder(order);
  const int loads = loops.position(block.thread) + (resident ? 1 : 2);
  const int vectors = loops.size() - (block.lane != nullptr);
  inline_rows(kernel, merged.row, stored,
              {outside, loads, vectors, deals ? loops.position(dealt.deep) : std::max(loads, vectors)});
  if (ring) {
    // A block's part lies behind the loop over blocks, and is read by each pass for itself.
    overlaps(params)
        ? bring_by_ring(kernel, {inner}, outside + 1, loops.size() - (block.lane != nullptr), params.stages)
        : bring_by_ring(kernel, {inner}, outside, outside + 1, params.stages);
  }
}

void apply_cpu_rows(Kernel& kernel, const Params& params) {
  widen_sums(kernel);
  if (params.piece > 0) {
    return apply_row_shares(kernel, params, false);
  }
  split_passes(kernel, reduced_roots(kernel), {});
  const Loops loops(kernel, kernel.main());
  const RowLoops merged = merge_rows(kernel);
  std::vector<Id*> order = bind_rows(loops, merged.rows, 1);
  const int outside = static_cast<int>(order.size());
  if (merged.columns != nullptr) {
    const auto [chunk, lanes] = loops.split(merged.columns, params.task);
    loops.parallelize(lanes, ParallelType::vectorize);
    order.insert(order.end(), {chunk, lanes});
    loops.reorder(order);
  }
  const int within = loops.size();
  inline_rows(kernel, merged.row, {}, {outside, within, merged.columns != nullptr ? outside + 1 : outside, within});
}

}  // namespace nvfuser
