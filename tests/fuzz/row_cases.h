// SPDX-License-Identifier: Apache-2.0
// Fusions that reduce rows or columns.  Sums of the values that tests have, multiples of 1/8, are exact in any order,
// so a wrong schedule shows in every bit.
#pragma once

#include "nvfuser/ops/reduce.h"
#include "schedule_cases.h"

namespace nvfuser {

/// What is made of rows.
enum class ReducedForm : uint8_t { sum, largest, distance, sum_of_distances, scaled_beside_sum, position };
inline constexpr int kReducedForms = 6;

/// x[m, n], reduced along an axis: rows, or columns.
inline KernelCase reduced_case(ReducedForm form, int64_t m, int64_t n, int64_t axis = 1) {
  KernelCase test;
  TensorView* x = test.input({m, n});
  const std::vector<int64_t> along = {axis};
  const auto most = [&] { return max(x, along, true); };
  switch (form) {
    case ReducedForm::sum:
      test.output(sum(x, along));
      break;
    case ReducedForm::largest:
      test.output(max(x, along));
      break;
    case ReducedForm::distance:
      test.output(binary(PointwiseOp::sub, x, most()));
      break;
    case ReducedForm::sum_of_distances:
      test.output(sum(binary(PointwiseOp::sub, x, most()), along));
      break;
    case ReducedForm::scaled_beside_sum: {
      TensorView* twice = binary(PointwiseOp::add, x, x);
      test.output(twice);
      test.output(sum(twice, along));
      break;
    }
    case ReducedForm::position:
      test.output(argmax(x, along));
      break;
  }
  return test;
}

/// What is made of rows that are reduced along them and across them.
enum class MixedForm : uint8_t { sums, behind_statistics, differences, positions };
inline constexpr int kMixedForms = 4;

inline KernelCase mixed_case(MixedForm form, int64_t m, int64_t n) {
  KernelCase test;
  TensorView* x = test.input({m, n});
  switch (form) {
    case MixedForm::sums:
      test.output(sum(x, {{1}}));
      test.output(sum(x, {{0}}));
      break;
    case MixedForm::behind_statistics: {
      TensorView* w = test.input({n});
      TensorView* distance = binary(PointwiseOp::sub, x, max(x, {{1}}, true));
      TensorView* weighed = binary(PointwiseOp::add, distance, broadcast(w, {true, false}));
      test.output(binary(PointwiseOp::add, max(weighed, {{0}}), w));
      test.output(sum(weighed, {{0}}));
      break;
    }
    case MixedForm::differences: {
      TensorView* y = test.input({m, n});
      test.output(binary(PointwiseOp::sub, x, sum(y, {{1}}, true)));
      test.output(sum(binary(PointwiseOp::add, x, y), {{0}}));
      break;
    }
    case MixedForm::positions:
      test.output(argmin(x, {{0}}));
      test.output(argmax(x, {{1}}));
      break;
  }
  return test;
}

}  // namespace nvfuser
