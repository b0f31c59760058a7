// SPDX-License-Identifier: Apache-2.0
// Index expressions as C++ text over the names of a kernel: parameters, loops, block and thread indices.
#pragma once

#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "nvfuser/lower/program.h"

namespace nvfuser {

class IndexText {
 public:
  explicit IndexText(const Program& program);

  /// A sum; operands of other operators use `operand`.
  std::string text(Index p) const;
  /// In parentheses unless it is a name, a number or a call.
  std::string operand(Index p) const;
  /// `a < b && c >= 0`; in the order given: a quotient may stand behind the test that makes its dividend nonnegative.
  std::string text(const std::vector<Test>& tests) const;
  /// The loop variable that stands for an atom.
  void name_loop(Index variable, const std::string& name);
  /// Names that occurred in any text so far.
  const std::set<std::string>& used() const { return used_; }

 private:
  std::string name_of(const Atom& atom) const;
  std::string atom_text(const Atom& atom, bool alone) const;
  std::string quotient_text(const Atom& atom) const;
  std::string product_text(const Term& term, bool alone) const;

  const std::unordered_set<const Atom*>& wraps_;     ///< remainders that take no division
  std::unordered_map<Index, std::string> sizes_;     ///< values that are parameters
  std::unordered_map<Index, std::string> divisors_;  ///< values that have a Divisor parameter
  std::unordered_map<const Atom*, std::string> loops_;
  mutable std::set<std::string> used_;
};

}  // namespace nvfuser
