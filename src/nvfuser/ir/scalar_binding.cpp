// SPDX-License-Identifier: Apache-2.0
// Binding of sizes and scalar arguments to a fusion's scalars for one call.
#include <algorithm>
#include <cctype>
#include <sstream>

#include "nvfuser/ir/evaluate.h"
#include "nvfuser/ir/pointwise.h"

namespace nvfuser {

namespace {

std::string lower_case(std::string_view name) {
  std::string text(name);
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

/// A value as Python users know it from PyTorch: complex numbers as (2,1).
struct Given {
  const ScalarValue& value;
};

std::ostream& operator<<(std::ostream& out, const Given& given) {
  const auto* complex = std::get_if<std::complex<double>>(&given.value);
  return complex != nullptr ? out << *complex : out << to_string(given.value);
}

const Val* input_at(const Fusion& fusion, size_t k) {
  ensure(k < fusion.inputs().size(), "there is no input ", k, " among ", fusion.inputs().size());
  return fusion.inputs()[k];
}

}  // namespace

ScalarBinding::ScalarBinding(const Fusion& fusion) : fusion_(fusion) {}

void ScalarBinding::bind_extent(size_t k, const Val* input, size_t axis, const Val* extent, int64_t size) {
  const InputTitle title{k, input};
  check(size >= 0, ErrorKind::shape, "Expected ", title, " to have no negative size, but axis ", axis, " has size ",
        size, AtLine{*input});
  if (!extent->is_constant() && extent->definition() == nullptr && !values_.contains(extent)) {
    values_.emplace(extent, size);
    sources_.emplace(extent, Source{k, axis});
    return;
  }
  const int64_t expected = integer(extent);
  if (size == expected) {
    return;
  }
  const auto source = sources_.find(extent);
  if (source == sources_.end()) {
    fail(ErrorKind::shape, "Expected ", title, " to have size ", expected, " in axis ", axis, ", but got size ", size,
         AtLine{*input});
  }
  const auto [other, other_axis] = source->second;
  fail(ErrorKind::shape, "Expected ", title, " to have size ", expected, " in axis ", axis, " as axis ", other_axis,
       " of input ", other, " has, but got size ", size, AtLine{*input});
}

void ScalarBinding::bind_tensor(size_t k, const std::vector<int64_t>& sizes) {
  const Val* input = input_at(fusion_, k);
  check(input->is_tensor(), ErrorKind::definition, "Expected ", InputTitle{k, input},
        " to be a scalar but got tensor of rank ", sizes.size(), AtLine{*input});
  const auto axes = static_cast<const TensorView*>(input)->domain()->no_reductions();
  check(axes.size() == sizes.size(), ErrorKind::shape, "Expected ", InputTitle{k, input}, " to have rank ", axes.size(),
        ", but got a tensor of rank ", sizes.size(), AtLine{*input});
  for (size_t axis = 0; axis < axes.size(); ++axis) {
    bind_extent(k, input, axis, axes[axis]->visible_extent(), sizes[axis]);
  }
}

void ScalarBinding::bind_scalar(size_t k, ScalarValue value) {
  const Val* input = input_at(fusion_, k);
  check(input->is_scalar(), ErrorKind::definition, "Expected ", InputTitle{k, input},
        " to be an at::Tensor but got scalar ", Given{value}, AtLine{*input});
  const int given =
      static_cast<int>(value.index()) + static_cast<int>(DataKind::boolean);  // variant and kinds agree in order
  check(given <= static_cast<int>(kind_of(input->dtype())), ErrorKind::dtype, "Scalar value ", Given{value},
        " is not compatible with the expected data type: ", lower_case(name_of(input->dtype())), ". (",
        InputTitle{k, input}, ")", AtLine{*input});
  const ScalarValue cast = cast_scalar(value, input->dtype());
  const auto [place, fresh] = values_.emplace(input, cast);
  check(fresh || place->second == cast, ErrorKind::shape, "Expected ", InputTitle{k, input}, " to be ",
        to_string(place->second), " as bound before, but got ", to_string(cast), AtLine{*input});
}

ScalarValue ScalarBinding::value(const Val* scalar) {
  ensure(scalar->is_scalar(), *scalar, " is no scalar");
  if (scalar->is_constant()) {
    return *scalar->constant();
  }
  if (scalar->role() != ScalarRole::plain) {
    return static_cast<int64_t>(scalar->role() == ScalarRole::seed ? random_.seed : random_.offset);
  }
  if (const auto found = values_.find(scalar); found != values_.end()) {
    return found->second;
  }
  const Expr* definition = scalar->definition();
  check(definition != nullptr, ErrorKind::definition, "scalar ", *scalar,
        " has no value: it is neither an input, nor the extent of an input, nor computed from such", AtLine{*scalar});
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
        " stands where an integer was expected", AtLine{*scalar});
  return *integer;
}

std::vector<int64_t> ScalarBinding::sizes(const TensorView* tensor) {
  std::vector<int64_t> result;
  for (const IterDomain* axis : tensor->domain()->no_reductions()) {
    result.push_back(integer(axis->visible_extent()));
    check(result.back() >= 0, ErrorKind::shape, "axis ", result.size() - 1, " of ", *tensor, " has size ",
          result.back(), "; a size cannot be negative", AtLine{*tensor});
  }
  return result;
}

}  // namespace nvfuser
