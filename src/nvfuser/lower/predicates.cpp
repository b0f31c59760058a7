// SPDX-License-Identifier: Apache-2.0
// Predicates.  Sound because, from the loops upward, an id that does not overflow is below its extent wherever the
// tests hold; and on those points loops -> axes is one-to-one, so nothing is counted twice and no reader stands at a
// point that the writer's loops lack.
#include "nvfuser/lower/predicates.h"

#include <algorithm>
#include <set>
#include <utility>

#include "nvfuser/lower/index_values.h"

namespace nvfuser {

namespace {

/// outer * factor covers the source exactly.  Facts speak of splits whose outer extent is ceil(extent / factor).
bool exact(const Lowering& state, const Transform& split) {
  const Index extent = split.inputs[0]->extent, outer = split.outputs[0]->extent;
  if (extent->is_constant() && split.factor->is_constant() && outer->is_constant()) {
    return extent->constant() > 0 && outer->constant() * split.factor->constant() == extent->constant();
  }
  const bool parts_given = outer->is_constant() && !split.factor->is_constant();
  return !parts_given && state.request.facts.divides(split);
}

/// Tests under which index(id) < extent(id) for one axis of one tensor.
class AxisTests {
 public:
  AxisTests(Lowering& state, const Tensor& t, std::vector<Test>& tests) : state_(state), t_(t), tests_(tests) {}

  void add(const Id* axis) {
    if (overflow(axis)) {
      test(axis);
    }
  }

 private:
  void test(const Id* id) { tests_.push_back(below_test(state_.pool(), value_of(state_, t_, id), id->extent)); }

  /// May the index of id reach its extent although the tests so far hold?
  bool overflow(const Id* id) {
    const auto use = t_.uses.find(id);
    if (use == t_.uses.end() || std::find(t_.loop.begin(), t_.loop.end(), id) != t_.loop.end()) {
      return false;
    }
    const Transform& x = *use->second;
    if (x.kind == Transform::Kind::split) {
      if (overflow(x.outputs[1])) {
        test(x.outputs[1]);
      }
      return overflow(x.outputs[0]) || !exact(state_, x);
    }
    if (x.kind == Transform::Kind::shift) {
      overflow(x.outputs[0]);  // for the tests that it needs itself
      tests_.push_back({Test::Kind::ge, value_of(state_, t_, id)});
      return true;
    }
    const bool wide = overflow(x.outputs[0]);
    if (wide && id == x.inputs[1]) {
      test(x.outputs[0]);  // a remainder would come round again
      return false;
    }
    return wide && id == x.inputs[0];
  }

  Lowering& state_;
  const Tensor& t_;
  std::vector<Test>& tests_;
};

/// Loops bound to an index of which the launch has more than the loop's extent.
void add_dimension_tests(Lowering& state, const Tensor& t, std::vector<Test>& tests) {
  for (const Id* loop : t.loop) {
    if (loop == nullptr) {
      continue;
    }
    if (is_thread(loop->parallel)) {
      const int d = thread_dimension(loop->parallel);
      if (loop->extent->constant() < state.program.block[d]) {
        tests.push_back({Test::Kind::lt, state.program.block_var[d], loop->extent});
      }
    } else if (is_block(loop->parallel)) {
      const int d = block_dimension(loop->parallel);
      if (state.grid_extents[d].size() > 1) {
        tests.push_back({Test::Kind::lt, state.program.grid_var[d], loop->extent});
      }
    }
  }
}

void climb(const Tensor& t, const Id* id, std::set<const Id*>& above) {
  const auto& roots = t.reference->roots;
  if (above.insert(id).second && id->definition != nullptr &&
      std::find(roots.begin(), roots.end(), id) == roots.end()) {
    for (const Id* input : id->definition->inputs) {
      climb(t, input, above);
    }
  }
}

/// Axes that the elements of t are told apart by: its needs without what only says where a shifted axis starts.
std::vector<const Id*> own_axes(const Tensor& t) {
  std::vector<const Id*> found;
  const auto add = [&](Index p) {
    for (const Atom* atom : atoms_of(p)) {
      if (atom->kind == AtomKind::axis) {
        found.push_back(id_of(*atom));
      }
    }
  };
  std::for_each(t.map.begin(), t.map.end(), add);
  std::for_each(t.tests.begin(), t.tests.end(), [&](const Test& test) { add(test.index); });
  return found;
}

/// The id and all that transforms of t make of it.
void descend(const Tensor& t, const Id* id, std::set<const Id*>& below) {
  const auto use = t.uses.find(id);
  if (below.insert(id).second && use != t.uses.end()) {
    for (const Id* output : use->second->outputs) {
      descend(t, output, below);
    }
  }
}

/// Index of an axis as if nothing was shifted but `own` ids, those under the axes of t itself, which are tested where
/// they are: 0 at one point of the axis' loops, also where some of them vanished.
Index unshifted(Lowering& state, const Tensor& t, const Id* id, const std::set<const Id*>& own) {
  const auto use = t.uses.find(id);
  if (use == t.uses.end() || std::find(t.loop_ids.begin(), t.loop_ids.end(), id) != t.loop_ids.end()) {
    return value_of(state, t, id);
  }
  const Transform& x = *use->second;
  const Index first = unshifted(state, t, x.outputs[0], own);
  switch (x.kind) {
    case Transform::Kind::shift:
      return own.contains(id) ? value_of(state, t, id) : first;
    case Transform::Kind::split:
      return state.pool().add(state.pool().mul(first, x.factor), unshifted(state, t, x.outputs[1], own));
    case Transform::Kind::merge:
      break;
  }
  const Index inner = x.inputs[1]->extent;
  return id == x.inputs[0] ? state.algebra.div(first, inner) : state.algebra.mod(first, inner);
}

/// Does the loop's variable take all values below a constant?  Of threads: in every block.
bool is_lane(const Lowering& state, const Id& loop) {
  if (is_block(loop.parallel) || !loop.extent->is_constant() || loop.extent->constant() < 2) {
    return false;
  }
  return !is_thread(loop.parallel) || loop.extent->constant() == state.program.block[thread_dimension(loop.parallel)];
}

/// A test that is the same for all points of a lane loop needs none of them; one loop may be in the way of another.
void drop_lanes(Lowering& state, const Tensor& t, std::vector<Test>& tests) {
  for (bool changed = true; std::exchange(changed, false);) {
    for (size_t k = t.loop.size(); k-- > 0;) {
      if (t.loop[k] == nullptr || !is_lane(state, *t.loop[k])) {
        continue;
      }
      const Atom* variable = value_of(state, t, t.loop_ids[k])->as_atom();
      for (Test& test : tests) {
        const Test shorter = without_lane(state.algebra, test, variable, t.loop[k]->extent->constant()).value_or(test);
        changed = changed || shorter != test;
        test = shorter;
      }
    }
  }
}

/// x < floor(p / n) as x * n < p - n + 1, or x * n < p where n divides p; null where the bound is no quotient.
std::optional<Test> below_dividend(const Algebra& algebra, const Test& test) {
  const Atom* quotient = test.bound->as_atom();
  if (quotient == nullptr || quotient->kind != AtomKind::div) {
    return std::nullopt;
  }
  IndexPool& pool = algebra.pool();
  const Index n = quotient->b;
  const bool divides = n->is_constant() && algebra.known_divisor(quotient->a) % n->constant() == 0;
  const Index rest = divides ? pool.constant(0) : pool.sub(n, pool.constant(1));
  return Test{Test::Kind::lt, pool.mul(test.index, n), pool.sub(quotient->a, rest)};
}

/// Does `a` exclude all that `b` excludes?  What is below an extent says that its quotients are below theirs.
bool implies(const Algebra& algebra, const Test& a, const Test& b) {
  if (a == b || a.kind != Test::Kind::lt || b.kind != Test::Kind::lt) {
    return a == b;
  }
  IndexPool& pool = algebra.pool();
  if (a.index == b.index && algebra.nonnegative(pool.sub(b.bound, a.bound))) {
    return true;
  }
  for (std::optional<Test> c = below_dividend(algebra, b); c; c = below_dividend(algebra, *c)) {
    if (a.bound == c->bound && algebra.nonnegative(pool.sub(a.index, c->index))) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::vector<Test> tests_of(Lowering& state, const Tensor& t) {
  std::vector<Test> tests;
  AxisTests axes(state, t, tests);
  for (const Id* axis : leaves(t)) {
    axes.add(axis);
  }
  for (const Id* root : t.op == TensorOp::reduce ? t.reduction->whole : std::vector<Id*>{}) {
    axes.add(root);
  }
  for (const Operand& operand : t.op == TensorOp::reduce ? t.operands : std::vector<Operand>{}) {
    // An element joins the accumulator only where all that it is made of exists.
    for (const Id* axis : operand.tensor != nullptr ? needs(*operand.tensor) : std::vector<Id*>{}) {
      axes.add(axis);
    }
  }
  for (const Test& test : t.tests) {
    tests.push_back({test.kind, index_at(state, t, test.index), test.bound});
  }
  add_dimension_tests(state, t, tests);
  if (t.op == TensorOp::store || t.memory == MemoryType::shared) {
    for (const Test& test : single_writer_tests(state, t)) {
      tests.push_back(test);
    }
  }
  for (Test& test : tests) {
    test.index = state.algebra.tidy(test.index);
    test.bound = test.bound != nullptr ? state.algebra.tidy(test.bound) : nullptr;
    test = test.kind == Test::Kind::lt ? below_test(state.pool(), test.index, test.bound) : test;
  }
  tests = tidy_tests(state.algebra, std::move(tests));
  drop_lanes(state, t, tests);
  return tidy_tests(state.algebra, std::move(tests));
}

std::vector<Test> single_writer_tests(Lowering& state, const Tensor& t) {
  std::vector<Test> tests;
  const auto bound = [&](ParallelType type) {
    return std::any_of(t.loop.begin(), t.loop.end(), [&](const Id* l) { return l != nullptr && l->parallel == type; });
  };
  const auto at_zero = [&](Index index) { tests.push_back({Test::Kind::eq, index}); };
  for (int d = 0; d < 3; ++d) {
    if (state.program.block_var[d] != nullptr &&
        !bound(static_cast<ParallelType>(static_cast<int>(ParallelType::block_x) + d))) {
      at_zero(state.program.block_var[d]);
    }
  }
  if (t.op != TensorOp::store) {
    return tests;
  }
  const bool alone = state.request.finish == GridFinish::last && t.phase > 0;  // the other blocks have gone
  const bool claimed =
      std::any_of(t.loop.begin(), t.loop.end(), [](const Id* loop) { return loop != nullptr && loop->takers > 0; });
  for (int d = 0; d < 3; ++d) {
    if (state.program.grid_var[d] != nullptr && !claimed && !(alone && state.arrives[d]) &&
        !bound(static_cast<ParallelType>(static_cast<int>(ParallelType::grid_x) + d))) {
      at_zero(state.program.grid_var[d]);
    }
  }
  std::set<const Id*> above, below;
  for (const Id* axis : own_axes(t)) {
    climb(t, axis, above);
    descend(t, axis, below);
  }
  for (const Id* root : t.reference->roots) {
    if (!above.contains(root)) {
      at_zero(unshifted(state, t, root, below));
    }
  }
  return tests;
}

Test below_test(IndexPool& pool, Index index, Index bound) {
  for (const Atom* atom = index->as_atom(); atom != nullptr && atom->kind == AtomKind::div; atom = index->as_atom()) {
    bound = pool.mul(bound, atom->b);
    index = atom->a;
  }
  return {Test::Kind::lt, index, bound};
}

std::optional<Linear> linear_in(IndexPool& pool, Index p, const Atom* variable) {
  Linear found{0, nullptr};
  std::vector<Term> rest;
  for (const Term& term : p->terms) {
    if (term.atoms.size() == 1 && term.atoms[0] == variable) {
      found.coefficient += term.coefficient;
      continue;
    }
    const auto holds_it = [&](const Atom* atom) {
      if (atom == variable) {
        return true;
      }
      const std::vector<const Atom*> inner = atoms_of(pool.from_atom(atom));
      return std::find(inner.begin(), inner.end(), variable) != inner.end();
    };
    if (std::any_of(term.atoms.begin(), term.atoms.end(), holds_it)) {
      return std::nullopt;
    }
    rest.push_back(term);
  }
  found.rest = pool.from_terms(std::move(rest));
  return found;
}

std::optional<Test> without_lane(const Algebra& algebra, const Test& test, const Atom* variable, int64_t extent) {
  const std::optional<Linear> parts = linear_in(algebra.pool(), test.index, variable);
  if (test.kind == Test::Kind::eq || !parts || parts->coefficient <= 0) {
    return std::nullopt;
  }
  const int64_t grain = parts->coefficient * extent;
  const bool aligned = algebra.known_divisor(parts->rest) % grain == 0 &&
                       (test.kind == Test::Kind::ge || algebra.known_divisor(test.bound) % grain == 0);
  return aligned ? std::optional<Test>({test.kind, parts->rest, test.bound}) : std::nullopt;
}

bool depends_on(const Test& test, const Atom* variable) {
  const std::vector<const Atom*> atoms = atoms_of(test.index);
  return std::find(atoms.begin(), atoms.end(), variable) != atoms.end();
}

std::vector<Test> tidy_tests(const Algebra& algebra, std::vector<Test> tests) {
  std::vector<Test> kept;
  for (const Test& test : tests) {
    const auto implied = [&](const Test& by) { return implies(algebra, by, test); };
    if (holds(test, algebra) || std::any_of(kept.begin(), kept.end(), implied)) {
      continue;
    }
    // A stronger test takes the place of a weaker one: both read the same index.
    const auto weaker =
        std::find_if(kept.begin(), kept.end(), [&](const Test& other) { return implies(algebra, test, other); });
    weaker == kept.end() ? kept.push_back(test) : void(*weaker = test);
  }
  return kept;
}

bool same_tests(const std::vector<Test>& a, const std::vector<Test>& b) {
  return a.size() == b.size() &&
         std::all_of(a.begin(), a.end(), [&](const Test& t) { return std::find(b.begin(), b.end(), t) != b.end(); });
}

}  // namespace nvfuser
