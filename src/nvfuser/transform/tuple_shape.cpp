// SPDX-License-Identifier: Apache-2.0
// Shapes are read off the combiners themselves, compiled for the host.
#include "nvfuser/transform/tuple_shape.h"

#include <algorithm>

#include "nvfuser/base/errors.h"
#include "nvfuser/device/generic/combine.h"
#include "nvfuser/device/generic/fields.h"
#include "nvfuser/ir/reduction.h"

namespace nvfuser {

namespace {

constexpr DataType type_of(rt::float32) { return DataType::Float; }
constexpr DataType type_of(rt::float64) { return DataType::Double; }
constexpr DataType type_of(rt::int32) { return DataType::Int32; }
constexpr DataType type_of(rt::int64) { return DataType::Int; }
constexpr DataType type_of(rt::uint64) { return DataType::UInt64; }
constexpr DataType type_of(rt::boolean) { return DataType::Bool; }
constexpr DataType type_of(rt::complex64) { return DataType::ComplexFloat; }
constexpr DataType type_of(rt::complex128) { return DataType::ComplexDouble; }

template <int k, class Tuple>
constexpr DataType field_type() {
  if constexpr (k < rt::inner::kFields<Tuple>) {
    return type_of(decltype(rt::inner::field<k>(Tuple{})){});
  } else {
    return DataType::Null;
  }
}

template <class Combiner>
constexpr TupleShape shape_of() {
  if constexpr (Combiner::kDefined) {
    using Tuple = typename Combiner::Tuple;
    return {sizeof(Tuple),
            rt::inner::kFields<Tuple>,
            {field_type<0, Tuple>(), field_type<1, Tuple>(), field_type<2, Tuple>()}};
  } else {
    return {};
  }
}

/// In order of reduction.def.
template <class T>
constexpr std::array<TupleShape, kReductionCount> kShapes = {
#define REDUCTION(name, combiner, ...) shape_of<rt::combiner<T>>(),
#include "nvfuser/ir/reduction.def"
};

struct TypeRow {
  DataType type;
  const std::array<TupleShape, kReductionCount>& shapes;
};

/// Types in which reductions are computed.
const std::array<TypeRow, 9> kTypes = {{
    {DataType::Float, kShapes<rt::float32>},
    {DataType::Double, kShapes<rt::float64>},
    {DataType::Int, kShapes<rt::int64>},
    {DataType::Index, kShapes<rt::int64>},
    {DataType::Int32, kShapes<rt::int32>},
    {DataType::UInt64, kShapes<rt::uint64>},
    {DataType::Bool, kShapes<rt::boolean>},
    {DataType::ComplexFloat, kShapes<rt::complex64>},
    {DataType::ComplexDouble, kShapes<rt::complex128>},
}};

}  // namespace

const TupleShape& tuple_shape(ReductionOp row, DataType type) {
  const auto known = std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeRow& r) { return r.type == type; });
  ensure(known != kTypes.end(), "no reduction is computed in ", name_of(type));
  return known->shapes[static_cast<size_t>(row)];
}

}  // namespace nvfuser
