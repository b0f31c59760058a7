// SPDX-License-Identifier: Apache-2.0
// Element types and their traits, from the table dtype.def.
#pragma once

#include <cstdint>
#include <string_view>

namespace nvfuser {

enum class DataType : uint8_t {
#define DTYPE(name, ...) name,
#include "nvfuser/ir/dtype.def"
};

/// Kinds in promotion order.
enum class DataKind : uint8_t { none, boolean, integer, floating, complex };

/// One row of dtype.def.
struct DataTypeInfo {
  DataType type;
  std::string_view name;  ///< as in the Python API: "Float"
  int bits;               ///< storage of one element
  DataKind kind;
  std::string_view text;  ///< inside rt:: in kernels: "float32"
  DataType compute;       ///< the type in which kernels and the evaluator compute
  int dlpack_code;        ///< -1: not exchangeable
  int dlpack_bits;
  int dlpack_lanes;
  char letter;
};

inline constexpr DataTypeInfo kDataTypes[] = {
#define DTYPE(name, bits, kind, text, compute, code, dlbits, lanes, letter) \
  {DataType::name, #name, bits, DataKind::kind, #text, DataType::compute, code, dlbits, lanes, letter},
#include "nvfuser/ir/dtype.def"
};

constexpr const DataTypeInfo& info(DataType type) { return kDataTypes[static_cast<int>(type)]; }
constexpr std::string_view name_of(DataType type) { return info(type).name; }
constexpr DataKind kind_of(DataType type) { return info(type).kind; }
constexpr DataType compute_type(DataType type) { return info(type).compute; }
constexpr bool is_integral(DataType t) { return kind_of(t) == DataKind::integer; }
constexpr bool is_boolean(DataType t) { return kind_of(t) == DataKind::boolean; }
constexpr bool is_floating(DataType t) { return kind_of(t) == DataKind::floating; }
constexpr bool is_complex(DataType t) { return kind_of(t) == DataKind::complex; }
/// Half, BFloat16, fp8 and fp4: stored narrow, computed in Float.
constexpr bool is_narrow_float(DataType t) { return is_floating(t) && compute_type(t) != t; }
/// Float for ComplexFloat, Double for ComplexDouble, the type itself otherwise.
constexpr DataType real_type(DataType type) {
  return type == DataType::ComplexFloat ? DataType::Float : type == DataType::ComplexDouble ? DataType::Double : type;
}
/// Bytes of one element; 0 for types below a byte.
constexpr int bytes_of(DataType type) { return info(type).bits / 8; }

}  // namespace nvfuser
