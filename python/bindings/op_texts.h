// SPDX-License-Identifier: Apache-2.0
// Summary, parameters and returns of the operations that are written out; op_docstring adds what all of them share.
#pragma once

namespace nvfuser::python {

inline constexpr const char* kSetText = R"(A copy of equal dtype and layout.

Parameters
----------
x : TensorView
    The tensor, of any shape and dtype.

Returns
-------
TensorView
    The same values.
)";

inline constexpr const char* kSegmentSetText = R"(A copy at which the program is cut into kernels.

Parameters
----------
x : TensorView
    The tensor, of any shape and dtype.

Returns
-------
TensorView
    The same values, which a kernel writes and another reads.
)";

inline constexpr const char* kCastText = R"(Converts to a dtype.

Floats become integers by truncation, and a complex value a real one by its real part.  What is too large for a float
becomes infinite, or the largest number of 8-bit floats without infinities.

Parameters
----------
arg : Val or number
    A tensor of any shape, a scalar or a number.
dtype : DataType
    The dtype of the result.

Returns
-------
Val
    A TensorView of the same shape for a tensor, else a scalar.  The same dtype gives a copy.
)";

inline constexpr const char* kStrideOrderText = R"(A dense copy whose memory order is given.

Parameters
----------
arg : TensorView
    The tensor.
stride_order : sequence of int
    For each axis the rank of its stride; 0 is the fastest.

Returns
-------
TensorView
    The same values, shape and dtype.
)";

inline constexpr const char* kBroadcastText = R"(Inserts axes of size 1.

Parameters
----------
arg : TensorView
    The tensor.
is_broadcast_dim : sequence of bool
    For each axis of the result whether it is new; the others are those of the tensor, in order.

Returns
-------
TensorView
    The same values and dtype.
)";

inline constexpr const char* kBroadcastInDimText = R"(Places the axes of a tensor in a larger shape.

Parameters
----------
arg : TensorView
    The tensor.
shape : sequence of int or Val
    Sizes of the result.
broadcast_dims : sequence of int
    Axis k of the tensor becomes axis broadcast_dims[k]; strictly ascending.

Returns
-------
TensorView
    A tensor of that shape and the same dtype, in which the values repeat along all other axes.
)";

inline constexpr const char* kExpandText = R"(Repeats axes of size 1.

Parameters
----------
arg : TensorView
    The tensor.
shape : sequence of int or Val
    For each axis its size; -1 keeps it.  Only axes of size 1 grow.

Returns
-------
TensorView
    A tensor of that shape and the same dtype.
)";

inline constexpr const char* kSqueezeText = R"(Removes axes of size 1.

Parameters
----------
arg : TensorView
    The tensor.
dims : sequence of int
    Axes that the definition knows to have size 1; negative ones count from the end.
squeeze_expanded : bool
    Remove axes along which values were repeated too.

Returns
-------
TensorView
    The other axes, and the same dtype.
)";

inline constexpr const char* kPermuteText = R"(Reorders axes.

Parameters
----------
arg : TensorView
    The tensor.
dims : sequence of int
    Axis k of the result is axis dims[k] of the tensor; negative ones count from the end.

Returns
-------
TensorView
    The same values and dtype.  Memory is not moved where nothing else asks for it.
)";

inline constexpr const char* kSizeText = R"(The extent of one axis.

Parameters
----------
arg : TensorView
    The tensor.
dim : int
    The axis; a negative one counts from the end.

Returns
-------
Val
    A scalar of dtype Index, constant where the definition knows it.
)";

inline constexpr const char* kShapeText = R"(The extents of all axes.

Parameters
----------
arg : TensorView
    The tensor.

Returns
-------
list of Val
    A scalar of dtype Index for each axis.
)";

inline constexpr const char* kFullText = R"(A tensor of one value.

Parameters
----------
shape : sequence of int or Val
    Its sizes.
fill_value : Val or number
    The value, which is cast to the dtype.
dtype : DataType
    Its dtype.

Returns
-------
TensorView
    A tensor of that shape and dtype.
)";

inline constexpr const char* kIotaText = R"(Equally spaced numbers: start + i * step for 0 <= i < length.

Parameters
----------
length : Val or int
    How many.
start : Val or number, optional
    The first; 0 without it.
step : Val or number, optional
    Their distance; 1 without it.
dtype : DataType
    An integer or a floating one.

Returns
-------
TensorView
    A tensor of shape [length] and that dtype.
)";

inline constexpr const char* kVarText = R"(Variance along axes.

Squared distances from the mean over max(n - correction, 0).

Parameters
----------
arg : TensorView
    A tensor of dtype Float, Double, ComplexFloat or ComplexDouble.
dims : sequence of int
    The axes; negative ones count from the end.
correction : int
    What is taken from the number of elements; not negative.
keepdim : bool
    Keep the reduced axes with size 1.

Returns
-------
TensorView
    The shape without the reduced axes, or with size 1 for them; Float or Double.
)";

inline constexpr const char* kVarMeanText = R"(Variance and mean along axes.

Parameters
----------
arg : TensorView
    A tensor of dtype Float, Double, ComplexFloat or ComplexDouble.
dims : sequence of int
    The axes; negative ones count from the end.
correction : int
    What is taken from the number of elements in the variance; not negative.
keepdim : bool
    Keep the reduced axes with size 1.

Returns
-------
tuple of TensorView
    The variance, which is real, and the mean, of the tensor's dtype.
)";

inline constexpr const char* kWelfordText = R"(Average, sum of squared deviations and count along axes, in one pass.

Parameters
----------
arg : TensorView
    A tensor of dtype Float, Double, ComplexFloat or ComplexDouble.
dims : sequence of int
    The axes, at least one; negative ones count from the end.

Returns
-------
tuple of TensorView
    The average, of the tensor's dtype; the sum of squared distances from it, which is real; the number of elements, of
    dtype Index.
)";

inline constexpr const char* kTakeAlongAxisText = R"(Elements along an axis, at places that a tensor tells.

A place outside of the axis is an error of the evaluator and a fault in the emulator; kernels read the nearest element.

Parameters
----------
arg : TensorView
    The tensor that is read.
index : TensorView
    Places along the axis, integers that count from 0; of the rank of arg.  Its other axes broadcast with those of arg.
dim : int
    The axis; a negative one counts from the end.

Returns
-------
TensorView
    The common shape, with the size of the index along the axis; the dtype of arg.
)";

inline constexpr const char* kGatherText = R"(Elements along an axis as torch.gather takes them.

Parameters
----------
arg : TensorView
    The tensor that is read.
index : TensorView
    Places along the axis, integers that count from 0; of the rank of arg.  Its other axes are no longer than those of
    arg, of which the first elements are read.
dim : int
    The axis; a negative one counts from the end.

Returns
-------
TensorView
    The shape of the index; the dtype of arg.
)";

}  // namespace nvfuser::python
