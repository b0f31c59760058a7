// SPDX-License-Identifier: Apache-2.0
// The evaluator: computes a fusion straight from its links, without a compiler.  Reference of every test, and the way
// to run where no compiler exists.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "nvfuser/ir/fusion.h"

namespace nvfuser {

/// A strided view of host memory.  Strides are in elements and may be 0 or negative.
struct HostTensor {
  void* data = nullptr;
  DataType dtype = DataType::Null;
  std::vector<int64_t> sizes, strides;
};

/// An argument of a fusion: a tensor or a scalar, by position of Fusion::inputs().
using HostArgument = std::variant<HostTensor, ScalarValue>;

/// State of a random generator: the values of a fusion's two random leaves for one call.
struct RandomState {
  uint64_t seed = 0, offset = 0;
};

/// Values of integer scalars and every other scalar of a fusion for one call: binds symbolic inputs and the extents of
/// input tensors, checks them, and evaluates scalar expressions on demand.  This is the one place where run-time sizes
/// meet extents.
class ScalarBinding {
 public:
  explicit ScalarBinding(const Fusion& fusion);
  /// Binds input k.  `sizes` of a tensor against the extents of its axes: ErrorKind::shape with the input's name and
  /// what came when a static extent or an extent that is bound already differs.
  void bind_tensor(size_t k, const std::vector<int64_t>& sizes);
  void bind_scalar(size_t k, ScalarValue value);
  /// Values of the random leaves; without it both are 0.
  void bind_random(const RandomState& state) { random_ = state; }
  ScalarValue value(const Val* scalar);
  int64_t integer(const Val* scalar);
  /// Visible sizes of a tensor of the fusion.
  std::vector<int64_t> sizes(const TensorView* tensor);

 private:
  /// The input and the axis that gave an extent its value.
  struct Source {
    size_t input, axis;
  };
  void bind_extent(size_t k, const Val* input, size_t axis, const Val* extent, int64_t size);

  const Fusion& fusion_;
  std::unordered_map<const Val*, ScalarValue> values_;
  std::unordered_map<const Val*, Source> sources_;
  RandomState random_;
};

/// ir/check_sizes.cpp: holds the sizes of a call against every live expression: operands of one operation agree, an
/// expand grows only axes of size 1, a reshape keeps the number of elements, nothing is negative.  ErrorKind::shape
/// that names the op, the user's line and both sizes.  Whoever runs a fusion calls it first; nothing behind it checks
/// sizes.
void check_sizes(const Fusion& fusion, ScalarBinding& binding);

enum class EvaluatePrecision {
  kernel,   ///< each value in the dtype in which kernels compute it, rounded to its storage type
  float64,  ///< every floating value in double (complex in complex double), never rounded in between
};

/// Evaluates all outputs into `results` (parallel to fusion.outputs(), already allocated by the caller: sizes as
/// ScalarBinding::sizes says; dtype the output's, or Double / ComplexDouble in float64 mode for floating outputs).
/// Works in blocks that fit the cache; shares common sub-expressions within a block.  Aliased results are written last.
void evaluate(const Fusion& fusion, const std::vector<HostArgument>& arguments, const std::vector<HostTensor>& results,
              EvaluatePrecision precision = EvaluatePrecision::kernel, const RandomState& random = {});

/// One pointwise operation on scalars, in the dtype given (constant folding, scalar expressions).
/// `dtype` is the type in which the operation is computed (of comparisons the operands' type); the result has the kind
/// of result_type(op, dtype).  Narrow floats round.
ScalarValue evaluate_scalar(PointwiseOp op, std::span<const ScalarValue> operands, DataType dtype);
inline ScalarValue evaluate_scalar(PointwiseOp op, const std::vector<ScalarValue>& operands, DataType dtype) {
  return evaluate_scalar(op, std::span<const ScalarValue>(operands), dtype);
}
/// A scalar as a value of that dtype: integers wrap, floats round, complex drops its imaginary part for real types.
ScalarValue cast_scalar(const ScalarValue& value, DataType dtype);
/// True when the operation has a meaning for operands of that dtype: the types for which its expression compiles.
bool is_supported(PointwiseOp op, DataType dtype);

}  // namespace nvfuser
