// SPDX-License-Identifier: Apache-2.0
// Phases of a schedule.
#include "nvfuser/schedule/phases.h"

#include <algorithm>
#include <map>

#include "nvfuser/transform/passes.h"
#include "nvfuser/transform/schedule.h"

namespace nvfuser {

namespace {

/// Readers of any part.
std::vector<Tensor*> readers_of(const Kernel& kernel, const Tensor& t) {
  std::vector<Tensor*> found;
  for (const Tensor* part : t.op == TensorOp::reduce ? t.reduction->parts : std::vector<Tensor*>{}) {
    for (Tensor* c : kernel.consumers(part)) {
      if (!std::count(found.begin(), found.end(), c)) {
        found.push_back(c);
      }
    }
  }
  return t.op == TensorOp::reduce ? found : kernel.consumers(&t);
}

void set_phase(Tensor& t, int phase) {
  for (Tensor* part : t.op == TensorOp::reduce ? t.reduction->parts : std::vector<Tensor*>{&t}) {
    part->phase = phase;
  }
}

}  // namespace

PhaseCount count_phases(const Kernel& kernel, const std::unordered_map<const Tensor*, int>& levels,
                        const std::vector<Id*>& reduced) {
  PhaseCount count;
  for (const Tensor* t : kernel.tensors) {
    count.last = std::max(count.last, levels.at(t));
  }
  count.varies_last = std::any_of(kernel.tensors.begin(), kernel.tensors.end(), [&](const Tensor* t) {
    return levels.at(t) == count.last && varies_along(*t, reduced);
  });
  return count;
}

bool is_finish(const Tensor& t) {
  return (t.op == TensorOp::reduce && t.reduction->merges && !t.reduction->partial) ||
         (t.op == TensorOp::load && t.workspace != nullptr);
}

void settle_phases(Kernel& kernel, const std::unordered_map<const Tensor*, int>& levels,
                   const std::unordered_set<const Tensor*>& resident) {
  const std::vector<Tensor*> all = kernel.tensors;
  for (size_t k = all.size(); k-- > 0;) {
    Tensor& t = *all[k];
    const bool settled = (t.op == TensorOp::reduce && (t.reduction->partial || is_later_part(t))) ||
                         (t.op == TensorOp::store && t.workspace != nullptr);
    if (settled) {
      continue;
    }
    if (t.op == TensorOp::store) {
      t.phase = levels.at(&t);
      continue;
    }
    std::map<int, std::vector<Tensor*>> readers;
    for (Tensor* c : readers_of(kernel, t)) {
      readers[c->phase].push_back(c);
    }
    for (auto other = readers.begin(); other != readers.end(); ++other) {
      const bool first = other == readers.begin();
      if (first || !resident.contains(&t)) {
        set_phase(first ? t : privatise(kernel, t, other->second), other->first);
      }
    }
  }
}

void copy_uses(const Reference& from, const Id* id, Reference& to) {
  if (const auto use = from.uses.find(id); use != from.uses.end()) {
    to.uses[id] = use->second;
    for (const Id* output : use->second->outputs) {
      copy_uses(from, output, to);
    }
  }
}

}  // namespace nvfuser
