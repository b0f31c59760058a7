// SPDX-License-Identifier: Apache-2.0
// Rows that several blocks, or tasks, share.  Every pass over the rows is a phase with loops of its own; what a pass
// reduces it leaves as states in workspaces, and each block of a later phase combines the states of its row again,
// which are few.  Where nothing varies along the rows any more, the last phase has blocks of rows alone.
#include <algorithm>
#include <unordered_map>

#include "nvfuser/schedule/apply_steps.h"
#include "nvfuser/schedule/phases.h"
#include "nvfuser/transform/passes.h"

namespace nvfuser {

namespace {

constexpr int64_t kMostRows = 65535;  ///< of a grid's second dimension

/// Loops of one phase.
struct Phase {
  Reference* loops = nullptr;
  Reference* finish = nullptr;  ///< where states of earlier phases are combined
  Id* rows = nullptr;           ///< null: there is one
  Id* share = nullptr;          ///< null: nothing varies along the rows
  int outside = 0;              ///< loops outside those along the row
  int load = 0, vector = 0;     ///< where what varies along the row is loaded, and gathered as vectors
};

bool holds(const std::vector<Id*>& ids, const Id* id) { return std::find(ids.begin(), ids.end(), id) != ids.end(); }

class RowShares {
 public:
  RowShares(Kernel& kernel, const Params& params, bool on_gpu)
      : kernel_(kernel), params_(params), on_gpu_(on_gpu), row_(reduced_roots(kernel)) {}

  void run() {
    split_passes(kernel_, row_, {});
    std::vector<Tensor*> vectors = on_gpu_ ? stored_values(kernel_) : std::vector<Tensor*>{};
    levels_ = levels_of(kernel_);
    make_phases();
    split_reductions(vectors);
    for (Phase& phase : phases_) {
      make_finish(phase);
    }
    settle_phases(kernel_, levels_);
    for (Tensor* t : kernel_.tensors) {
      const Phase& phase = phases_[t->phase];
      place({t}, is_finish(*t) ? *phase.finish : *phase.loops);
    }
    for (Tensor* t : kernel_.tensors) {
      inline_one(*t, vectors);
    }
  }

 private:
  std::vector<Id*> kept_roots() const {
    std::vector<Id*> kept;
    std::copy_if(kernel_.main().roots.begin(), kernel_.main().roots.end(), std::back_inserter(kept),
                 [&](Id* root) { return !holds(row_, root); });
    return kept;
  }

  void make_phases() {
    check(!row_.empty(), ErrorKind::schedule, "blocks share rows of one element");
    const PhaseCount count = count_phases(kernel_, levels_, row_);
    phases_.resize(count.last + 1);
    for (int p = 1; p <= count.last; ++p) {
      phases_[p].loops = &fork(kernel_, kernel_.main());
    }
    phases_[0].loops = &kernel_.main();
    for (int p = 0; p <= count.last; ++p) {
      make_loops(phases_[p], count.varies(p));
    }
  }

  void make_loops(Phase& phase, bool varies) const {
    const Loops loops(kernel_, *phase.loops);
    std::vector<Id*> order;
    const std::vector<Id*> kept = kept_roots();
    if (!kept.empty()) {
      phase.rows = loops.merge_all(kept);
      loops.parallelize(phase.rows, ParallelType::grid_y);
      if (on_gpu_) {
        phase.loops->fits.push_back({phase.rows->extent, kernel_.pool->constant(kMostRows)});
      }
      order.push_back(phase.rows);
    }
    if (varies) {
      on_gpu_ ? share_among_blocks(loops, phase, order) : share_among_tasks(loops, phase, order);
    } else {
      phase.loops->roots = kept;
      phase.loops->loops = order;
      phase.outside = phase.load = phase.vector = static_cast<int>(order.size());
    }
  }

  /// Blocks take turns: neighbours in time are neighbours in memory.
  void share_among_blocks(const Loops& loops, Phase& phase, std::vector<Id*>& order) const {
    const auto [chunk, inner] =
        loops.split(loops.merge_all(row_), int64_t{params_.threads} * params_.vector * params_.batch);
    const auto [round, share] = loops.split(chunk, params_.blocks);
    loops.parallelize(share, ParallelType::grid_x);
    const BlockLoops block = split_block(loops, inner, params_.threads, params_.vector);
    order.insert(order.end(), {share, block.thread, round});
    for (Id* loop : {block.batch, block.lane}) {
      if (loop != nullptr) {
        order.push_back(loop);
      }
    }
    loops.reorder(order);
    phase.share = share;
    phase.outside = loops.position(share) + 1;
    phase.load = loops.position(round) + 1;
    phase.vector = loops.size() - (block.lane != nullptr);
  }

  /// A task takes what lies side by side.
  void share_among_tasks(const Loops& loops, Phase& phase, std::vector<Id*>& order) const {
    const auto [share, piece] = loops.split(loops.merge_all(row_), params_.piece);
    loops.parallelize(share, ParallelType::grid_x);
    const auto [chunk, lanes] = loops.split(piece, params_.task);
    loops.parallelize(lanes, ParallelType::vectorize);
    order.insert(order.end(), {share, chunk, lanes});
    loops.reorder(order);
    phase.share = share;
    phase.outside = loops.position(share) + 1;
    phase.load = loops.size();
    phase.vector = loops.position(chunk) + 1;
  }

  /// Every reduction becomes a partial one of its phase and one that combines states along `shares_`.
  void split_reductions(std::vector<Tensor*>& vectors) {
    shares_ = make_id(kernel_, "u", phases_[0].share->extent);
    for (Tensor* t : std::vector<Tensor*>(kernel_.tensors)) {
      if (t->op != TensorOp::reduce || is_later_part(*t)) {
        continue;
      }
      for (const Operand& operand : t->operands) {
        vectors.push_back(operand.tensor);
      }
      t->phase = levels_.at(t) - 1;
      t->reference = phases_[t->phase].loops;
      rfactor(kernel_, *t, {phases_[t->phase].share});
      through_workspaces(kernel_, *t, {shares_});
    }
  }

  /// Combines states inside the loop over rows, with all threads of a block.
  void make_finish(Phase& phase) const {
    Reference& finish = kernel_.references.emplace_back();
    finish.roots = kept_roots();
    for (Id* root : finish.roots) {
      copy_uses(*phase.loops, root, finish);
    }
    finish.roots.push_back(shares_);
    finish.loops = {shares_};
    const Loops loops(kernel_, finish);
    if (on_gpu_) {
      const int64_t blocks = shares_->extent->constant();
      const auto [rest, thread] = loops.split(shares_, phase.share != nullptr ? params_.threads : blocks);
      loops.parallelize(thread, ParallelType::block_x);
      finish.loops = {thread, rest};
    }
    if (phase.rows != nullptr) {
      finish.loops.insert(finish.loops.begin(), phase.rows);
    }
    phase.finish = &finish;
  }

  void inline_one(Tensor& t, const std::vector<Tensor*>& vectors) const {
    const Phase& phase = phases_[t.phase];
    const int innermost = static_cast<int>(t.reference->loops.size());
    if (t.op == TensorOp::store || (is_finish(t) && t.op == TensorOp::load)) {
      inline_at(t, innermost);
    } else if (is_finish(t)) {
      inline_at(t, phase.rows != nullptr);
    } else if (!varies_along(t, row_)) {
      inline_at(t, phase.outside);
    } else {
      const bool is_vector = std::find(vectors.begin(), vectors.end(), &t) != vectors.end();
      const int usual = t.op == TensorOp::load ? phase.load : innermost;
      inline_at(t, is_vector ? std::min(phase.vector, usual) : usual);
    }
  }

  Kernel& kernel_;
  const Params& params_;
  bool on_gpu_;
  std::vector<Id*> row_;
  std::unordered_map<const Tensor*, int> levels_;
  std::vector<Phase> phases_;
  Id* shares_ = nullptr;
};

}  // namespace

void apply_row_shares(Kernel& kernel, const Params& params, bool on_gpu) { RowShares(kernel, params, on_gpu).run(); }

}  // namespace nvfuser
