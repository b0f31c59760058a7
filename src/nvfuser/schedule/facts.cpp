// SPDX-License-Identifier: Apache-2.0
// Facts as a value: inclusion, the algebra under them, text.
#include "nvfuser/schedule/facts.h"

#include <algorithm>

namespace nvfuser {

namespace {

/// Every number that `theirs` promises is promised by `mine`, too.
bool promises(const std::map<std::string, int64_t>& mine, const std::map<std::string, int64_t>& theirs) {
  return std::all_of(theirs.begin(), theirs.end(), [&](const auto& fact) {
    auto found = mine.find(fact.first);
    return found == mine.end() ? fact.second == 1 : found->second % fact.second == 0;
  });
}

}  // namespace

bool Facts::includes(const Facts& other) const {
  return std::includes(exact.begin(), exact.end(), other.exact.begin(), other.exact.end()) &&
         promises(divisors, other.divisors) && promises(alignment, other.alignment) && (other.wide || !wide);
}

bool Facts::divides(const Transform& split) const {
  const Index extent = split.inputs[0]->extent;
  if (extent->is_constant() && split.factor->is_constant()) {
    return extent->constant() > 0 && extent->constant() % split.factor->constant() == 0;
  }
  return exact.count({to_string(extent), to_string(split.factor)}) > 0;
}

Algebra Facts::algebra(IndexPool& pool) const { return Algebra(pool, {divisors.begin(), divisors.end()}); }

std::string Facts::text() const {
  std::string text;
  for (const auto& [extent, factor] : exact) {
    text += (text.empty() ? "exact " : ", ") + extent + " / " + factor;
  }
  std::string rest;
  for (const auto& [name, divisor] : divisors) {
    rest += (rest.empty() ? "" : ", ") + name + "%" + std::to_string(divisor);
  }
  for (const auto& [name, bytes] : alignment) {
    rest += (rest.empty() ? "" : ", ") + name + "@" + std::to_string(bytes);
  }
  const std::string width = wide ? "wide" : "narrow";
  return text + (text.empty() ? "" : "; ") + rest + (rest.empty() ? "" : "; ") + width;
}

}  // namespace nvfuser
