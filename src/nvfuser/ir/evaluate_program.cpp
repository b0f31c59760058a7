// SPDX-License-Identifier: Apache-2.0
// Slots for values, and the loop over blocks.
#include "nvfuser/ir/evaluate_program.h"

#include <algorithm>

namespace nvfuser {

int BlockProgram::add(std::vector<int> ins, Run run, bool varies) {
  const bool once = !varies && std::all_of(ins.begin(), ins.end(), [&](int k) { return steps_[k].once; });
  steps_.push_back({std::move(ins), std::move(run), once, true});
  return static_cast<int>(steps_.size()) - 1;
}

void BlockProgram::sink(std::vector<int> ins, Run run) {
  steps_.push_back({std::move(ins), std::move(run), false, false});
}

/// Values that are computed once keep their slots; the others give them back after their last use.  Returns the number
/// of slots.
int BlockProgram::assign_slots() {
  std::vector<int> last(steps_.size());
  for (size_t k = 0; k < steps_.size(); ++k) {
    last[k] = static_cast<int>(k);
    for (const int in : steps_[k].ins) {
      last[in] = static_cast<int>(k);
    }
  }
  std::vector<std::vector<int>> dying(steps_.size());
  for (size_t k = 0; k < steps_.size(); ++k) {
    if (steps_[k].has_value && !steps_[k].once) {
      dying[last[k]].push_back(static_cast<int>(k));
    }
  }
  std::vector<int> free;
  int count = 0;
  for (size_t k = 0; k < steps_.size(); ++k) {
    if (steps_[k].has_value) {
      if (free.empty() || steps_[k].once) {
        steps_[k].slot = count++;
      } else {
        steps_[k].slot = free.back();
        free.pop_back();
      }
    }
    for (const int value : dying[k]) {
      free.push_back(steps_[value].slot);
    }
  }
  return count;
}

void BlockProgram::run(int64_t total) {
  const std::unique_ptr<Slot[]> slots(new Slot[assign_slots()]);
  std::vector<const void*> ins;
  for (int64_t begin = 0; begin < total; begin += kBlockSize) {
    const BlockRange range{begin, std::min(kBlockSize, total - begin)};  // the first is the longest: `once` covers all
    for (const Step& step : steps_) {
      if (step.once && begin > 0) {
        continue;
      }
      ins.clear();
      for (const int in : step.ins) {
        ins.push_back(slots[steps_[in].slot].bytes);
      }
      step.run(range, step.has_value ? slots[step.slot].bytes : nullptr, ins.data());
    }
  }
}

}  // namespace nvfuser
