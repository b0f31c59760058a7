// SPDX-License-Identifier: Apache-2.0
// Binding of sizes and scalar arguments to a fusion's scalars for one call.
#include "nvfuser/ir/evaluate.h"
#include "nvfuser/ir/pointwise.h"

namespace nvfuser {

namespace {

/// An input by position and printed name, as a part of a message.
struct Title {
  size_t k;
  const Val* input;
};

std::ostream& operator<<(std::ostream& out, const Title& title) {
  return out << "input " << title.k << ", " << *title.input << ",";
}

/// Where an expected size comes from.
struct Origin {
  const Val* extent;
};

std::ostream& operator<<(std::ostream& out, const Origin& origin) {
  return origin.extent->is_constant() ? out : out << " (" << *origin.extent << ", as bound before)";
}

const Val* input_at(const Fusion& fusion, size_t k) {
  check(k < fusion.inputs().size(), ErrorKind::definition, "Expected ", fusion.inputs().size(),
        " inputs, but got one at position ", k);
  return fusion.inputs()[k];
}

}  // namespace

ScalarBinding::ScalarBinding(const Fusion& fusion) : fusion_(fusion) {}

void ScalarBinding::bind_extent(size_t k, const Val* input, size_t axis, const Val* extent, int64_t size) {
  check(size >= 0, ErrorKind::shape, "Expected ", Title{k, input}, " to have no negative size, but axis ", axis,
        " has size ", size);
  if (!extent->is_constant() && extent->definition() == nullptr && !values_.contains(extent)) {
    values_.emplace(extent, size);
    return;
  }
  const int64_t expected = integer(extent);
  check(size == expected, ErrorKind::shape, "Expected ", Title{k, input}, " to have size ", expected, " in axis ", axis,
        Origin{extent}, ", but got size ", size);
}

void ScalarBinding::bind_tensor(size_t k, const std::vector<int64_t>& sizes) {
  const Val* input = input_at(fusion_, k);
  check(input->is_tensor(), ErrorKind::definition, "Expected ", Title{k, input},
        " to be a scalar but got tensor of rank ", sizes.size());
  const auto axes = static_cast<const TensorView*>(input)->domain()->no_reductions();
  check(axes.size() == sizes.size(), ErrorKind::shape, "Expected ", Title{k, input}, " to have rank ", axes.size(),
        ", but got a tensor of rank ", sizes.size());
  for (size_t axis = 0; axis < axes.size(); ++axis) {
    bind_extent(k, input, axis, axes[axis]->visible_extent(), sizes[axis]);
  }
}

void ScalarBinding::bind_scalar(size_t k, ScalarValue value) {
  const Val* input = input_at(fusion_, k);
  check(input->is_scalar(), ErrorKind::definition, "Expected ", Title{k, input}, " to be an at::Tensor but got scalar ",
        to_string(value));
  const int given =
      static_cast<int>(value.index()) + static_cast<int>(DataKind::boolean);  // variant and kinds agree in order
  check(given <= static_cast<int>(kind_of(input->dtype())), ErrorKind::dtype, "Scalar value ", to_string(value),
        " is not compatible with the expected data type ", name_of(input->dtype()), " of input ", k, ", ", *input);
  const ScalarValue cast = cast_scalar(value, input->dtype());
  const auto [place, fresh] = values_.emplace(input, cast);
  check(fresh || place->second == cast, ErrorKind::shape, "Expected ", Title{k, input}, " to be ",
        to_string(place->second), " as bound before, but got ", to_string(cast));
}

ScalarValue ScalarBinding::value(const Val* scalar) {
  ensure(scalar->is_scalar(), *scalar, " is no scalar");
  if (scalar->is_constant()) {
    return *scalar->constant();
  }
  if (const auto found = values_.find(scalar); found != values_.end()) {
    return found->second;
  }
  const Expr* definition = scalar->definition();
  check(definition != nullptr, ErrorKind::definition, "scalar ", *scalar,
        " has no value: it is neither an input, nor the extent of an input, nor computed from such");
  std::vector<ScalarValue> operands;
  for (const Val* operand : definition->inputs()) {
    operands.push_back(value(operand));
  }
  ScalarValue result;
  if (definition->kind() == ExprKind::pointwise) {
    result = evaluate_scalar(definition->attribute<PointwiseOp>(0), operands, operation_type(*definition));
  } else {
    ensure(definition->kind() == ExprKind::cast, "no scalars are made by ", *definition);
    result = operands.at(0);
  }
  return values_[scalar] = cast_scalar(result, scalar->dtype());
}

int64_t ScalarBinding::integer(const Val* scalar) {
  const ScalarValue found = value(scalar);
  const auto* integer = std::get_if<int64_t>(&found);
  check(integer != nullptr, ErrorKind::dtype, "scalar ", *scalar, " of dtype ", name_of(scalar->dtype()),
        " stands where an integer was expected");
  return *integer;
}

std::vector<int64_t> ScalarBinding::sizes(const TensorView* tensor) {
  std::vector<int64_t> result;
  for (const IterDomain* axis : tensor->domain()->no_reductions()) {
    result.push_back(integer(axis->visible_extent()));
    check(result.back() >= 0, ErrorKind::shape, "axis ", result.size() - 1, " of ", *tensor, " has size ",
          result.back(), "; a size cannot be negative");
  }
  return result;
}

}  // namespace nvfuser
