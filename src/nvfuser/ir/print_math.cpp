// SPDX-License-Identifier: Apache-2.0
// Text of nodes and of a fusion: one line an expression, such as
//   T2_l_float[iS4{i0}, bS5{1}] = add(T0_g_float[iS0{i0}, bS1{1}], 0.5);
#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

#include "nvfuser/ir/fusion.h"
#include "nvfuser/ir/nodes.h"
#include "nvfuser/ir/pointwise.h"
#include "nvfuser/ir/reduction.h"

namespace nvfuser {

namespace {

/// Shortest text that reads back as the same double, always recognisable as floating.
std::string text(double value) {
  if (std::isnan(value)) {
    return "nan";
  }
  if (std::isinf(value)) {
    return value < 0 ? "-inf" : "inf";
  }
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value).ptr;
  std::string result(buffer, end);
  return result.find_first_of(".e") == std::string::npos ? result + ".0" : result;
}

std::string lower(std::string_view name) {
  std::string result(name);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

/// How a loop type stands in the text of an axis, between its letter and its number; in order of ParallelType.
constexpr std::string_view kParallelTexts[] = {
    "mesh.x",      "mesh.y", "mesh.z", "blockIdx.x", "blockIdx.y", "blockIdx.z", "threadIdx.x", "threadIdx.y",
    "threadIdx.z", "MMA",    "S",      "TMA",        "UR",         "US",         "V",           "Stream"};
constexpr char kAxisLetters[] = {'i', 'r', 'b'};              // in order of IterType
constexpr char kMemoryLetters[] = {'t', 'l', 's', 'g', 'm'};  // in order of MemoryType

template <class Items, class Text>
std::string list(const Items& items, const char* open, const char* close, Text&& item_text) {
  std::string result = open;
  for (size_t k = 0; k < items.size(); ++k) {
    result += (k ? ", " : "") + item_text(items[k]);
  }
  return result + close;
}

std::string axis_text(const IterDomain& axis) {
  std::string result(1, kAxisLetters[static_cast<int>(axis.iter_type())]);
  result += kParallelTexts[static_cast<int>(axis.parallel_type())];
  result += std::to_string(axis.number()) + "{" + to_string(*axis.extent());
  if (axis.expanded_extent() != nullptr) {
    result += " ex " + to_string(*axis.expanded_extent());
  }
  return result + "}";
}

std::string axes_text(const std::vector<IterDomain*>& axes) {
  return list(axes, "[", "]", [](const IterDomain* a) { return axis_text(*a); });
}

/// A leaf of the random generator by its role, any other symbol by its letter and number.
std::string scalar_text(const Val& val) {
  constexpr std::string_view kRoles[] = {"", "seed", "offset"};  // in order of ScalarRole
  if (val.is_constant()) {
    return to_string(*val.constant());
  }
  return val.role() != ScalarRole::plain ? std::string(kRoles[static_cast<int>(val.role())])
                                         : info(val.dtype()).letter + std::to_string(val.number());
}

std::string val_text(const Val& val) {
  switch (val.kind()) {
    case ValKind::scalar:
      return scalar_text(val);
    case ValKind::iter_domain:
      return axis_text(static_cast<const IterDomain&>(val));
    case ValKind::tensor_domain:
      return axes_text(static_cast<const TensorDomain&>(val).loop());
    default:
      break;
  }
  const auto& tensor = static_cast<const TensorView&>(val);
  std::string result = "T" + std::to_string(tensor.number()) + "_";
  result += kMemoryLetters[static_cast<int>(tensor.memory_type())];
  return result + "_" + lower(name_of(tensor.dtype())) + axes_text(tensor.logical());
}

std::string attribute_text(const Attribute& attribute) {
  struct Visitor {
    std::string operator()(int64_t v) const { return std::to_string(v); }
    std::string operator()(DataType v) const { return std::string(name_of(v)); }
    std::string operator()(PointwiseOp v) const { return std::string(name_of(v)); }
    std::string operator()(ReductionOp v) const { return std::string(name_of(v)); }
    std::string operator()(const std::vector<int64_t>& v) const {
      return list(v, "{", "}", [](int64_t i) { return std::to_string(i); });
    }
    std::string operator()(const std::vector<bool>& v) const {
      return list(v, "{", "}", [](bool b) { return std::string(b ? "true" : "false"); });
    }
  };
  return std::visit(Visitor{}, attribute);
}

/// The operation by its name in Python where the first attribute says which one it is.
std::string_view operation_name(const Expr& expr) {
  switch (expr.kind()) {
    case ExprKind::pointwise:
      return name_of(expr.attribute<PointwiseOp>(0));
    case ExprKind::reduce:
      return name_of(expr.attribute<ReductionOp>(0));
    default:
      return name_of(expr.kind());
  }
}

bool names_operation(const Expr& expr) { return expr.kind() == ExprKind::pointwise || expr.kind() == ExprKind::reduce; }

/// The name of attribute k: the word before the k-th colon of the row's column, or the type's name.
std::string attribute_name(ExprKind kind, size_t k) {
  if (kind == ExprKind::cast) {
    return "dtype";
  }
  std::string_view rest = info(kind).attributes;
  for (size_t colon; (colon = rest.find(':')) != std::string_view::npos; --k) {
    const size_t start = rest.find_last_of("; ", colon);
    if (k == 0) {
      return std::string(rest.substr(start == std::string_view::npos ? 0 : start + 1,
                                     colon - (start == std::string_view::npos ? 0 : start + 1)));
    }
    rest.remove_prefix(colon + 1);
  }
  return "attribute";
}

std::string expr_text(const Expr& expr) {
  const size_t first = names_operation(expr) ? 1 : 0;
  std::string result = list(expr.outputs(), "", "", [](const Val* v) { return val_text(*v); });
  result += " = ";
  result += operation_name(expr);
  result += list(expr.inputs(), "(", "", [](const Val* v) { return val_text(*v); });
  for (size_t k = first; k < expr.attributes().size(); ++k) {
    result += (expr.inputs().empty() && k == 0 ? "" : ", ") + attribute_name(expr.kind(), k - first) + "=";
    result += attribute_text(expr.attributes()[k]);
  }
  return result + ");";
}

/// What the text of a tensor leaves out: memory order where it is not row-major, loops where they are not the axes, and
/// contiguity.
std::string layout_text(const TensorView& tensor) {
  const TensorDomain& domain = *tensor.domain();
  std::string result;
  if (!domain.is_row_major()) {
    result += " allocation " + axes_text(domain.allocation());
  }
  const bool dense = std::all_of(domain.contiguity().begin(), domain.contiguity().end(),
                                 [](const std::optional<bool>& c) { return c.value_or(true); });
  if (domain.loop() != domain.logical()) {
    result += " loop " + axes_text(domain.loop());
  }
  if (!dense) {
    result += " contiguity " + list(domain.contiguity(), "{", "}", [](const std::optional<bool>& c) {
                return std::string(!c.has_value() ? "none" : *c ? "true" : "false");
              });
  }
  return result;
}

void print_boundary(std::ostringstream& out, const Fusion& fusion) {
  out << "inputs:\n";
  for (const Val* input : fusion.inputs()) {
    out << "  " << val_text(*input);
    if (input->is_tensor()) {
      const auto& tensor = static_cast<const TensorView&>(*input);
      out << layout_text(tensor) << (tensor.is_cpu_scalar() ? " on the cpu" : "");
    }
    out << "\n";
  }
  out << "outputs:\n";
  for (size_t k = 0; k < fusion.outputs().size(); ++k) {
    out << "  " << val_text(*fusion.outputs()[k]) << layout_text(*fusion.outputs()[k]);
    if (const OutputAlias* alias = fusion.alias(k)) {
      out << " into T" << alias->input->number() << (alias->hidden ? ", hidden" : "");
    }
    out << "\n";
  }
  if (fusion.offset_advance() != nullptr) {
    out << "random offset advances by " << val_text(*fusion.offset_advance()) << "\n";
  }
}

/// Expressions of scalars and axes have no layouts; that of an output stands at the boundary.
std::string result_layout(const Fusion& fusion, const Expr& expr) {
  const Val* result = expr.outputs().empty() ? nullptr : expr.outputs().front();
  const auto& outputs = fusion.outputs();
  const bool shown =
      result == nullptr || !result->is_tensor() || std::find(outputs.begin(), outputs.end(), result) != outputs.end();
  return shown ? "" : layout_text(static_cast<const TensorView&>(*result));
}

}  // namespace

std::string to_string(const ScalarValue& value) {
  struct Visitor {
    std::string operator()(bool v) const { return v ? "true" : "false"; }
    std::string operator()(int64_t v) const { return std::to_string(v); }
    std::string operator()(double v) const { return text(v); }
    std::string operator()(const std::complex<double>& v) const {
      return "(" + text(v.real()) + "," + text(v.imag()) + ")";
    }
  };
  return std::visit(Visitor{}, value);
}

std::string to_string(const Statement& statement) {
  if (const auto* val = dynamic_cast<const Val*>(&statement)) {
    return val_text(*val);
  }
  return expr_text(static_cast<const Expr&>(statement));
}

std::ostream& operator<<(std::ostream& out, const Statement& statement) { return out << to_string(statement); }

std::ostream& operator<<(std::ostream& out, const AtLine& at) {
  const auto* val = dynamic_cast<const Val*>(&at.node);
  const auto& location = val != nullptr ? val->location() : static_cast<const Expr&>(at.node).location();
  return location == nullptr ? out : out << " (" << location->text() << ")";
}

std::ostream& operator<<(std::ostream& out, const OpTitle& title) {
  const Expr& expr = title.expr;
  const bool cut = expr.kind() == ExprKind::set && expr.attribute<int64_t>(0) == 1;
  out << (cut ? "segment_set" : operation_name(expr));
  return out << AtLine{expr};
}

std::ostream& operator<<(std::ostream& out, const InputTitle& title) {
  return out << "input " << title.k << ", " << *title.input << ",";
}

std::string print_math(const Fusion& fusion, bool from_outputs_only) {
  std::ostringstream out;
  print_boundary(out, fusion);
  out << "expressions:\n";
  for (const Expr* expr : from_outputs_only ? fusion.live_exprs() : fusion.exprs()) {
    out << "  " << expr_text(*expr) << result_layout(fusion, *expr) << "\n";
  }
  return out.str();
}

}  // namespace nvfuser
