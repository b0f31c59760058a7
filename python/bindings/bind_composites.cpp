// SPDX-License-Identifier: Apache-2.0
// Softmax, activations and losses of the submodule `ops`.
#include <array>
#include <span>
#include <string>

#include "def_op.h"
#include "nvfuser/ops/activations.h"
#include "nvfuser/ops/losses.h"
#include "nvfuser/ops/softmax.h"
#include "op_docs.h"

namespace nvfuser::python {
namespace {

constexpr const char* kTypeDoc =
    "dtype : DataType\n    Type of the result, a floating one; Null: that of the first tensor.  Narrow floats are "
    "computed in "
    "Float.\n";

std::string documented(const char* name, const std::string& summary, const char* parameters, const char* returns) {
  const std::string text =
      summary + "\n\nParameters\n----------\n" + parameters + kTypeDoc + "\nReturns\n-------\n" + returns + "\n";
  return op_docstring(name, text);
}

/// The position of a word among those that an argument may be; ValueError lists them.
[[gnu::cold]] size_t chosen(const char* argument, std::string_view word, std::span<const char* const> all) {
  std::string words;
  for (size_t k = 0; k < all.size(); ++k) {
    if (word == all[k]) {
      return k;
    }
    words += std::string(k == 0 ? "'" : ", '") + all[k] + "'";
  }
  throw nb::value_error(
      ("argument '" + std::string(argument) + "': expected one of " + words + ", got '" + std::string(word) + "'")
          .c_str());
}

/// By GeluForm and by LossReduction.
constexpr const char* kForms[] = {"none", "tanh"};
constexpr const char* kReductions[] = {"mean", "sum", "none"};

GeluForm gelu_form(std::string_view word) { return static_cast<GeluForm>(chosen("approximate", word, kForms)); }

struct SoftmaxRow {
  const char* name;
  TensorView* (*build)(TensorView* x, int64_t dim, DataType dtype);
  const char* formula;
};
constexpr SoftmaxRow kForward[] = {
    {"softmax", softmax, "exp(x) / sum(exp(x)) along one axis, without overflow."},
    {"log_softmax", log_softmax, "x - log(sum(exp(x))) along one axis, without overflow."},
};
struct SoftmaxBackwardRow {
  const char* name;
  TensorView* (*build)(TensorView* grad, TensorView* y, int64_t dim, DataType dtype);
  const char* formula;
};
constexpr SoftmaxBackwardRow kBackward[] = {
    {"softmax_backward", softmax_backward, "Gradient of softmax: y * (grad - sum(grad * y))."},
    {"log_softmax_backward", log_softmax_backward, "Gradient of log_softmax: grad - exp(y) * sum(grad)."},
};

void bind_softmax(nb::module_& m) {
  for (const SoftmaxRow& row : kForward) {
    const std::string sig =
        "def " + std::string(row.name) + "(x: TensorView, dim: int, dtype: DataType = DataType.Null) -> TensorView";
    const std::string doc = documented(
        row.name, row.formula,
        "x : TensorView\n    A floating tensor.\ndim : int\n    The axis; a negative one counts from the end.\n",
        "TensorView\n    The shape of x.  A row of -inf, or with +inf or NaN in it, gives NaN.");
    def_op(
        m, row.name,
        [build = row.build](nb::handle x, int64_t dim, DataType dtype) {
          return wrap(build(op_tensor(x, "x"), dim, dtype));
        },
        "x"_a, "dim"_a, "dtype"_a = DataType::Null, nb::sig(sig.c_str()), doc.c_str());
  }
  for (const SoftmaxBackwardRow& row : kBackward) {
    const std::string sig =
        "def " + std::string(row.name) +
        "(grad: TensorView, y: TensorView, dim: int, dtype: DataType = DataType.Null) -> TensorView";
    const std::string doc = documented(
        row.name, row.formula,
        "grad : TensorView\n    Gradient of the result.\ny : TensorView\n    The result of the forward form.\n"
        "dim : int\n    Its axis.\n",
        "TensorView\n    The gradient of x.");
    def_op(
        m, row.name,
        [build = row.build](nb::handle grad, nb::handle y, int64_t dim, DataType dtype) {
          return wrap(build(op_tensor(grad, "grad"), op_tensor(y, "y"), dim, dtype));
        },
        "grad"_a, "y"_a, "dim"_a, "dtype"_a = DataType::Null, nb::sig(sig.c_str()), doc.c_str());
  }
}

void bind_activations(nb::module_& m) {
  constexpr const char* kFormDoc =
      "approximate : str\n    \"none\", or \"tanh\" for x/2 * (1 + tanh(sqrt(2/pi) * (x + "
      "0.044715 x^3))).\n";
  const std::string forward = documented("gelu", "x/2 * (1 + erf(x / sqrt 2)).",
                                         ("x : TensorView\n    A floating tensor.\n" + std::string(kFormDoc)).c_str(),
                                         "TensorView\n    The shape of x.");
  def_op(
      m, "gelu",
      [](nb::handle x, const std::string& approximate, DataType dtype) {
        return wrap(gelu(op_tensor(x, "x"), gelu_form(approximate), dtype));
      },
      "x"_a, "approximate"_a = "none", "dtype"_a = DataType::Null,
      nb::sig("def gelu(x: TensorView, approximate: str = \"none\", dtype: DataType = DataType.Null) -> TensorView"),
      forward.c_str());
  const std::string backward = documented(
      "gelu_backward",
      "Gradient of gelu.\n\ngrad * (Phi(x) + x * phi(x)), Phi and phi the normal distribution and its density, or that "
      "of the tanh form.",
      ("grad : TensorView\n    Gradient of the result.\nx : TensorView\n    The operand of gelu.\n" +
       std::string(kFormDoc))
          .c_str(),
      "TensorView\n    The gradient of x.");
  def_op(
      m, "gelu_backward",
      [](nb::handle grad, nb::handle x, const std::string& approximate, DataType dtype) {
        return wrap(gelu_backward(op_tensor(grad, "grad"), op_tensor(x, "x"), gelu_form(approximate), dtype));
      },
      "grad"_a, "x"_a, "approximate"_a = "none", "dtype"_a = DataType::Null,
      nb::sig("def gelu_backward(grad: TensorView, x: TensorView, approximate: str = \"none\", dtype: DataType = "
              "DataType.Null) -> "
              "TensorView"),
      backward.c_str());
  const std::string silu =
      documented("silu_backward", "Gradient of silu: grad * s * (1 + x * (1 - s)), s = sigmoid(x).",
                 "grad : TensorView\n    Gradient of the result.\nx : TensorView\n    The operand of silu.\n",
                 "TensorView\n    The gradient of x.");
  def_op(
      m, "silu_backward",
      [](nb::handle grad, nb::handle x, DataType dtype) {
        return wrap(silu_backward(op_tensor(grad, "grad"), op_tensor(x, "x"), dtype));
      },
      "grad"_a, "x"_a, "dtype"_a = DataType::Null,
      nb::sig("def silu_backward(grad: TensorView, x: TensorView, dtype: DataType = DataType.Null) -> TensorView"),
      silu.c_str());
}

constexpr const char* kLossDoc =
    "ignore_index : int\n    The class of rows that have loss 0 and do not count.\nreduction : str\n    \"mean\" over "
    "the rows "
    "that "
    "count (NaN where there are none), \"sum\" or \"none\".\nlabel_smoothing : float\n    Share of the loss that is "
    "spread "
    "over all classes.\n";
constexpr const char* kRowsDoc =
    "x : TensorView\n    Logits, classes along axis 1 (axis 0 of a tensor of one axis).\ntarget : TensorView\n    The "
    "class of each row: "
    "integers "
    "with the axes of x without that of the classes.  A class that is\n    neither ignore_index nor one of the row "
    "gives NaN.\n";

CrossEntropyOptions options(int64_t ignore_index, const std::string& reduction, double label_smoothing) {
  return {ignore_index, static_cast<LossReduction>(chosen("reduction", reduction, kReductions)), label_smoothing};
}

/// As `cross_entropy` (the loss) or `cross_entropy_forward` (what the backward form reads, too).
void bind_cross_entropy(nb::module_& m, const char* name, bool all) {
  const std::string sig =
      "def " + std::string(name) +
      "(x: TensorView, target: TensorView, ignore_index: int = -100, reduction: str = \"mean\", label_smoothing: "
      "float = 0.0, dtype: DataType = DataType.Null) -> " +
      (all ? "tuple[TensorView, TensorView]" : "TensorView");
  const std::string doc = documented(
      name,
      std::string(all ? "Cross-entropy of logits and classes, with what the backward form reads."
                      : "Cross-entropy of logits and classes.") +
          "\n\nlog(sum(exp x)) - x[t] of each row x of logits and its class t; with label smoothing a, (1 - a) * that "
          "+ "
          "a * (log(sum(exp x)) - mean x).",
      (std::string(kRowsDoc) + kLossDoc).c_str(),
      all ? "tuple of TensorView\n    The loss, and log(sum(exp x)) of each row, which cross_entropy_backward reads."
          : "TensorView\n    The loss: no axes, or those of the target without reduction.");
  def_op(
      m, name,
      [all](nb::handle x, nb::handle target, int64_t ignore_index, const std::string& reduction, double smoothing,
            DataType dtype) -> nb::object {
        const CrossEntropyResult result = cross_entropy(op_tensor(x, "x"), op_tensor(target, "target"),
                                                        options(ignore_index, reduction, smoothing), dtype);
        return all ? nb::object(nb::make_tuple(wrap(result.loss), wrap(result.log_sum))) : wrap(result.loss);
      },
      "x"_a, "target"_a, "ignore_index"_a = -100, "reduction"_a = "mean", "label_smoothing"_a = 0.0,
      "dtype"_a = DataType::Null, nb::sig(sig.c_str()), doc.c_str());
}

void bind_losses(nb::module_& m) {
  bind_cross_entropy(m, "cross_entropy", false);
  bind_cross_entropy(m, "cross_entropy_forward", true);
  const std::string doc =
      documented("cross_entropy_backward",
                 "Gradient of cross_entropy.\n\ng * (exp(x - log_sum) - (1 - a) * [class = t] - a / classes), a the "
                 "label smoothing; "
                 "g = grad, over the number of rows that count for the mean.  Rows that are ignored have gradient 0.",
                 ("grad : TensorView\n    Gradient of the loss, of its shape.\n" + std::string(kRowsDoc) +
                  "log_sum : TensorView\n    The second result of cross_entropy_forward.\n" + kLossDoc)
                     .c_str(),
                 "TensorView\n    The gradient of x.  dtype Null: the type of x.");
  def_op(
      m, "cross_entropy_backward",
      [](nb::handle grad, nb::handle x, nb::handle target, nb::handle log_sum, int64_t ignore_index,
         const std::string& reduction, double smoothing, DataType dtype) {
        return wrap(cross_entropy_backward(op_tensor(grad, "grad"), op_tensor(x, "x"), op_tensor(target, "target"),
                                           op_tensor(log_sum, "log_sum"), options(ignore_index, reduction, smoothing),
                                           dtype));
      },
      "grad"_a, "x"_a, "target"_a, "log_sum"_a, "ignore_index"_a = -100, "reduction"_a = "mean",
      "label_smoothing"_a = 0.0, "dtype"_a = DataType::Null,
      nb::sig("def cross_entropy_backward(grad: TensorView, x: TensorView, target: TensorView, log_sum: TensorView, "
              "ignore_index: int = -100, "
              "reduction: str = \"mean\", label_smoothing: float = 0.0, dtype: DataType = DataType.Null) -> "
              "TensorView"),
      doc.c_str());
}

}  // namespace

void bind_composites(nb::module_& m) {
  bind_softmax(m);
  bind_activations(m);
  bind_losses(m);
}

}  // namespace nvfuser::python
