// SPDX-License-Identifier: Apache-2.0
// Look-ups in the pointwise table and the compute type of an expression.
#include "nvfuser/ir/pointwise.h"

#include <unordered_map>

#include "nvfuser/ir/fusion.h"

namespace nvfuser {

std::optional<PointwiseOp> find_pointwise(std::string_view name) {
  static const auto* const by_name = [] {
    auto* map = new std::unordered_map<std::string_view, PointwiseOp>();
    for (const PointwiseInfo& row : kPointwiseOps) {
      map->emplace(row.name, row.op);
    }
    return map;
  }();
  const auto found = by_name->find(name);
  return found == by_name->end() ? std::nullopt : std::optional(found->second);
}

namespace {

/// Kinds first, then width; UInt64 above Int.
constexpr int rank_of(DataType compute) {
  return static_cast<int>(kind_of(compute)) * 1024 + info(compute).bits + (compute == DataType::UInt64 ? 1 : 0);
}

/// Tensors decide; the scalars do where there are no tensors or where their kind is higher.
DataType common_type(const std::vector<DataType>& operands, const std::vector<bool>& scalar) {
  DataType best[2] = {DataType::Null, DataType::Null};
  for (size_t k = 0; k < operands.size(); ++k) {
    const DataType type = compute_type(operands[k]);
    DataType& mine = best[scalar[k]];
    mine = mine == DataType::Null || rank_of(type) > rank_of(mine) ? type : mine;
  }
  return kind_of(best[1]) > kind_of(best[0]) ? best[1] : best[0];
}

}  // namespace

DataType operation_type(PointwiseOp op, const std::vector<DataType>& operands, const std::vector<bool>& scalar,
                        DataType result) {
  switch (info(op).rule) {
    case PromotionRule::logical:
      return DataType::Bool;
    case PromotionRule::predicate:
      return common_type(operands, scalar);
    case PromotionRule::magnitude:
    case PromotionRule::part:
    case PromotionRule::compound:
      return compute_type(operands.at(0));
    default:
      return compute_type(result);
  }
}

DataType operation_type(const Expr& expr) {
  std::vector<DataType> types;
  std::vector<bool> scalar;
  for (const Val* operand : expr.inputs()) {
    types.push_back(operand->dtype());
    scalar.push_back(!operand->is_tensor());
  }
  return operation_type(expr.attribute<PointwiseOp>(0), types, scalar, expr.output(0)->dtype());
}

}  // namespace nvfuser
