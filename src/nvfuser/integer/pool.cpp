// SPDX-License-Identifier: Apache-2.0
// The pool: hash-consing of atoms and polynomials, and ring arithmetic on them.  Order and hashes follow serials, never
// addresses, so text is the same in every run.
#include <algorithm>
#include <deque>
#include <utility>

#include "nvfuser/base/hash.h"
#include "nvfuser/integer/floor_math.h"
#include "nvfuser/integer/index.h"

namespace nvfuser {

namespace {

using Product = std::vector<const Atom*>;

/// Order of terms: by serials of the factors; a product comes before its prefixes, so the constant is last.
int compare(const Product& a, const Product& b) {
  const size_t shared = std::min(a.size(), b.size());
  for (size_t i = 0; i < shared; ++i) {
    if (a[i] != b[i]) {
      return a[i]->serial < b[i]->serial ? -1 : 1;
    }
  }
  return a.size() == b.size() ? 0 : a.size() > b.size() ? -1 : 1;
}

bool atom_before(const Atom* a, const Atom* b) { return a->serial < b->serial; }

/// Sorts terms (factors already sorted), adds up equal products, drops zeros.
void collect(std::vector<Term>& terms) {
  std::sort(terms.begin(), terms.end(), [](const Term& a, const Term& b) { return compare(a.atoms, b.atoms) < 0; });
  size_t kept = 0;
  for (size_t i = 0; i < terms.size();) {
    Term sum = std::move(terms[i++]);
    for (; i < terms.size() && terms[i].atoms == sum.atoms; ++i) {
      sum.coefficient = exact_add(sum.coefficient, terms[i].coefficient);
    }
    if (sum.coefficient != 0) {
      terms[kept++] = std::move(sum);
    }
  }
  terms.resize(kept);
}

uint64_t hash_of(const std::vector<Term>& terms) {
  Hasher hasher;
  for (const Term& term : terms) {
    hasher.add(term.coefficient).add(term.atoms.size());
    for (const Atom* atom : term.atoms) {
      hasher.add(atom->serial);
    }
  }
  return hasher.value64();
}

struct AtomKey {
  AtomKind kind;
  Index a, b;
  bool operator==(const AtomKey&) const = default;
};
struct AtomKeyHash {
  size_t operator()(const AtomKey& key) const {
    return Hasher().add(key.kind).add(key.a->serial).add(key.b->serial).value64();
  }
};

}  // namespace

const Atom* IndexNode::as_atom() const {
  return terms.size() == 1 && terms[0].coefficient == 1 && terms[0].atoms.size() == 1 ? terms[0].atoms[0] : nullptr;
}

struct IndexPool::Impl {
  std::deque<Atom> atoms;
  std::deque<IndexNode> nodes;
  std::vector<Index> table = std::vector<Index>(1024);  ///< open addressing by hash; at most half full
  std::vector<Index> of_atom;                           ///< by serial of the atom
  std::unordered_map<std::string, const Atom*, StringHash, std::equal_to<>> sizes;
  std::unordered_map<std::string, std::vector<const Atom*>, StringHash, std::equal_to<>> vars;
  std::unordered_map<const void*, const Atom*> axes;
  std::unordered_map<const void*, std::vector<const Atom*>> data;
  std::unordered_map<AtomKey, const Atom*, AtomKeyHash> operations;

  const Atom* make(Atom atom) {
    atom.serial = static_cast<uint32_t>(atoms.size());
    const Atom* made = &atoms.emplace_back(std::move(atom));
    of_atom.push_back(intern({{{made}, 1}}));
    return made;
  }

  /// The node of canonical terms.
  Index intern(std::vector<Term> terms) {
    const uint64_t hash = hash_of(terms);
    size_t mask = table.size() - 1;
    size_t at = hash & mask;
    for (; table[at] != nullptr; at = (at + 1) & mask) {
      if (table[at]->hash == hash && table[at]->terms == terms) {
        return table[at];
      }
    }
    Index node = &nodes.emplace_back(IndexNode{std::move(terms), static_cast<uint32_t>(nodes.size()), hash});
    table[at] = node;
    if (2 * nodes.size() > table.size()) {
      grow();
    }
    return node;
  }

  void grow() {
    table.assign(table.size() * 2, nullptr);
    const size_t mask = table.size() - 1;
    for (const IndexNode& node : nodes) {
      size_t at = node.hash & mask;
      while (table[at] != nullptr) {
        at = (at + 1) & mask;
      }
      table[at] = &node;
    }
  }
};

IndexPool::IndexPool() : impl_(std::make_unique<Impl>()) {}
IndexPool::~IndexPool() = default;

Index IndexPool::constant(int64_t value) { return value == 0 ? impl_->intern({}) : impl_->intern({{{}, value}}); }

Index IndexPool::size(std::string_view name) {
  auto found = impl_->sizes.find(name);
  if (found == impl_->sizes.end()) {
    Atom atom{.kind = AtomKind::size, .serial = 0, .name = std::string(name)};
    atom.stride = name.find("_s") != std::string_view::npos;
    found = impl_->sizes.emplace(name, impl_->make(std::move(atom))).first;
  }
  return from_atom(found->second);
}

Index IndexPool::var(std::string_view name, Index extent) {
  ensure(extent != nullptr, "index variable ", name, " has no extent");
  auto found = impl_->vars.find(name);
  if (found == impl_->vars.end()) {
    found = impl_->vars.emplace(name, std::vector<const Atom*>()).first;
  }
  for (const Atom* atom : found->second) {
    if (atom->extent == extent) {
      return from_atom(atom);
    }
  }
  found->second.push_back(
      impl_->make({.kind = AtomKind::var, .serial = 0, .name = std::string(name), .extent = extent}));
  return from_atom(found->second.back());
}

Index IndexPool::axis(const void* owner, std::string_view name, Index extent) {
  ensure(owner != nullptr && extent != nullptr, "axis ", name, " has no owner or no extent");
  const Atom*& atom = impl_->axes[owner];
  if (atom == nullptr) {
    atom =
        impl_->make({.kind = AtomKind::axis, .serial = 0, .name = std::string(name), .extent = extent, .owner = owner});
  }
  return from_atom(atom);
}

Index IndexPool::data(const void* owner, Index at, Index extent) {
  ensure(owner != nullptr && at != nullptr && extent != nullptr, "data without a tensor, a place or an extent");
  std::vector<const Atom*>& known = impl_->data[owner];
  for (const Atom* atom : known) {
    if (atom->a == at && atom->extent == extent) {
      return from_atom(atom);
    }
  }
  known.push_back(impl_->make(
      {.kind = AtomKind::data, .serial = 0, .name = {}, .extent = extent, .owner = owner, .a = at, .b = constant(0)}));
  return from_atom(known.back());
}

Index IndexPool::opaque(AtomKind kind, Index a, Index b) {
  const Atom*& atom = impl_->operations[{kind, a, b}];
  if (atom == nullptr) {
    atom = impl_->make({.kind = kind, .serial = 0, .name = {}, .a = a, .b = b});
  }
  return from_atom(atom);
}

Index IndexPool::from_atom(const Atom* atom) { return impl_->of_atom[atom->serial]; }

Index IndexPool::from_terms(std::vector<Term> terms) {
  for (Term& term : terms) {
    std::sort(term.atoms.begin(), term.atoms.end(), atom_before);
  }
  collect(terms);
  return impl_->intern(std::move(terms));
}

Index IndexPool::add(Index a, Index b) {
  if (a->terms.empty() || b->terms.empty()) {
    return a->terms.empty() ? b : a;
  }
  std::vector<Term> sum;
  sum.reserve(a->terms.size() + b->terms.size());
  auto x = a->terms.begin();
  auto y = b->terms.begin();
  while (x != a->terms.end() && y != b->terms.end()) {
    const int order = compare(x->atoms, y->atoms);
    if (order != 0) {
      sum.push_back(order < 0 ? *x++ : *y++);
      continue;
    }
    const int64_t coefficient = exact_add(x->coefficient, y->coefficient);
    if (coefficient != 0) {
      sum.push_back({x->atoms, coefficient});
    }
    ++x, ++y;
  }
  sum.insert(sum.end(), x, a->terms.end());
  sum.insert(sum.end(), y, b->terms.end());
  return impl_->intern(std::move(sum));
}

Index IndexPool::sub(Index a, Index b) { return add(a, scale(b, -1)); }

Index IndexPool::scale(Index a, int64_t factor) {
  if (factor == 1) {
    return a;
  }
  if (factor == 0) {
    return constant(0);
  }
  std::vector<Term> terms = a->terms;
  for (Term& term : terms) {
    term.coefficient = exact_mul(term.coefficient, factor);
  }
  return impl_->intern(std::move(terms));
}

Index IndexPool::mul(Index a, Index b) {
  if (a->is_constant() || b->is_constant()) {
    return a->is_constant() ? scale(b, a->constant()) : scale(a, b->constant());
  }
  std::vector<Term> terms;
  terms.reserve(a->terms.size() * b->terms.size());
  for (const Term& x : a->terms) {
    for (const Term& y : b->terms) {
      Term& term = terms.emplace_back(Term{Product(x.atoms.size() + y.atoms.size()), 0});
      std::merge(x.atoms.begin(), x.atoms.end(), y.atoms.begin(), y.atoms.end(), term.atoms.begin(), atom_before);
      term.coefficient = exact_mul(x.coefficient, y.coefficient);
    }
  }
  collect(terms);
  return impl_->intern(std::move(terms));
}

}  // namespace nvfuser
