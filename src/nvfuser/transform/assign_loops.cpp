// SPDX-License-Identifier: Apache-2.0
// Loop domains: every tensor mirrors the loops of its reference; only loops that are shared are promoted.  Consumers
// first.  For tensor t with inline position p and loop k of its reference:
//   k < p           t takes its consumers' loop (one loop, one variable);
//   t independent   the loop vanishes;
//   otherwise       the reference's loop, or t's own replay of the loop's component in which foreign axes have
//   extent 1.
// The replay is allowed only when nothing in the component is shared and nothing in it is bound to an index that t's
// memory cannot cross (a block index for Local and Shared, a thread index for Local).
#include <algorithm>
#include <memory>

#include "nvfuser/transform/replay.h"

namespace nvfuser {

namespace {

/// Null: the reference's own ids.
using Version = std::shared_ptr<const Replay>;

/// What is known of a tensor once its loops are assigned.
struct Assigned {
  std::unordered_map<const Id*, Version> of_root;
};

bool cannot_cross(MemoryType memory, ParallelType type) {
  switch (memory) {
    case MemoryType::local:
      return is_block(type) || is_thread(type);
    case MemoryType::shared:
      return is_block(type);
    default:
      return false;
  }
}

class AssignLoops {
 public:
  explicit AssignLoops(Kernel& kernel) : kernel_(kernel), consumers_(consumer_table(kernel)) {}

  void run() {
    for (const Reference& reference : kernel_.references) {
      check_bindings(reference);
      components_.emplace(&reference, Components(reference));
    }
    for (size_t k = kernel_.tensors.size(); k-- > 0;) {
      if (!is_later_part(*kernel_.tensors[k])) {
        assign(*kernel_.tensors[k]);
      }
    }
  }

 private:
  /// An id bound in one reference is bound in all that hold it, so each is checked for a type used twice.
  void check_bindings(const Reference& reference) const {
    std::vector<ParallelType> seen;
    for (const Id* loop : reference.loops) {
      if (is_block(loop->parallel) || is_thread(loop->parallel)) {
        check(std::find(seen.begin(), seen.end(), loop->parallel) == seen.end(), ErrorKind::schedule,
              "two loops of one reference are bound to ", name_of(loop->parallel), ", one of them ", loop->name);
        seen.push_back(loop->parallel);
      }
    }
  }

  void assign(Tensor& t) {
    const Reference& reference = *t.reference;
    const std::vector<Tensor*>& readers = consumers_[&t];
    settle_position(t, readers);
    Components& components = components_.at(&reference);
    const std::vector<Id*> all = leaves(t), mine = needs(t);
    IdSet owned, kept, reduced;
    for (Id* leaf : all) {
      const IdSet& roots = components.roots_of(leaf);
      owned.insert(roots.begin(), roots.end());
      const bool keeps = std::find(mine.begin(), mine.end(), leaf) != mine.end();
      for (Id* loop : loops_below(reference, leaf)) {
        (keeps ? kept : reduced).insert(loop);
      }
    }
    std::vector<Version> versions;
    for (int g = 0; g < components.count(); ++g) {
      versions.push_back(version(t, components, g, readers, owned, kept, all));
    }
    write(t, components, versions, kept, reduced);
    if (t.op == TensorOp::reduce) {
      check_reduction(t, kept, reduced);
      share_with_parts(t);
    }
  }

  /// Later parts have the leader's loops.
  void share_with_parts(const Tensor& leader) {
    for (Tensor* part : leader.reduction->parts) {
      if (part != &leader) {
        part->inline_at = leader.inline_at;
        part->loop_ids = leader.loop_ids;
        part->loop = leader.loop;
        part->kept_loop = leader.kept_loop;
        part->uses = leader.uses;
        assigned_[part] = assigned_[&leader];
      }
    }
  }

  /// Is the id made of reduced axes alone?  An id of extent 1 may join a merge; a split of it may not, for its parts
  /// may have several points.
  static bool is_reduced(const Tensor& t, const Id* id, bool or_one = true) {
    const std::vector<Id*>& axes = t.reduction->axes;
    if (std::find(axes.begin(), axes.end(), id) != axes.end() || (or_one && id->extent->is(1))) {
      return true;
    }
    const Transform* made = id->definition;
    const auto& roots = t.reference->roots;
    return made != nullptr && std::find(roots.begin(), roots.end(), id) == roots.end() &&
           std::all_of(made->inputs.begin(), made->inputs.end(),
                       [&](const Id* input) { return is_reduced(t, input, made->kind == Transform::Kind::merge); });
  }

  /// A reduction loop is the reduction's own: not kept as well, not shared, made of reduced axes only.
  static void check_reduction(const Tensor& t, const IdSet& kept, const IdSet& reduced) {
    const std::vector<Id*>& loops = t.reference->loops;
    for (size_t k = 0; k < loops.size(); ++k) {
      if (!reduced.contains(loops[k])) {
        continue;
      }
      check(!kept.contains(loops[k]), ErrorKind::schedule, label(t), ": loop ", loops[k]->name,
            " is both kept and reduced");
      check(static_cast<int>(k) >= *t.inline_at, ErrorKind::schedule, label(t), ": reduction loop ", loops[k]->name,
            " stands left of the inline position");
      check(is_reduced(t, t.loop[k]), ErrorKind::schedule, label(t), ": loop ", loops[k]->name,
            " mixes reduced and other axes");
    }
  }

  /// Left of the inline position producer and consumer must hold the same ids.
  void settle_position(Tensor& t, const std::vector<Tensor*>& readers) const {
    const int depth = static_cast<int>(t.reference->loops.size());
    t.inline_at = t.inline_at.value_or(readers.empty() ? depth : 0);
    check(*t.inline_at <= depth, ErrorKind::schedule, label(t), " is inlined at ", *t.inline_at, " of ", depth,
          " loops");
    for (const Tensor* c : readers) {
      for (int k = 0; k < *t.inline_at; ++k) {
        const auto& theirs = c->reference->loops;
        check(k < static_cast<int>(theirs.size()) && theirs[k] == t.reference->loops[k], ErrorKind::schedule,
              "loops of ", label(t), " and ", label(*c), " are not shareable at position ", k);
      }
    }
  }

  Version version(const Tensor& t, Components& components, int g, const std::vector<Tensor*>& readers,
                  const IdSet& owned, const IdSet& kept, const std::vector<Id*>& leaves) {
    const IdSet& members = components.members(g);
    const bool some = std::any_of(members.begin(), members.end(), [&](Id* r) { return owned.contains(r); });
    const bool all = std::all_of(members.begin(), members.end(), [&](Id* r) { return owned.contains(r); });
    if (all || !some) {
      return nullptr;
    }
    if (tied(t, components, g, readers, kept)) {
      return followed(t, members, readers, owned);
    }
    const auto inner_leaf = [&](Id* leaf) {
      const auto& roots = t.reference->roots;
      return components.component_of(leaf) == g && std::find(roots.begin(), roots.end(), leaf) == roots.end();
    };
    if (t.memory == MemoryType::global || std::any_of(leaves.begin(), leaves.end(), inner_leaf)) {
      return nullptr;
    }
    return std::make_shared<Replay>(replay(kernel_, *t.reference, members, owned));
  }

  /// Is a loop of the component shared with a consumer, or bound to an index that the memory cannot cross?
  bool tied(const Tensor& t, Components& components, int g, const std::vector<Tensor*>& readers,
            const IdSet& kept) const {
    const std::vector<Id*>& loops = t.reference->loops;
    for (size_t k = 0; k < loops.size(); ++k) {
      if (components.component_of(loops[k]) != g) {
        continue;
      }
      const bool shared =
          static_cast<int>(k) < *t.inline_at &&
          std::any_of(readers.begin(), readers.end(), [&](const Tensor* c) { return c->loop[k] != nullptr; });
      if (shared || (kept.contains(loops[k]) && cannot_cross(t.memory, loops[k]->parallel))) {
        return true;
      }
    }
    return false;
  }

  /// The one version that all consumers have of these roots.
  Version followed(const Tensor& t, const IdSet& members, const std::vector<Tensor*>& readers,
                   const IdSet& owned) const {
    std::vector<Version> found;
    for (const Tensor* c : readers) {
      const Assigned& theirs = assigned_.at(c);
      for (const Id* root : members) {
        const auto at = theirs.of_root.find(root);
        const Version v = at == theirs.of_root.end() ? nullptr : at->second;
        if (std::find(found.begin(), found.end(), v) == found.end()) {
          found.push_back(v);
        }
      }
    }
    if (found.empty()) {
      return nullptr;
    }
    check(found.size() == 1, ErrorKind::schedule, "consumers of ", label(t), " disagree about loops of axis ",
          (*members.begin())->name);
    const Version v = found.front();
    if (v != nullptr) {
      for (const Tensor* c : readers) {
        check(c->reference == t.reference, ErrorKind::schedule, label(t),
              " cannot follow a replay of another reference");
      }
      for (Id* root : members) {
        check(!owned.contains(root) || v->ids.at(root) == root, ErrorKind::schedule, label(t), " needs axis ",
              root->name, ", which its consumers' replay holds at extent 1");
      }
    }
    return v;
  }

  void write(Tensor& t, Components& components, const std::vector<Version>& versions, const IdSet& kept,
             const IdSet& reduced) {
    const Reference& reference = *t.reference;
    Assigned& mine = assigned_[&t];
    for (int g = 0; g < components.count(); ++g) {
      for (const Id* root : components.members(g)) {
        mine.of_root[root] = versions[g];
      }
    }
    t.uses.clear();
    for (const auto& [id, use] : reference.uses) {
      const int g = components.component_of(const_cast<Id*>(id));
      if (g < 0 || versions[g] == nullptr) {
        t.uses[id] = use;
      }
    }
    for (const Version& v : versions) {
      if (v != nullptr) {
        t.uses.insert(v->uses.begin(), v->uses.end());
      }
    }
    t.loop.clear();
    t.loop_ids.clear();
    t.kept_loop.clear();
    for (Id* loop : reference.loops) {
      const int g = components.component_of(loop);
      Id* own = g >= 0 && versions[g] != nullptr ? versions[g]->ids.at(loop) : loop;
      t.loop_ids.push_back(own);
      t.loop.push_back(kept.contains(loop) || reduced.contains(loop) ? own : nullptr);
      t.kept_loop.push_back(kept.contains(loop) ? own : nullptr);
    }
  }

  /// Tensors get their names when they are lowered; until then the fusion's name says which one is meant.
  static std::string label(const Tensor& t) { return t.name.empty() ? to_string(*t.view) : t.name; }

  Kernel& kernel_;
  std::unordered_map<const Tensor*, std::vector<Tensor*>> consumers_;
  std::unordered_map<const Reference*, Components> components_;
  std::unordered_map<const Tensor*, Assigned> assigned_;
};

}  // namespace

void assign_loops(Kernel& kernel) { AssignLoops(kernel).run(); }

}  // namespace nvfuser
