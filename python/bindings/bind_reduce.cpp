// SPDX-License-Identifier: Apache-2.0
// Reductions of the submodule `ops`: by a loop over the table of reductions, and what is made of them.
#include <string>

#include "def_op.h"
#include "nvfuser/ops/reduce.h"
#include "op_docs.h"
#include "op_texts.h"

namespace nvfuser::python {
namespace {

std::string signature(const ReductionInfo& row, const char* axes) {
  return "def " + std::string(row.name) + "(arg: TensorView" + axes +
         ", dtype: DataType = DataType.Null) -> TensorView";
}

/// sum(x), sum(x, dtype=...), sum(x, 0), sum(x, [0, 1], keepdim=True, dtype=...).
void bind_row(nb::module_& m, const ReductionInfo& row) {
  const ReductionOp op = row.op;
  const std::string doc = docstring(row);
  const std::string over_all = signature(row, ""), over_one = signature(row, ", dim: int, keepdim: bool = False"),
                    over_some = signature(row, ", dims: Sequence[int], keepdim: bool = False");
  def_op(
      m, row.name.data(),
      [op](nb::handle arg, DataType dtype) { return wrap(reduce(op, op_tensor(arg, "arg"), {}, false, dtype)); },
      "arg"_a, "dtype"_a = DataType::Null, nb::sig(over_all.c_str()), doc.c_str());
  def_op(
      m, row.name.data(),
      [op](nb::handle arg, int64_t dim, Flag keepdim, DataType dtype) {
        return wrap(reduce(op, op_tensor(arg, "arg"), std::vector{dim}, keepdim, dtype));
      },
      "arg"_a, "dim"_a, "keepdim"_a = false, "dtype"_a = DataType::Null, nb::sig(over_one.c_str()), doc.c_str());
  def_op(
      m, row.name.data(),
      [op](nb::handle arg, const Ints& dims, Flag keepdim, DataType dtype) {
        return wrap(reduce(op, op_tensor(arg, "arg"), dims.as("dims"), keepdim, dtype));
      },
      "arg"_a, "dims"_a, "keepdim"_a = false, "dtype"_a = DataType::Null, nb::sig(over_some.c_str()), doc.c_str());
}

void bind_moments(nb::module_& m) {
  def_op(
      m, "var",
      [](nb::handle arg, const Ints& dims, int64_t correction, Flag keepdim) {
        return wrap(var(op_tensor(arg, "arg"), dims.as("dims"), correction, keepdim));
      },
      "arg"_a, "dims"_a, "correction"_a = 1, "keepdim"_a = false,
      nb::sig(
          "def var(arg: TensorView, dims: Sequence[int], correction: int = 1, keepdim: bool = False) -> TensorView"),
      op_docstring("var", kVarText).c_str());
  def_op(
      m, "var_mean",
      [](nb::handle arg, const Ints& dims, int64_t correction, Flag keepdim) {
        const VarMean result = var_mean(op_tensor(arg, "arg"), dims.as("dims"), correction, keepdim);
        return nb::make_tuple(wrap(result.var), wrap(result.mean));
      },
      "arg"_a, "dims"_a, "correction"_a = 1, "keepdim"_a = false,
      nb::sig("def var_mean(arg: TensorView, dims: Sequence[int], correction: int = 1, keepdim: bool = False) -> "
              "tuple[TensorView, TensorView]"),
      op_docstring("var_mean", kVarMeanText).c_str());
  def_op(
      m, "welford",
      [](nb::handle arg, const Ints& dims) {
        const WelfordResult result = welford(op_tensor(arg, "arg"), dims.as("dims"));
        return nb::make_tuple(wrap(result.average), wrap(result.squares), wrap(result.count));
      },
      "arg"_a, "dims"_a,
      nb::sig("def welford(arg: TensorView, dims: Sequence[int]) -> tuple[TensorView, TensorView, TensorView]"),
      op_docstring("welford", kWelfordText).c_str());
}

}  // namespace

void bind_reduce(nb::module_& m) {
  for (const ReductionInfo& row : kReductions) {
    if (row.form != ReductionForm::moments && row.form != ReductionForm::inner) {
      bind_row(m, row);
    }
  }
  bind_moments(m);
}

}  // namespace nvfuser::python
