// SPDX-License-Identifier: Apache-2.0
// Values as text.  Decimal texts are the shortest that read back as the same number.
#include "nvfuser/codegen/value_text.h"

#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>

#include "nvfuser/ops/cast.h"

namespace nvfuser {

namespace {

template <class T>
std::string decimal(T value) {
  char room[64];
  const auto end = std::to_chars(room, room + sizeof room, value).ptr;
  std::string out(room, end);
  return out.find_first_of(".e") == std::string::npos ? out + ".0" : out;
}

/// Infinity and NaN have no literal; their bits have.
std::string float32_text(float value) {
  if (std::isfinite(value)) {
    return decimal(value) + "f";
  }
  return std::string("rt::bit_cast<rt::float32>(0x") +
         (std::isnan(value) ? "7fc00000"
          : value < 0       ? "ff800000"
                            : "7f800000") +
         "u)";
}

std::string float64_text(double value) {
  if (std::isfinite(value)) {
    return decimal(value);
  }
  return std::string("rt::bit_cast<rt::float64>(0x") +
         (std::isnan(value) ? "7ff8000000000000"
          : value < 0       ? "fff0000000000000"
                            : "7ff0000000000000") +
         "ull)";
}

std::string integer_text(int64_t value, DataType type) {
  if (type == DataType::UInt64) {
    return std::to_string(static_cast<uint64_t>(value)) + "ull";
  }
  const bool narrow = type == DataType::Int32;
  const int64_t least = narrow ? std::numeric_limits<int32_t>::min() : std::numeric_limits<int64_t>::min();
  const std::string suffix = narrow ? "" : "ll";
  // The least number is minus a number that does not exist.
  return value == least ? "(" + std::to_string(value + 1) + suffix + " - 1)" : std::to_string(value) + suffix;
}

/// `value` has the alternative that belongs to `type`, a type in which kernels compute.
std::string plain_literal(const ScalarValue& value, DataType type) {
  switch (kind_of(type)) {
    case DataKind::boolean:
      return std::get<bool>(value) ? "true" : "false";
    case DataKind::integer:
      return integer_text(std::get<int64_t>(value), type);
    case DataKind::floating:
      return type == DataType::Double ? float64_text(std::get<double>(value))
                                      : float32_text(static_cast<float>(std::get<double>(value)));
    case DataKind::complex:
      break;
    default:
      fail(ErrorKind::internal, "internal error: no literal of type ", name_of(type));
  }
  const auto z = std::get<std::complex<double>>(value);
  const bool narrow = type == DataType::ComplexFloat;
  const auto part = [&](double x) { return narrow ? float32_text(static_cast<float>(x)) : float64_text(x); };
  return type_text(type) + "{" + part(z.real()) + ", " + part(z.imag()) + "}";
}

/// Can the constant be brought from one type to the other here, with what rt::to would give?
bool converts_here(DataType from, DataType to) {
  const bool tiny = is_floating(from) && info(from).bits <= 8;
  const bool lossy = kind_of(from) > kind_of(to) && !is_boolean(to);
  return !tiny && !lossy && (from != DataType::UInt64 || is_integral(to));
}

}  // namespace

std::string type_text(DataType type) { return "rt::" + std::string(info(type).text); }

std::string convert_text(const std::string& text, DataType from, DataType to) {
  return info(from).text == info(to).text ? text : "rt::to<" + type_text(to) + ">(" + text + ")";
}

std::string literal_text(const ScalarValue& value, DataType from, DataType to) {
  const ScalarValue own = convert_scalar(value, from);
  const DataType compute = compute_type(to);
  if (converts_here(from, compute)) {
    return convert_text(plain_literal(convert_scalar(own, compute), compute), compute, to);
  }
  const DataType first = compute_type(from);
  return convert_text(convert_text(plain_literal(convert_scalar(own, first), first), first, from), from, to);
}

std::string expression_text(std::string_view expression, const std::vector<std::string>& operands) {
  const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
  std::string out;
  // Without the parentheses in which the table writes it.
  const std::string_view inner = expression.substr(1, expression.size() - 2);
  for (size_t at = 0; at < inner.size();) {
    size_t end = at;
    while (end < inner.size() && is_word(inner[end])) {
      ++end;
    }
    if (end == at) {
      out += inner[at++];
      continue;
    }
    const std::string_view word = inner.substr(at, end - at);
    const size_t operand = word.size() == 1 ? static_cast<size_t>(word[0] - 'a') : operands.size();
    if (operand < operands.size()) {
      // A minus sign needs parentheses unless the operand is a whole argument.
      const std::string& text = operands[operand];
      const bool argument = out.ends_with('(') || out.ends_with(", ");
      out += text[0] == '-' && !argument ? "(" + text + ")" : text;
    } else {
      out += word;
    }
    at = end;
  }
  return out;
}

}  // namespace nvfuser
