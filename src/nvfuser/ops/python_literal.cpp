// SPDX-License-Identifier: Apache-2.0
// Numbers as Python literals: see python_source.h.
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "nvfuser/ops/python_source.h"

namespace nvfuser {
namespace {

/// Six significant digits where they say it all, else the shortest text that reads back as the same number.
std::string literal(double value) {
  if (std::isnan(value)) {
    return "float(\"nan\")";
  }
  if (std::isinf(value)) {
    return value > 0 ? "float(\"inf\")" : "float(\"-inf\")";
  }
  char text[64];
  std::snprintf(text, sizeof text, "%#.6g", value);
  if (std::strtod(text, nullptr) == value && text[std::char_traits<char>::length(text) - 1] != '.') {
    return text;
  }
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  std::string shortest(text, end);
  return shortest.find_first_of(".e") == std::string::npos ? shortest + ".0" : shortest;
}

std::string literal(bool value) { return value ? "True" : "False"; }
std::string literal(int64_t value) { return std::to_string(value); }
std::string literal(const std::complex<double>& value) {
  return "complex(" + literal(value.real()) + ", " + literal(value.imag()) + ")";
}

}  // namespace

std::string python_literal(const ScalarValue& value) {
  return std::visit([](const auto& v) { return literal(v); }, value);
}

}  // namespace nvfuser
