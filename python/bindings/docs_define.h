// SPDX-License-Identifier: Apache-2.0
// Docstrings of what defines tensors and scalars.  The tests run the examples.
#pragma once

namespace nvfuser::python::docs {

inline constexpr const char* kDefineTensor = R"(A tensor by shape and layout, in the fusion that is being defined.

FusionDefinition.define_tensor registers it as an input too.  A layout is given by contiguity and stride_order, or by
an example's sizes and strides.

Parameters
----------
shape : sequence of int
    One entry an axis: -1 symbolic, 0 empty, 1 broadcast, anything larger static.
contiguity : bool or sequence of (bool or None)
    One flag for all axes, or one an axis in memory order (None for broadcast axes): whether the stride of an axis is
    the stride times the size of the next inner one.
dtype : DataType
    The dtype of the elements.
is_cpu : bool
    True for a tensor without axes that stays on the CPU.
stride_order : sequence of int
    For each axis the rank of its stride, 0 the fastest; empty for row-major.
sizes : sequence of int
    In place of shape: the sizes of an example; all but 1 become symbolic.
strides : sequence of int
    In place of contiguity: the strides of the example in elements.
static_sizes : bool
    True keeps the example's sizes as constants.

Returns
-------
TensorView
    The tensor, no input yet.

Raises
------
ShapeError
    For sizes below -1, or lists that differ in length.
DefinitionError
    Where no fusion is being defined.
TypeError
    For arguments that fit no form.

See Also
--------
FusionDefinition.define_tensor, FusionDefinition.from_pytorch, compute_tensor_descriptor

Examples
--------
>>> with FusionDefinition():
...     a = define_tensor(shape=[-1, 8], contiguity=[True, True], dtype=DataType.BFloat16)
...     b = define_tensor(sizes=[4, 8], strides=[1, 4])
>>> a, b
(<TensorView: T0_l_bfloat16[iS0{i0}, iS1{8}]>, <TensorView: T1_l_float[iS2{i1}, iS3{i2}]>)
)";

inline constexpr const char* kDefineScalar = R"(A scalar of the fusion that is being defined.

Parameters
----------
value : bool, int, float, complex or None
    The value of a constant.  None, or left out: a scalar whose value comes with each call.
dtype : DataType
    Its dtype.  For constants by default Bool, Int, Double or ComplexDouble as the value says, else Double.

Returns
-------
Val
    The scalar, no input yet.

Raises
------
DefinitionError
    Where no fusion is being defined.
TypeError
    For a value that is no number.

See Also
--------
FusionDefinition.define_scalar, ops.cast

Examples
--------
>>> with FusionDefinition():
...     a, b = define_scalar(3), define_scalar(dtype=DataType.Float)
>>> a, b
(<Val: 3>, <Val: d0>)
)";

inline constexpr const char* kDescriptor =
    R"(Contiguity and stride order of a strided layout, as define_tensor takes them.

Parameters
----------
sizes : sequence of int
    The size of each axis.
strides : sequence of int
    The stride of each axis in elements.

Returns
-------
tuple
    Contiguity in memory order (None for axes of size 1 or stride 0), and for each axis the rank of its stride.

Raises
------
ShapeError
    For a negative stride, or lists that differ in length.

See Also
--------
define_tensor

Examples
--------
>>> compute_tensor_descriptor([2, 1, 3, 1, 4], [24, 4, 8, 4, 2])
([True, True, None, None, False], [4, 2, 3, 1, 0])
)";

}  // namespace nvfuser::python::docs
