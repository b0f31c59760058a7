// SPDX-License-Identifier: Apache-2.0
// Division and remainder.  The rules, in order: floor((x*n + r) / n) = x when 0 <= r < n; x extracted when no
// coefficient left over is negative; a common factor g goes, (g*x + r) / (g*m) = x / m when 0 <= r < g; the same with
// a known divisor g of n in place of a factor; (x / m) / n = x / (m*n).  What is left becomes an atom.
#include <utility>

#include "nvfuser/integer/algebra_memo.h"
#include "nvfuser/integer/floor_math.h"
#include "nvfuser/integer/index.h"
#include "nvfuser/integer/monomial.h"

namespace nvfuser {

namespace {

constexpr int kLongDivisionSteps = 16;

struct Cut {
  Index multiple;  ///< q
  Index rest;      ///< r, of p = q * n + r
};

/// r holds the terms that the monomial n does not divide.
Cut cut(IndexPool& pool, Index p, const Term& n) {
  std::vector<Term> multiple, rest;
  for (const Term& term : p->terms) {
    if (divides(n, term)) {
      multiple.push_back(quotient(term, n));
    } else {
      rest.push_back(term);
    }
  }
  return {pool.from_terms(std::move(multiple)), pool.from_terms(std::move(rest))};
}

/// Long division by the first term of n; ends when it divides no term of the rest, or after a bounded number of steps.
Cut long_division(IndexPool& pool, Index p, Index n) {
  Cut result{pool.constant(0), p};
  for (int step = 0; step < kLongDivisionSteps; ++step) {
    const auto& terms = result.rest->terms;
    auto found = std::find_if(terms.begin(), terms.end(), [&](const Term& t) { return divides(n->terms[0], t); });
    if (found == terms.end()) {
      break;
    }
    Index factor = pool.from_terms({quotient(*found, n->terms[0])});
    result.multiple = pool.add(result.multiple, factor);
    result.rest = pool.sub(result.rest, pool.mul(factor, n));
  }
  return result;
}

bool has_negative(Index p) {
  return std::any_of(p->terms.begin(), p->terms.end(), [](const Term& term) { return term.coefficient < 0; });
}

}  // namespace

Algebra::Algebra(IndexPool& pool, std::unordered_map<std::string, int64_t> divisors)
    : pool_(pool), divisors_(std::move(divisors)), memo_(std::make_shared<Memo>()) {}

Index Algebra::div(Index p, Index n) const { return divide(p, n).quotient; }

Index Algebra::mod(Index p, Index n) const { return divide(p, n).remainder; }

Index Algebra::ceil_div(Index p, Index n) const { return div(pool_.add(p, pool_.sub(n, pool_.constant(1))), n); }

Index Algebra::xor_(Index p, Index q) const {
  if (p->is_constant() && q->is_constant()) {
    return pool_.constant(p->constant() ^ q->constant());
  }
  if (p->is(0) || q->is(0)) {
    return p->is(0) ? q : p;
  }
  return p == q ? pool_.constant(0) : pool_.opaque(AtomKind::xor_, p, q);
}

Algebra::Division Algebra::divide(Index p, Index n) const {
  if (p->is_constant() && n->is_constant()) {
    return {pool_.constant(floor_div(p->constant(), n->constant())),
            pool_.constant(floor_mod(p->constant(), n->constant()))};
  }
  if (n->is(0)) {
    return {n, n};
  }
  if (n->is(1)) {
    return {p, pool_.constant(0)};
  }
  auto found = memo_->divisions.find({p, n});
  if (found == memo_->divisions.end()) {
    const Division result = divide_anew(p, n);
    found = memo_->divisions.emplace(IndexPair{p, n}, result).first;
  }
  return found->second;
}

Algebra::Division Algebra::divide_anew(Index p, Index n) const {
  p = rejoin(p);
  Index whole = pool_.constant(0);
  const bool monomial = n->terms.size() == 1;
  const Cut parts = monomial ? cut(pool_, p, n->terms[0]) : long_division(pool_, p, n);
  if (parts.rest->is(0) || below(parts.rest, n)) {
    return {parts.multiple, parts.rest};
  }
  if (monomial && !has_negative(parts.rest)) {
    whole = parts.multiple;
    p = parts.rest;
  }
  if (below(p, n)) {
    return {whole, p};
  }
  Division result;
  if (!factor_out(p, n, result)) {
    result = split_lane(p, n);
    const Atom* atom = p->as_atom();
    if (atom != nullptr && atom->kind == AtomKind::div) {
      result.quotient = div(atom->a, pool_.mul(atom->b, n));
    }
  }
  return {pool_.add(whole, result.quotient), result.remainder};
}

/// p = g*x + r and n = g*m with a monomial g > 0 and 0 <= r < g: p / n = x / m, p % n = g * (x % m) + r.
bool Algebra::factor_out(Index p, Index n, Division& result) const {
  Term content = n->terms[0];
  for (const Term& term : n->terms) {
    content = common_factor(content, term);
  }
  for (const Term& term : p->terms) {
    const Term factor = common_factor(content, term);
    const bool unbounded =
        std::any_of(factor.atoms.begin(), factor.atoms.end(), [&](const Atom* atom) { return least(atom) < 0; });
    if ((factor.atoms.empty() && factor.coefficient == 1) || unbounded) {
      continue;
    }
    const Cut parts = cut(pool_, p, factor);
    Index scale = pool_.from_terms({factor});
    if (parts.rest->is(0) || below(parts.rest, scale)) {
      const Division inner = divide(parts.multiple, cut(pool_, n, factor).multiple);
      result = {inner.quotient, pool_.add(pool_.mul(scale, inner.remainder), parts.rest)};
      return true;
    }
  }
  return false;
}

/// p = q + r where some g divides n and q, and 0 <= r < g: p / n = q / n and p % n = q % n + r.
Algebra::Division Algebra::split_lane(Index p, Index n) const {
  Index lane = pool_.constant(0);
  for (int64_t g = known_divisor(n); g > 1; g = g % 2 == 0 ? g / 2 : 1) {
    std::vector<Term> multiple, rest;
    for (const Term& term : p->terms) {
      (known_divisor(pool_.from_terms({term})) % g == 0 ? multiple : rest).push_back(term);
    }
    if (multiple.empty() || rest.empty()) {
      continue;
    }
    Index low = pool_.from_terms(std::move(rest));
    if (below(low, pool_.constant(g))) {
      p = pool_.from_terms(std::move(multiple));
      lane = low;
      break;
    }
  }
  return {pool_.opaque(AtomKind::div, p, n), pool_.add(pool_.opaque(AtomKind::mod, p, n), lane)};
}

}  // namespace nvfuser
