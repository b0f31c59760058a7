// SPDX-License-Identifier: Apache-2.0
// Compiles rows of pointwise.def for every value type: the expression in a loop over a block, absent where it has no
// meaning.  Each source that includes this compiles its share of the rows, so that none takes long.
#pragma once

#include <type_traits>

#include "nvfuser/device/generic/convert.h"
#include "nvfuser/device/generic/math.h"
#include "nvfuser/ir/evaluate_values.h"

namespace nvfuser {

/// C++ types of kValueTypes.
template <int index>
struct ValueTypeAt;
template <>
struct ValueTypeAt<0> {
  using type = rt::boolean;
};
template <>
struct ValueTypeAt<1> {
  using type = rt::int32;
};
template <>
struct ValueTypeAt<2> {
  using type = rt::int64;
};
template <>
struct ValueTypeAt<3> {
  using type = rt::uint64;
};
template <>
struct ValueTypeAt<4> {
  using type = rt::float32;
};
template <>
struct ValueTypeAt<5> {
  using type = rt::float64;
};
template <>
struct ValueTypeAt<6> {
  using type = rt::complex64;
};
template <>
struct ValueTypeAt<7> {
  using type = rt::complex128;
};
template <int index>
using ValueAt = typename ValueTypeAt<index>::type;

/// The types for which a rule's operations are computed at all.
constexpr bool rule_allows(PromotionRule rule, DataType type) {
  switch (rule) {
    case PromotionRule::real:
      return is_floating(type) || is_complex(type);
    case PromotionRule::logical:
      return is_boolean(type);
    case PromotionRule::integral:
      return is_boolean(type) || is_integral(type);
    case PromotionRule::precise:
    case PromotionRule::compound:
      return is_floating(type);
    default:
      return true;
  }
}

/// `Expression` is a generic lambda over four operands of which the row uses the first few.
template <PointwiseOp op, int index, class Expression>
struct BlockRow {
  using Operand = ValueAt<index>;
  using First = std::conditional_t<info(op).rule == PromotionRule::select, rt::boolean, Operand>;
  using Result = ValueAt<value_index(result_type(op, kValueTypes[index]))>;

  static void run(void* out, const void* a, const void* b, const void* c, const void* d, int64_t n) {
    constexpr int kArity = info(op).arity;
    auto* result = static_cast<Result*>(out);
    const auto* first = static_cast<const First*>(a);
    const auto* second = static_cast<const Operand*>(kArity > 1 ? b : nullptr);
    const auto* third = static_cast<const Operand*>(kArity > 2 ? c : nullptr);
    const auto* fourth = static_cast<const Operand*>(kArity > 3 ? d : nullptr);
    for (int64_t i = 0; i < n; ++i) {
      const Operand y = kArity > 1 ? second[i] : Operand{};
      const Operand z = kArity > 2 ? third[i] : Operand{};
      const Operand w = kArity > 3 ? fourth[i] : Operand{};
      result[i] = rt::to<Result>(Expression{}(first[i], y, z, w));
    }
  }

  static constexpr BlockFunction get() {
    if constexpr (rule_allows(info(op).rule, kValueTypes[index])) {
      if constexpr (requires(First a, Operand b) { rt::to<Result>(Expression{}(a, b, b, b)); }) {
        return run;
      }
    }
    return nullptr;
  }
};

template <PointwiseOp op, class Expression, int... index>
constexpr void fill_row(BlockTable& table, Expression, std::integer_sequence<int, index...>) {
  ((table.functions[static_cast<int>(op)][index] = BlockRow<op, index, Expression>::get()), ...);
}

/// The table of the rows that `Wanted` picks; null elsewhere.
template <class Wanted>
constexpr BlockTable make_block_table(Wanted) {
  BlockTable table{};
#define POINTWISE(name, arity, rule, cost, ulp, expression, ...)                                        \
  if constexpr (Wanted{}(info(PointwiseOp::name))) {                                                    \
    fill_row<PointwiseOp::name>(                                                                        \
        table,                                                                                          \
        []([[maybe_unused]] auto a, [[maybe_unused]] auto b, [[maybe_unused]] auto c,                   \
           [[maybe_unused]] auto d) -> std::remove_cvref_t<decltype expression> { return expression; }, \
        std::make_integer_sequence<int, kValueTypeCount>{});                                            \
  }
#include "nvfuser/ir/pointwise.def"
  return table;
}

}  // namespace nvfuser
