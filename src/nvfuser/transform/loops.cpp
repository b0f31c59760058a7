// SPDX-License-Identifier: Apache-2.0
// Loop transforms on a reference: split, merge, reorder, parallelize, fork.
#include <algorithm>

#include "nvfuser/transform/schedule.h"

namespace nvfuser {

namespace {

bool needs_constant(ParallelType type) {
  return is_thread(type) || type == ParallelType::vectorize || type == ParallelType::unroll;
}

std::string describe(const Id* id) { return id->name + "{" + to_string(id->extent) + "}"; }

/// Does a loop come from an axis?
bool made_of(const Id* loop, const Id* axis) {
  return loop == axis ||
         (loop->definition != nullptr && std::any_of(loop->definition->inputs.begin(), loop->definition->inputs.end(),
                                                     [&](const Id* input) { return made_of(input, axis); }));
}

/// The id and all that it is made of.
void add_sources(const Reference& reference, Id* id, std::vector<Id*>& found) {
  found.push_back(id);
  const std::vector<Id*>& roots = reference.roots;
  if (id->definition != nullptr && std::find(roots.begin(), roots.end(), id) == roots.end()) {
    for (Id* input : id->definition->inputs) {
      add_sources(reference, input, found);
    }
  }
}

void collect_below(const Reference& reference, const Id* id, std::vector<Id*>& found) {
  const auto loop = std::find(reference.loops.begin(), reference.loops.end(), id);
  if (loop != reference.loops.end()) {
    found.push_back(*loop);
    return;
  }
  const auto use = reference.uses.find(id);
  check(use != reference.uses.end(), ErrorKind::schedule, id->name, " is no axis of this reference");
  for (const Id* out : use->second->outputs) {
    collect_below(reference, out, found);
  }
}

}  // namespace

Transform& make_split(Kernel& kernel, Id* source, Index factor) {
  const Algebra algebra(*kernel.pool);
  Transform& t = kernel.transforms.emplace_back();
  t.kind = Transform::Kind::split;
  t.factor = factor;
  t.inputs = {source};
  t.outputs = {make_id(kernel, source->name + "o", algebra.ceil_div(source->extent, factor)),
               make_id(kernel, source->name + "i", factor)};
  t.outputs[0]->definition = t.outputs[1]->definition = &t;
  return t;
}

Transform& make_merge(Kernel& kernel, Id* outer, Id* inner) {
  Transform& t = kernel.transforms.emplace_back();
  t.kind = Transform::Kind::merge;
  t.inputs = {outer, inner};
  t.outputs = {make_id(kernel, outer->name + inner->name, kernel.pool->mul(outer->extent, inner->extent))};
  t.outputs[0]->definition = &t;
  return t;
}

Transform& make_shift(Kernel& kernel, Id* source, Index amount, Index extent) {
  Transform& t = kernel.transforms.emplace_back();
  t.kind = Transform::Kind::shift;
  t.amount = amount;
  t.inputs = {source};
  t.outputs = {make_id(kernel, source->name + "s", extent)};
  t.outputs[0]->definition = &t;
  return t;
}

std::vector<Id*> loops_below(const Reference& reference, const Id* id) {
  std::vector<Id*> found;
  collect_below(reference, id, found);
  const auto at = [&](Id* loop) { return std::find(reference.loops.begin(), reference.loops.end(), loop); };
  std::sort(found.begin(), found.end(), [&](Id* a, Id* b) { return at(a) < at(b); });
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

int Loops::position(const Id* loop) const {
  const auto at = std::find(reference_.loops.begin(), reference_.loops.end(), loop);
  check(at != reference_.loops.end(), ErrorKind::schedule, describe(loop), " is no loop of this reference");
  return static_cast<int>(at - reference_.loops.begin());
}

std::pair<Id*, Id*> Loops::split(Id* loop, int64_t factor) const {
  check(factor >= 1, ErrorKind::schedule, "split of ", describe(loop), " by ", factor,
        ": the factor must be at least 1");
  const int k = position(loop);
  Transform& t = make_split(kernel_, loop, kernel_.pool->constant(factor));
  reference_.uses[loop] = &t;
  reference_.loops[k] = t.outputs[1];
  reference_.loops.insert(reference_.loops.begin() + k, t.outputs[0]);
  return {t.outputs[0], t.outputs[1]};
}

std::pair<Id*, Id*> Loops::split_outer(Id* loop, int64_t parts) const {
  check(parts >= 1, ErrorKind::schedule, "split of ", describe(loop), " in ", parts, " parts: at least 1");
  const int k = position(loop);
  const Index count = kernel_.pool->constant(parts);
  Transform& t = make_split(kernel_, loop, Algebra(*kernel_.pool).ceil_div(loop->extent, count));
  t.outputs[0]->extent = count;
  reference_.uses[loop] = &t;
  reference_.loops[k] = t.outputs[1];
  reference_.loops.insert(reference_.loops.begin() + k, t.outputs[0]);
  return {t.outputs[0], t.outputs[1]};
}

Id* Loops::fit(Id* loop, int64_t bound) const {
  const Index extent = loop->extent;
  const auto [outer, inner] = split(loop, bound);
  reference_.fits.push_back({extent, kernel_.pool->constant(bound)});
  outer->extent = kernel_.pool->constant(1);
  return inner;
}

Id* Loops::shift(Id* loop, Index amount, int64_t most) const {
  check(most >= 0, ErrorKind::schedule, "shift of ", describe(loop), " by at most ", most);
  const int k = position(loop);
  std::vector<Id*> read;
  for (const Atom* atom : atoms_of(amount)) {
    if (atom->kind == AtomKind::axis) {
      loops_below(reference_, id_of(*atom));  // an error where it is of another reference
      add_sources(reference_, id_of(*atom), read);
    }
  }
  for (const Id* axis : std::vector<Id*>(read)) {
    add_shift_axes(reference_, axis, read);
  }
  for (const Id* axis : read) {
    check(!made_of(loop, axis), ErrorKind::schedule, "shift of ", describe(loop), " by ", to_string(amount),
          ", which depends on the loop itself");
  }
  Transform& t = make_shift(kernel_, loop, amount, kernel_.pool->add(loop->extent, kernel_.pool->constant(most)));
  reference_.uses[loop] = &t;
  reference_.loops[k] = t.outputs[0];
  return t.outputs[0];
}

Id* Loops::merge(Id* a, Id* b) const {
  check(a != b, ErrorKind::schedule, "merge of ", describe(a), " with itself");
  position(b);
  Transform& t = make_merge(kernel_, a, b);
  reference_.loops[position(a)] = t.outputs[0];
  reference_.loops.erase(reference_.loops.begin() + position(b));
  reference_.uses[a] = reference_.uses[b] = &t;
  return t.outputs[0];
}

Id* Loops::merge_all(const std::vector<Id*>& loops) const {
  check(!loops.empty(), ErrorKind::schedule, "merge of no loops");
  const std::vector<Id*> run = loops;  // may be the very list that merging changes
  Id* whole = run.front();
  for (size_t k = 1; k < run.size(); ++k) {
    whole = merge(whole, run[k]);
  }
  return whole;
}

void Loops::reorder(const std::vector<Id*>& loops) const {
  std::vector<Id*> mine = reference_.loops, wanted = loops;
  std::sort(mine.begin(), mine.end());
  std::sort(wanted.begin(), wanted.end());
  check(mine == wanted, ErrorKind::schedule, "reorder must name each of the ", mine.size(), " loops once");
  reference_.loops = loops;
}

void Loops::parallelize(Id* loop, ParallelType type) const {
  position(loop);
  check(!needs_constant(type) || loop->extent->is_constant(), ErrorKind::schedule, name_of(type),
        " needs a constant extent: ", describe(loop));
  if (is_block(type) || is_thread(type)) {
    for (const Id* other : reference_.loops) {
      check(other == loop || other->parallel != type, ErrorKind::schedule, name_of(type), " stands at ",
            describe(other), " and at ", describe(loop));
    }
  }
  loop->parallel = type;
}

Reference& fork(Kernel& kernel, Reference& base) {
  Reference copy = base;
  kernel.references.push_back(std::move(copy));
  return kernel.references.back();
}

}  // namespace nvfuser
