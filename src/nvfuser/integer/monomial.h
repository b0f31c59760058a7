// SPDX-License-Identifier: Apache-2.0
// Terms as monomials: divisibility, quotient and greatest common divisor.
#pragma once

#include <algorithm>
#include <iterator>
#include <numeric>

#include "nvfuser/integer/index.h"

namespace nvfuser {

inline bool serial_before(const Atom* a, const Atom* b) { return a->serial < b->serial; }

inline bool divides(const Term& divisor, const Term& term) {
  return divisor.coefficient != 0 && divisor.coefficient != -1 && term.coefficient % divisor.coefficient == 0 &&
         std::includes(term.atoms.begin(), term.atoms.end(), divisor.atoms.begin(), divisor.atoms.end(), serial_before);
}

/// term / divisor, where divides(divisor, term).
inline Term quotient(const Term& term, const Term& divisor) {
  Term result{{}, term.coefficient / divisor.coefficient};
  std::set_difference(term.atoms.begin(), term.atoms.end(), divisor.atoms.begin(), divisor.atoms.end(),
                      std::back_inserter(result.atoms), serial_before);
  return result;
}

/// Greatest common divisor, with a positive coefficient.
inline Term common_factor(const Term& a, const Term& b) {
  Term result{{}, std::gcd(a.coefficient, b.coefficient)};
  std::set_intersection(a.atoms.begin(), a.atoms.end(), b.atoms.begin(), b.atoms.end(),
                        std::back_inserter(result.atoms), serial_before);
  return result;
}

}  // namespace nvfuser
