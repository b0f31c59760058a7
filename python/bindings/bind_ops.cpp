// SPDX-License-Identifier: Apache-2.0
// The submodule `ops`: pointwise operations by a loop over the op table, the others one by one.
#include <array>
#include <string>

#include "bindings.h"
#include "nvfuser/ir/pointwise.h"
#include "nvfuser/ops/cast.h"
#include "nvfuser/ops/factory.h"
#include "nvfuser/ops/pointwise_builder.h"
#include "nvfuser/ops/shape.h"
#include "nvfuser/ops/take.h"

namespace nvfuser::python {
namespace {

/// Names of the operands where they are not x | lhs, rhs | a, b, c, value.
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
constexpr std::array<const char*, 4> kUnary = {"x"};
constexpr std::array<const char*, 4> kBinary = {"lhs", "rhs"};

std::array<const char*, 4> argument_names(const PointwiseInfo& row) {
  for (const ArgumentNames& named : kNamed) {
    if (named.op == row.op) {
      return named.names;
    }
  }
  return row.arity == 1 ? kUnary : kBinary;
}

constexpr const char* kRuleDocs[] = {
    "Integers and Bool become Float; narrow floats are computed and returned as Float.",
    "The common type of the operands; narrow floats return as Float.",
    "The type of the first operand.",
    "The type of the operand; for complex the matching real type.",
    "The type of the operand; for complex the matching real type.",
    "Bool.",
    "Bool.",
    "The common integer type, or Bool.",
    "Float or Double, as the operands.",
    "ComplexFloat for Float, ComplexDouble for Double.",
    "The common type of a and b; narrow floats are kept.",
};

std::string signature(const PointwiseInfo& row, const std::array<const char*, 4>& names) {
  std::string text = "def " + std::string(row.name) + "(";
  for (int k = 0; k < row.arity; ++k) {
    const bool optional = row.op == PointwiseOp::clamp && k > 0;
    text += std::string(k ? ", " : "") + names[k] + ": Val | complex" + (optional ? " | None = None" : "");
  }
  return text + ") -> Val";
}

std::string docstring(const PointwiseInfo& row, const std::array<const char*, 4>& names) {
  std::string text = std::string(row.doc) + "\n\nParameters\n----------\n";
  for (int k = 0; k < row.arity; ++k) {
    text += std::string(names[k]) + "\n    A tensor, a scalar or a number; shapes broadcast as in NumPy.\n";
  }
  return text + "\nReturns\n-------\nVal\n    A TensorView when an operand is one, else a scalar.  Type: " +
         kRuleDocs[static_cast<int>(row.rule)] + "\n";
}

template <class... Handles>
nb::object build(PointwiseOp op, const std::array<const char*, 4>& names, Handles... handles) {
  const std::array<nb::handle, sizeof...(Handles)> objects{handles...};
  Fusion& fusion = fusion_of({handles...});
  std::vector<Val*> operands;
  for (size_t k = 0; k < objects.size(); ++k) {
    const bool optional = op == PointwiseOp::clamp && k > 0;
    operands.push_back(optional ? optional_operand(fusion, objects[k], names[k])
                                : operand(fusion, objects[k], names[k]));
  }
  return wrap(pointwise(op, operands));
}

void bind_row(nb::module_& m, const PointwiseInfo& row) {
  const PointwiseOp op = row.op;
  const std::array<const char*, 4> names = argument_names(row);
  const std::string sig = signature(row, names), doc = docstring(row, names);
  const char* name = row.name.data();
  switch (row.arity) {
    case 1:
      m.def(
          name, [op, names](nb::handle a) { return build(op, names, a); }, nb::arg(names[0]), nb::sig(sig.c_str()),
          doc.c_str());
      break;
    case 2:
      m.def(
          name, [op, names](nb::handle a, nb::handle b) { return build(op, names, a, b); }, nb::arg(names[0]),
          nb::arg(names[1]), nb::sig(sig.c_str()), doc.c_str());
      break;
    case 3:
      if (op == PointwiseOp::clamp) {
        m.def(
            name, [op, names](nb::handle a, nb::handle b, nb::handle c) { return build(op, names, a, b, c); },
            nb::arg(names[0]), nb::arg(names[1]) = nb::none(), nb::arg(names[2]) = nb::none(), nb::sig(sig.c_str()),
            doc.c_str());
        break;
      }
      m.def(
          name, [op, names](nb::handle a, nb::handle b, nb::handle c) { return build(op, names, a, b, c); },
          nb::arg(names[0]), nb::arg(names[1]), nb::arg(names[2]), nb::sig(sig.c_str()), doc.c_str());
      break;
    default:
      m.def(
          name,
          [op, names](nb::handle a, nb::handle b, nb::handle c, nb::handle d) { return build(op, names, a, b, c, d); },
          nb::arg(names[0]), nb::arg(names[1]), nb::arg(names[2]), nb::arg(names[3]), nb::sig(sig.c_str()),
          doc.c_str());
  }
}

void bind_copies(nb::module_& m) {
  m.def(
      "set", [](nb::handle x) { return wrap(set(op_tensor(x, "x"))); }, "x"_a, nb::sig("def set(x: Val) -> TensorView"),
      "A copy of equal type and layout.");
  m.def(
      "segment_set", [](nb::handle x) { return wrap(segment_set(op_tensor(x, "x"))); }, "x"_a,
      nb::sig("def segment_set(x: Val) -> TensorView"), "A copy at which the program is cut into kernels.");
  m.def(
      "cast", [](nb::handle arg, DataType dtype) { return wrap(cast(operand(fusion_of({arg}), arg, "arg"), dtype)); },
      "arg"_a, "dtype"_a, nb::sig("def cast(arg: Val | complex, dtype: DataType) -> Val"),
      "Converts to an element type; the same type gives a copy.  An unsupported pair of types is a DTypeError.");
  m.def(
      "stride_order",
      [](nb::handle arg, std::vector<int64_t> order) { return wrap(stride_order(op_tensor(arg, "arg"), order)); },
      "arg"_a, "stride_order"_a, nb::sig("def stride_order(arg: Val, stride_order: Sequence[int]) -> TensorView"),
      "A dense copy whose memory order is given: entry i ranks the stride of axis i, 0 the fastest.");
}

void bind_shapes(nb::module_& m) {
  m.def(
      "broadcast",
      [](nb::handle arg, std::vector<bool> flags) { return wrap(broadcast(op_tensor(arg, "arg"), flags)); }, "arg"_a,
      "is_broadcast_dim"_a, nb::sig("def broadcast(arg: Val, is_broadcast_dim: Sequence[bool]) -> TensorView"),
      "Inserts axes of size 1 where a flag is true; the false flags are the operand's axes.");
  m.def(
      "broadcast_in_dim",
      [](nb::handle arg, nb::handle shape, std::vector<int64_t> dims) {
        TensorView* tensor = op_tensor(arg, "arg");
        return wrap(broadcast_in_dim(tensor, val_list(*tensor->fusion(), shape, "shape"), dims));
      },
      "arg"_a, "shape"_a, "broadcast_dims"_a,
      nb::sig(
          "def broadcast_in_dim(arg: Val, shape: Sequence[int | Val], broadcast_dims: Sequence[int]) -> TensorView"),
      "Axis k of the operand becomes axis broadcast_dims[k] of a tensor of that shape; the others are expanded.");
  m.def(
      "expand",
      [](nb::handle arg, nb::handle shape) {
        TensorView* tensor = op_tensor(arg, "arg");
        return wrap(expand(tensor, val_list(*tensor->fusion(), shape, "shape")));
      },
      "arg"_a, "shape"_a, nb::sig("def expand(arg: Val, shape: Sequence[int | Val]) -> TensorView"),
      "Grows axes of size 1; -1 keeps an extent.");
  m.def(
      "squeeze",
      [](nb::handle arg, std::vector<int64_t> dims, bool squeeze_expanded) {
        return wrap(squeeze(op_tensor(arg, "arg"), dims, squeeze_expanded));
      },
      "arg"_a, "dims"_a, "squeeze_expanded"_a = false,
      nb::sig("def squeeze(arg: Val, dims: Sequence[int], squeeze_expanded: bool = False) -> TensorView"),
      "Removes broadcast axes; expanded ones only when asked for.");
  m.def(
      "permute", [](nb::handle arg, std::vector<int64_t> dims) { return wrap(permute(op_tensor(arg, "arg"), dims)); },
      "arg"_a, "dims"_a, nb::sig("def permute(arg: Val, dims: Sequence[int]) -> TensorView"),
      "Axis i of the result is axis dims[i] of the operand.");
  m.def(
      "size", [](nb::handle arg, int64_t dim) { return wrap(size(tensor_operand(arg, "arg"), dim)); }, "arg"_a, "dim"_a,
      nb::sig("def size(arg: Val, dim: int) -> Val"),
      "The extent of an axis as a scalar; a negative axis counts from the end.");
  m.def(
      "shape", [](nb::handle arg) { return wrap_all(shape(tensor_operand(arg, "arg"))); }, "arg"_a,
      nb::sig("def shape(arg: Val) -> list[Val]"), "All extents as scalars.");
}

void bind_takes(nb::module_& m) {
  m.def(
      "take_along_axis",
      [](nb::handle arg, nb::handle index, int64_t dim) {
        return wrap(take_along_axis(op_tensor(arg, "arg"), op_tensor(index, "index"), dim));
      },
      "arg"_a, "index"_a, "dim"_a, nb::sig("def take_along_axis(arg: Val, index: Val, dim: int) -> TensorView"),
      "Elements of arg along an axis, at the places that an integer tensor of its rank tells; the other axes broadcast "
      "together.  Places count from 0; one outside of the axis is an error of the evaluator and a fault in the "
      "emulator, and kernels read the nearest element.");
  m.def(
      "gather",
      [](nb::handle arg, nb::handle index, int64_t dim) {
        return wrap(gather(op_tensor(arg, "arg"), op_tensor(index, "index"), dim));
      },
      "arg"_a, "index"_a, "dim"_a, nb::sig("def gather(arg: Val, index: Val, dim: int) -> TensorView"),
      "As torch.gather: take_along_axis where the other axes of the index are no longer than those of arg, of which "
      "the "
      "first elements are read.");
}

void bind_factories(nb::module_& m) {
  m.def(
      "full",
      [](nb::handle shape, nb::handle fill_value, DataType dtype) {
        Fusion& fusion = fusion_of({fill_value});
        return wrap(full(val_list(fusion, shape, "shape"), operand(fusion, fill_value, "fill_value"), dtype));
      },
      "shape"_a, "fill_value"_a, "dtype"_a,
      nb::sig("def full(shape: Sequence[int | Val], fill_value: Val | complex, dtype: DataType) -> TensorView"),
      "A tensor of one value, converted to the type.");
  m.def(
      "iota",
      [](nb::handle length, nb::handle start, nb::handle step, DataType dtype) {
        Fusion& fusion = fusion_of({length, start, step});
        return wrap(iota(operand(fusion, length, "length"), optional_operand(fusion, start, "start"),
                         optional_operand(fusion, step, "step"), dtype));
      },
      "length"_a, "start"_a = nb::none(), "step"_a = nb::none(), "dtype"_a = DataType::Int,
      nb::sig("def iota(length: Val | int, start: Val | float | None = None, step: Val | float | None = None, dtype: "
              "DataType = DataType.Int) -> TensorView"),
      "start + i * step for 0 <= i < length.");
}

}  // namespace

void bind_ops(nb::module_& m) {
  for (const PointwiseInfo& row : kPointwiseOps) {
    bind_row(m, row);
  }
  bind_copies(m);
  bind_shapes(m);
  bind_takes(m);
  bind_factories(m);
  bind_reduce(m);
  bind_norms(m);
  bind_composites(m);
}

}  // namespace nvfuser::python
