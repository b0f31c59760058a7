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

constexpr int64_t kWholeVectors = 8;  ///< states, of a row of them: the widest that a thread moves at once

struct Phase {
  Reference* loops = nullptr;
  Reference* finish = nullptr;  ///< where states of earlier phases are combined; null: of the first
  ColumnLoops at;
};

class ColumnShares {
 public:
  ColumnShares(Kernel& kernel, const Params& params, bool on_gpu)
      : kernel_(kernel), params_(params), on_gpu_(on_gpu), roots_(column_roots(kernel)) {}

  void run() {
    split_passes(kernel_, roots_.reduced, {});
    if (on_gpu_) {
      read_past_cache(kernel_, roots_, params_);
    }
    const std::vector<Tensor*> stored = on_gpu_ ? stored_values(kernel_) : std::vector<Tensor*>{};
    levels_ = levels_of(kernel_);
    make_phases();
    split_reductions();
    for (size_t p = 1; p < phases_.size(); ++p) {
      Phase& phase = phases_[p];
      const Params params = params_of(phase.at.share != nullptr ? Walk::shares : Walk::none);
      phase.finish = &finish_columns(kernel_, *phase.loops, phase.at, roots_, shares_, params,
                                     static_cast<int>(kernel_.workspaces.size()));
    }
    settle_phases(kernel_, levels_);
    for (Tensor* t : kernel_.tensors) {
      const Phase& phase = phases_[t->phase];
      place({t}, is_finish(*t) ? *phase.finish : *phase.loops);
    }
    for (Tensor* t : kernel_.tensors) {
      inline_finish(*t, roots_, stored, phases_[t->phase].at, on_gpu_);
    }
  }

 private:
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

  Params params_of(Walk walk) const {
    const bool alone = on_gpu_ && walk == Walk::none &&
                       (params_.finish == GridFinish::second || params_.finish == GridFinish::dependent);
    return alone ? finish_params(params_, params_.blocks) : params_;
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
      through_workspaces(kernel_, *t, {shares_}, true, kWholeVectors);
    }
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
