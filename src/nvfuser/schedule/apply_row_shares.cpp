// SPDX-License-Identifier: Apache-2.0
// Rows that several blocks, or tasks, share.  Every pass over the rows is a phase with loops of its own; what a pass
// reduces it leaves as states in workspaces, and each block of a later phase combines the states of its row again,
// which are few.  Where nothing varies along the rows any more, the last phase has blocks of rows alone.  Where the
// blocks of a row meet in one kernel, they may keep it in registers from phase to phase, and take rows by turns.
#include <algorithm>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "nvfuser/schedule/apply_steps.h"
#include "nvfuser/schedule/phases.h"
#include "nvfuser/transform/passes.h"

namespace nvfuser {

namespace {

constexpr int64_t kMostRows = 65535;  ///< of a grid's second dimension
constexpr int64_t kFewStates = 16;    ///< which every thread combines for itself

/// Loops of one phase.
struct Phase {
  Reference* loops = nullptr;
  Reference* finish = nullptr;  ///< where states of earlier phases are combined
  bool shares = false;          ///< does something vary along the rows?
  int outside = 0;              ///< loops outside those along the row
  int load = 0, vector = 0;     ///< where what varies along the row is loaded, and gathered as vectors
};

bool holds(const std::vector<Id*>& ids, const Id* id) { return std::find(ids.begin(), ids.end(), id) != ids.end(); }

class RowShares {
 public:
  RowShares(Kernel& kernel, const Params& params, bool on_gpu)
      : kernel_(kernel), params_(params), on_gpu_(on_gpu), row_(reduced_roots(kernel)) {}

  void run() {
    std::vector<Tensor*> vectors = prepare();
    levels_ = levels_of(kernel_);
    make_phases();
    split_reductions(vectors);
    for (Phase& phase : phases_) {
      make_finish(phase);
    }
    settle_phases(kernel_, levels_, resident_);
    for (Tensor* t : kernel_.tensors) {
      const Phase& phase = phases_[t->phase];
      place({t}, is_finish(*t) ? *phase.finish : *phase.loops);
    }
    for (Tensor* t : kernel_.tensors) {
      inline_one(*t, vectors);
    }
  }

 private:
  bool held() const { return on_gpu_ && params_.home == Home::registers; }

  std::vector<Tensor*> prepare() {
    if (!on_gpu_) {
      split_passes(kernel_, row_, {});
      return {};
    }
    check(!held() || params_.finish == GridFinish::barrier, ErrorKind::schedule,
          "rows stay in registers where blocks wait for each other");
    std::vector<Tensor*> stored = prepare_rows(kernel_, params_);
    if (held()) {
      resident_ = own_loads(kernel_, row_);
    }
    return stored;
  }

  std::vector<Id*> kept_roots() const {
    std::vector<Id*> kept;
    std::copy_if(kernel_.main().roots.begin(), kernel_.main().roots.end(), std::back_inserter(kept),
                 [&](Id* root) { return !holds(row_, root); });
    return kept;
  }

  /// Phases of which something varies along the rows have equal loops; others those over rows alone.
  void make_phases() {
    check(!row_.empty(), ErrorKind::schedule, "blocks share rows of one element");
    const PhaseCount count = count_phases(kernel_, levels_, row_);
    const std::vector<Id*> kept = kept_roots();
    const Loops loops(kernel_, kernel_.main());
    rows_ = bind_rows(loops, kept);
    Phase all{.loops = &kernel_.main(), .shares = true};
    on_gpu_ ? share_among_blocks(loops, all) : share_among_tasks(loops, all);
    phases_.assign(count.last + 1, all);
    for (int p = 1; p <= count.last; ++p) {
      phases_[p].loops = &fork(kernel_, kernel_.main());
      if (!count.varies(p)) {
        phases_[p].loops->roots = kept;
        phases_[p].loops->loops = rows_;
        phases_[p].shares = false;
        phases_[p].outside = phases_[p].load = phases_[p].vector = static_cast<int>(rows_.size());
      }
    }
  }

  /// Rows to the grid's second dimension, or to as many teams of blocks as that has; their loops, outermost first.
  std::vector<Id*> bind_rows(const Loops& loops, const std::vector<Id*>& kept) const {
    if (kept.empty()) {
      return {};
    }
    Id* const rows = loops.merge_all(kept);
    if (params_.grid > 0) {
      check(params_.finish == GridFinish::barrier, ErrorKind::schedule, "teams of blocks take rows where they meet");
      const auto [turn, team] = loops.split(rows, params_.grid);
      loops.parallelize(team, ParallelType::grid_y);
      return {turn, team};
    }
    loops.parallelize(rows, ParallelType::grid_y);
    if (on_gpu_) {
      loops.reference().fits.push_back({rows->extent, kernel_.pool->constant(kMostRows)});
    }
    return {rows};
  }

  /// Blocks take turns: neighbours in time are neighbours in memory.  What stays in registers they take once.
  void share_among_blocks(const Loops& loops, Phase& phase) {
    Id* columns = loops.merge_all(row_);
    if (params_.peel) {
      check(row_.size() == 1, ErrorKind::schedule, "rows of several axes have no one place to peel");
      columns = shift_to_vectors(kernel_, loops, columns, params_.vector);
    }
    const int64_t at_once = int64_t{params_.threads} * params_.vector * params_.batch;
    Id* round = nullptr;
    Id* inner = nullptr;
    if (held()) {
      inner = loops.fit(columns, at_once * params_.blocks);
      round = inner->definition->outputs[0];
      std::tie(share_, inner) = loops.split(inner, at_once);
    } else {
      std::tie(round, inner) = loops.split(columns, at_once);
      std::tie(round, share_) = loops.split(round, params_.blocks);
    }
    loops.parallelize(share_, ParallelType::grid_x);
    BlockLoops block = split_block(loops, inner, params_.threads, params_.vector);
    if (params_.peel) {
      unswitch(loops, block);  // a vector at a time: few of them reach beyond an end
    }
    std::vector<Id*> order = rows_;
    order.insert(order.end(), {share_, block.thread, round});
    for (Id* loop : {block.batch, block.whole, block.lane}) {
      if (loop != nullptr) {
        order.push_back(loop);
      }
    }
    loops.reorder(order);
    phase.outside = loops.position(share_) + 1;
    phase.load = loops.position(held() ? block.thread : round) + 1;
    phase.vector = loops.size() - (block.lane != nullptr);
  }

  /// A task takes what lies side by side.
  void share_among_tasks(const Loops& loops, Phase& phase) {
    const auto [share, piece] = loops.split(loops.merge_all(row_), params_.piece);
    share_ = share;
    loops.parallelize(share_, ParallelType::grid_x);
    const auto [chunk, lanes] = loops.split(piece, params_.task);
    loops.parallelize(lanes, ParallelType::vectorize);
    std::vector<Id*> order = rows_;
    order.insert(order.end(), {share_, chunk, lanes});
    loops.reorder(order);
    phase.outside = loops.position(share_) + 1;
    phase.load = loops.size();
    phase.vector = loops.position(chunk) + 1;
  }

  /// Every reduction becomes a partial one of its phase and one that combines states along `shares_`.
  void split_reductions(std::vector<Tensor*>& vectors) {
    shares_ = make_id(kernel_, "u", share_->extent);
    for (Tensor* t : std::vector<Tensor*>(kernel_.tensors)) {
      if (t->op != TensorOp::reduce || is_later_part(*t)) {
        continue;
      }
      for (const Operand& operand : t->operands) {
        vectors.push_back(operand.tensor);
      }
      t->phase = levels_.at(t) - 1;
      t->reference = phases_[t->phase].loops;
      rfactor(kernel_, *t, {share_});
      through_workspaces(kernel_, *t, {shares_});
    }
  }

  /// Combines states inside the loops over rows: few of them in every thread, others with all threads of a block.
  void make_finish(Phase& phase) const {
    Reference& finish = kernel_.references.emplace_back();
    finish.roots = kept_roots();
    for (Id* root : finish.roots) {
      copy_uses(*phase.loops, root, finish);
    }
    finish.roots.push_back(shares_);
    finish.loops = {shares_};
    const Loops loops(kernel_, finish);
    if (on_gpu_ && shares_->extent->constant() > kFewStates) {
      const int64_t blocks = shares_->extent->constant();
      const auto [rest, thread] = loops.split(shares_, phase.shares ? params_.threads : blocks);
      loops.parallelize(thread, ParallelType::block_x);
      finish.loops = {thread, rest};
    } else if (on_gpu_) {
      loops.parallelize(shares_, ParallelType::unroll);
    }
    finish.loops.insert(finish.loops.begin(), rows_.begin(), rows_.end());
    phase.finish = &finish;
  }

  void inline_one(Tensor& t, const std::vector<Tensor*>& vectors) const {
    const Phase& phase = phases_[t.phase];
    const int innermost = static_cast<int>(t.reference->loops.size());
    if (is_finish(t) && t.op == TensorOp::load) {
      // All of a thread's are on their way at once.
      inline_at(t, innermost - (t.reference->loops.back()->parallel == ParallelType::unroll));
    } else if (t.op == TensorOp::store) {
      inline_at(t, innermost);
    } else if (is_finish(t)) {
      inline_at(t, static_cast<int>(rows_.size()));
    } else if (!varies_along(t, row_)) {
      inline_at(t, phase.outside);
    } else {
      const bool is_vector = std::find(vectors.begin(), vectors.end(), &t) != vectors.end();
      const int usual = on_gpu_ && is_shared(kernel_, t, row_) ? std::max(phase.load, phase.vector)
                        : t.op == TensorOp::load               ? phase.load
                                                               : innermost;
      inline_at(t, is_vector ? std::min(phase.vector, usual) : usual);
    }
  }

  Kernel& kernel_;
  const Params& params_;
  bool on_gpu_;
  std::vector<Id*> row_;
  std::unordered_map<const Tensor*, int> levels_;
  std::unordered_set<const Tensor*> resident_;  ///< loads that all phases read
  std::vector<Phase> phases_;
  std::vector<Id*> rows_;  ///< loops over rows; none: there is one
  Id* share_ = nullptr;    ///< which block's part of a row; `shares_` numbers their states
  Id* shares_ = nullptr;
};

}  // namespace

void apply_row_shares(Kernel& kernel, const Params& params, bool on_gpu) { RowShares(kernel, params, on_gpu).run(); }

}  // namespace nvfuser
