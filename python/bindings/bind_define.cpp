// SPDX-License-Identifier: Apache-2.0
// define_tensor in its three forms, define_scalar, compute_tensor_descriptor.
#include <nanobind/stl/pair.h>

#include "def_op.h"
#include "docs_define.h"
#include "nvfuser/ops/define.h"
#include "nvfuser/ops/pointwise_builder.h"

namespace nvfuser::python {
namespace {

void bind_define_tensor(nb::module_& m) {
  def_op(
      m, "define_tensor",
      [](const Ints& shape, const std::vector<std::optional<bool>>& contiguity, DataType dtype, Flag is_cpu,
         const Ints& stride_order) {
        return wrap(define_tensor(current_fusion(), shape.as("shape"), contiguity, dtype, is_cpu,
                                  stride_order.as("stride_order")));
      },
      "shape"_a, "contiguity"_a, "dtype"_a = DataType::Float, "is_cpu"_a = false, "stride_order"_a = nb::make_tuple(),
      nb::sig("def define_tensor(shape: Sequence[int], contiguity: Sequence[bool | None], dtype: DataType = "
              "DataType.Float, is_cpu: bool = False, "
              "stride_order: Sequence[int] = []) -> TensorView"),
      docs::kDefineTensor);
  def_op(
      m, "define_tensor",
      [](const Ints& shape, Flag contiguity, DataType dtype, Flag is_cpu, const Ints& stride_order) {
        return wrap(define_tensor(current_fusion(), shape.as("shape"), contiguity, dtype, is_cpu,
                                  stride_order.as("stride_order")));
      },
      "shape"_a, "contiguity"_a = false, "dtype"_a = DataType::Float, "is_cpu"_a = false,
      "stride_order"_a = nb::make_tuple(),
      nb::sig("def define_tensor(shape: Sequence[int], contiguity: bool = False, dtype: DataType = DataType.Float, "
              "is_cpu: bool = False, "
              "stride_order: Sequence[int] = []) -> TensorView"),
      docs::kDefineTensor);
  def_op(
      m, "define_tensor",
      [](const Ints& sizes, const Ints& strides, DataType dtype, Flag static_sizes, Flag is_cpu) {
        return wrap(define_strided_tensor(current_fusion(), sizes.as("sizes"), strides.as("strides"), dtype,
                                          static_sizes, is_cpu));
      },
      "sizes"_a, "strides"_a, "dtype"_a = DataType::Float, "static_sizes"_a = false, "is_cpu"_a = false,
      nb::sig("def define_tensor(sizes: Sequence[int], strides: Sequence[int], dtype: DataType = DataType.Float, "
              "static_sizes: bool = False, "
              "is_cpu: bool = False) -> TensorView"),
      docs::kDefineTensor);
}

}  // namespace

void bind_define(nb::module_& m) {
  bind_define_tensor(m);
  def_op(
      m, "define_scalar", [](DataType dtype) { return wrap(define_scalar(current_fusion(), dtype)); },
      "dtype"_a = DataType::Double, nb::sig("def define_scalar(dtype: DataType = DataType.Double) -> Val"),
      docs::kDefineScalar);
  def_op(
      m, "define_scalar",
      [](nb::handle value, std::optional<DataType> dtype) {
        if (value.is_none()) {
          return wrap(define_scalar(current_fusion(), dtype.value_or(DataType::Double)));
        }
        std::optional<ScalarValue> number = python_scalar(value);
        if (!number) {
          throw nb::type_error(
              ("argument 'value': expected None, bool, int, float or complex, got " + class_name(value)).c_str());
        }
        return wrap(define_scalar(current_fusion(), *number, dtype));
      },
      "value"_a.none(), "dtype"_a = nb::none(),
      nb::sig("def define_scalar(value: complex | None, dtype: DataType | None = None) -> Val"), docs::kDefineScalar);
  def_op(
      m, "compute_tensor_descriptor",
      [](const Ints& sizes, const Ints& strides) {
        TensorDescriptor descriptor = compute_tensor_descriptor(sizes.as("sizes"), strides.as("strides"));
        return std::pair(std::move(descriptor.contiguity), std::move(descriptor.stride_order));
      },
      "sizes"_a, "strides"_a, docs::kDescriptor);
}

}  // namespace nvfuser::python
