// SPDX-License-Identifier: Apache-2.0
// See lane_remainders.h.  Quotients are left alone: one of a neighbour costs a comparison and an addition on top of the
// first lane's remainder, which is no less than its own multiplication.
#include "nvfuser/lower/lane_remainders.h"

#include <algorithm>

#include "nvfuser/lower/predicates.h"

namespace nvfuser {

namespace {

/// One loop of lanes.
class Lanes {
 public:
  Lanes(const Lowering& state, const Atom* lane, int64_t extent, std::unordered_set<const Atom*>& wraps)
      : state_(state), lane_(lane), extent_(extent), wraps_(wraps) {}

  Index rewritten(Index p) const {
    const std::vector<const Atom*> atoms = atoms_of(p);
    if (std::find(atoms.begin(), atoms.end(), lane_) == atoms.end()) {
      return p;
    }
    IndexPool& pool = state_.pool();
    Index total = pool.constant(0);
    for (const Term& term : p->terms) {
      Index product = pool.constant(term.coefficient);
      for (const Atom* atom : term.atoms) {
        product = pool.mul(product, rewritten_atom(atom));
      }
      total = pool.add(total, product);
    }
    return total;
  }

 private:
  /// Nothing is simplified on the way: what stands in `wraps` must stay as it is.
  Index rewritten_atom(const Atom* atom) const {
    IndexPool& pool = state_.pool();
    if (atom->a == nullptr) {
      return pool.from_atom(atom);
    }
    if (const Index wrap = wrapped(*atom)) {
      return wrap;
    }
    return atom->kind == AtomKind::data ? pool.data(atom->owner, rewritten(atom->a), atom->extent)
                                        : pool.opaque(atom->kind, rewritten(atom->a), rewritten(atom->b));
  }

  /// (rest + c * lane) % n as (rest % n + c * lane) % n, where c * lane <= n for all lanes; null where it is not so.
  Index wrapped(const Atom& atom) const {
    if (atom.kind != AtomKind::mod || atom.b->is_constant()) {
      return nullptr;
    }
    const std::optional<Linear> parts = linear_in(state_.pool(), atom.a, lane_);
    if (!parts || parts->coefficient < 1 ||
        state_.request.facts.least_of(atom.b) < parts->coefficient * (extent_ - 1) ||
        !state_.algebra.nonnegative(parts->rest)) {
      return nullptr;
    }
    IndexPool& pool = state_.pool();
    const Index steps = pool.scale(pool.from_atom(lane_), parts->coefficient);
    const Index made = pool.opaque(AtomKind::mod, pool.add(state_.algebra.mod(parts->rest, atom.b), steps), atom.b);
    wraps_.insert(made->as_atom());
    return made;
  }

  const Lowering& state_;
  const Atom* lane_;
  int64_t extent_;
  std::unordered_set<const Atom*>& wraps_;
};

void rewrite(const Lanes& lanes, Assign& assign) {
  assign.to.offset = lanes.rewritten(assign.to.offset);
  for (Place& place : assign.reads) {
    place.offset = place.offset == nullptr ? nullptr : lanes.rewritten(place.offset);
  }
}

void walk(Lowering& state, std::vector<Item>& body) {
  for (Item& item : body) {
    walk(state, item.body);
    walk(state, item.otherwise);
    const bool lanes = item.parallel == ParallelType::vectorize || item.parallel == ParallelType::unroll;
    if (item.kind != Item::Kind::loop || !lanes || !item.extent->is_constant()) {
      continue;
    }
    const Lanes loop(state, item.variable->as_atom(), item.extent->constant(), state.program.wraps);
    for (Item& step : item.body) {
      if (auto* assign = std::get_if<Assign>(&step.action)) {
        rewrite(loop, *assign);
      }
    }
  }
}

}  // namespace

Index with_shared_remainders(const Lowering& state, Index p, const Atom* lane, int64_t extent,
                             std::unordered_set<const Atom*>& wraps) {
  return Lanes(state, lane, extent, wraps).rewritten(p);
}

void share_remainders(Lowering& state) {
  if (state.request.target == Target::gpu) {
    walk(state, state.body);
  }
}

}  // namespace nvfuser
