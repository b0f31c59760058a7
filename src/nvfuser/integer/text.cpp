// SPDX-License-Identifier: Apache-2.0
// Reading expressions: text for people, the atoms that occur, the value under a binding.
#include <unordered_set>

#include "nvfuser/integer/floor_math.h"
#include "nvfuser/integer/index.h"

namespace nvfuser {

namespace {

/// A sum, product or operation is put in parentheses as an operand.
std::string operand_text(Index p) {
  std::string text = to_string(p);
  const bool simple = text.find_first_of(" *") == std::string::npos && text[0] != '-';
  return simple ? text : "(" + text + ")";
}

std::string atom_text(const Atom& atom) {
  if (atom.kind == AtomKind::data) {
    return "data(" + to_string(atom.a) + ")";
  }
  const char* sign = atom.kind == AtomKind::div ? " / " : atom.kind == AtomKind::mod ? " % " : " ^ ";
  return atom.a == nullptr ? atom.name : operand_text(atom.a) + sign + operand_text(atom.b);
}

/// Factors first, coefficient last; the sign is the caller's.
std::string term_text(const Term& term, bool alone) {
  std::string text;
  for (const Atom* atom : term.atoms) {
    const bool bare = atom->a == nullptr || atom->kind == AtomKind::data ||
                      (alone && term.atoms.size() == 1 && term.coefficient == 1);
    text += text.empty() ? "" : "*";
    text += bare ? atom_text(*atom) : "(" + atom_text(*atom) + ")";
  }
  const uint64_t size = term.coefficient < 0 ? -static_cast<uint64_t>(term.coefficient) : term.coefficient;
  if (text.empty() || size != 1) {
    text += (text.empty() ? "" : "*") + std::to_string(size);
  }
  return text;
}

void collect_atoms(Index p, std::unordered_set<const Atom*>& seen, std::vector<const Atom*>& atoms) {
  for (const Term& term : p->terms) {
    for (const Atom* atom : term.atoms) {
      if (!seen.insert(atom).second) {
        continue;
      }
      atoms.push_back(atom);
      if (atom->a != nullptr) {
        collect_atoms(atom->a, seen, atoms);
        collect_atoms(atom->b, seen, atoms);
      }
    }
  }
}

class Evaluation {
 public:
  explicit Evaluation(const std::function<int64_t(const Atom&)>& value) : value_(value) {}

  int64_t expression(Index p) {
    int64_t total = 0;
    for (const Term& term : p->terms) {
      int64_t product = term.coefficient;
      for (const Atom* factor : term.atoms) {
        product = wrap_mul(product, factor->a == nullptr ? value_(*factor) : operation(factor));
      }
      total = wrap_add(total, product);
    }
    return total;
  }

 private:
  int64_t operation(const Atom* atom) {
    auto found = memo_.find(atom);
    if (found == memo_.end()) {
      const int64_t a = expression(atom->a);
      const int64_t b = expression(atom->b);
      const int64_t result = atom->kind == AtomKind::div   ? floor_div(a, b)
                             : atom->kind == AtomKind::mod ? floor_mod(a, b)
                                                           : a ^ b;
      found = memo_.emplace(atom, result).first;
    }
    return found->second;
  }

  const std::function<int64_t(const Atom&)>& value_;
  std::unordered_map<const Atom*, int64_t> memo_;
};

}  // namespace

std::vector<const Atom*> atoms_of(Index p) {
  std::unordered_set<const Atom*> seen;
  std::vector<const Atom*> atoms;
  collect_atoms(p, seen, atoms);
  return atoms;
}

int64_t evaluate(Index p, const std::function<int64_t(const Atom&)>& value) { return Evaluation(value).expression(p); }

std::string to_string(Index p) {
  if (p->terms.empty()) {
    return "0";
  }
  std::string text;
  for (const Term& term : p->terms) {
    const bool negative = term.coefficient < 0;
    text += text.empty() ? (negative ? "-" : "") : (negative ? " - " : " + ");
    text += term_text(term, p->terms.size() == 1);
  }
  return text;
}

}  // namespace nvfuser
