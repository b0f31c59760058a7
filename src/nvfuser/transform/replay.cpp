// SPDX-License-Identifier: Apache-2.0
// Components and replays: foreign axes have extent 1 and stay 1 through splits, since a split of them by 2 would give
// two points for one element.
#include "nvfuser/transform/replay.h"

#include <algorithm>

namespace nvfuser {

Components::Components(const Reference& reference) {
  for (Id* root : reference.roots) {
    roots_[root] = {root};
  }
  for (Id* loop : reference.loops) {
    IdSet joined = roots_of(loop);
    if (joined.empty()) {
      continue;
    }
    for (size_t k = members_.size(); k-- > 0;) {
      const bool touch = std::any_of(members_[k].begin(), members_[k].end(), [&](Id* r) { return joined.contains(r); });
      if (touch) {
        joined.insert(members_[k].begin(), members_[k].end());
        members_.erase(members_.begin() + static_cast<std::ptrdiff_t>(k));
      }
    }
    members_.push_back(std::move(joined));
  }
}

const IdSet& Components::roots_of(Id* id) {
  if (const auto known = roots_.find(id); known != roots_.end()) {
    return known->second;
  }
  IdSet found;
  if (id->definition != nullptr) {
    for (Id* input : id->definition->inputs) {
      const IdSet& above = roots_of(input);
      found.insert(above.begin(), above.end());
    }
  }
  return roots_[id] = std::move(found);
}

int Components::component_of(Id* id) {
  const IdSet& roots = roots_of(id);
  for (size_t k = 0; k < members_.size() && !roots.empty(); ++k) {
    if (members_[k].contains(*roots.begin())) {
      return static_cast<int>(k);
    }
  }
  return -1;
}

namespace {

bool in_use(const Reference& reference, Transform& t) {
  const auto use = reference.uses.find(t.inputs[0]);
  return use != reference.uses.end() && use->second == &t;
}

/// fit and split_outer state the outer extent instead of computing it.
bool promised(Kernel& kernel, const Transform& split) {
  return split.outputs[0]->extent != Algebra(*kernel.pool).ceil_div(split.inputs[0]->extent, split.factor);
}

/// The transform over other inputs; all of them foreign: of extent 1.
Transform& repeated(Kernel& kernel, const Transform& theirs, const std::vector<Id*>& inputs, bool foreign) {
  IndexPool& pool = *kernel.pool;
  switch (theirs.kind) {
    case Transform::Kind::merge:
      return make_merge(kernel, inputs[0], inputs[1]);
    case Transform::Kind::shift:
      return make_shift(kernel, inputs[0], foreign ? pool.constant(0) : theirs.amount,
                        foreign ? inputs[0]->extent : theirs.outputs[0]->extent);
    case Transform::Kind::split:
      break;
  }
  Transform& mine = make_split(kernel, inputs[0], foreign ? pool.constant(1) : theirs.factor);
  if (!foreign && promised(kernel, theirs)) {
    mine.outputs[0]->extent = theirs.outputs[0]->extent;
  }
  return mine;
}

}  // namespace

Replay replay(Kernel& kernel, const Reference& reference, const IdSet& component, const IdSet& owned) {
  Replay made;
  IdSet foreign;
  for (Id* root : component) {
    Id* mine = root;
    if (!owned.contains(root)) {
      mine = make_id(kernel, root->name, kernel.pool->constant(1));
      mine->mirror = root;
      foreign.insert(mine);
    }
    made.ids[root] = mine;
  }
  // Transforms stand in the order in which they were made, so inputs come first.
  const size_t count = kernel.transforms.size();
  for (size_t k = 0; k < count; ++k) {
    Transform& theirs = kernel.transforms[k];
    const auto known = [&](Id* i) { return made.ids.contains(i); };
    if (!in_use(reference, theirs) || !std::all_of(theirs.inputs.begin(), theirs.inputs.end(), known)) {
      continue;
    }
    std::vector<Id*> inputs;
    for (const Id* i : theirs.inputs) {
      inputs.push_back(made.ids.at(i));
    }
    const bool all_foreign = std::all_of(inputs.begin(), inputs.end(), [&](Id* i) { return foreign.contains(i); });
    Transform& mine = repeated(kernel, theirs, inputs, all_foreign);
    for (Id* i : inputs) {
      made.uses[i] = &mine;
    }
    for (size_t out = 0; out < mine.outputs.size(); ++out) {
      mine.outputs[out]->mirror = theirs.outputs[out];
      mine.outputs[out]->parallel = theirs.outputs[out]->parallel;
      made.ids[theirs.outputs[out]] = mine.outputs[out];
      if (all_foreign) {
        foreign.insert(mine.outputs[out]);
      }
    }
  }
  return made;
}

}  // namespace nvfuser
