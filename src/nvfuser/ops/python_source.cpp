// SPDX-License-Identifier: Apache-2.0
// Printing a fusion as Python: see python_source.h.
#include "nvfuser/ops/python_source.h"

#include <algorithm>
#include <array>
#include <sstream>
#include <unordered_map>
#include <unordered_set>

#include "nvfuser/ir/nodes.h"
#include "nvfuser/ir/pointwise.h"
#include "nvfuser/ir/reduction.h"
#include "nvfuser/ops/extent.h"
#include "nvfuser/ops/operand.h"
#include "nvfuser/ops/promotion.h"
#include "nvfuser/ops/result.h"
#include "nvfuser/ops/take.h"

namespace nvfuser {
namespace {

/// The type that a literal of this constant gets when the source is read.
DataType literal_type(const Val* constant) {
  constexpr std::array kTypes = {DataType::Bool, DataType::Int, DataType::Double, DataType::ComplexDouble};
  return kTypes[constant->constant()->index()];
}

template <class Items, class Text>
std::string list_of(const Items& items, Text text) {
  std::string result = "[";
  for (size_t k = 0; k < items.size(); ++k) {
    result += (k == 0 ? "" : ", ") + text(items[k]);
  }
  return result + "]";
}

std::string list_of(const std::vector<int64_t>& items) {
  return list_of(items, [](int64_t item) { return std::to_string(item); });
}

std::string dtype_text(DataType dtype) { return "DataType." + std::string(name_of(dtype)); }

/// Rank of each axis' stride, 0 the fastest.
std::vector<int64_t> stride_order_of(const TensorView* tensor) {
  const AllocationOrder order = allocation_order(tensor);
  std::vector<int64_t> result(order.size());
  for (size_t k = 0; k < order.size(); ++k) {
    result[order[k]] = static_cast<int64_t>(order.size() - 1 - k);
  }
  return result;
}

std::vector<int64_t> flagged(const std::vector<bool>& flags) {
  std::vector<int64_t> result;
  for (size_t k = 0; k < flags.size(); ++k) {
    if (flags[k]) {
      result.push_back(static_cast<int64_t>(k));
    }
  }
  return result;
}

class PythonWriter {
 public:
  explicit PythonWriter(const Fusion& fusion) : fusion_(fusion) {}

  std::string write() {
    out_ << "def nvfuser_fusion(fd : FusionDefinition) -> None :\n";
    find_needed();
    for (const Val* input : fusion_.inputs()) {
      write_input(input);
    }
    for (const Expr* expr : fusion_.exprs()) {
      if (needed_.contains(expr) && expr->output(0)->is_tensor()) {
        write_tensor_expr(*expr);
      }
    }
    write_outputs();
    if (fusion_.inputs().empty() && fusion_.outputs().empty()) {
      out_ << "    pass\n";
    }
    return out_.str();
  }

 private:
  // ---- what is needed ----

  /// Expressions that outputs depend on through operands, and how often constants stand as their operands.
  void find_needed() {
    std::vector<const Val*> work(fusion_.outputs().begin(), fusion_.outputs().end());
    while (!work.empty()) {
      const Expr* definition = work.back()->definition();
      work.pop_back();
      if (definition == nullptr || !needed_.insert(definition).second) {
        continue;
      }
      if (const TensorView* operand = read_by_gather(*definition)) {
        work.insert(work.end(), {operand, definition->input(1)});
        continue;
      }
      // Positions are made by the builder of their reduction.
      const size_t count = definition->kind() == ExprKind::reduce ? 1 : definition->inputs().size();
      for (size_t k = 0; k < count; ++k) {
        const Val* operand = definition->inputs()[k];
        constant_uses_[operand] += operand->is_constant();
        work.push_back(operand);
      }
    }
  }

  /// What `gather` takes elements of, whose part the builder makes.
  static const TensorView* read_by_gather(const Expr& expr) {
    return expr.kind() == ExprKind::take_along_axis ? gathered(expr) : nullptr;
  }

  // ---- names ----

  std::string define(const Val* val, const std::string& text) {
    const std::string name = val->is_tensor() ? "tv" + std::to_string(tensors_++) : "c" + std::to_string(scalars_++);
    out_ << "    " << name << " = " << text << "\n";
    names_.emplace(val, name);
    if (val->is_tensor()) {
      note_extents(static_cast<const TensorView*>(val), name);
    }
    return name;
  }

  /// Tensors that one call makes.
  void define_all(const std::vector<Val*>& vals, const std::string& text) {
    std::string list;
    for (const Val* val : vals) {
      const std::string name = "tv" + std::to_string(tensors_++);
      list += (list.empty() ? "" : ", ") + name;
      names_.emplace(val, name);
    }
    out_ << "    " << list << " = " << text << "\n";
    for (const Val* val : vals) {
      note_extents(static_cast<const TensorView*>(val), names_.at(val));
    }
  }

  /// Remembers where the extents of a tensor can be asked for.
  void note_extents(const TensorView* tensor, const std::string& name) {
    const std::vector<Val*> extents = extents_of(tensor);
    for (size_t k = 0; k < extents.size(); ++k) {
      sizes_.emplace(extents[k], "fd.ops.size(" + name + ", dim=" + std::to_string(k) + ")");
    }
  }

  /// The name of a value, or a literal; writes the definition of a scalar that has none.
  std::string name(const Val* val) {
    const auto known = names_.find(val);
    if (known != names_.end()) {
      return known->second;
    }
    check(val->is_scalar(), ErrorKind::definition, "a fusion cannot be written as Python: the tensor ", to_string(*val),
          " is neither an input nor the result of an expression");
    if (val->is_constant()) {
      return python_literal(*val->constant());
    }
    const auto size = sizes_.find(val);
    if (size != sizes_.end()) {
      return define(val, size->second);
    }
    check(val->definition() != nullptr, ErrorKind::definition, "a fusion cannot be written as Python: the scalar ",
          to_string(*val), " is neither an input, an extent nor the result of an expression");
    return define(val, scalar_text(*val->definition()));
  }

  /// A constant under a name, of a type that no literal has or as one node with several uses.
  std::string constant_name(const Val* val) {
    const auto known = names_.find(val);
    return known != names_.end() ? known->second
                                 : define(val, "fd.define_scalar(" + python_literal(*val->constant()) +
                                                   ", dtype=" + dtype_text(val->dtype()) + ")");
  }

  std::string names(const std::vector<Val*>& vals, size_t begin, size_t end) {
    std::string result = "[";
    for (size_t k = begin; k < end; ++k) {
      result += (k == begin ? "" : ", ") + name(vals[k]);
    }
    return result + "]";
  }

  // ---- inputs ----

  void write_input(const Val* input) {
    if (input->is_scalar()) {
      define(input, "fd.define_scalar(None, dtype=" + dtype_text(input->dtype()) + ")");
      return;
    }
    const auto* tensor = static_cast<const TensorView*>(input);
    const std::string shape = list_of(axes_of(tensor), [](const IterDomain* axis) {
      return std::to_string(known_integer(axis->visible_extent()).value_or(-1));
    });
    const std::string contiguity = list_of(tensor->domain()->contiguity(), [](const std::optional<bool>& flag) {
      return std::string(!flag ? "None" : *flag ? "True" : "False");
    });
    std::string text = "fd.define_tensor(shape=" + shape + ", contiguity=" + contiguity +
                       ", dtype=" + dtype_text(tensor->dtype()) +
                       ", is_cpu=" + (tensor->is_cpu_scalar() ? "True" : "False");
    if (!tensor->domain()->is_row_major()) {
      text += ", stride_order=" + list_of(stride_order_of(tensor));
    }
    define(tensor, text + ")");
  }

  // ---- expressions ----

  /// Operands that are written as literals get their types from promotion; where it would give others, they are defined
  /// with their types instead.
  std::string pointwise_text(const Expr& expr) {
    const PointwiseOp op = expr.attribute<PointwiseOp>(0);
    std::vector<OperandType> types;
    bool literals = true;
    for (const Val* operand : expr.inputs()) {
      const bool scalar = operand->is_scalar();
      const bool zero_dim = !scalar && static_cast<const TensorView*>(operand)->rank() == 0;
      types.push_back(
          {operand->is_constant() ? literal_type(operand) : operand->dtype(), scalar     ? OperandCategory::scalar
                                                                              : zero_dim ? OperandCategory::zero_dim
                                                                                         : OperandCategory::tensor});
    }
    try {
      const PromotedTypes promoted = promote(op, types);
      for (size_t k = 0; k < types.size(); ++k) {
        literals = literals && promoted.operands[k] == expr.inputs()[k]->dtype();
      }
    } catch (const Error&) {
      literals = false;
    }
    std::string text = "fd.ops." + std::string(name_of(op)) + "(";
    for (size_t k = 0; k < types.size(); ++k) {
      const Val* operand = expr.inputs()[k];
      const bool shared = operand->dtype() != DataType::Index && constant_uses_[operand] > 1;
      text += (k == 0 ? "" : ", ") +
              (operand->is_constant() && (shared || !literals) ? constant_name(operand) : name(operand));
    }
    return text + ")";
  }

  std::string cast_text(const Expr& expr) {
    const Val* operand = expr.input(0);
    const bool typed = operand->is_constant() && literal_type(operand) != operand->dtype();
    return "fd.ops.cast(" + (typed ? constant_name(operand) : fill(operand)) +
           ", dtype=" + dtype_text(expr.attribute<DataType>(0)) + ")";
  }

  std::string scalar_text(const Expr& expr) {
    return expr.kind() == ExprKind::pointwise ? pointwise_text(expr) : cast_text(expr);
  }

  std::string set_text(const Expr& expr) {
    const std::string operand = name(expr.input(0));
    if (expr.attribute<int64_t>(0) != 0) {
      return "fd.ops.segment_set(" + operand + ")";
    }
    const auto* result = static_cast<const TensorView*>(expr.output(0));
    if (allocation_order(result) == allocation_order(static_cast<const TensorView*>(expr.input(0)))) {
      return "fd.ops.set(" + operand + ")";
    }
    return "fd.ops.stride_order(" + operand + ", stride_order=" + list_of(stride_order_of(result)) + ")";
  }

  std::string broadcast_text(const Expr& expr) {
    const std::string flags =
        list_of(expr.attribute<std::vector<bool>>(0), [](bool flag) { return std::string(flag ? "True" : "False"); });
    return "fd.ops.broadcast(" + name(expr.input(0)) + ", is_broadcast_dim=" + flags + ")";
  }

  std::string expand_text(const Expr& expr) {
    return "fd.ops.expand(" + name(expr.input(0)) + ", shape=" + names(expr.inputs(), 1, expr.inputs().size()) + ")";
  }

  std::string squeeze_text(const Expr& expr) {
    const std::vector<int64_t> dims = flagged(expr.attribute<std::vector<bool>>(0));
    const std::vector<IterDomain*> axes = axes_of(static_cast<const TensorView*>(expr.input(0)));
    const bool expanded =
        std::any_of(dims.begin(), dims.end(), [&](int64_t dim) { return axes[dim]->expanded_extent() != nullptr; });
    return "fd.ops.squeeze(" + name(expr.input(0)) + ", dims=" + list_of(dims) +
           (expanded ? ", squeeze_expanded=True)" : ")");
  }

  std::string permute_text(const Expr& expr) {
    return "fd.ops.permute(" + name(expr.input(0)) + ", dims=" + list_of(expr.attribute<std::vector<int64_t>>(0)) + ")";
  }

  std::string reshape_text(const Expr& expr) {
    return "fd.ops.reshape(" + name(expr.input(0)) + ", new_shape=" + names(expr.inputs(), 1, expr.inputs().size()) +
           ")";
  }

  /// start + extent, in a form from which the slice builder finds the same extent again.
  std::string end_of(const Val* start, const Val* extent) {
    const auto from = known_integer(start), count = known_integer(extent);
    if (from && count) {
      return std::to_string(*from + *count);
    }
    if (from == 0) {
      return name(extent);
    }
    const Expr* definition = extent->definition();
    if (definition != nullptr && definition->kind() == ExprKind::pointwise &&
        definition->attribute<PointwiseOp>(0) == PointwiseOp::sub && same_integer(definition->input(1), start)) {
      return name(definition->input(0));
    }
    const std::string text = "fd.ops.add(" + name(extent) + ", " + name(start) + ")";
    const std::string result = "c" + std::to_string(scalars_++);
    out_ << "    " << result << " = " << text << "\n";
    return result;
  }

  std::string slice_text(const Expr& expr) {
    const size_t rank = (expr.inputs().size() - 1) / 2;
    const std::string operand = name(expr.input(0)), starts = names(expr.inputs(), 1, 1 + rank);
    std::string ends;
    for (size_t k = 1; k <= rank; ++k) {
      ends += (k == 1 ? "" : ", ") + end_of(expr.inputs()[k], expr.inputs()[rank + k]);
    }
    return "fd.ops.slice(" + operand + ", start_indices=" + starts + ", end_indices=[" + ends +
           "], manual_normalization=True)";
  }

  std::string pad_text(const Expr& expr) {
    const std::vector<Val*>& operands = expr.inputs();
    std::vector<Val*> widths;
    for (size_t k = operands.size(); k > 2; k -= 2) {
      widths.insert(widths.end(), {operands[k - 2], operands[k - 1]});
    }
    return "fd.ops.pad(" + name(operands[0]) + ", pad_widths=" + names(widths, 0, widths.size()) +
           ", value=" + fill(operands[1]) + ")";
  }

  std::string cat_text(const Expr& expr) {
    const int64_t axis = expr.attribute<int64_t>(0);
    return "fd.ops.cat(" + names(expr.inputs(), 0, expr.inputs().size()) +
           (axis == 0 ? ")" : ", dim=" + std::to_string(axis) + ")");
  }

  std::string take_along_axis_text(const Expr& expr) {
    const TensorView* operand = gathered(expr);
    return (operand ? "fd.ops.gather(" + name(operand) : "fd.ops.take_along_axis(" + name(expr.input(0))) + ", " +
           name(expr.input(1)) + ", dim=" + std::to_string(expr.attribute<int64_t>(0)) + ")";
  }

  std::string full_text(const Expr& expr) {
    return "fd.ops.full(shape=" + names(expr.inputs(), 1, expr.inputs().size()) +
           ", fill_value=" + fill(expr.input(0)) + ", dtype=" + dtype_text(expr.output(0)->dtype()) + ")";
  }

  std::string iota_text(const Expr& expr) {
    return "fd.ops.iota(" + name(expr.input(2)) + ", start=" + fill(expr.input(0)) + ", step=" + fill(expr.input(1)) +
           ", dtype=" + dtype_text(expr.output(0)->dtype()) + ")";
  }

  /// The builder makes what stands behind the first operand.
  std::string reduce_text(const Expr& expr) {
    const ReductionInfo& row = info(expr.attribute<ReductionOp>(0));
    check(row.form != ReductionForm::inner, ErrorKind::definition, "a fusion cannot be written as Python: ", row.name,
          " has no name there");
    const bool whole = is_integral(expr.input(0)->dtype());
    const std::string dims = list_of(flagged(expr.attribute<std::vector<bool>>(1)));
    return "fd.ops." + std::string(row.name) + "(" + name(expr.input(0)) +
           (static_cast<const TensorView*>(expr.input(0))->rank() == 0 ? "" : ", dims=" + dims) +
           (whole && row.form == ReductionForm::typed ? ", dtype=" + dtype_text(expr.input(0)->dtype()) : "") + ")";
  }

  /// A scalar that its op converts to the type of the result.
  std::string fill(const Val* value) {
    const bool shared = value->is_constant() && value->dtype() != DataType::Index && constant_uses_[value] > 1;
    return shared ? constant_name(value) : name(value);
  }

  void write_tensor_expr(const Expr& expr) {
    using Text = std::string (PythonWriter::*)(const Expr&);
    // in order of nodes.def; split and merge are no expressions over tensors
    static constexpr std::array<Text, kNodeCount> kTexts = {&PythonWriter::pointwise_text,
                                                            &PythonWriter::cast_text,
                                                            &PythonWriter::set_text,
                                                            &PythonWriter::broadcast_text,
                                                            &PythonWriter::expand_text,
                                                            &PythonWriter::squeeze_text,
                                                            &PythonWriter::permute_text,
                                                            &PythonWriter::reshape_text,
                                                            &PythonWriter::slice_text,
                                                            &PythonWriter::pad_text,
                                                            &PythonWriter::cat_text,
                                                            &PythonWriter::take_along_axis_text,
                                                            &PythonWriter::full_text,
                                                            &PythonWriter::iota_text,
                                                            &PythonWriter::reduce_text,
                                                            nullptr,
                                                            nullptr};
    const Text text = kTexts[static_cast<int>(expr.kind())];
    ensure(text != nullptr, "a fusion holds no ", name_of(expr.kind()), " of tensors");
    const std::string made = (this->*text)(expr);
    if (expr.outputs().size() == 1) {
      define(expr.output(0), made);
    } else {
      define_all(expr.outputs(), made);
    }
  }

  // ---- outputs ----

  /// A hidden alias is registered with its input; one that is returned too becomes an alias once it is an output.
  void write_outputs() {
    std::string visible_aliases;
    std::unordered_set<const TensorView*> seen;
    for (size_t k = 0; k < fusion_.outputs().size(); ++k) {
      const TensorView* output = fusion_.outputs()[k];
      const OutputAlias* alias = fusion_.alias(k);
      const std::string target = alias == nullptr ? "" : ", " + name(alias->input);
      const bool hidden = alias != nullptr && alias->hidden;
      out_ << "    fd.add_output(" << name(output) << (hidden ? target : "") << ")\n";
      if (alias != nullptr && !hidden && seen.insert(output).second) {
        visible_aliases += "    fd.add_output(" + name(output) + target + ")\n";
      }
    }
    out_ << visible_aliases;
  }

  const Fusion& fusion_;
  std::ostringstream out_;
  std::unordered_set<const Expr*> needed_;
  std::unordered_map<const Val*, int> constant_uses_;
  std::unordered_map<const Val*, std::string> names_;
  std::unordered_map<const Val*, std::string> sizes_;  // calls that give extents
  int tensors_ = 0, scalars_ = 0;
};

}  // namespace

std::string python_source(const Fusion& fusion) { return PythonWriter(fusion).write(); }

}  // namespace nvfuser
