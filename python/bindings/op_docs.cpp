// SPDX-License-Identifier: Apache-2.0
// The sections of an operation's docstring, in numpydoc's order.
#include "op_docs.h"

#include <algorithm>
#include <vector>

#include "nvfuser/codegen/value_text.h"

namespace nvfuser::python {
namespace {

/// Names of the operands where they are not x | lhs, rhs.
struct ArgumentNames {
  PointwiseOp op;
  std::array<const char*, 4> names;
};
constexpr ArgumentNames kNamed[] = {
    {PointwiseOp::complex, {"real", "imag"}},
    {PointwiseOp::lerp, {"start", "end", "weight"}},
    {PointwiseOp::where, {"condition", "a", "b"}},
    {PointwiseOp::clamp, {"x", "min", "max"}},
    {PointwiseOp::threshold, {"x", "threshold", "value"}},
    {PointwiseOp::addcmul, {"a", "b", "c", "value"}},
};
/// Formulas of expressions that call a function of the operation's name, over the operands a, b, c, d.
struct Formula {
  PointwiseOp op;
  const char* text;
};
constexpr Formula kFormulas[] = {
    {PointwiseOp::exp2, "2 ** a"},
    {PointwiseOp::expm1, "exp(a) - 1"},
    {PointwiseOp::erf, "2 / sqrt(pi) * integral of exp(-t ** 2) for t from 0 to a"},
    {PointwiseOp::erfc, "1 - erf(a)"},
    {PointwiseOp::erfinv, "the y with erf(y) == a"},
    {PointwiseOp::erfcinv, "the y with erfc(y) == a"},
    {PointwiseOp::lgamma, "log(abs(gamma(a)))"},
    {PointwiseOp::log1p, "log(1 + a)"},
    {PointwiseOp::reciprocal, "1 / a"},
    {PointwiseOp::rsqrt, "1 / sqrt(a)"},
    {PointwiseOp::sigmoid, "1 / (1 + exp(-a))"},
    {PointwiseOp::neg, "-a"},
    {PointwiseOp::relu, "max(a, 0)"},
    {PointwiseOp::sign, "(a > 0) - (a < 0)"},
    {PointwiseOp::logical_not, "not a"},
    {PointwiseOp::bitwise_not, "~a"},
    {PointwiseOp::isfinite, "abs(a) < inf"},
    {PointwiseOp::isinf, "abs(a) == inf"},
    {PointwiseOp::isnan, "a != a"},
    {PointwiseOp::isneginf, "a == -inf"},
    {PointwiseOp::isposinf, "a == inf"},
    {PointwiseOp::isreal, "imag(a) == 0"},
    {PointwiseOp::add, "a + b"},
    {PointwiseOp::sub, "a - b"},
    {PointwiseOp::mul, "a * b"},
    {PointwiseOp::div, "a / b"},
    {PointwiseOp::truediv, "a / b"},
    {PointwiseOp::fmod, "a - trunc(a / b) * b"},
    {PointwiseOp::mod, "a - trunc(a / b) * b"},
    {PointwiseOp::remainder, "a - floor(a / b) * b"},
    {PointwiseOp::pow, "a ** b"},
    {PointwiseOp::minimum, "min(a, b)"},
    {PointwiseOp::maximum, "max(a, b)"},
    {PointwiseOp::complex, "a + 1j * b"},
    {PointwiseOp::logical_and, "a and b"},
    {PointwiseOp::logical_or, "a or b"},
    {PointwiseOp::bitwise_and, "a & b"},
    {PointwiseOp::bitwise_or, "a | b"},
    {PointwiseOp::bitwise_xor, "a ^ b"},
    {PointwiseOp::bitwise_left_shift, "a << b"},
    {PointwiseOp::bitwise_right_shift, "a >> b"},
    {PointwiseOp::logical_right_shift, "unsigned(a) >> b"},
    {PointwiseOp::lerp, "a + c * (b - a)"},
    {PointwiseOp::where, "b if a else c"},
    {PointwiseOp::clamp, "min(max(a, b), c)"},
    {PointwiseOp::threshold, "c if a <= b else a"},
    {PointwiseOp::addcmul, "a + d * b * c"},
};
constexpr std::array<const char*, 4> kUnary = {"x"};
constexpr std::array<const char*, 4> kBinary = {"lhs", "rhs"};

/// By PromotionRule.
constexpr const char* kRuleDocs[] = {
    "Float for integers, Bool and narrow floats; else the operands' common dtype",
    "the operands' common dtype, Float for narrow floats",
    "the dtype of the first operand",
    "the operand's dtype, the matching real one for complex",
    "the operand's dtype, the matching real one for complex",
    "Bool",
    "Bool",
    "the operands' common integer dtype, or Bool",
    "Float or Double, as the operands",
    "ComplexFloat for Float, ComplexDouble for Double",
    "the common dtype of a and b, which narrow floats keep",
};

constexpr std::string_view kOutside =
    "DefinitionError\n    For values of a fusion that is not being defined; for tensors without a fusion.\n";

void begin(std::string& text, std::string_view section) {
  if (!text.ends_with("\n")) {
    text += "\n";
  }
  text += "\n" + std::string(section) + "\n" + std::string(section.size(), '-') + "\n";
}

using Names = std::array<const char*, 4>;

/// A text over a, b, c, d with the names of the arguments in their place.
std::string with_names(const PointwiseInfo& row, std::string_view text, const Names& names) {
  return expression_text("(" + std::string(text) + ")", {names.begin(), names.begin() + row.arity});
}

/// The summary of a row; one that speaks of b means operands by its letters, in others "a" is the article.
std::string summary(const PointwiseInfo& row, const Names& names) {
  const bool has_letters = with_names(row, row.doc, {"a", "", "c", "d"}) != row.doc;
  return has_letters ? with_names(row, row.doc, names) : std::string(row.doc);
}

/// `a * rt::sigmoid(a)` as users would write it: x * sigmoid(x).
std::string formula(const PointwiseInfo& row, const Names& names) {
  for (const Formula& known : kFormulas) {
    if (known.op == row.op) {
      return with_names(row, known.text, names);
    }
  }
  std::string text = expression_text(expression_of(row.op), {names.begin(), names.begin() + row.arity});
  for (size_t at = text.find("rt::"); at != std::string::npos; at = text.find("rt::")) {
    text.erase(at, 4);
  }
  return text;
}

std::string accuracy(const PointwiseInfo& row) {
  if (row.ulp < 0) {
    return "No bound of the error is stated.";
  }
  if (row.ulp == 0) {
    return "The result is exact.";
  }
  if (row.ulp < 1) {
    return "The result is rounded once.";
  }
  return "Float results on the CPU are within " + std::to_string(static_cast<int>(row.ulp)) +
         " units in the last place of the true value.";
}

/// Lines before the examples that are too long for a screen go on in the next one.
std::string wrapped(std::string text) {
  constexpr size_t kMost = 118;
  for (size_t begin = 0, end; begin < text.size() && text.compare(begin, 3, ">>>") != 0; begin = end + 1) {
    end = std::min(text.find('\n', begin), text.size());
    if (end - begin > kMost) {
      const size_t space = text.rfind(' ', begin + kMost), words = text.find_first_not_of(' ', begin);
      const size_t rest = text.find_first_not_of(' ', space);
      text.replace(space, rest - space, "\n" + std::string(words - begin, ' '));
      end = space;
    }
  }
  return text;
}

/// A call of the table's kind, `add(1, 2) = 3`, as a doctest.
std::string doctest(std::string_view example) {
  const size_t equal = example.rfind(" = ");
  return ">>> ops." + std::string(example.substr(0, equal)) + "\n<Val: " + std::string(example.substr(equal + 3)) +
         ">\n";
}

}  // namespace

const std::array<const char*, 4>& argument_names(const PointwiseInfo& row) {
  for (const ArgumentNames& named : kNamed) {
    if (named.op == row.op) {
      return named.names;
    }
  }
  return row.arity == 1 ? kUnary : kBinary;
}

std::string docstring(const PointwiseInfo& row) {
  const std::array<const char*, 4> names = argument_names(row);
  std::string text = summary(row, names);
  begin(text, "Parameters");
  for (int k = 0; k < row.arity; ++k) {
    text += std::string(names[k]) + " : Val or number" + (is_optional(row.op, k) ? ", optional" : "") +
            "\n    A tensor, a scalar or a number" + (row.arity > 1 ? "; shapes broadcast as in NumPy" : "") + ".\n";
  }
  begin(text, "Returns");
  text += "Val\n    A TensorView of the " + std::string(row.arity > 1 ? "operands' common" : "operand's") +
          " shape, or a scalar where no operand is a tensor.  Its dtype: " + kRuleDocs[static_cast<int>(row.rule)] +
          ".\n";
  begin(text, "Raises");
  text += "DTypeError\n    For operands of dtypes for which the operation has no meaning.\n";
  text += row.arity > 1 ? "ShapeError\n    For shapes that do not broadcast.\n" : "";
  text += kOutside;
  begin(text, "See Also");
  text += std::string(row.see) + "\n";
  begin(text, "Notes");
  text += "Computes ``" + formula(row, names) + "``.  " + accuracy(row) + "\n";
  begin(text, "Examples");
  return wrapped(text + doctest(row.example));
}

std::string docstring(const ReductionInfo& row) {
  std::string text(row.doc);
  begin(text, "Parameters");
  text +=
      "arg : TensorView\n    The tensor, of any shape.\n"
      "dim : int\n    One axis; a negative one counts from the end.\n"
      "dims : sequence of int\n    Several axes, at least one.  All axes without dim and dims.\n"
      "keepdim : bool\n    Keep the reduced axes with size 1.\n"
      "dtype : DataType\n";
  text += row.form == ReductionForm::typed
              ? "    What the tensor is cast to first.  Null: Int for Bool and integers, else the tensor's dtype.\n"
              : "    Has to stay Null.\n";
  begin(text, "Returns");
  text += "TensorView\n    The shape without the reduced axes, or with size 1 for them.  Its dtype: ";
  text += row.form == ReductionForm::place       ? "Int; positions count in row-major order of the reduced axes"
          : row.parts.types[0] == PartType::flag ? "Bool"
                                                 : "that of what is reduced";
  text += ".\n";
  begin(text, "Raises");
  text +=
      "DTypeError\n    For a dtype for which the reduction has no meaning.\n"
      "ShapeError\n    For an axis that does not exist or stands twice, and for an empty list of axes.\n";
  text += kOutside;
  begin(text, "See Also");
  text += std::string(row.see) + "\n";
  if (row.form == ReductionForm::typed) {
    begin(text, "Notes");
    text +=
        "Narrow floats are accumulated in Float and rounded once.  The order in which elements are taken depends on "
        "shape, device\nand schedule, not on timing: equal calls give equal bits.\n";
  }
  begin(text, "Examples");
  text += ">>> x = np.float32([[1, 5, 3], [4, 2, 6]])\n>>> with FusionDefinition() as fd:\n...     fd.add_output(ops." +
          std::string(row.name) + "(fd.from_pytorch(x), 1))\n>>> fd.execute([x], target=\"evaluator\")\n[" +
          std::string(row.example) + "]\n";
  return wrapped(std::move(text));
}

std::string op_docstring(std::string_view name, std::string_view text) {
  const OpNotes notes = notes_of(name);
  std::string whole(text);
  begin(whole, "Raises");
  whole += "DTypeError\n    For operands of dtypes for which the operation has no meaning.\nShapeError\n";
  whole += "    For shapes and axes that do not fit.\n" + std::string(kOutside);
  begin(whole, "See Also");
  whole += std::string(notes.see) + "\n";
  begin(whole, "Examples");
  return wrapped(whole + std::string(notes.example));
}

}  // namespace nvfuser::python
