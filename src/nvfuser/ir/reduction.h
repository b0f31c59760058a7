// SPDX-License-Identifier: Apache-2.0
// The table of reductions as data, from reduction.def.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "nvfuser/ir/dtype.h"
#include "nvfuser/ir/types.h"

namespace nvfuser {

/// Element type of a result, relative to the first operand.
enum class PartType : uint8_t { operand, real, position, count, flag };

/// How a reduction's builder is called; reduction.def explains each.
enum class ReductionForm : uint8_t { typed, kept, place, moments, inner };

/// Types of the results of one reduction.
struct PartTypes {
  std::array<PartType, 3> types{};
  int count = 0;
  template <class... Types>
  constexpr explicit PartTypes(Types... all) : types{all...}, count(static_cast<int>(sizeof...(all))) {}
};

/// One row of reduction.def.
struct ReductionInfo {
  ReductionOp op;
  std::string_view name;
  std::string_view combiner;  ///< inside rt::, a template over the compute type
  int operands;
  PartTypes parts;
  ReductionForm form;
  std::string_view doc, see, example;
};

inline constexpr int kReductionCount = static_cast<int>(ReductionOp::count_);

inline constexpr std::array<ReductionInfo, kReductionCount> kReductions = [] {
  using enum PartType;
  return std::array<ReductionInfo, kReductionCount>{{
#define REDUCTION(name, combiner, operands, parts, form, doc, see, example) \
  {ReductionOp::name, #name, #combiner, operands, PartTypes parts, ReductionForm::form, doc, see, example},
#include "nvfuser/ir/reduction.def"
  }};
}();

constexpr const ReductionInfo& info(ReductionOp op) { return kReductions[static_cast<int>(op)]; }
constexpr std::string_view name_of(ReductionOp op) { return info(op).name; }

/// The reduction of that name, if there is one.
std::optional<ReductionOp> find_reduction(std::string_view name);

/// The type of a result whose first operand has that type.
constexpr DataType part_type(ReductionOp op, int part, DataType operand) {
  switch (info(op).parts.types[part]) {
    case PartType::operand:
      return operand;
    case PartType::real:
      return real_type(operand);
    case PartType::position:
      return DataType::Int;
    case PartType::count:
      return DataType::Index;
    case PartType::flag:
      return DataType::Bool;
  }
  return DataType::Null;
}

/// True when the reduction has a meaning for operands of that type: its combiner is defined for the compute type.
bool is_supported(ReductionOp op, DataType dtype);

}  // namespace nvfuser
