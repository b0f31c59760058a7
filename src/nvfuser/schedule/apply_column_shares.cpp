// SPDX-License-Identifier: Apache-2.0
// Columns whose rows several blocks, or tasks, share.  Every pass over the rows is a phase with loops of its own; what
// a pass reduces it leaves as states in workspaces, a row of columns for each share, and each strip of a later phase
// combines the states of its columns again, which are few.
#include <algorithm>
#include <unordered_map>

#include "nvfuser/schedule/column_loops.h"
#include "nvfuser/schedule/phases.h"
#include "nvfuser/transform/passes.h"

namespace nvfuser {

namespace {

constexpr int kFinishLanes = 8, kFinishVector = 4, kFinishThreads = 256;  ///< of a phase that has columns alone
constexpr int64_t kMostAhead = 8;                                         ///< states that a thread loads at once

struct Phase {
  Reference* loops = nullptr;
  Reference* finish = nullptr;  ///< where states of earlier phases are combined
  ColumnLoops at;
};

class ColumnShares {
 public:
  ColumnShares(Kernel& kernel, const Params& params, bool on_gpu)
      : kernel_(kernel), params_(params), on_gpu_(on_gpu), roots_(column_roots(kernel)) {}

  void run() {
    split_passes(kernel_, roots_.reduced, {});
    const std::vector<Tensor*> stored = on_gpu_ ? stored_values(kernel_) : std::vector<Tensor*>{};
    levels_ = levels_of(kernel_);
    make_phases();
    split_reductions();
    for (Phase& phase : phases_) {
      make_finish(phase);
    }
    settle_phases(kernel_, levels_);
    for (Tensor* t : kernel_.tensors) {
      const Phase& phase = phases_[t->phase];
      place({t}, is_finish(*t) ? *phase.finish : *phase.loops);
    }
    for (Tensor* t : kernel_.tensors) {
      inline_column(*t, roots_, stored, phases_[t->phase].at);
      if (on_gpu_ && t->op == TensorOp::load && t->workspace != nullptr) {
        inline_at(*t, ahead_of_use(*t->reference));
      }
    }
  }

 private:
  /// In front of the loops that are unrolled, so that all loads of a thread are on their way at once.
  static int ahead_of_use(const Reference& reference) {
    auto position = static_cast<int>(reference.loops.size());
    const auto whole = [](ParallelType type) {
      return type == ParallelType::unroll || type == ParallelType::unswitch || type == ParallelType::vectorize;
    };
    while (position > 0 && whole(reference.loops[position - 1]->parallel)) {
      --position;
    }
    return position;
  }

  void make_phases() {
    const PhaseCount count = count_phases(kernel_, levels_, roots_.reduced);
    phases_.resize(count.last + 1);
    for (int p = 1; p <= count.last; ++p) {
      phases_[p].loops = &fork(kernel_, kernel_.main());
    }
    phases_[0].loops = &kernel_.main();
    for (int p = 0; p <= count.last; ++p) {
      const Walk walk = count.varies(p) ? Walk::shares : Walk::none;
      phases_[p].at = on_gpu_ ? strip_loops(kernel_, *phases_[p].loops, roots_, params_of(walk), walk)
                              : task_loops(kernel_, *phases_[p].loops, roots_, params_, walk);
    }
  }

  /// Where only states are combined there is little to do for each column: more, narrower strips.
  Params params_of(Walk walk) const {
    Params params = params_;
    const bool alone =
        walk == Walk::none && (params.finish == GridFinish::second || params.finish == GridFinish::dependent);
    if (alone) {
      params.lanes = std::min(params.lanes, kFinishLanes);
      params.vector = std::min(params.vector, kFinishVector);
      params.threads = kFinishThreads;
    }
    return params;
  }

  /// Every reduction becomes a partial one of its phase and one that combines states along `shares_`.
  void split_reductions() {
    shares_ = make_id(kernel_, "u", phases_[0].at.share->extent);
    for (Tensor* t : std::vector<Tensor*>(kernel_.tensors)) {
      if (t->op != TensorOp::reduce || is_later_part(*t)) {
        continue;
      }
      t->phase = levels_.at(t) - 1;
      const Phase& phase = phases_[t->phase];
      t->reference = phase.loops;
      split_runs(kernel_, *t, phase.at);
      rfactor(kernel_, *t, {phase.at.share});
      through_workspaces(kernel_, *t, {shares_}, true);
    }
  }

  /// Combines states of a strip, with all threads of a block.
  void make_finish(Phase& phase) const {
    Reference& finish = kernel_.references.emplace_back();
    finish.roots = roots_.kept;
    for (Id* root : finish.roots) {
      copy_uses(*phase.loops, root, finish);
    }
    finish.roots.push_back(shares_);
    finish.loops = {shares_};
    const std::vector<Id*>& whole = phase.loops->loops;
    std::vector<Id*> order(whole.begin(), whole.begin() + phase.at.strip);
    if (on_gpu_) {
      const Loops loops(kernel_, finish);
      const Params params = params_of(phase.at.share != nullptr ? Walk::shares : Walk::none);
      const auto [rest, thread] = loops.split(shares_, params.threads / params.lanes);
      loops.parallelize(thread, ParallelType::block_y);
      const int64_t states = rest->extent->constant() * params.vector * static_cast<int64_t>(kernel_.workspaces.size());
      if (states <= kMostAhead) {
        loops.parallelize(rest, ParallelType::unroll);
      }
      order.insert(order.end(), {thread, rest});
    } else {
      order.push_back(shares_);
    }
    std::copy_if(whole.begin(), whole.end(), std::back_inserter(order), [](const Id* loop) {
      return loop->parallel == ParallelType::unswitch || loop->parallel == ParallelType::vectorize;
    });
    finish.loops = std::move(order);
    phase.finish = &finish;
  }

  Kernel& kernel_;
  const Params& params_;
  bool on_gpu_;
  ColumnRoots roots_;
  std::unordered_map<const Tensor*, int> levels_;
  std::vector<Phase> phases_;
  Id* shares_ = nullptr;
};

}  // namespace

void apply_column_shares(Kernel& kernel, const Params& params, bool on_gpu) {
  ColumnShares(kernel, params, on_gpu).run();
}

}  // namespace nvfuser
