// SPDX-License-Identifier: Apache-2.0
// Building and running the list.
#include "nvfuser/runtime/scalar_tape.h"

#include <algorithm>

#include "nvfuser/ir/pointwise.h"

namespace nvfuser {
namespace {

ScalarValue word_of(uint64_t value) { return static_cast<int64_t>(value); }

}  // namespace

int ScalarTape::append(const Val* scalar, Line line) {
  line.dtype = scalar->dtype();
  lines_.push_back(line);
  return places_[scalar] = static_cast<int>(lines_.size()) - 1;
}

int ScalarTape::add(const Val* scalar, const Fusion& fusion, ScalarBinding& binding) {
  if (const auto known = places_.find(scalar); known != places_.end()) {
    return known->second;
  }
  if (scalar->role() != ScalarRole::plain) {
    draws_ = true;
    return append(scalar, {scalar->role() == ScalarRole::seed ? Line::Kind::seed : Line::Kind::offset});
  }
  Line line{Line::Kind::argument};
  const auto input = std::find(fusion.inputs().begin(), fusion.inputs().end(), scalar);
  if (input != fusion.inputs().end()) {
    line.argument = static_cast<int>(input - fusion.inputs().begin());
    return append(scalar, line);
  }
  const Expr* definition = scalar->definition();
  if (definition == nullptr || scalar->is_constant()) {
    line.kind = Line::Kind::constant;
    line.constant = binding.value(scalar);
    return append(scalar, line);
  }
  const bool is_pointwise = definition->kind() == ExprKind::pointwise;
  ensure(is_pointwise || definition->kind() == ExprKind::cast, "no scalars are made by ", *definition);
  line.kind = is_pointwise ? Line::Kind::pointwise : Line::Kind::cast;
  if (is_pointwise) {
    line.op = definition->attribute<PointwiseOp>(0);
    line.operation = operation_type(*definition);
  }
  line.count = static_cast<int>(definition->inputs().size());
  ensure(line.count <= kMostOperands, *definition, " has ", line.count, " operands");
  for (int k = 0; k < line.count; ++k) {
    line.operands[k] = add(definition->inputs()[k], fusion, binding);
  }
  return append(scalar, line);
}

void ScalarTape::run(const CallArguments& call, const RandomState& random, std::span<ScalarValue> values) const {
  std::array<ScalarValue, kMostOperands> operands;
  for (size_t k = 0; k < lines_.size(); ++k) {
    const Line& line = lines_[k];
    for (int place = 0; place < line.count; ++place) {
      operands[place] = values[line.operands[place]];
    }
    switch (line.kind) {
      case Line::Kind::constant:
        values[k] = line.constant;
        continue;
      case Line::Kind::seed:
        values[k] = word_of(random.seed);
        continue;
      case Line::Kind::offset:
        values[k] = word_of(random.offset);
        continue;
      case Line::Kind::argument:
        values[k] = cast_scalar(call.scalar(line.argument), line.dtype);
        continue;
      case Line::Kind::cast:
        values[k] = cast_scalar(operands[0], line.dtype);
        continue;
      case Line::Kind::pointwise:
        values[k] =
            cast_scalar(evaluate_scalar(line.op, std::span(operands.data(), line.count), line.operation), line.dtype);
    }
  }
}

}  // namespace nvfuser
