// SPDX-License-Identifier: Apache-2.0
// The table of expression kinds as data, from nodes.def.
#pragma once

#include <array>
#include <string_view>

#include "nvfuser/ir/types.h"

namespace nvfuser {

/// One row of nodes.def.
struct NodeInfo {
  ExprKind kind;
  std::string_view name;
  std::string_view text;        ///< as it prints
  std::string_view attributes;  ///< what Expr::attributes() holds, and the operands
};

inline constexpr int kNodeCount = static_cast<int>(ExprKind::count_);

inline constexpr std::array<NodeInfo, kNodeCount> kNodes = {{
#define NODE(name, text, attributes) {ExprKind::name, #name, text, attributes},
#include "nvfuser/ir/nodes.def"
}};

constexpr const NodeInfo& info(ExprKind kind) { return kNodes[static_cast<int>(kind)]; }
constexpr std::string_view name_of(ExprKind kind) { return info(kind).text; }

}  // namespace nvfuser
