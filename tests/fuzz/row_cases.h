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

}  // namespace nvfuser
