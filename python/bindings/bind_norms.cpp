// SPDX-License-Identifier: Apache-2.0
// Normalisations of the submodule `ops`.  `x_norm` gives the result alone, as torch.nn.functional does;
// `x_norm_forward` gives the statistics too, which `x_norm_backward` reads.
#include <string>

#include "def_op.h"
#include "nvfuser/ops/norms.h"
#include "op_docs.h"

namespace nvfuser::python {
namespace {

/// Parameters by name, in the order in which they are documented.
struct ParameterDoc {
  const char* name;
  const char* type;
  const char* text;
};
constexpr ParameterDoc kParameters[] = {
    {"grad", "TensorView", "Gradient of y."},
    {"x", "TensorView", "A floating tensor."},
    {"mean", "TensorView", "The statistic that the forward form gave."},
    {"rstd", "TensorView", "1 / sqrt(variance + eps), as the forward form gave it."},
    {"normalized_shape", "sequence of int or Val",
     "Sizes of the last axes, over which statistics are taken; -1 for any size."},
    {"running_mean", "TensorView, optional",
     "Means of the channels over calls.  Training updates them in place, where they are given."},
    {"running_var", "TensorView, optional", "Variances of the channels over calls, the same."},
    {"num_groups", "int", "Number of groups of neighbouring channels; it divides the channels, which are axis 1."},
    {"weight", "TensorView, optional", "Factors of the normalized values; None: 1."},
    {"bias", "TensorView, optional", "What is added to them; None: 0."},
    {"training", "bool", "True: statistics of x.  False: the running ones."},
    {"momentum", "Val or float, optional", "Share of the new statistics in the running ones."},
    {"eps", "Val or float, optional",
     "Added to the variance.  None: 1e-5; for rms_norm the distance from 1 to the next Float (or Double)."},
    {"dtype", "DataType", "Type of the result, a floating one; Null: that of x.  Narrow floats are computed in Float."},
};

struct Described {
  std::string sig, doc;
};

/// Documents the parameters that a signature names.
Described documented(const std::string& name, const std::string& parameters, const std::string& results,
                     const std::string& summary, const std::string& formula, const std::string& returns) {
  const std::string sig = "def " + name + "(" + parameters + ", dtype: DataType = DataType.Null) -> " + results;
  std::string text = summary + "\n\n" + formula + "\n\nParameters\n----------\n";
  for (const ParameterDoc& parameter : kParameters) {
    const std::string word = parameter.name;
    if (sig.find("(" + word + ":") != std::string::npos || sig.find(" " + word + ":") != std::string::npos) {
      text += word + " : " + parameter.type + "\n    " + parameter.text + "\n";
    }
  }
  return {sig, op_docstring(name, text + "\nReturns\n-------\n" + returns + "\n")};
}

/// One of the two forward forms: y alone, or with its statistics.
Described forward(const std::string& name, bool all, const std::string& parameters, const std::string& title,
                  const std::string& formula, const std::string& statistics, int count) {
  std::string types = "TensorView";
  for (int k = 0; all && k < count; ++k) {
    types += ", TensorView";
  }
  return documented(name + (all ? "_forward" : ""), parameters, all ? "tuple[" + types + "]" : types,
                    title + (all ? ", with the statistics that the backward form reads." : "."), formula,
                    all ? "tuple of TensorView\n    y, " + statistics : "TensorView\n    y, of the shape of x.");
}

Described backward(const std::string& name, const std::string& parameters, const std::string& formula, bool bias) {
  return documented(name + "_backward", parameters,
                    std::string("tuple[") + (bias ? "TensorView, " : "") + "TensorView, TensorView]",
                    "Gradients of " + name + ".", formula,
                    std::string("tuple of TensorView\n    Gradients of x, of weight") + (bias ? " and of bias" : "") +
                        ".  Those of the vectors have the weight's dtype, or that of x without one.");
}

nb::object results(const NormResult& result, bool all) {
  if (!all) {
    return wrap(result.y);
  }
  return result.mean == nullptr ? nb::make_tuple(wrap(result.y), wrap(result.rstd))
                                : nb::make_tuple(wrap(result.y), wrap(result.mean), wrap(result.rstd));
}

nb::object gradients(const NormGradients& result) {
  return result.bias == nullptr ? nb::make_tuple(wrap(result.x), wrap(result.weight))
                                : nb::make_tuple(wrap(result.x), wrap(result.weight), wrap(result.bias));
}

std::vector<Val*> shape_of(TensorView* x, nb::handle shape) {
  return val_list(*x->fusion(), shape, "normalized_shape");
}
Val* scalar(TensorView* x, nb::handle value, const char* name) { return optional_operand(*x->fusion(), value, name); }

void bind_layer_norm(nb::module_& m) {
  for (const bool all : {false, true}) {
    const Described text =
        forward("layer_norm", all,
                "x: TensorView, normalized_shape: Sequence[int | Val], weight: TensorView | None = None, bias: "
                "TensorView | None = None, eps: Val | "
                "float | None = 1e-5",
                "Normalisation over the last axes by mean and variance",
                "(x - mean) * rstd * weight + bias over the last axes, rstd = 1 / sqrt(mean((x - mean)^2) + eps).",
                "mean and rstd; the statistics keep the normalized axes with size 1.", 2);
    def_op(
        m, all ? "layer_norm_forward" : "layer_norm",
        [all](nb::handle x, nb::handle shape, nb::handle weight, nb::handle bias, nb::handle eps, DataType dtype) {
          TensorView* const tensor = op_tensor(x, "x");
          return results(layer_norm(tensor, shape_of(tensor, shape), optional_tensor(weight, "weight"),
                                    optional_tensor(bias, "bias"), scalar(tensor, eps, "eps"), dtype),
                         all);
        },
        "x"_a, "normalized_shape"_a, "weight"_a = nb::none(), "bias"_a = nb::none(), "eps"_a.none() = 1e-5,
        "dtype"_a = DataType::Null, nb::sig(text.sig.c_str()), text.doc.c_str());
  }
  const Described text = backward("layer_norm",
                                  "grad: TensorView, x: TensorView, mean: TensorView, rstd: TensorView, "
                                  "normalized_shape: Sequence[int | Val], weight: TensorView | None = None",
                                  "With h = (x - mean) * rstd and g = grad * weight: (g - mean(g) - h * mean(g * h)) * "
                                  "rstd; sums of grad * h and of grad over the leading axes.",
                                  true);
  def_op(
      m, "layer_norm_backward",
      [](nb::handle grad, nb::handle x, nb::handle mean, nb::handle rstd, nb::handle shape, nb::handle weight,
         DataType dtype) {
        TensorView* const tensor = op_tensor(x, "x");
        return gradients(layer_norm_backward(op_tensor(grad, "grad"), tensor, op_tensor(mean, "mean"),
                                             op_tensor(rstd, "rstd"), shape_of(tensor, shape),
                                             optional_tensor(weight, "weight"), dtype));
      },
      "grad"_a, "x"_a, "mean"_a, "rstd"_a, "normalized_shape"_a, "weight"_a = nb::none(), "dtype"_a = DataType::Null,
      nb::sig(text.sig.c_str()), text.doc.c_str());
}

void bind_rms_norm(nb::module_& m) {
  for (const bool all : {false, true}) {
    const Described text = forward("rms_norm", all,
                                   "x: TensorView, normalized_shape: Sequence[int | Val], weight: TensorView | None = "
                                   "None, eps: Val | float | None = None",
                                   "Normalisation over the last axes by the root of the mean square",
                                   "x * rstd * weight over the last axes, rstd = 1 / sqrt(mean(x^2) + eps).",
                                   "and rstd, which keeps the normalized axes with size 1.", 1);
    def_op(
        m, all ? "rms_norm_forward" : "rms_norm",
        [all](nb::handle x, nb::handle shape, nb::handle weight, nb::handle eps, DataType dtype) {
          TensorView* const tensor = op_tensor(x, "x");
          return results(rms_norm(tensor, shape_of(tensor, shape), optional_tensor(weight, "weight"),
                                  scalar(tensor, eps, "eps"), dtype),
                         all);
        },
        "x"_a, "normalized_shape"_a, "weight"_a = nb::none(), "eps"_a = nb::none(), "dtype"_a = DataType::Null,
        nb::sig(text.sig.c_str()), text.doc.c_str());
  }
  const Described text = backward("rms_norm",
                                  "grad: TensorView, x: TensorView, rstd: TensorView, normalized_shape: Sequence[int | "
                                  "Val], weight: TensorView | None = None",
                                  "With h = x * rstd and g = grad * weight: (g - h * mean(g * h)) * rstd; the sum "
                                  "of grad * h over the leading axes.",
                                  false);
  def_op(
      m, "rms_norm_backward",
      [](nb::handle grad, nb::handle x, nb::handle rstd, nb::handle shape, nb::handle weight, DataType dtype) {
        TensorView* const tensor = op_tensor(x, "x");
        return gradients(rms_norm_backward(op_tensor(grad, "grad"), tensor, op_tensor(rstd, "rstd"),
                                           shape_of(tensor, shape), optional_tensor(weight, "weight"), dtype));
      },
      "grad"_a, "x"_a, "rstd"_a, "normalized_shape"_a, "weight"_a = nb::none(), "dtype"_a = DataType::Null,
      nb::sig(text.sig.c_str()), text.doc.c_str());
}

void bind_batch_norm(nb::module_& m) {
  for (const bool all : {false, true}) {
    const Described text = forward(
        "batch_norm", all,
        "x: TensorView, running_mean: TensorView | None = None, running_var: TensorView | None = None, weight: "
        "TensorView | None = None, "
        "bias: TensorView | None = None, training: bool = False, momentum: Val | float | None = 0.1, eps: Val | float "
        "| None = 1e-5",
        "Normalisation of each channel by mean and variance over all samples",
        "(x - mean) * rstd * weight + bias for each channel (axis 1), rstd = 1 / sqrt(variance + eps).  Training "
        "takes statistics over all other axes and sets running = (1 - momentum) * running + momentum * new, the "
        "new variance over n - 1; the running ones have to be inputs of the fusion then.",
        "mean and rstd; the statistics have one value a channel.", 2);
    def_op(
        m, all ? "batch_norm_forward" : "batch_norm",
        [all](nb::handle x, nb::handle running_mean, nb::handle running_var, nb::handle weight, nb::handle bias,
              Flag training, nb::handle momentum, nb::handle eps, DataType dtype) {
          TensorView* const tensor = op_tensor(x, "x");
          const RunningStatistics running{optional_tensor(running_mean, "running_mean"),
                                          optional_tensor(running_var, "running_var")};
          return results(batch_norm(tensor, running, optional_tensor(weight, "weight"), optional_tensor(bias, "bias"),
                                    training, scalar(tensor, momentum, "momentum"), scalar(tensor, eps, "eps"), dtype),
                         all);
        },
        "x"_a, "running_mean"_a = nb::none(), "running_var"_a = nb::none(), "weight"_a = nb::none(),
        "bias"_a = nb::none(), "training"_a = false, "momentum"_a.none() = 0.1, "eps"_a.none() = 1e-5,
        "dtype"_a = DataType::Null, nb::sig(text.sig.c_str()), text.doc.c_str());
  }
  const Described text =
      backward("batch_norm",
               "grad: TensorView, x: TensorView, mean: TensorView, rstd: TensorView, weight: TensorView | None = None, "
               "training: bool = True",
               "With h = (x - mean) * rstd and g = grad * weight: (g - mean(g) - h * mean(g * "
               "h)) * rstd, or g * rstd unless training; sums of grad * h and of grad over all axes but axis 1.",
               true);
  def_op(
      m, "batch_norm_backward",
      [](nb::handle grad, nb::handle x, nb::handle mean, nb::handle rstd, nb::handle weight, Flag training,
         DataType dtype) {
        return gradients(batch_norm_backward(op_tensor(grad, "grad"), op_tensor(x, "x"), op_tensor(mean, "mean"),
                                             op_tensor(rstd, "rstd"), optional_tensor(weight, "weight"), training,
                                             dtype));
      },
      "grad"_a, "x"_a, "mean"_a, "rstd"_a, "weight"_a = nb::none(), "training"_a = true, "dtype"_a = DataType::Null,
      nb::sig(text.sig.c_str()), text.doc.c_str());
}

void bind_group_norm(nb::module_& m) {
  for (const bool all : {false, true}) {
    const Described text = forward(
        "group_norm", all,
        "x: TensorView, num_groups: int, weight: TensorView | None = None, bias: TensorView | None = None, eps: Val | "
        "float | None = 1e-5",
        "Normalisation of groups of channels by mean and variance",
        "(x - mean) * rstd * weight + bias with statistics of each sample and group of channels (axis 1); weight and "
        "bias have one value a channel.",
        "mean and rstd; the statistics have the shape [samples, num_groups].", 2);
    def_op(
        m, all ? "group_norm_forward" : "group_norm",
        [all](nb::handle x, int64_t num_groups, nb::handle weight, nb::handle bias, nb::handle eps, DataType dtype) {
          TensorView* const tensor = op_tensor(x, "x");
          return results(group_norm(tensor, num_groups, optional_tensor(weight, "weight"),
                                    optional_tensor(bias, "bias"), scalar(tensor, eps, "eps"), dtype),
                         all);
        },
        "x"_a, "num_groups"_a, "weight"_a = nb::none(), "bias"_a = nb::none(), "eps"_a.none() = 1e-5,
        "dtype"_a = DataType::Null, nb::sig(text.sig.c_str()), text.doc.c_str());
  }
  const Described text =
      backward("group_norm",
               "grad: TensorView, x: TensorView, mean: TensorView, rstd: TensorView, num_groups: int, weight: "
               "TensorView | None = None",
               "With h = (x - mean) * rstd and g = grad * weight: (g - mean(g) - h * mean(g * "
               "h)) * rstd, means over a group; sums of grad * h and of grad over all axes but axis 1.",
               true);
  def_op(
      m, "group_norm_backward",
      [](nb::handle grad, nb::handle x, nb::handle mean, nb::handle rstd, int64_t num_groups, nb::handle weight,
         DataType dtype) {
        return gradients(group_norm_backward(op_tensor(grad, "grad"), op_tensor(x, "x"), op_tensor(mean, "mean"),
                                             op_tensor(rstd, "rstd"), num_groups, optional_tensor(weight, "weight"),
                                             dtype));
      },
      "grad"_a, "x"_a, "mean"_a, "rstd"_a, "num_groups"_a, "weight"_a = nb::none(), "dtype"_a = DataType::Null,
      nb::sig(text.sig.c_str()), text.doc.c_str());
}

}  // namespace

void bind_norms(nb::module_& m) {
  bind_layer_norm(m);
  bind_rms_norm(m);
  bind_batch_norm(m);
  bind_group_norm(m);
}

}  // namespace nvfuser::python
