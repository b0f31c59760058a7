// SPDX-License-Identifier: Apache-2.0
// Conversions: see cast.h.
#include "nvfuser/ops/cast.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "nvfuser/ops/operand.h"
#include "nvfuser/ops/result.h"
#include "nvfuser/ops/shape.h"

namespace nvfuser {
namespace {

/// Formats narrower than Float of which constants are rounded when they are made.
struct NarrowFormat {
  DataType type;
  int fraction_bits, least_exponent;
  double most;
};
constexpr NarrowFormat kNarrowFormats[] = {{DataType::Half, 10, -14, 65504.0},
                                           {DataType::BFloat16, 7, -126, 0x1.fep127}};

constexpr DataType kTinyPartners[] = {DataType::Float, DataType::Double, DataType::Half, DataType::BFloat16};

bool is_tiny_float(DataType type) { return is_floating(type) && info(type).bits <= 8; }

/// Nearest value of a format, ties to even; beyond the largest one infinity.
double rounded(double value, const NarrowFormat& format) {
  if (value == 0 || !std::isfinite(value)) {
    return value;
  }
  const int exponent = std::max(std::ilogb(value), format.least_exponent);
  const double unit = std::ldexp(1.0, exponent - format.fraction_bits);
  const double nearest = std::nearbyint(value / unit) * unit;
  return std::abs(nearest) > format.most ? std::copysign(std::numeric_limits<double>::infinity(), value) : nearest;
}

double as_floating(double value, DataType dtype) {
  if (dtype == DataType::Float) {
    return static_cast<float>(value);
  }
  for (const NarrowFormat& format : kNarrowFormats) {
    if (format.type == dtype) {
      return rounded(value, format);
    }
  }
  return value;
}

/// Truncates toward zero; what no integer can hold becomes the nearest limit, NaN becomes 0.
int64_t truncated(double value) {
  if (std::isnan(value)) {
    return 0;
  }
  if (value >= 0x1p63) {
    return std::numeric_limits<int64_t>::max();
  }
  return value < -0x1p63 ? std::numeric_limits<int64_t>::min() : static_cast<int64_t>(value);
}

int64_t as_integer(const ScalarValue& value, DataType dtype) {
  int64_t integer = std::visit(
      [](const auto& v) -> int64_t {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_integral_v<T>) {
          return v;
        } else if constexpr (std::is_floating_point_v<T>) {
          return truncated(v);
        } else {
          return truncated(v.real());
        }
      },
      value);
  return dtype == DataType::Int32 ? static_cast<int32_t>(integer) : integer;
}

double as_double(const ScalarValue& value) {
  if (const auto* complex = std::get_if<std::complex<double>>(&value)) {
    return complex->real();
  }
  return std::visit(
      [](const auto& v) -> double {
        if constexpr (std::is_arithmetic_v<std::decay_t<decltype(v)>>) {
          return static_cast<double>(v);
        } else {
          return v.real();
        }
      },
      value);
}

std::complex<double> as_complex(const ScalarValue& value, DataType dtype) {
  const auto* complex = std::get_if<std::complex<double>>(&value);
  const std::complex<double> wide = complex ? *complex : std::complex<double>(as_double(value), 0.0);
  return dtype == DataType::ComplexFloat ? std::complex<double>(std::complex<float>(wide)) : wide;
}

}  // namespace

bool can_cast(DataType from, DataType to) {
  for (const DataType type : {from, to}) {
    if (type == DataType::Null || type == DataType::Float4_e2m1fn_x2) {
      return false;
    }
  }
  if (from == to) {
    return true;
  }
  if (is_tiny_float(from) || is_tiny_float(to)) {
    const DataType partner = is_tiny_float(from) ? to : from;
    return std::find(std::begin(kTinyPartners), std::end(kTinyPartners), partner) != std::end(kTinyPartners);
  }
  return !is_complex(from) || is_complex(to) || is_boolean(to);
}

ScalarValue convert_scalar(const ScalarValue& value, DataType dtype) {
  switch (kind_of(dtype)) {
    case DataKind::boolean:
      return std::visit([](const auto& v) { return v != std::decay_t<decltype(v)>{}; }, value);
    case DataKind::integer:
      return as_integer(value, dtype);
    case DataKind::floating:
      return as_floating(as_double(value), dtype);
    case DataKind::complex:
      return as_complex(value, dtype);
    default:
      fail(ErrorKind::dtype, "a constant cannot have type ", name_of(dtype));
  }
}

Val* cast(Val* operand, DataType dtype) {
  Fusion& fusion = fusion_of("cast", operand);
  if (operand->is_constant() && is_tiny_float(dtype) && kind_of(operand->dtype()) < DataKind::floating) {
    operand = fusion.constant(convert_scalar(*operand->constant(), DataType::Double), DataType::Double);
  }
  const DataType from = operand->dtype();
  check(can_cast(from, dtype), ErrorKind::dtype, "cast: no conversion from ", name_of(from), " to ", name_of(dtype),
        " for ", describe(operand),
        is_complex(from)                              ? "; take real first"
        : is_tiny_float(from) || is_tiny_float(dtype) ? "; cast to Float first"
                                                      : "");
  if (from == dtype) {
    return operand->is_tensor() ? set(static_cast<TensorView*>(operand)) : operand;
  }
  if (operand->is_constant() && !is_tiny_float(dtype)) {
    return fusion.constant(convert_scalar(*operand->constant(), dtype), dtype);
  }
  if (operand->is_scalar()) {
    return scalar_expr(ExprKind::cast, {operand}, dtype, dtype);
  }
  const auto* tensor = static_cast<TensorView*>(operand);
  std::vector<IterDomain*> axes;
  for (const IterDomain* axis : axes_of(tensor)) {
    axes.push_back(copy_axis(axis));
  }
  TensorView* result = make_tensor(fusion, std::move(axes), dtype, allocation_order(tensor));
  fusion.expr(ExprKind::cast, {operand}, {result}, {dtype});
  return result;
}

}  // namespace nvfuser
