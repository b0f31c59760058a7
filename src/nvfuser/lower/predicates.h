// SPDX-License-Identifier: Apache-2.0
// Under which tests an operation runs.  An operation is tested once at each axis that it depends on, at each inner
// output of a split that overflows on the way to the loops, at each overflowing merge of which it takes the inner
// input, and by the range tests that links bring; facts remove what cannot fail.
#pragma once

#include <optional>

#include "nvfuser/lower/lowering.h"

namespace nvfuser {

/// Everything under which the main operation of t runs; provable tests are left out, none stands twice.
std::vector<Test> tests_of(Lowering& state, const Tensor& t);
/// Tests that make one point write each element: unbound thread indices are 0; for global memory also unbound block
/// indices and foreign axes of promoted loops.
std::vector<Test> single_writer_tests(Lowering& state, const Tensor& t);

/// index < bound; a quotient q / n < b is written q < b * n, so that an extent of 0 never divides.
Test below_test(IndexPool& pool, Index index, Index bound);
/// p = coefficient * variable + rest; null when the variable stands inside a product or an operation.
struct Linear {
  int64_t coefficient;
  Index rest;
};
std::optional<Linear> linear_in(IndexPool& pool, Index p, const Atom* variable);
/// The test with variable = 0 when that decides it for all values 0 .. extent - 1; none otherwise.
std::optional<Test> without_lane(const Algebra& algebra, const Test& test, const Atom* variable, int64_t extent);
bool depends_on(const Test& test, const Atom* variable);
/// Tests without those that hold and those that another one implies, in their order: where a link's tests fail, indices
/// that were composed behind it may be negative, so its tests come before those that divide such an index.
std::vector<Test> tidy_tests(const Algebra& algebra, std::vector<Test> tests);
/// Equal but for the order; neither repeats a test.
bool same_tests(const std::vector<Test>& a, const std::vector<Test>& b);

}  // namespace nvfuser
