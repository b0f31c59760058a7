// SPDX-License-Identifier: Apache-2.0
// Compiles the rows of reduction.def for every value type.
#include <utility>

#include "nvfuser/device/generic/combine.h"
#include "nvfuser/ir/evaluate_reduce.h"
#include "nvfuser/ir/evaluate_rows.h"

namespace nvfuser {

namespace {

/// The type in which values of a type accumulate.
template <class Value>
struct WideOf {
  using type = Value;
};
template <>
struct WideOf<rt::float32> {
  using type = rt::float64;
};
template <>
struct WideOf<rt::complex64> {
  using type = rt::complex128;
};

template <ReductionOp op, template <class> class Combiner, int index>
struct ReduceRow {
  using Value = ValueAt<index>;
  using Wide = typename WideOf<Value>::type;
  using Row = Combiner<Wide>;
  using Tuple = typename Row::Tuple;

  static void begin(void* tuples, int64_t n) {
    for (int64_t i = 0; i < n; ++i) {
      static_cast<Tuple*>(tuples)[i] = Row::neutral();
    }
  }

  static Tuple lift(const void* const* operands, int64_t i) {
    const Wide x = rt::to<Wide>(static_cast<const Value*>(operands[0])[i]);
    if constexpr (info(op).operands == 1) {
      return Row::lift(x);
    } else {
      return Row::lift(x, static_cast<const rt::int64*>(operands[1])[i]);
    }
  }

  /// Neighbours of one tuple meet each other first, which keeps errors of long sums small.
  static void fold(void* tuples, const int64_t* at, const void* const* operands, int64_t n) {
    for (int64_t i = 0; i < n;) {
      const int64_t place = at[i];
      Tuple run = lift(operands, i);
      for (++i; i < n && at[i] == place; ++i) {
        run = Row::combine(run, lift(operands, i));
      }
      Tuple& tuple = static_cast<Tuple*>(tuples)[place];
      tuple = Row::combine(tuple, run);
    }
  }

  template <int part>
  static void finish_part(const void* tuples, void* values, int64_t n) {
    using Result = ValueAt<value_index(part_type(op, part, kValueTypes[index]))>;
    for (int64_t i = 0; i < n; ++i) {
      static_cast<Result*>(values)[i] =
          rt::to<Result>(Row::finish(static_cast<const Tuple*>(tuples)[i], rt::Part<part>()));
    }
  }

  static void finish(const void* tuples, int part, void* values, int64_t n) {
    [&]<int... k>(std::integer_sequence<int, k...>) {
      ((part == k ? finish_part<k>(tuples, values, n) : void()), ...);
    }(std::make_integer_sequence<int, info(op).parts.count>());
  }

  static constexpr ReduceFunctions get() {
    if constexpr (Row::kDefined) {
      return {sizeof(Tuple), begin, fold, finish};
    }
    return {};
  }
};

using ReduceTable = std::array<std::array<ReduceFunctions, kValueTypeCount>, kReductionCount>;

template <ReductionOp op, template <class> class Combiner, int... index>
constexpr void fill_row(ReduceTable& table, std::integer_sequence<int, index...>) {
  ((table[static_cast<int>(op)][index] = ReduceRow<op, Combiner, index>::get()), ...);
}

constexpr ReduceTable make_table() {
  ReduceTable table{};
  constexpr auto kTypes = std::make_integer_sequence<int, kValueTypeCount>();
#define REDUCTION(name, combiner, ...) fill_row<ReductionOp::name, rt::combiner>(table, kTypes);
#include "nvfuser/ir/reduction.def"
  return table;
}

constinit const ReduceTable kTable = make_table();

}  // namespace

const ReduceFunctions* find_reduce(ReductionOp op, DataType operand) {
  const int index = value_index(operand);
  const ReduceFunctions* row = index < 0 ? nullptr : &kTable[static_cast<int>(op)][index];
  return row == nullptr || row->fold == nullptr ? nullptr : row;
}

bool is_supported(ReductionOp op, DataType dtype) { return find_reduce(op, dtype) != nullptr; }

std::optional<ReductionOp> find_reduction(std::string_view name) {
  for (const ReductionInfo& row : kReductions) {
    if (row.name == name) {
      return row.op;
    }
  }
  return std::nullopt;
}

}  // namespace nvfuser
