// SPDX-License-Identifier: Apache-2.0
// The submodule `ops`: pointwise operations by a loop over the op table, the others one by one.
#include <array>
#include <span>
#include <string>

#include "def_op.h"
#include "nvfuser/ir/pointwise.h"
#include "nvfuser/ops/cast.h"
#include "nvfuser/ops/factory.h"
#include "nvfuser/ops/pointwise_builder.h"
#include "nvfuser/ops/shape.h"
#include "nvfuser/ops/take.h"
#include "op_docs.h"
#include "op_texts.h"

namespace nvfuser::python {
namespace {

std::string signature(const PointwiseInfo& row, const std::array<const char*, 4>& names) {
  std::string text = "def " + std::string(row.name) + "(";
  for (int k = 0; k < row.arity; ++k) {
    const bool optional = is_optional(row.op, k);
    text += std::string(k ? ", " : "") + names[k] + ": Val | complex" + (optional ? " | None = None" : "");
  }
  return text + ") -> Val";
}

/// One function for all arities: what differs is which operands may be left out.
nb::object build(PointwiseOp op, const std::array<const char*, 4>& names, std::initializer_list<nb::handle> handles) {
  const std::span objects(handles.begin(), handles.size());
  const std::shared_ptr<Fusion> own = own_fusion(handles);
  Fusion& fusion = own ? *own : fusion_of(handles);
  std::vector<Val*> operands;
  operands.reserve(objects.size());
  for (size_t k = 0; k < objects.size(); ++k) {
    operands.push_back(is_optional(op, static_cast<int>(k)) ? optional_operand(fusion, objects[k], names[k])
                                                            : operand(fusion, objects[k], names[k]));
  }
  return wrap(pointwise(op, operands));
}

void bind_row(nb::module_& m, const PointwiseInfo& row) {
  const PointwiseOp op = row.op;
  const std::array<const char*, 4>& names = argument_names(row);
  const std::string sig = signature(row, names), doc = docstring(row);
  const char* name = row.name.data();
  switch (row.arity) {
    case 1:
      def_op(
          m, name, [op, &names](nb::handle a) { return build(op, names, {a}); }, nb::arg(names[0]),
          nb::sig(sig.c_str()), doc.c_str());
      break;
    case 2:
      def_op(
          m, name, [op, &names](nb::handle a, nb::handle b) { return build(op, names, {a, b}); }, nb::arg(names[0]),
          nb::arg(names[1]), nb::sig(sig.c_str()), doc.c_str());
      break;
    case 3:
      if (op == PointwiseOp::clamp) {
        def_op(
            m, name, [op, &names](nb::handle a, nb::handle b, nb::handle c) { return build(op, names, {a, b, c}); },
            nb::arg(names[0]), nb::arg(names[1]) = nb::none(), nb::arg(names[2]) = nb::none(), nb::sig(sig.c_str()),
            doc.c_str());
        break;
      }
      def_op(
          m, name, [op, &names](nb::handle a, nb::handle b, nb::handle c) { return build(op, names, {a, b, c}); },
          nb::arg(names[0]), nb::arg(names[1]), nb::arg(names[2]), nb::sig(sig.c_str()), doc.c_str());
      break;
    default:
      def_op(
          m, name,
          [op, &names](nb::handle a, nb::handle b, nb::handle c, nb::handle d) {
            return build(op, names, {a, b, c, d});
          },
          nb::arg(names[0]), nb::arg(names[1]), nb::arg(names[2]), nb::arg(names[3]), nb::sig(sig.c_str()),
          doc.c_str());
  }
}

void bind_copies(nb::module_& m) {
  def_op(
      m, "set", [](nb::handle x) { return wrap(set(op_tensor(x, "x"))); }, "x"_a,
      nb::sig("def set(x: TensorView) -> TensorView"), op_docstring("set", kSetText).c_str());
  def_op(
      m, "segment_set", [](nb::handle x) { return wrap(segment_set(op_tensor(x, "x"))); }, "x"_a,
      nb::sig("def segment_set(x: TensorView) -> TensorView"), op_docstring("segment_set", kSegmentSetText).c_str());
  def_op(
      m, "cast",
      [](nb::handle arg, DataType dtype) {
        const std::shared_ptr<Fusion> own = own_fusion({arg});
        return wrap(cast(operand(own ? *own : fusion_of({arg}), arg, "arg"), dtype));
      },
      "arg"_a, "dtype"_a, nb::sig("def cast(arg: Val | complex, dtype: DataType) -> Val"),
      op_docstring("cast", kCastText).c_str());
  def_op(
      m, "stride_order",
      [](nb::handle arg, const Ints& order) {
        return wrap(stride_order(op_tensor(arg, "arg"), order.as("stride_order")));
      },
      "arg"_a, "stride_order"_a,
      nb::sig("def stride_order(arg: TensorView, stride_order: Sequence[int]) -> TensorView"),
      op_docstring("stride_order", kStrideOrderText).c_str());
}

void bind_shapes(nb::module_& m) {
  def_op(
      m, "broadcast",
      [](nb::handle arg, const Flags& flags) {
        return wrap(broadcast(op_tensor(arg, "arg"), flags.as("is_broadcast_dim")));
      },
      "arg"_a, "is_broadcast_dim"_a,
      nb::sig("def broadcast(arg: TensorView, is_broadcast_dim: Sequence[bool]) -> TensorView"),
      op_docstring("broadcast", kBroadcastText).c_str());
  def_op(
      m, "broadcast_in_dim",
      [](nb::handle arg, nb::handle shape, const Ints& dims) {
        TensorView* tensor = op_tensor(arg, "arg");
        return wrap(broadcast_in_dim(tensor, val_list(*tensor->fusion(), shape, "shape"), dims.as("broadcast_dims")));
      },
      "arg"_a, "shape"_a, "broadcast_dims"_a,
      nb::sig("def broadcast_in_dim(arg: TensorView, shape: Sequence[int | Val], broadcast_dims: Sequence[int]) -> "
              "TensorView"),
      op_docstring("broadcast_in_dim", kBroadcastInDimText).c_str());
  def_op(
      m, "expand",
      [](nb::handle arg, nb::handle shape) {
        TensorView* tensor = op_tensor(arg, "arg");
        return wrap(expand(tensor, val_list(*tensor->fusion(), shape, "shape")));
      },
      "arg"_a, "shape"_a, nb::sig("def expand(arg: TensorView, shape: Sequence[int | Val]) -> TensorView"),
      op_docstring("expand", kExpandText).c_str());
  def_op(
      m, "squeeze",
      [](nb::handle arg, const Ints& dims, Flag squeeze_expanded) {
        return wrap(squeeze(op_tensor(arg, "arg"), dims.as("dims"), squeeze_expanded));
      },
      "arg"_a, "dims"_a, "squeeze_expanded"_a = false,
      nb::sig("def squeeze(arg: TensorView, dims: Sequence[int], squeeze_expanded: bool = False) -> TensorView"),
      op_docstring("squeeze", kSqueezeText).c_str());
  def_op(
      m, "permute",
      [](nb::handle arg, const Ints& dims) { return wrap(permute(op_tensor(arg, "arg"), dims.as("dims"))); }, "arg"_a,
      "dims"_a, nb::sig("def permute(arg: TensorView, dims: Sequence[int]) -> TensorView"),
      op_docstring("permute", kPermuteText).c_str());
  def_op(
      m, "size", [](nb::handle arg, int64_t dim) { return wrap(size(tensor_operand(arg, "arg"), dim)); }, "arg"_a,
      "dim"_a, nb::sig("def size(arg: TensorView, dim: int) -> Val"), op_docstring("size", kSizeText).c_str());
  def_op(
      m, "shape", [](nb::handle arg) { return wrap_all(shape(tensor_operand(arg, "arg"))); }, "arg"_a,
      nb::sig("def shape(arg: TensorView) -> list[Val]"), op_docstring("shape", kShapeText).c_str());
}

void bind_takes(nb::module_& m) {
  def_op(
      m, "take_along_axis",
      [](nb::handle arg, nb::handle index, int64_t dim) {
        return wrap(take_along_axis(op_tensor(arg, "arg"), op_tensor(index, "index"), dim));
      },
      "arg"_a, "index"_a, "dim"_a,
      nb::sig("def take_along_axis(arg: TensorView, index: TensorView, dim: int) -> TensorView"),
      op_docstring("take_along_axis", kTakeAlongAxisText).c_str());
  def_op(
      m, "gather",
      [](nb::handle arg, nb::handle index, int64_t dim) {
        return wrap(gather(op_tensor(arg, "arg"), op_tensor(index, "index"), dim));
      },
      "arg"_a, "index"_a, "dim"_a, nb::sig("def gather(arg: TensorView, index: TensorView, dim: int) -> TensorView"),
      op_docstring("gather", kGatherText).c_str());
}

void bind_factories(nb::module_& m) {
  def_op(
      m, "full",
      [](nb::handle shape, nb::handle fill_value, DataType dtype) {
        Fusion& fusion = fusion_of({fill_value});
        return wrap(full(val_list(fusion, shape, "shape"), operand(fusion, fill_value, "fill_value"), dtype));
      },
      "shape"_a, "fill_value"_a, "dtype"_a,
      nb::sig("def full(shape: Sequence[int | Val], fill_value: Val | complex, dtype: DataType) -> TensorView"),
      op_docstring("full", kFullText).c_str());
  def_op(
      m, "iota",
      [](nb::handle length, nb::handle start, nb::handle step, DataType dtype) {
        Fusion& fusion = fusion_of({length, start, step});
        return wrap(iota(operand(fusion, length, "length"), optional_operand(fusion, start, "start"),
                         optional_operand(fusion, step, "step"), dtype));
      },
      "length"_a, "start"_a = nb::none(), "step"_a = nb::none(), "dtype"_a = DataType::Int,
      nb::sig("def iota(length: Val | int, start: Val | float | None = None, step: Val | float | None = None, dtype: "
              "DataType = DataType.Int) -> TensorView"),
      op_docstring("iota", kIotaText).c_str());
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
