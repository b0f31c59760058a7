// SPDX-License-Identifier: Apache-2.0
// Rebuilding expressions: other values for atoms, other facts, merged axes joined again.
#include "nvfuser/integer/algebra_memo.h"
#include "nvfuser/integer/index.h"
#include "nvfuser/integer/monomial.h"

namespace nvfuser {

namespace {

/// One substitution; remembers atoms, so that shared parts are rebuilt once.
class Rebuild {
 public:
  Rebuild(const Algebra& algebra, const std::function<Index(const Atom&)>& value)
      : algebra_(algebra), pool_(algebra.pool()), value_(value) {}

  Index expression(Index p) {
    if (p->is_constant()) {
      return p;
    }
    Index total = pool_.constant(0);
    for (const Term& term : p->terms) {
      Index product = pool_.constant(term.coefficient);
      for (const Atom* factor : term.atoms) {
        product = pool_.mul(product, atom(factor));
      }
      total = pool_.add(total, product);
    }
    return total;
  }

 private:
  Index atom(const Atom* a) {
    auto found = memo_.find(a);
    if (found == memo_.end()) {
      Index made = rebuilt(*a);
      found = memo_.emplace(a, made == nullptr ? pool_.from_atom(a) : made).first;
    }
    return found->second;
  }

  Index rebuilt(const Atom& a) {
    if (a.a == nullptr) {
      return value_ ? value_(a) : nullptr;
    }
    if (a.kind == AtomKind::data) {
      const Index given = value_ ? value_(a) : nullptr;
      return given != nullptr ? given : pool_.data(a.owner, expression(a.a), expression(a.extent));
    }
    Index x = expression(a.a);
    Index y = expression(a.b);
    return a.kind == AtomKind::div   ? algebra_.div(x, y)
           : a.kind == AtomKind::mod ? algebra_.mod(x, y)
                                     : algebra_.xor_(x, y);
  }

  const Algebra& algebra_;
  IndexPool& pool_;
  const std::function<Index(const Atom&)>& value_;
  std::unordered_map<const Atom*, Index> memo_;
};

/// Does p hold every term of `part`, with its coefficient?
bool contains(Index p, Index part) {
  size_t found = 0;
  for (const Term& term : p->terms) {
    found += found < part->terms.size() && term == part->terms[found];
  }
  return found == part->terms.size();
}

/// Of low = a mod b, an atom (a div b) mod d in p; null where there is none.
const Atom* next_digit(const Algebra& algebra, Index p, const Atom& low) {
  const Index quotient = algebra.div(low.a, low.b);
  for (const Term& term : p->terms) {
    for (const Atom* atom : term.atoms) {
      if (atom->kind == AtomKind::mod && atom->a == quotient) {
        return atom;
      }
    }
  }
  return nullptr;
}

}  // namespace

Index Algebra::substitute(Index p, const std::function<Index(const Atom&)>& value) const {
  return Rebuild(*this, value).expression(p);
}

Index Algebra::rejoin(Index p) const {
  const bool has_mod = std::any_of(p->terms.begin(), p->terms.end(), [](const Term& term) {
    return std::any_of(term.atoms.begin(), term.atoms.end(), [](const Atom* a) { return a->kind == AtomKind::mod; });
  });
  if (!has_mod) {
    return p;
  }
  auto known = memo_->rejoined.find(p);
  if (known != memo_->rejoined.end()) {
    return known->second;
  }
  Index joined = p;
  for (bool changed = true; changed;) {
    changed = false;
    for (const Term& term : joined->terms) {
      for (const Atom* atom : term.atoms) {
        if (atom->kind != AtomKind::mod) {
          continue;
        }
        Index low = pool_.from_terms({term});
        Index scale = pool_.from_terms({quotient(term, Term{{atom}, 1})});
        Index high = pool_.mul(pool_.mul(scale, atom->b), div(atom->a, atom->b));
        if (!high->terms.empty() && contains(joined, high)) {
          joined = pool_.add(pool_.sub(pool_.sub(joined, low), high), pool_.mul(scale, atom->a));
          changed = true;
          break;
        }
        if (const Atom* next = next_digit(*this, joined, *atom)) {
          high = pool_.mul(pool_.mul(scale, atom->b), pool_.from_terms({{{next}, 1}}));
          if (contains(joined, high)) {
            const Index both = mod(atom->a, pool_.mul(atom->b, next->b));
            joined = pool_.add(pool_.sub(pool_.sub(joined, low), high), pool_.mul(scale, both));
            changed = true;
            break;
          }
        }
      }
      if (changed) {
        break;
      }
    }
  }
  memo_->rejoined[p] = joined;
  return joined;
}

Index Algebra::tidy(Index p) const { return rejoin(substitute(p, nullptr)); }

}  // namespace nvfuser
