// SPDX-License-Identifier: Apache-2.0
// Scalars that kernels get and that are computed from several arguments, as a list of operations: a call fills in its
// scalars and random state and runs down the list.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "nvfuser/ir/evaluate.h"
#include "nvfuser/runtime/call_arguments.h"

namespace nvfuser {

class ScalarTape {
 public:
  /// The position of a scalar's value.  What the facts of a call decide, such as sizes, becomes a constant here.
  int add(const Val* scalar, const Fusion& fusion, ScalarBinding& binding);

  bool empty() const { return lines_.empty(); }
  size_t size() const { return lines_.size(); }
  /// Does some value depend on the state of the random generator?
  bool draws() const { return draws_; }
  /// Values of all positions.
  void run(const CallArguments& call, const RandomState& random, std::span<ScalarValue> values) const;

 private:
  static constexpr int kMostOperands = 4;
  struct Line {
    enum class Kind : uint8_t { constant, argument, seed, offset, cast, pointwise } kind;
    DataType dtype = DataType::Null;      ///< of the value
    DataType operation = DataType::Null;  ///< pointwise: in which it is computed
    PointwiseOp op{};
    int argument = -1;
    int count = 0;  ///< of operands
    std::array<int, kMostOperands> operands{};
    ScalarValue constant{};
  };

  int append(const Val* scalar, Line line);

  std::vector<Line> lines_;
  bool draws_ = false;
  std::unordered_map<const Val*, int> places_;
};

}  // namespace nvfuser
