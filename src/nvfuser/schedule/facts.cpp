// SPDX-License-Identifier: Apache-2.0
// Facts as a value: inclusion, the algebra under them, text.
#include "nvfuser/schedule/facts.h"

#include <algorithm>
#include <charconv>
#include <numeric>

namespace nvfuser {

namespace {

/// The number that a text is; 0 for other texts.
int64_t number_in(const std::string& text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : 0;
}

}  // namespace

bool Facts::divides(const Transform& split) const {
  const Index extent = split.inputs[0]->extent;
  if (extent->is_constant() && split.factor->is_constant()) {
    return extent->constant() > 0 && extent->constant() % split.factor->constant() == 0;
  }
  return exact.contains({to_string(extent), to_string(split.factor)});
}

int64_t Facts::least_of(Index product) const {
  if (product->terms.size() != 1) {
    return 0;
  }
  int64_t total = std::max<int64_t>(0, product->terms[0].coefficient);
  for (const Atom* atom : product->terms[0].atoms) {
    if (atom->kind != AtomKind::size || is_stride(*atom)) {
      return 0;
    }
    const auto known = least.find(atom->name);
    const int64_t factor = known == least.end() ? 1 : known->second;
    if (__builtin_mul_overflow(total, factor, &total)) {
      return 0;
    }
  }
  return total;
}

Index Facts::with_same(const Algebra& algebra, Index p) const {
  if (same.empty()) {
    return p;
  }
  return algebra.substitute(p, [&](const Atom& atom) -> Index {
    const auto known = same.find(atom.name);
    return atom.kind == AtomKind::size && known != same.end() ? algebra.pool().size(known->second) : nullptr;
  });
}

Algebra Facts::algebra(IndexPool& pool) const {
  std::unordered_map<std::string, int64_t> known(divisors.begin(), divisors.end());
  for (const auto& [extent, factor] : exact) {
    // What is no name of a size is asked for by nobody.
    if (const int64_t divisor = number_in(factor); divisor > 1) {
      int64_t& all = known.try_emplace(extent, 1).first->second;
      all = std::lcm(all, divisor);
    }
  }
  return Algebra(pool, std::move(known));
}

std::string Facts::text() const {
  std::string text;
  for (const auto& [extent, factor] : exact) {
    text += (text.empty() ? "exact " : ", ") + extent + " / " + factor;
  }
  std::string rest;
  for (const auto& [name, divisor] : divisors) {
    rest += (rest.empty() ? "" : ", ") + name + "%" + std::to_string(divisor);
  }
  for (const auto& [name, bound] : least) {
    rest += (rest.empty() ? "" : ", ") + name + ">=" + std::to_string(bound);
  }
  for (const auto& [name, other] : same) {
    rest += (rest.empty() ? "" : ", ") + name + "=" + other;
  }
  for (const auto& [name, bytes] : alignment) {
    rest += (rest.empty() ? "" : ", ") + name + "@" + std::to_string(bytes);
  }
  const std::string width = wide ? "wide" : "narrow";
  return text + (text.empty() ? "" : "; ") + rest + (rest.empty() ? "" : "; ") + width;
}

}  // namespace nvfuser
