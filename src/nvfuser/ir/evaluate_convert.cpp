// SPDX-License-Identifier: Apache-2.0
// Conversions between values, and between values and memory, as tables over types.
#include <new>
#include <utility>

#include "nvfuser/ir/evaluate_rows.h"

namespace nvfuser {

namespace {

/// C++ types in memory, by dtype; void where the evaluator has none (types below a byte).
template <DataType dtype>
struct StorageOf {
  static constexpr int kIndex = is_narrow_float(dtype) ? -1 : value_index(dtype);
  using type = typename std::conditional_t<kIndex >= 0, ValueTypeAt<kIndex>, std::type_identity<void>>::type;
};
template <>
struct StorageOf<DataType::Half> {
  using type = rt::float16;
};
template <>
struct StorageOf<DataType::BFloat16> {
  using type = rt::bfloat16;
};
template <>
struct StorageOf<DataType::Float8_e4m3fn> {
  using type = rt::float8_e4m3fn;
};
template <>
struct StorageOf<DataType::Float8_e5m2> {
  using type = rt::float8_e5m2;
};
template <>
struct StorageOf<DataType::Float8_e8m0fnu> {
  using type = rt::float8_e8m0fnu;
};

constexpr int kDataTypeCount = static_cast<int>(std::size(kDataTypes));
template <int dtype>
using StorageAt = typename StorageOf<static_cast<DataType>(dtype)>::type;

template <class From, class To>
void convert_block(void* out, const void* from, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    static_cast<To*>(out)[i] = rt::to<To>(static_cast<const From*>(from)[i]);
  }
}

template <class From, class Narrow>
void round_block(void* out, const void* from, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    static_cast<rt::float32*>(out)[i] = rt::to<rt::float32>(rt::to<Narrow>(static_cast<const From*>(from)[i]));
  }
}

template <class Storage, class Value>
void load_block(void* values, const void* memory, const int64_t* offsets, int64_t n) {
  const auto* from = static_cast<const Storage*>(memory);
  auto* to = static_cast<Value*>(values);
  for (int64_t i = 0; i < n; ++i) {
    to[i] = rt::to<Value>(from[offsets ? offsets[i] : i]);
  }
}

template <class Value, class Storage>
void store_block(void* memory, const int64_t* offsets, const void* values, int64_t n) {
  const auto* from = static_cast<const Value*>(values);
  auto* to = static_cast<Storage*>(memory);
  for (int64_t i = 0; i < n; ++i) {
    to[offsets ? offsets[i] : i] = rt::to<Storage>(from[i]);
  }
}

/// A table over (value type, value type).
constexpr auto kConvert = []<int... k>(std::integer_sequence<int, k...>) {
  return std::array<ConvertFunction, sizeof...(k)>{
      convert_block<ValueAt<k / kValueTypeCount>, ValueAt<k % kValueTypeCount>>...};
}(std::make_integer_sequence<int, kValueTypeCount * kValueTypeCount>{});

/// What a pair (dtype, value type) gives; null where memory of that dtype has no C++ type.
struct MemoryFunctions {
  ConvertFunction round;
  LoadFunction load;
  StoreFunction store;
};

template <int dtype, int value>
constexpr MemoryFunctions memory_functions() {
  using Storage = StorageAt<dtype>;
  using Value = ValueAt<value>;
  if constexpr (std::is_void_v<Storage>) {
    return {nullptr, nullptr, nullptr};
  } else {
    constexpr auto kType = static_cast<DataType>(dtype);
    constexpr bool kSame = value_index(kType) == value;
    constexpr bool kDouble = (is_floating(kType) && kValueTypes[value] == DataType::Double) ||
                             (is_complex(kType) && kValueTypes[value] == DataType::ComplexDouble);
    MemoryFunctions result{nullptr, nullptr, nullptr};
    if constexpr (is_narrow_float(kType)) {
      result.round = round_block<Value, Storage>;
    }
    if constexpr (kSame || kDouble) {
      result.load = load_block<Storage, Value>;
      result.store = store_block<Value, Storage>;
    }
    return result;
  }
}

constexpr auto kMemory = []<int... k>(std::integer_sequence<int, k...>) {
  return std::array<MemoryFunctions, sizeof...(k)>{memory_functions<k / kValueTypeCount, k % kValueTypeCount>()...};
}(std::make_integer_sequence<int, kDataTypeCount * kValueTypeCount>{});

const MemoryFunctions& memory(DataType dtype, DataType values) {
  return kMemory[static_cast<int>(dtype) * kValueTypeCount + value_index(values)];
}

/// The type of which a ScalarValue of a kind is an exact image.
constexpr DataType scalar_type(DataType dtype) {
  constexpr DataType kTypes[] = {DataType::Null, DataType::Bool, DataType::Int, DataType::Double,
                                 DataType::ComplexDouble};
  return kTypes[static_cast<int>(kind_of(dtype))];
}

}  // namespace

ConvertFunction find_convert(DataType from, DataType to) {
  return kConvert[value_index(from) * kValueTypeCount + value_index(to)];
}

ConvertFunction find_rounding(DataType from, DataType narrow) { return memory(narrow, from).round; }

LoadFunction find_load(DataType storage, DataType values) {
  const LoadFunction load = memory(storage, values).load;
  check(load != nullptr, ErrorKind::dtype, "the evaluator cannot read memory of dtype ", name_of(storage), " as ",
        name_of(values));
  return load;
}

StoreFunction find_store(DataType values, DataType storage) {
  const StoreFunction store = memory(storage, values).store;
  check(store != nullptr, ErrorKind::dtype, "the evaluator cannot write values of dtype ", name_of(values), " as ",
        name_of(storage));
  return store;
}

ValueCell to_cell(const ScalarValue& value, DataType dtype) {
  ValueCell cell{};
  std::visit(
      [&](const auto& v) {
        using Value = std::remove_cvref_t<decltype(v)>;
        constexpr DataType kTypes[] = {DataType::Bool, DataType::Int, DataType::Double, DataType::ComplexDouble};
        ValueCell exact{};
        if constexpr (std::is_same_v<Value, std::complex<double>>) {
          new (exact.bytes) rt::complex128{v.real(), v.imag()};
        } else {
          new (exact.bytes) Value(v);
        }
        find_convert(kTypes[value.index()], dtype)(cell.bytes, exact.bytes, 1);
      },
      value);
  return cell;
}

ScalarValue from_cell(const ValueCell& cell, DataType dtype) {
  ValueCell exact{};
  const DataType type = scalar_type(dtype);
  find_convert(dtype, type)(exact.bytes, cell.bytes, 1);
  switch (kind_of(type)) {
    case DataKind::boolean:
      return *reinterpret_cast<const rt::boolean*>(exact.bytes);
    case DataKind::integer:
      return static_cast<int64_t>(*reinterpret_cast<const rt::int64*>(exact.bytes));
    case DataKind::floating:
      return *reinterpret_cast<const rt::float64*>(exact.bytes);
    default: {
      const auto& v = *reinterpret_cast<const rt::complex128*>(exact.bytes);
      return std::complex<double>(v.re, v.im);
    }
  }
}

}  // namespace nvfuser
