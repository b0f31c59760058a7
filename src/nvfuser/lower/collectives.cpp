// SPDX-License-Identifier: Apache-2.0
// Joins of one team.  A join may stand as early as the last step that touches
// its accumulators.
#include "nvfuser/lower/collectives.h"

#include <algorithm>

namespace nvfuser {

namespace {

bool names(const std::vector<const Tensor*>& reduces, const Tensor* t) {
  return std::find(reduces.begin(), reduces.end(), t) != reduces.end();
}

/// Does the step, or one inside, work on an accumulator of these reductions?
bool touches(const Item& item, const std::vector<const Tensor*>& reduces) {
  if (const auto* begin = std::get_if<Begin>(&item.action)) {
    return names(reduces, begin->reduce);
  }
  if (const auto* accumulate = std::get_if<Accumulate>(&item.action)) {
    return names(reduces, accumulate->reduce);
  }
  if (const auto* allocate = std::get_if<Allocate>(&item.action)) {
    return allocate->accumulators && names(reduces, allocate->tensor);
  }
  const auto inside = [&](const Item& inner) { return touches(inner, reduces); };
  return std::any_of(item.body.begin(), item.body.end(), inside) ||
         std::any_of(item.otherwise.begin(), item.otherwise.end(), inside);
}

/// The joins of this body that can stand at its position `at` move there.
void gather(std::vector<Item>& body, size_t at) {
  Join& first = std::get<Join>(body[at].action);
  for (size_t k = at + 1; k < body.size(); ++k) {
    const auto* other = std::get_if<Join>(&body[k].action);
    if (other == nullptr || other->team != first.team) {
      continue;
    }
    const bool free =
        std::none_of(body.begin() + static_cast<std::ptrdiff_t>(at) + 1, body.begin() + static_cast<std::ptrdiff_t>(k),
                     [&](const Item& item) { return touches(item, other->reduces); });
    if (free) {
      first.reduces.insert(first.reduces.end(), other->reduces.begin(), other->reduces.end());
      first.counts.insert(first.counts.end(), other->counts.begin(), other->counts.end());
      body.erase(body.begin() + static_cast<std::ptrdiff_t>(k));
      --k;
    }
  }
}

void walk(std::vector<Item>& body) {
  for (size_t k = 0; k < body.size(); ++k) {
    if (std::holds_alternative<Join>(body[k].action)) {
      gather(body, k);
    }
    walk(body[k].body);
  }
}

}  // namespace

void join_collectives(Lowering& state) { walk(state.body); }

}  // namespace nvfuser
