// SPDX-License-Identifier: Apache-2.0
// What can be proved of an expression: divisors, upper bounds over sizes, sign, range.  Sound and incomplete; a proof
// whose numbers exceed 64 bits is no proof.  Recursion ends because every step goes to operands or extents, or to an
// expression without indices.
#include <bit>
#include <map>
#include <numeric>

#include "nvfuser/integer/algebra_memo.h"
#include "nvfuser/integer/floor_math.h"
#include "nvfuser/integer/index.h"
#include "nvfuser/integer/monomial.h"

namespace nvfuser {

namespace {

__extension__ using Wide = __int128;

constexpr size_t kMostFactors = 6;  ///< longest product, and
constexpr size_t kMostTerms = 48;   ///< longest sum, that is expanded in a proof of sign

using Shifted = std::map<std::vector<uint32_t>, Wide>;

/// Runs a proof; overflow of a coefficient means that there is none.
template <class Result, class Proof>
Result attempt(Result otherwise, const Proof& proof) {
  try {
    return proof();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::shape) {
      throw;
    }
    return otherwise;
  }
}

/// A quotient a / b lies between (a - (b - 1)) / b and a / b: what p is no less than, where that bounds multiples of b
/// of quotients by b.
Index lower_of_quotients(IndexPool& pool, Index p) {
  Index low = pool.constant(0);
  for (const Term& term : p->terms) {
    const Atom* quotient = term.atoms.size() == 1 && term.atoms[0]->kind == AtomKind::div ? term.atoms[0] : nullptr;
    const int64_t by = quotient != nullptr && quotient->b->is_constant() ? quotient->b->constant() : 0;
    Index part = pool.from_terms({term});
    if (by > 0 && term.coefficient % by == 0) {
      const Index least = term.coefficient > 0 ? pool.sub(quotient->a, pool.constant(by - 1)) : quotient->a;
      part = pool.scale(least, term.coefficient / by);
    }
    low = pool.add(low, part);
  }
  return low;
}

}  // namespace

int64_t Algebra::known_divisor(Index p) const {
  int64_t all = 0;
  for (const Term& term : p->terms) {
    int64_t divisor = term.coefficient == INT64_MIN ? int64_t{1} << 62 : std::abs(term.coefficient);
    for (const Atom* atom : term.atoms) {
      int64_t factor = 1;
      if (atom->kind == AtomKind::size) {
        auto fact = divisors_.find(atom->name);
        factor = fact == divisors_.end() ? 1 : fact->second;
      } else if (atom->kind == AtomKind::mod) {
        auto known = memo_->divisors.find(atom);
        factor =
            known != memo_->divisors.end() ? known->second : std::gcd(known_divisor(atom->a), known_divisor(atom->b));
        memo_->divisors[atom] = factor;
      }
      int64_t product;
      if (factor > 1 && !__builtin_mul_overflow(divisor, factor, &product)) {
        divisor = product;
      }
    }
    all = std::gcd(all, divisor);
  }
  return all;
}

bool Algebra::has_index(const Atom* atom) const {
  if (atom->a == nullptr || atom->kind == AtomKind::data) {
    return atom->kind != AtomKind::size;
  }
  auto known = memo_->has_index.find(atom);
  if (known == memo_->has_index.end()) {
    const bool result = has_index(atom->a) || has_index(atom->b);
    known = memo_->has_index.emplace(atom, result).first;
  }
  return known->second;
}

bool Algebra::has_index(Index p) const {
  for (const Term& term : p->terms) {
    for (const Atom* atom : term.atoms) {
      if (has_index(atom)) {
        return true;
      }
    }
  }
  return false;
}

bool Algebra::is_exact(const Atom* atom) const {
  return atom->kind == AtomKind::size || (atom->kind == AtomKind::div && !has_index(atom));
}

int Algebra::least(const Atom* atom) const {
  switch (atom->kind) {
    case AtomKind::size:
      return is_stride(*atom) ? -1 : 1;
    case AtomKind::div:
      if (!nonnegative(atom->a)) {
        return -1;
      }
      return nonnegative(pool_.sub(atom->a, atom->b)) ? 1 : 0;
    case AtomKind::xor_:
      return nonnegative(atom->a) && nonnegative(atom->b) ? 0 : -1;
    default:
      return 0;
  }
}

Index Algebra::upper_of_atom(const Atom* atom) const {
  if (is_exact(atom)) {
    return pool_.from_atom(atom);
  }
  switch (atom->kind) {
    case AtomKind::div: {
      Index top = upper(atom->a);
      if (top == nullptr || !has_index(atom->b)) {
        return top == nullptr ? nullptr : div(top, atom->b);
      }
      return nonnegative(atom->a) ? top : nullptr;
    }
    case AtomKind::xor_: {
      Index a = upper(atom->a);
      Index b = upper(atom->b);
      if (a == nullptr || b == nullptr || !a->is_constant() || !b->is_constant() || least(atom) < 0) {
        return nullptr;
      }
      const auto either = static_cast<uint64_t>(a->constant() | b->constant());
      return pool_.constant(static_cast<int64_t>((uint64_t{1} << std::bit_width(either)) - 1));
    }
    default: {
      Index bound = upper(atom->kind == AtomKind::mod ? atom->b : atom->extent);
      return bound == nullptr ? nullptr : pool_.sub(bound, pool_.constant(1));
    }
  }
}

Index Algebra::upper_of_term(const Term& term) const {
  Index product = pool_.constant(term.coefficient);
  const bool exact = std::all_of(term.atoms.begin(), term.atoms.end(), [&](const Atom* a) { return is_exact(a); });
  if (exact) {
    return pool_.from_terms({term});
  }
  // A product of bounds bounds a product of factors that are >= 0; a single positive multiple needs no sign.
  const bool single = term.coefficient > 0 && term.atoms.size() == 1;
  for (const Atom* atom : term.atoms) {
    const int low = single ? 0 : least(atom);
    if (low < 0) {
      return nullptr;
    }
    Index bound = term.coefficient > 0 ? upper_of_atom(atom)
                  : is_exact(atom)     ? pool_.from_atom(atom)
                                       : pool_.constant(low);
    if (bound == nullptr) {
      return nullptr;
    }
    product = pool_.mul(product, bound);
  }
  return product;
}

Index Algebra::upper(Index p) const {
  if (p->is_constant()) {
    return p;
  }
  auto known = memo_->uppers.find(p);
  if (known != memo_->uppers.end()) {
    return known->second;
  }
  Index result = attempt<Index>(nullptr, [&]() -> Index {
    Index total = pool_.constant(0);
    for (const Term& term : p->terms) {
      Index top = upper_of_term(term);
      if (top == nullptr) {
        return nullptr;
      }
      total = pool_.add(total, top);
    }
    return total;
  });
  memo_->uppers[p] = result;
  return result;
}

/// Puts (least + atom') for every atom, atom' >= 0: is no coefficient negative then?
bool Algebra::shifted_nonnegative(Index p) const {
  const bool plain = std::all_of(p->terms.begin(), p->terms.end(),
                                 [](const Term& term) { return term.coefficient >= 0 || term.atoms.empty(); });
  if (p->terms.size() > kMostTerms) {
    return false;
  }
  Shifted sums;
  for (const Term& term : p->terms) {
    std::vector<uint32_t> shifted, fixed;
    for (const Atom* atom : term.atoms) {
      const int low = least(atom);
      if (low < 0) {
        return false;
      }
      (low == 1 ? shifted : fixed).push_back(atom->serial);
    }
    if (plain) {
      sums[{}] += fixed.empty() ? term.coefficient : 0;
      continue;
    }
    if (shifted.size() > kMostFactors) {
      return false;
    }
    for (uint32_t subset = 0; subset < (1u << shifted.size()); ++subset) {
      std::vector<uint32_t> product = fixed;
      for (size_t i = 0; i < shifted.size(); ++i) {
        if ((subset >> i & 1) != 0) {
          product.push_back(shifted[i]);
        }
      }
      std::sort(product.begin(), product.end());
      sums[product] += term.coefficient;
    }
  }
  return std::all_of(sums.begin(), sums.end(), [](const auto& sum) { return sum.second >= 0; });
}

bool Algebra::prove_nonnegative(Index p) const {
  if (shifted_nonnegative(p)) {
    return true;
  }
  if (const Index low = lower_of_quotients(pool_, p); low != p && nonnegative(low)) {
    return true;
  }
  // Negative terms with indices take their largest size.
  Index low = pool_.constant(0);
  for (const Term& term : p->terms) {
    Index part = pool_.from_terms({term});
    if (term.coefficient < 0) {
      Index top = upper(pool_.scale(part, -1));
      if (top == nullptr) {
        return false;
      }
      part = pool_.scale(top, -1);
    }
    low = pool_.add(low, part);
  }
  return low != p && shifted_nonnegative(low);
}

bool Algebra::nonnegative(Index p) const {
  if (p->is_constant()) {
    return p->constant() >= 0;
  }
  auto known = memo_->nonnegatives.find(p);
  if (known != memo_->nonnegatives.end()) {
    return known->second;
  }
  const bool result = attempt(false, [&] { return prove_nonnegative(p); });
  memo_->nonnegatives[p] = result;
  return result;
}

bool Algebra::below(Index p, Index bound) const {
  if (!nonnegative(p)) {
    return false;
  }
  return attempt(false, [&] { return nonnegative(pool_.sub(pool_.sub(bound, pool_.constant(1)), p)); });
}

}  // namespace nvfuser
