// SPDX-License-Identifier: Apache-2.0
// Docstrings of axes and tensors.  The tests run the examples.
#pragma once

namespace nvfuser::python::docs {

inline constexpr const char* kIterDomain = R"(One axis of one tensor.

See Also
--------
TensorView.axis, TensorDomain

Examples
--------
>>> with FusionDefinition() as fd:
...     x = fd.define_tensor(shape=[-1, 3], contiguity=True)
...     y = ops.relu(x)
...     fd.add_output(y)
>>> x.axis(0)
<IterDomain: iS0{i0}>
)";

inline constexpr const char* kIterDomainIsReduction = R"(Whether the axis is reduced.

Returns
-------
bool
    True for axes over which the definition of the tensor reduces.

See Also
--------
IterDomain.is_broadcast

Examples
--------
>>> with FusionDefinition() as fd:
...     s = ops.sum(fd.define_tensor(shape=[-1, 3], contiguity=True), 1)
>>> [axis.is_reduction() for axis in s.get_root_domain()]
[False, True]
)";

inline constexpr const char* kIterDomainIsBroadcast = R"(Whether values repeat along the axis.

Returns
-------
bool
    True for axes of size 1, and for those that they were expanded to.

See Also
--------
IterDomain.is_reduction, ops.broadcast

Examples
--------
>>> with FusionDefinition() as fd:
...     x = fd.define_tensor(shape=[-1, 1], contiguity=[True, None])
>>> [axis.is_broadcast() for axis in x.get_logical_domain()]
[False, True]
)";

inline constexpr const char* kIterDomainExtent = R"(The extent of the axis.

Returns
-------
Val
    A scalar of dtype Index.

See Also
--------
TensorView.size

Examples
--------
>>> with FusionDefinition() as fd:
...     x = fd.define_tensor(shape=[-1, 3], contiguity=True)
...     y = ops.relu(x)
...     fd.add_output(y)
>>> x.axis(1).extent()
<Val: 3>
)";

inline constexpr const char* kTensorDomain = R"(All axes of one tensor.

See Also
--------
TensorView.domain, IterDomain

Examples
--------
>>> with FusionDefinition() as fd:
...     x = fd.define_tensor(shape=[-1, 3], contiguity=True)
...     y = ops.relu(x)
...     fd.add_output(y)
>>> x.domain()
<TensorDomain: [iS0{i0}, iS1{3}]>
)";

inline constexpr const char* kTensorView = R"(A tensor of a fusion.

It has no memory: it stands for the values that the fusion computes.

See Also
--------
define_tensor, FusionDefinition.define_tensor, Val

Examples
--------
>>> with FusionDefinition() as fd:
...     x = fd.define_tensor(shape=[-1, 3], contiguity=True)
...     y = ops.relu(x)
...     fd.add_output(y)
>>> x, x.ndim, x.dtype()
(<TensorView: T0_g_float[iS0{i0}, iS1{3}]>, 2, DataType.Float)
)";

inline constexpr const char* kTensorViewDtype = R"(The dtype of the elements.

Returns
-------
DataType
    As storage has it; narrow floats are computed in Float.

See Also
--------
ops.cast

Examples
--------
>>> with FusionDefinition() as fd:
...     x = fd.define_tensor(shape=[-1, 3], contiguity=True)
...     y = ops.relu(x)
...     fd.add_output(y)
>>> x.dtype()
DataType.Float
)";

inline constexpr const char* kTensorViewSize = R"(The extent of an axis as users see it.

Parameters
----------
dim : int
    The axis; a negative one counts from the end.

Returns
-------
Val
    A scalar of dtype Index.

Raises
------
ShapeError
    For an axis that does not exist.

See Also
--------
TensorView.shape, ops.size

Examples
--------
>>> with FusionDefinition() as fd:
...     x = fd.define_tensor(shape=[-1, 3], contiguity=True)
...     y = ops.relu(x)
...     fd.add_output(y)
>>> x.size(-1)
<Val: 3>
)";

inline constexpr const char* kTensorViewShape = R"(The extents of all axes as users see them.

Returns
-------
list of Val
    A scalar of dtype Index for each axis.

See Also
--------
TensorView.size, ops.shape

Examples
--------
>>> with FusionDefinition() as fd:
...     x = fd.define_tensor(shape=[-1, 3], contiguity=True)
...     y = ops.relu(x)
...     fd.add_output(y)
>>> x.shape()
[<Val: i0>, <Val: 3>]
)";

inline constexpr const char* kTensorViewAxis = R"(A loop axis of the tensor.

Parameters
----------
index : int
    Its position; a negative one counts from the end.

Returns
-------
IterDomain
    The axis.

Raises
------
ShapeError
    For a position that does not exist.

See Also
--------
TensorView.get_loop_domain

Examples
--------
>>> with FusionDefinition() as fd:
...     x = fd.define_tensor(shape=[-1, 3], contiguity=True)
...     y = ops.relu(x)
...     fd.add_output(y)
>>> x.axis(-1)
<IterDomain: iS1{3}>
)";

inline constexpr const char* kTensorViewDomain = R"(The axes of the tensor in all their orders.

Returns
-------
TensorDomain
    The domain.

See Also
--------
TensorView.get_logical_domain

Examples
--------
>>> with FusionDefinition() as fd:
...     x = fd.define_tensor(shape=[-1, 3], contiguity=True)
...     y = ops.relu(x)
...     fd.add_output(y)
>>> x.domain()
<TensorDomain: [iS0{i0}, iS1{3}]>
)";

inline constexpr const char* kTensorViewLogical = R"(The axes that users see.

Returns
-------
list of IterDomain
    In the order of the shape.

See Also
--------
TensorView.get_root_domain, TensorView.shape

Examples
--------
>>> with FusionDefinition() as fd:
...     x = fd.define_tensor(shape=[-1, 3], contiguity=True)
...     y = ops.relu(x)
...     fd.add_output(y)
>>> y.get_logical_domain()
[<IterDomain: iS2{i0}>, <IterDomain: iS3{3}>]
)";

inline constexpr const char* kTensorViewLoop = R"(The axes in the order of a schedule's loops.

Returns
-------
list of IterDomain
    The logical ones where nothing was scheduled.

See Also
--------
TensorView.axis

Examples
--------
>>> with FusionDefinition() as fd:
...     x = fd.define_tensor(shape=[-1, 3], contiguity=True)
...     y = ops.relu(x)
...     fd.add_output(y)
>>> y.get_loop_domain()
[<IterDomain: iS2{i0}>, <IterDomain: iS3{3}>]
)";

inline constexpr const char* kTensorViewRoot = R"(The axes that the definition of the tensor iterates.

Returns
-------
list of IterDomain
    With reduced axes, before reshapes.

See Also
--------
TensorView.has_root

Examples
--------
>>> with FusionDefinition() as fd:
...     s = ops.sum(fd.define_tensor(shape=[-1, 3], contiguity=True), 1)
>>> s.get_root_domain()
[<IterDomain: iS2{i0}>, <IterDomain: rS3{3}>]
)";

inline constexpr const char* kTensorViewHasRoot = R"(Whether the root axes differ from the logical ones.

Returns
-------
bool
    True after reductions and reshapes.

See Also
--------
TensorView.get_root_domain

Examples
--------
>>> with FusionDefinition() as fd:
...     x = fd.define_tensor(shape=[-1, 3], contiguity=True)
...     y = ops.relu(x)
...     fd.add_output(y)
>>> x.has_root()
False
)";

}  // namespace nvfuser::python::docs
