// SPDX-License-Identifier: Apache-2.0
// See common_tests.h.  Rows side by side are tested at all that comes of them, but not at what is the same for all
// rows: between the former it would leave a branch for each element.
#include "nvfuser/lower/common_tests.h"

#include <algorithm>
#include <set>

#include "nvfuser/lower/nest_tests.h"

namespace nvfuser {

namespace {

/// A value that lives in the body: nothing outside reads it.
const Tensor* own_value(const Item& step, const std::set<const Tensor*>& own) {
  const auto* assign = std::get_if<Assign>(&step.action);
  return assign != nullptr && own.contains(assign->to.tensor) ? assign->to.tensor : nullptr;
}

std::set<const Tensor*> allocated_in(const std::vector<Item>& body) {
  std::set<const Tensor*> own;
  for (const Item& item : body) {
    if (is_allocation(item) && !std::get<Allocate>(item.action).accumulators) {
      own.insert(std::get<Allocate>(item.action).tensor);
    }
  }
  return own;
}

/// Of a body, steps without the test; none where one of them does more than to make an own value.
std::vector<Item*> untested(std::vector<Item>& body, const Test& test, const std::set<const Tensor*>& own) {
  std::vector<Item*> found;
  for (Item& item : body) {
    const std::vector<Test> around = item.kind == Item::Kind::step ? item.tests : shared_tests(item.body);
    if (is_allocation(item) || std::find(around.begin(), around.end(), test) != around.end()) {
      continue;
    }
    if (item.kind != Item::Kind::step || own_value(item, own) == nullptr) {
      return {};
    }
    found.push_back(&item);
  }
  return found;
}

/// Everything else in the body is tested, so whatever reads these values is, or is one of them.
void share(Item& loop) {
  std::vector<Test> tests;
  collect_tests(loop.body, tests);
  const std::set<const Tensor*> own = allocated_in(loop.body);
  for (const Test& test : tests) {
    if (!names_inside(test, loop)) {
      for (Item* step : untested(loop.body, test, own)) {
        step->tests.push_back(test);
      }
    }
  }
}

void walk(std::vector<Item>& body) {
  for (Item& item : body) {
    walk(item.body);
    walk(item.otherwise);
    if (item.kind == Item::Kind::loop && !holds_sync(item.body)) {
      share(item);
    }
  }
}

}  // namespace

void share_tests(Lowering& state) {
  if (state.request.target == Target::gpu) {
    walk(state.body);
  }
}

}  // namespace nvfuser
