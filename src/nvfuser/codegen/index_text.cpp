// SPDX-License-Identifier: Apache-2.0
// Index expressions as text.  Division and remainder by what is known at launch only go through the multiplier that the
// host has computed.
#include "nvfuser/codegen/index_text.h"

#include <cstdint>

namespace nvfuser {

namespace {

bool is_simple(const std::string& text) { return text.find(' ') == std::string::npos && text[0] != '-'; }

/// One call of the device library and nothing behind it: needs no parentheses.
bool is_call(const std::string& text) {
  if (!text.starts_with("rt::")) {
    return false;
  }
  int depth = 0;
  size_t at = text.find('(');
  do {
    depth += text[at] == '(' ? 1 : text[at] == ')' ? -1 : 0;
  } while (++at < text.size() && depth > 0);
  return at == text.size();
}

std::string number(uint64_t magnitude) { return std::to_string(magnitude) + (magnitude > INT32_MAX ? "LL" : ""); }

uint64_t magnitude_of(int64_t x) { return x < 0 ? -static_cast<uint64_t>(x) : static_cast<uint64_t>(x); }

}  // namespace

IndexText::IndexText(const Program& program) : wraps_(program.wraps) {
  for (const Parameter& p : program.parameters) {
    if (p.kind == Parameter::Kind::size) {
      sizes_.emplace(p.value, p.name);
    } else if (p.kind == Parameter::Kind::divisor) {
      divisors_.emplace(p.value, p.name);
    }
  }
}

void IndexText::name_loop(Index variable, const std::string& name) {
  if (const Atom* atom = variable ? variable->as_atom() : nullptr) {
    loops_[atom] = name;
  }
}

std::string IndexText::name_of(const Atom& atom) const {
  const auto loop = loops_.find(&atom);
  const std::string& name = loop == loops_.end() ? atom.name : loop->second;
  used_.insert(name);
  return name;
}

std::string IndexText::quotient_text(const Atom& atom) const {
  const bool is_div = atom.kind == AtomKind::div;
  const auto divisor = divisors_.find(atom.b);
  if (!atom.b->is_constant() && divisor != divisors_.end()) {
    used_.insert(divisor->second);
    const std::string_view call = is_div ? "rt::div(" : wraps_.contains(&atom) ? "rt::wrap(" : "rt::mod(";
    return std::string(call) + text(atom.a) + ", " + divisor->second + ")";
  }
  return operand(atom.a) + (is_div ? " / " : " % ") + operand(atom.b);
}

std::string IndexText::atom_text(const Atom& atom, bool alone) const {
  if (atom.kind == AtomKind::xor_) {
    return "(" + operand(atom.a) + " ^ " + operand(atom.b) + ")";
  }
  if (atom.kind == AtomKind::div || atom.kind == AtomKind::mod) {
    const std::string quotient = quotient_text(atom);
    return alone || is_call(quotient) ? quotient : "(" + quotient + ")";
  }
  if (atom.kind == AtomKind::data) {
    const std::string& name = static_cast<const Tensor*>(atom.owner)->name;
    return "rt::pick<Index>(" + name + "[" + text(atom.a) + "], " + text(atom.extent) + ")";
  }
  return name_of(atom);
}

std::string IndexText::product_text(const Term& term, bool alone) const {
  const uint64_t factor = magnitude_of(term.coefficient);
  std::string out;
  for (const Atom* atom : term.atoms) {
    out += (out.empty() ? "" : " * ") + atom_text(*atom, alone && term.atoms.size() == 1 && factor == 1);
  }
  return out.empty() ? number(factor) : factor == 1 ? out : out + " * " + number(factor);
}

std::string IndexText::text(Index p) const {
  const auto size = sizes_.find(p);
  if (size != sizes_.end()) {
    used_.insert(size->second);
    return size->second;
  }
  std::string out;
  for (const Term& term : p->terms) {
    const bool minus = term.coefficient < 0;
    out += out.empty() ? (minus ? "-" : "") : minus ? " - " : " + ";
    out += product_text(term, p->terms.size() == 1 && !minus);
  }
  return out.empty() ? "0" : out;
}

std::string IndexText::operand(Index p) const {
  std::string out = text(p);
  return is_simple(out) || is_call(out) ? out : "(" + out + ")";
}

std::string IndexText::text(const std::vector<Test>& tests) const {
  std::string out;
  for (const Test& test : tests) {
    out += out.empty() ? "" : " && ";
    switch (test.kind) {
      case Test::Kind::lt:
        out += text(test.index) + " < " + text(test.bound);
        break;
      case Test::Kind::ge:
        out += text(test.index) + " >= 0";
        break;
      case Test::Kind::eq:
        out += text(test.index) + " == 0";
        break;
    }
  }
  return out.empty() ? "true" : out;
}

}  // namespace nvfuser
