// SPDX-License-Identifier: Apache-2.0
// Tests as they stand in the nest: which ones a body shares, which loops they name.  For the passes that split bodies
// and close guards.
#pragma once

#include "nvfuser/lower/lowering.h"

namespace nvfuser {

bool holds_sync(const std::vector<Item>& body);
bool is_allocation(const Item& item);
/// Tests that every statement of the body runs under; none when a barrier stands inside.
std::vector<Test> shared_tests(const std::vector<Item>& body);
/// Takes the test from every statement of the body.
void drop_test(std::vector<Item>& body, const Test& test);
/// Appends the tests of all statements, repeated ones too.
void collect_tests(const std::vector<Item>& body, std::vector<Test>& tests);
/// Appends all loops inside a body, outer ones first.
void inner_loops(const std::vector<Item>& body, std::vector<const Item*>& loops);
/// Does the test name the item's own loop, or a loop inside it?
bool names_inside(const Test& test, const Item& item);

}  // namespace nvfuser
