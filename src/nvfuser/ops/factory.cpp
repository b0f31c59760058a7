// SPDX-License-Identifier: Apache-2.0
// Tensors from scalars: see factory.h.
#include "nvfuser/ops/factory.h"

#include <cmath>

#include "nvfuser/ops/cast.h"
#include "nvfuser/ops/operand.h"
#include "nvfuser/ops/result.h"

namespace nvfuser {
namespace {

/// Start or step of iota as a scalar of the result's type.
Val* progression_term(Fusion& fusion, std::string_view what, Val* given, int64_t otherwise, DataType dtype) {
  if (given == nullptr) {
    return fusion.constant(convert_scalar(otherwise, dtype), dtype);
  }
  check_operand("iota", &fusion, given);
  check(given->is_scalar() && kind_of(given->dtype()) == kind_of(dtype), ErrorKind::dtype, "iota: ", what,
        " has to be a scalar of the kind of ", name_of(dtype), ", but got ", describe(given));
  const double* value = given->is_constant() ? std::get_if<double>(&*given->constant()) : nullptr;
  check(value == nullptr || std::isfinite(*value), ErrorKind::definition, "iota: ", what, " has to be finite, but is ",
        describe(given));
  return cast(given, dtype);
}

bool is_zero(const Val* value) {
  return value->is_constant() &&
         std::visit([](const auto& v) { return v == std::decay_t<decltype(v)>{}; }, *value->constant());
}

}  // namespace

TensorView* full(const std::vector<Val*>& shape, Val* fill_value, DataType dtype) {
  Fusion& fusion = fusion_of("full", fill_value);
  check(fill_value->is_scalar(), ErrorKind::definition, "full: the fill value has to be a scalar, but got ",
        describe(fill_value));
  std::vector<Val*> operands{cast(fill_value, dtype)};
  std::vector<IterDomain*> axes;
  for (Val* extent : integer_scalars("full", "the shape", fusion, shape)) {
    const auto known = known_integer(extent);
    check(!known || *known >= 0, ErrorKind::shape, "full: extent ", known.value_or(0), " of axis ", axes.size(),
          " is negative");
    axes.push_back(make_axis(fusion, extent));
    operands.push_back(extent);
  }
  const AllocationOrder order = row_major(axes.size());
  TensorView* result = make_tensor(fusion, std::move(axes), dtype, order);
  fusion.expr(ExprKind::full, std::move(operands), {result});
  return result;
}

TensorView* iota(Val* length, Val* start, Val* step, DataType dtype) {
  Fusion& fusion = fusion_of("iota", length);
  check(is_integral(dtype) || is_floating(dtype), ErrorKind::dtype, "iota: ", name_of(dtype),
        " is neither an integer nor a floating type");
  Val* extent = integer_scalars("iota", "the length", fusion, {length}).front();
  const auto known = known_integer(extent);
  check(!known || *known >= 0, ErrorKind::shape, "iota: the length ", known.value_or(0), " is negative");
  Val* first = progression_term(fusion, "start", start, 0, dtype);
  Val* stride = progression_term(fusion, "step", step, 1, dtype);
  check(!is_zero(stride), ErrorKind::definition, "iota: step has to differ from 0");
  TensorView* result = make_tensor(fusion, {make_axis(fusion, extent)}, dtype, row_major(1));
  fusion.expr(ExprKind::iota, {first, stride, extent}, {result});
  return result;
}

}  // namespace nvfuser
