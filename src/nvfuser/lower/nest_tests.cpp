// SPDX-License-Identifier: Apache-2.0
// See nest_tests.h.
#include "nvfuser/lower/nest_tests.h"

#include <algorithm>

#include "nvfuser/lower/predicates.h"

namespace nvfuser {

namespace {

/// Keeps of `common` what stands in `mine`.
void intersect(std::vector<Test>& common, const std::vector<Test>& mine) {
  std::erase_if(common, [&](const Test& t) { return std::find(mine.begin(), mine.end(), t) == mine.end(); });
}

/// Tests around everything that the item does.
std::vector<Test> tests_around(const Item& item) {
  if (item.kind == Item::Kind::step) {
    return item.tests;
  }
  std::vector<Test> common = shared_tests(item.body);
  if (item.kind == Item::Kind::branch && !item.otherwise.empty()) {
    intersect(common, shared_tests(item.otherwise));
  }
  return common;
}

}  // namespace

bool holds_sync(const std::vector<Item>& body) {
  return std::any_of(body.begin(), body.end(), [](const Item& item) {
    return item.kind == Item::Kind::sync || item.barrier || holds_sync(item.body) || holds_sync(item.otherwise);
  });
}

bool is_allocation(const Item& item) {
  return item.kind == Item::Kind::step && std::holds_alternative<Allocate>(item.action);
}

std::vector<Test> shared_tests(const std::vector<Item>& body) {
  if (holds_sync(body)) {
    return {};
  }
  bool first = true;
  std::vector<Test> common;
  for (const Item& item : body) {
    if (is_allocation(item)) {
      continue;
    }
    if (first) {
      common = tests_around(item);
      first = false;
    } else {
      intersect(common, tests_around(item));
    }
  }
  return common;
}

void drop_test(std::vector<Item>& body, const Test& test) {
  for (Item& item : body) {
    std::erase(item.tests, test);
    drop_test(item.body, test);
    drop_test(item.otherwise, test);
  }
}

void collect_tests(const std::vector<Item>& body, std::vector<Test>& tests) {
  for (const Item& item : body) {
    tests.insert(tests.end(), item.tests.begin(), item.tests.end());
    collect_tests(item.body, tests);
    collect_tests(item.otherwise, tests);
  }
}

void inner_loops(const std::vector<Item>& body, std::vector<const Item*>& loops) {
  for (const Item& item : body) {
    if (item.kind == Item::Kind::loop) {
      loops.push_back(&item);
    }
    inner_loops(item.body, loops);
    inner_loops(item.otherwise, loops);
  }
}

bool names_inside(const Test& test, const Item& item) {
  std::vector<const Item*> loops;
  if (item.kind == Item::Kind::loop) {
    loops.push_back(&item);
  }
  inner_loops(item.body, loops);
  inner_loops(item.otherwise, loops);
  return std::any_of(loops.begin(), loops.end(),
                     [&](const Item* l) { return depends_on(test, l->variable->as_atom()); });
}

}  // namespace nvfuser
