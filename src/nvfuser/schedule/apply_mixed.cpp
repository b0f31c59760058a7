// SPDX-License-Identifier: Apache-2.0
// The mixed families: the same points are reduced along rows and across them, and read once for both.  A block or a
// task takes rows by turns, with an accumulator for each column, which last for all of its turns; what it accumulated
// it leaves as a row of states, which the next phase combines.  Nothing but columns follows the sums of columns.
#include <algorithm>
#include <tuple>

#include "nvfuser/schedule/addresses.h"
#include "nvfuser/schedule/column_loops.h"
#include "nvfuser/schedule/phases.h"
#include "nvfuser/transform/passes.h"
#include "nvfuser/transform/wide_sums.h"

namespace nvfuser {

namespace {

constexpr int kOutside = 2;  ///< loops around a turn's rows: over shares, over turns

MixedRoots wanted_roots(const Kernel& kernel) {
  const std::optional<MixedRoots> roots = mixed_roots(kernel);
  check(roots.has_value(), ErrorKind::schedule, "mixed: a kernel that reduces along rows and across them is wanted");
  return *roots;
}

std::unordered_set<const Tensor*> all_loads(const Kernel& kernel) {
  std::unordered_set<const Tensor*> found;
  std::copy_if(kernel.tensors.begin(), kernel.tensors.end(), std::inserter(found, found.end()),
               [](const Tensor* t) { return t->op == TensorOp::load; });
  return found;
}

class Mixed {
 public:
  Mixed(Kernel& kernel, const Params& params, bool on_gpu)
      : kernel_(kernel),
        params_(params),
        on_gpu_(on_gpu),
        roots_(wanted_roots(kernel)),
        columns_{roots_.rows, roots_.columns} {}

  void run() {
    held_ = on_gpu_ ? all_loads(kernel_) : std::unordered_set<const Tensor*>{};
    if (params_.hold) {
      held_.merge(shared_values(kernel_, roots_.columns, behind_columns(kernel_, roots_)));
    }
    split_passes(kernel_, roots_.columns, held_);
    if (on_gpu_) {
      stored_ = stored_values(kernel_);
    }
    const std::unordered_set<const Tensor*> behind = behind_columns(kernel_, roots_);
    std::unordered_map<const Tensor*, int> phases;
    for (const Tensor* t : kernel_.tensors) {
      phases[t] = behind.contains(t) ? 1 : 0;
    }
    make_loops();
    split_reductions();
    settle_phases(kernel_, phases);
    for (Tensor* t : kernel_.tensors) {
      place({t}, is_finish(*t) ? *finish_ : t->phase == 0 ? kernel_.main() : *alone_);
    }
    for (Tensor* t : kernel_.tensors) {
      t->phase == 0 ? inline_row(*t) : inline_finish(*t, columns_, stored_, at_, on_gpu_);
    }
    if (params_.values > 0) {
      hold_row_values(kernel_, roots_.rows, turn_, params_);
    }
    if (params_.home == Home::shared) {
      bring_by_ring(kernel_, rows_, kOutside, load_, params_.stages);
    }
  }

 private:
  void make_loops() {
    alone_ = &fork(kernel_, kernel_.main());
    const Loops loops(kernel_, kernel_.main());
    on_gpu_ ? take_turns(loops) : take_pieces(loops);
    at_ = on_gpu_ ? strip_loops(kernel_, *alone_, columns_, finish_of(), Walk::none)
                  : task_loops(kernel_, *alone_, columns_, finish_of(), Walk::none);
  }

  /// Of the phase that has columns alone.
  Params finish_of() const {
    Params params = params_;
    if (!on_gpu_) {
      return params;
    }
    params.lanes = params.threads;
    return finish_params(params, params.grid);
  }

  /// Blocks take turns: neighbours in time are neighbours in memory; where vectors of rows begin at aligned elements,
  /// every so many rows, which all start at one place.
  void take_turns(const Loops& loops) {
    Id *turn = loops.merge_all(roots_.rows), *side = nullptr, *deep = nullptr;
    Id* columns = loops.merge_all(roots_.columns);
    if (params_.peel) {
      std::tie(turn, share_) = loops.split(turn, params_.grid);
      columns = shift_to_vectors(kernel_, loops, columns, params_.vector, share_);
    }
    if (params_.unroll > 1) {
      std::tie(turn, deep) = loops.split(turn, params_.unroll);
      loops.parallelize(deep, ParallelType::unroll);
    }
    if (params_.rows > 1) {
      std::tie(turn, side) = loops.split(turn, params_.rows);
      loops.parallelize(side, ParallelType::block_y);
    }
    if (!params_.peel) {
      std::tie(turn, share_) = loops.split(turn, params_.grid);
    }
    loops.parallelize(share_, ParallelType::grid_x);
    const int64_t threads = params_.threads / params_.rows;
    Id* const row = loops.fit(columns, threads * params_.cluster * params_.vector * params_.batch);
    Id* const whole = row->definition->outputs[0];
    BlockLoops block = split_block(loops, row, threads, params_.vector, params_.cluster);
    if (params_.peel) {
      unswitch(loops, block);  // a vector at a time: few of them reach beyond an end
    }
    std::vector<Id*> order = {share_, turn};
    for (Id* loop : {side, block.member, block.thread, deep, whole, block.batch, block.whole, block.lane}) {
      if (loop != nullptr) {
        order.push_back(loop);
      }
    }
    loops.reorder(order);
    turn_ = {turn};
    for (Id* loop : {side, deep}) {
      if (loop != nullptr) {
        turn_.push_back(loop);
      }
    }
    const bool apart = params_.cluster > 1;
    for (Id* loop : {side, deep, apart ? block.batch : nullptr, apart ? block.piece : row}) {
      if (loop != nullptr) {
        rows_.push_back(loop);
      }
    }
    load_ = loops.position(block.thread) + 1;
    vector_ = loops.size() - (block.lane != nullptr);
  }

  /// A task takes rows that lie side by side.
  void take_pieces(const Loops& loops) {
    const auto [share, turn] = loops.split(loops.merge_all(roots_.rows), params_.piece);
    share_ = share;
    loops.parallelize(share, ParallelType::grid_x);
    Id* const row = loops.fit(loops.merge_all(roots_.columns), params_.task * params_.batch);
    Id* const whole = row->definition->outputs[0];
    const auto [chunk, lanes] = loops.split(row, params_.task);
    loops.parallelize(lanes, ParallelType::vectorize);
    loops.reorder({share, turn, whole, chunk, lanes});
    load_ = loops.size();
    vector_ = loops.size() - 1;
  }

  /// Every reduction across rows becomes a partial one of a share and one that combines states along `shares`.
  void split_reductions() {
    for (const Tensor* t : kernel_.tensors) {
      if (t->op == TensorOp::reduce && !is_across(*t, roots_)) {
        std::for_each(t->operands.begin(), t->operands.end(), [&](const Operand& o) { stored_.push_back(o.tensor); });
      }
    }
    Id* const shares = make_id(kernel_, "u", share_->extent);
    for (Tensor* t : reductions_across(kernel_, roots_)) {
      t->reference = &kernel_.main();
      rfactor(kernel_, *t, {share_});
      through_workspaces(kernel_, *t, {shares}, true);
    }
    finish_ = &finish_columns(kernel_, *alone_, at_, columns_, shares, finish_of(),
                              static_cast<int>(kernel_.workspaces.size()));
  }

  void inline_row(Tensor& t) const {
    const int innermost = static_cast<int>(t.reference->loops.size());
    const bool held = t.op == TensorOp::load || held_.contains(&t);
    const bool is_vector = std::find(stored_.begin(), stored_.end(), &t) != stored_.end();
    if (t.op == TensorOp::store) {
      inline_at(t, innermost);
    } else if (t.op == TensorOp::reduce && t.reduction->partial) {
      inline_at(t, first_loop(t));
    } else if (!varies_along(t, roots_.columns)) {
      inline_at(t, kOutside);
    } else if (held && on_gpu_ && !varies_along(t, roots_.rows)) {
      inline_at(t, kOutside - 1);  // the same for all rows: registers hold it
    } else {
      const int usual = held ? load_ : innermost;
      inline_at(t, is_vector ? std::min(vector_, usual) : usual);
    }
  }

  Kernel& kernel_;
  const Params& params_;
  bool on_gpu_;
  MixedRoots roots_;
  ColumnRoots columns_;
  std::vector<Tensor*> stored_;             ///< and what is reduced along rows: gathered as vectors
  std::unordered_set<const Tensor*> held_;  ///< GPU: what registers hold between passes
  Id* share_ = nullptr;
  std::vector<Id*> turn_;        ///< GPU: loops over the rows that a block takes, the first over its turns
  std::vector<Id*> rows_;        ///< GPU: loops of a turn, the innermost one over a row or a piece of it
  int load_ = 0, vector_ = 0;    ///< positions: what varies along the rows is loaded, is gathered as vectors
  Reference* alone_ = nullptr;   ///< of columns
  Reference* finish_ = nullptr;  ///< where their states are combined
  ColumnLoops at_;
};

}  // namespace

void apply_mixed(Kernel& kernel, const Params& params) { Mixed(kernel, params, true).run(); }

void apply_cpu_mixed(Kernel& kernel, const Params& params) {
  widen_sums(kernel);
  Mixed(kernel, params, false).run();
}

}  // namespace nvfuser
