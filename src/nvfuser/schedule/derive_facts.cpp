// SPDX-License-Identifier: Apache-2.0
// derive_facts: what holds for these sizes and pointers.  Only what lowering can use is stated, so few kernels arise: a
// divisor stands among the facts only if some vector access is lost without it.
#include <algorithm>

#include "nvfuser/schedule/addresses.h"
#include "nvfuser/schedule/facts_check.h"
#include "nvfuser/schedule/schedule.h"

namespace nvfuser {

namespace {

constexpr int64_t kWidestVector = 16;
using Divisors = std::unordered_map<std::string, int64_t>;

/// The lane loop of a reference, if its width is that of a vector access.
Id* lane_of(const Reference& reference) {
  for (Id* loop : reference.loops) {
    if (loop->parallel == ParallelType::vectorize && loop->extent->is_constant() &&
        loop->extent->constant() <= kWidestVector) {
      return loop;
    }
  }
  return nullptr;
}

/// Do full threads get a copy of the lanes without tests?
bool is_unswitched(const Reference& reference) {
  return std::any_of(reference.loops.begin(), reference.loops.end(),
                     [](const Id* loop) { return loop->parallel == ParallelType::unswitch; });
}

bool has_threads(const Kernel& kernel) {
  return std::any_of(kernel.references.begin(), kernel.references.end(), [](const Reference& r) {
    return std::any_of(r.loops.begin(), r.loops.end(), [](const Id* loop) { return is_thread(loop->parallel); });
  });
}

/// Indices of a reference's axes over variables for its loops.
class LoopValues {
 public:
  LoopValues(Workbench& bench, const Reference& reference) : bench_(bench), reference_(reference) {
    for (size_t k = 0; k < reference.loops.size(); ++k) {
      values_[reference.loops[k]] =
          bench.pool().var("loop" + std::to_string(k), bench.import(reference.loops[k]->extent));
    }
    for (const Id* root : reference.roots) {
      value(root);
    }
  }

  const std::unordered_map<const Id*, Index>& values() const { return values_; }

  Index value(const Id* id) {
    auto known = values_.find(id);
    if (known != values_.end()) {
      return known->second;
    }
    const Transform& use = *reference_.uses.at(id);
    const Algebra& algebra = bench_.algebra();
    IndexPool& pool = bench_.pool();
    Index result;
    if (use.kind == Transform::Kind::split) {
      result = pool.add(pool.mul(value(use.outputs[0]), bench_.import(use.factor)), value(use.outputs[1]));
    } else if (use.kind == Transform::Kind::shift) {
      for (const Atom* atom : atoms_of(use.amount)) {
        if (atom->kind == AtomKind::axis) {
          value(id_of(*atom));
        }
      }
      bench_.put(values_);
      result = pool.sub(value(use.outputs[0]), bench_.import(use.amount));
    } else {
      Index inner = bench_.import(use.inputs[1]->extent);
      result =
          id == use.inputs[0] ? algebra.div(value(use.outputs[0]), inner) : algebra.mod(value(use.outputs[0]), inner);
    }
    return values_[id] = result;
  }

 private:
  Workbench& bench_;
  const Reference& reference_;
  std::unordered_map<const Id*, Index> values_;
};

class Derivation {
 public:
  Derivation(const Kernel& kernel, const SizeValues& sizes, const Alignments& alignments)
      : kernel_(kernel),
        alignments_(alignments),
        value_([&sizes](const Atom& atom) { return sizes.at(atom.name); }),
        on_gpu_(has_threads(kernel)) {
    for (const std::string& name : size_names(kernel)) {
      const int64_t size = sizes.at(name);
      const int64_t divisor = size > 0 ? std::min(size & -size, kWidestVector) : 1;
      if (divisor > 1) {
        divisors_.emplace(name, divisor);
        names_.push_back(name);
      }
    }
  }

  Facts run() {
    Facts facts;
    find_same();
    facts.same = same_;
    facts.wide = needs_wide(kernel_, value_);
    find_exact(facts);
    if (on_gpu_) {
      find_vectors(facts);
      find_rows(facts);
      find_whole_turns(facts);
    }
    return facts;
  }

 private:
  int64_t evaluated(Index p) const { return evaluate(p, value_); }

  /// Rows that start at the same place relative to aligned elements: their strides are one.
  void find_same() {
    const bool shifted = std::any_of(kernel_.transforms.begin(), kernel_.transforms.end(),
                                     [](const Transform& t) { return t.kind == Transform::Kind::shift; });
    std::map<int64_t, std::string> first;
    for (const std::string& name : shifted ? size_names(kernel_) : std::vector<std::string>{}) {
      const Index size = kernel_.pool->size(name);
      if (is_stride(*size->as_atom())) {
        const auto [known, fresh] = first.emplace(evaluated(size), name);
        if (!fresh) {
          same_[name] = known->second;
        }
      }
    }
  }

  void add_exact(const std::unordered_map<const Id*, Transform*>& uses, Facts& facts) const {
    for (const auto& [id, use] : uses) {
      if (use->kind != Transform::Kind::split || use->inputs[0]->extent->is_constant()) {
        continue;
      }
      const Transform* source = use->inputs[0]->definition;
      if (source != nullptr && source->kind == Transform::Kind::shift) {
        continue;  // both ends of a shifted loop are tested anyway
      }
      // A CPU's loops have limits; only lanes, and what they do at once, gain from a constant count.
      const ParallelType inner = use->outputs[1]->parallel;
      const bool useful = on_gpu_ || inner == ParallelType::vectorize || inner == ParallelType::unroll;
      const int64_t extent = evaluated(use->inputs[0]->extent), factor = evaluated(use->factor);
      if (useful && extent > 0 && extent % factor == 0) {
        facts.exact.emplace(to_string(use->inputs[0]->extent), to_string(use->factor));
      }
    }
  }

  void find_exact(Facts& facts) const {
    for (const Reference& reference : kernel_.references) {
      add_exact(reference.uses, facts);
    }
    for (const Tensor* t : kernel_.tensors) {
      add_exact(t->uses, facts);
    }
  }

  int64_t alignment(const Tensor& buffer) const {
    const bool output = buffer.op == TensorOp::store;
    const std::vector<Tensor*>& list = output ? kernel_.outputs : kernel_.inputs;
    const std::vector<int64_t>& bytes = output ? alignments_.outputs : alignments_.inputs;
    const size_t position = std::find(list.begin(), list.end(), &buffer) - list.begin();
    return position < bytes.size() ? bytes[position] : 1;
  }

  /// Bytes to which a whole vector of the access must be aligned; 0 where it moves single elements.
  int64_t wanted_alignment(const Tensor& access) const {
    const Id* lane = lane_of(*access.reference);
    const int64_t bytes = bytes_of(buffer_of_access(kernel_, access).dtype);
    const int64_t wanted = lane == nullptr ? 0 : std::min<int64_t>(16, bytes * lane->extent->constant());
    return alignment(buffer_of_access(kernel_, access)) >= wanted ? wanted : 0;
  }

  /// What divisors are good for.
  struct Vectors {
    std::vector<bool> accesses;  ///< which of them move whole vectors, where no lane is tested
    std::vector<bool> tests;     ///< in which references one test does for all lanes
    bool operator==(const Vectors&) const = default;
  };

  Vectors vectorised(const std::vector<Tensor*>& accesses, const Divisors& divisors) const {
    Vectors found{std::vector<bool>(accesses.size(), false), {}};
    for (const Reference& reference : kernel_.references) {
      Id* lane = lane_of(reference);
      if (lane == nullptr) {
        continue;
      }
      Workbench bench(kernel_, divisors);
      bench.put_same(same_);
      LoopValues loops(bench, reference);
      bench.put(loops.values());
      const int64_t width = lane->extent->constant();
      const bool tests_agree = lane_tests_agree(bench, loops, reference, loops.value(lane), width);
      found.tests.push_back(tests_agree);
      for (size_t k = 0; k < accesses.size(); ++k) {
        if (accesses[k]->reference == &reference) {
          found.accesses[k] = (tests_agree || is_unswitched(reference)) && wanted_alignment(*accesses[k]) > 0 &&
                              bench.is_straight(*accesses[k], loops.value(lane), width);
        }
      }
    }
    return found;
  }

  /// A test of a vector's first element stands for all: the width divides what lanes are tested against.
  static bool lane_tests_agree(Workbench& bench, LoopValues& loops, const Reference& reference, Index lane,
                               int64_t width) {
    return std::all_of(reference.uses.begin(), reference.uses.end(), [&](const auto& entry) {
      const auto& [id, use] = entry;
      const bool shifted = use->kind == Transform::Kind::shift;
      if (use->kind == Transform::Kind::merge ||
          (!shifted && bench.algebra().known_divisor(bench.import(id->extent)) % width == 0)) {
        return true;
      }
      const std::vector<const Atom*> atoms = atoms_of(loops.value(id));
      return std::find(atoms.begin(), atoms.end(), lane->as_atom()) == atoms.end();
    });
  }

  /// Divisors without which some access would lose its vectors: those of the dense axes' extents if they suffice.
  Divisors fewest_divisors(const std::vector<Tensor*>& accesses, const Vectors& best) const {
    Divisors needed;
    if (std::find(best.accesses.begin(), best.accesses.end(), true) == best.accesses.end()) {
      return needed;
    }
    for (const Tensor* access : accesses) {
      const Id* dense = dense_axis(kernel_, *access);
      for (const Atom* atom : dense == nullptr ? std::vector<const Atom*>{} : atoms_of(dense->extent)) {
        auto known = divisors_.find(atom->name);
        if (atom->kind == AtomKind::size && known != divisors_.end()) {
          needed.insert(*known);
        }
      }
    }
    if (needed.size() < divisors_.size() && vectorised(accesses, needed) == best) {
      return needed;
    }
    needed = divisors_;
    for (const std::string& name : names_) {
      Divisors fewer = needed;
      fewer.erase(name);
      if (vectorised(accesses, fewer) == best) {
        needed = fewer;
      }
    }
    return needed;
  }

  void find_vectors(Facts& facts) const {
    const std::vector<Tensor*> accesses = accesses_of(kernel_);
    const Vectors best = vectorised(accesses, divisors_);
    for (size_t k = 0; k < accesses.size(); ++k) {
      const Tensor& buffer = buffer_of_access(kernel_, *accesses[k]);
      if (best.accesses[k] && wanted_alignment(*accesses[k]) > bytes_of(buffer.dtype)) {
        int64_t& known = facts.alignment[buffer.name];
        known = std::max(known, wanted_alignment(*accesses[k]));
      }
    }
    const Divisors needed = fewest_divisors(accesses, best);
    int64_t width = 1;
    for (const Reference& reference : kernel_.references) {
      const Id* lane = lane_of(reference);
      width = std::max(width, lane == nullptr ? 1 : lane->extent->constant());
    }
    for (const auto& [name, divisor] : needed) {
      if (std::min(divisor, width) > 1) {
        facts.divisors.emplace(name, std::min(divisor, width));
      }
    }
  }

  /// Sizes of rows that no vector of single elements passes twice.
  void find_rows(Facts& facts) const {
    for (const Reference& reference : kernel_.references) {
      Id* lane = lane_of(reference);
      if (lane == nullptr) {
        continue;
      }
      Workbench bench(kernel_, {facts.divisors.begin(), facts.divisors.end()});
      LoopValues loops(bench, reference);
      bench.put(loops.values());
      const Atom* variable = loops.value(lane)->as_atom();
      for (const Tensor* access : accesses_of(kernel_)) {
        if (access->reference == &reference) {
          add_rows(bench.address(*access), variable, lane->extent->constant(), facts);
        }
      }
    }
  }

  void add_rows(Index address, const Atom* lane, int64_t width, Facts& facts) const {
    for (const Atom* atom : atoms_of(address)) {
      if (atom->kind != AtomKind::mod || atom->b->terms.size() != 1 || !contains(atom->a, lane)) {
        continue;
      }
      for (const Atom* size : atom->b->terms[0].atoms) {
        if (size->kind == AtomKind::size && !is_stride(*size) && value_(*size) >= width) {
          facts.least[size->name] = width;
          break;
        }
      }
    }
  }

  /// Rows that start anywhere, of which a thread takes several vectors: half of its turns lie before the row's end.  No
  /// more is said, so that the usual kernel of a length serves all lengths that it is usual for.
  void find_whole_turns(Facts& facts) const {
    for (const Transform& turns : kernel_.transforms) {
      const bool unrolled = turns.kind == Transform::Kind::split &&
                            turns.outputs[0]->parallel == ParallelType::unroll &&
                            turns.outputs[0]->extent->is_constant() && turns.factor->is_constant();
      const Id* row = unrolled ? shifted_row(turns.inputs[0]) : nullptr;
      const Atom* size = row != nullptr ? row->extent->as_atom() : nullptr;
      if (size == nullptr || size->kind != AtomKind::size) {
        continue;
      }
      const int64_t whole = turns.outputs[0]->extent->constant() / 2 * turns.factor->constant();
      if (whole > turns.factor->constant() && value_(*size) >= whole) {
        facts.least[size->name] = std::max(facts.least[size->name], whole);
      }
    }
  }

  /// The axis of a row that starts anywhere, of which all turns are `turns`; null where it is none.
  static const Id* shifted_row(const Id* turns) {
    const Transform* fit = turns->definition;
    const Transform* shift =
        fit != nullptr && fit->kind == Transform::Kind::split ? fit->inputs[0]->definition : nullptr;
    return shift != nullptr && shift->kind == Transform::Kind::shift ? shift->inputs[0] : nullptr;
  }

  const Kernel& kernel_;
  const Alignments& alignments_;
  std::function<int64_t(const Atom&)> value_;
  bool on_gpu_;
  Divisors divisors_;
  std::vector<std::string> names_;
  std::map<std::string, std::string> same_;
};

}  // namespace

Facts derive_facts(const Kernel& kernel, const SizeValues& sizes, const Alignments& alignments) {
  return Derivation(kernel, sizes, alignments).run();
}

}  // namespace nvfuser
