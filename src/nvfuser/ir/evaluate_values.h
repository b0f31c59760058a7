// SPDX-License-Identifier: Apache-2.0
// Values of the evaluator: arrays of one of eight types, and the functions over them, found by dtype at build time so
// that running a block needs no decisions.
#pragma once

#include <array>
#include <cstdint>

#include "nvfuser/ir/fusion.h"
#include "nvfuser/ir/pointwise.h"

namespace nvfuser {

/// Elements of a block; a value holds one each, of at most 16 bytes.
inline constexpr int64_t kBlockSize = 1024;

/// The compute types, in order of width within kinds.
inline constexpr std::array<DataType, 8> kValueTypes = {
    DataType::Bool,  DataType::Int32,  DataType::Int,          DataType::UInt64,
    DataType::Float, DataType::Double, DataType::ComplexFloat, DataType::ComplexDouble};
inline constexpr int kValueTypeCount = static_cast<int>(kValueTypes.size());

/// Position in kValueTypes of the compute type of a dtype; -1 for Null.
constexpr int value_index(DataType dtype) {
  const DataType compute = compute_type(dtype) == DataType::Index ? DataType::Int : compute_type(dtype);
  for (int k = 0; k < kValueTypeCount; ++k) {
    if (kValueTypes[k] == compute) {
      return k;
    }
  }
  return -1;
}

/// out[i] = op(a[i], b[i], ...) for i < n; operands that the op does not have are ignored.
using BlockFunction = void (*)(void* out, const void* a, const void* b, const void* c, const void* d, int64_t n);
struct BlockTable {
  BlockFunction functions[kPointwiseCount][kValueTypeCount];
};
/// Null where the operation has no meaning for the type.
BlockFunction find_block_function(PointwiseOp op, DataType operation);

/// out[i] = from[i] converted.
using ConvertFunction = void (*)(void* out, const void* from, int64_t n);
/// From the values of a dtype to those of another.
ConvertFunction find_convert(DataType from, DataType to);
/// From the values of a dtype to the nearest that a narrow float holds, still computed in Float.  Null for dtypes that
/// are no narrow floats.
ConvertFunction find_rounding(DataType from, DataType narrow);

/// values[i] = memory[offsets[i]], or memory[i] where offsets is null; memory holds elements of `storage`.
using LoadFunction = void (*)(void* values, const void* memory, const int64_t* offsets, int64_t n);
LoadFunction find_load(DataType storage, DataType values);
/// The other direction.
using StoreFunction = void (*)(void* memory, const int64_t* offsets, const void* values, int64_t n);
StoreFunction find_store(DataType values, DataType storage);

/// One value of any type.
struct alignas(16) ValueCell {
  std::byte bytes[16];
};
/// A scalar as a value of a dtype's compute type, and back.
ValueCell to_cell(const ScalarValue& value, DataType dtype);
ScalarValue from_cell(const ValueCell& cell, DataType dtype);

}  // namespace nvfuser
