// SPDX-License-Identifier: Apache-2.0
// Docstrings of values and expressions.  The tests run the examples.
#pragma once

namespace nvfuser::python::docs {

inline constexpr const char* kStatement = R"(A node of a fusion: a value or an expression.

Nodes belong to their fusion and keep it alive: one that Python holds stays valid when everything else is gone.  The
same node is always the same Python object, of its most derived class.

See Also
--------
Val, Expr, Fusion

Examples
--------
>>> with FusionDefinition() as fd:
...     x = fd.define_tensor(shape=[-1, 3], contiguity=True)
...     y = ops.relu(x)
...     fd.add_output(y)
>>> y.definition().output(0) is y
True
>>> str(y)
'T1_g_float[iS2{i0}, iS3{3}]'
)";

inline constexpr const char* kVal = R"(A value: a scalar, a tensor, an axis or the axes of a tensor.

Values have the operators of Python's numbers; each builds the operation of its name in the fusion that is being
defined.

See Also
--------
TensorView, Expr, define_scalar

Examples
--------
>>> with FusionDefinition() as fd:
...     s = fd.define_scalar(dtype=DataType.Double)
...     t = s * 2.0
>>> t
<Val: d1>
>>> t.definition()
<Expr: d1 = mul(d0, 2.0);>
)";

inline constexpr const char* kValIsSymbolic = R"(Whether the value is not a constant.

Returns
-------
bool
    False for constants.

See Also
--------
define_scalar

Examples
--------
>>> ops.add(1, 2).is_symbolic()
False
)";

inline constexpr const char* kValIsTensor = R"(Whether the value is a TensorView.

Returns
-------
bool
    False for scalars and axes.

See Also
--------
TensorView

Examples
--------
>>> ops.add(1, 2).is_tensor()
False
)";

inline constexpr const char* kValDefinition = R"(The expression that produces the value.

Returns
-------
Expr or None
    None for inputs and constants.

See Also
--------
Val.uses, Expr.output

Examples
--------
>>> with FusionDefinition() as fd:
...     x = fd.define_tensor(shape=[-1, 3], contiguity=True)
...     y = ops.relu(x)
...     fd.add_output(y)
>>> y.definition()
<Expr: T1_g_float[iS2{i0}, iS3{3}] = relu(T0_g_float[iS0{i0}, iS1{3}]);>
>>> x.definition() is None
True
)";

inline constexpr const char* kValUses = R"(The expressions that read the value.

Returns
-------
list of Expr
    In the order of definition.

See Also
--------
Val.definition, Expr.input

Examples
--------
>>> with FusionDefinition() as fd:
...     x = fd.define_tensor(shape=[-1, 3], contiguity=True)
...     y = ops.relu(x)
...     fd.add_output(y)
>>> x.uses()
[<Expr: T1_g_float[iS2{i0}, iS3{3}] = relu(T0_g_float[iS0{i0}, iS1{3}]);>]
)";

inline constexpr const char* kValLocation = R"(The line of the user's program that made the value.

Returns
-------
str
    Such as ``model.py:12 in block``; empty when it is not known.

See Also
--------
Expr.location

Examples
--------
>>> with FusionDefinition() as fd:
...     x = fd.define_tensor(shape=[-1, 3], contiguity=True)
...     y = ops.relu(x)
...     fd.add_output(y)
>>> y.location() == y.definition().location()
True
)";

inline constexpr const char* kValFusion = R"(The fusion that owns the value.

Returns
-------
Fusion
    The same object as long as one is held.

See Also
--------
Fusion.vals

Examples
--------
>>> with FusionDefinition() as fd:
...     x = fd.define_tensor(shape=[-1, 3], contiguity=True)
...     y = ops.relu(x)
...     fd.add_output(y)
>>> y.fusion() is fd.fusion
True
)";

inline constexpr const char* kExpr = R"(An expression: an operation with its operands, results and attributes.

See Also
--------
Val.definition, Val.uses

Examples
--------
>>> with FusionDefinition() as fd:
...     x = fd.define_tensor(shape=[-1, 3], contiguity=True)
...     y = ops.relu(x)
...     fd.add_output(y)
>>> y.definition()
<Expr: T1_g_float[iS2{i0}, iS3{3}] = relu(T0_g_float[iS0{i0}, iS1{3}]);>
)";

inline constexpr const char* kBroadcastOp = R"(The expression that inserts axes of size 1.

See Also
--------
ops.broadcast, Expr

Examples
--------
>>> with FusionDefinition() as fd:
...     y = ops.broadcast(fd.define_tensor(shape=[3]), [True, False])
>>> y.definition()
<BroadcastOp: T1_l_float[bS1{1}, iS2{3}] = broadcast(T0_g_float[iS0{3}], flags={true, false});>
)";

inline constexpr const char* kSqueezeOp = R"(The expression that removes axes of size 1.

See Also
--------
ops.squeeze, Expr

Examples
--------
>>> with FusionDefinition() as fd:
...     y = ops.squeeze(fd.define_tensor(shape=[1, 3]), [0])
>>> type(y.definition()) is nvfuser.ir.SqueezeOp
True
)";

inline constexpr const char* kExprInput = R"(One operand of the expression.

Parameters
----------
index : int
    Its number; not negative.

Returns
-------
Val
    The operand.

Raises
------
IndexError
    When there is none of that number.

See Also
--------
Expr.output

Examples
--------
>>> with FusionDefinition() as fd:
...     x = fd.define_tensor(shape=[-1, 3], contiguity=True)
...     y = ops.relu(x)
...     fd.add_output(y)
>>> y.definition().input(0) is x
True
)";

inline constexpr const char* kExprOutput = R"(One result of the expression.

Parameters
----------
index : int
    Its number; not negative.

Returns
-------
Val
    The result.

Raises
------
IndexError
    When there is none of that number.

See Also
--------
Expr.input

Examples
--------
>>> with FusionDefinition() as fd:
...     x = fd.define_tensor(shape=[-1, 3], contiguity=True)
...     y = ops.relu(x)
...     fd.add_output(y)
>>> x.uses()[0].output(0) is y
True
)";

inline constexpr const char* kExprInputs = R"(All operands of the expression.

Returns
-------
list of Val
    Tensors and scalars in the order of the operation's parameters.

See Also
--------
Expr.input, Expr.outputs

Examples
--------
>>> with FusionDefinition() as fd:
...     x = fd.define_tensor(shape=[-1, 3], contiguity=True)
...     y = x * 2.0
...     fd.add_output(y)
>>> y.definition().inputs()
[<TensorView: T0_g_float[iS0{i0}, iS1{3}]>, <Val: 2.0>]
)";

inline constexpr const char* kExprOutputs = R"(All results of the expression.

Returns
-------
list of Val
    One, or several for reductions of several results.

See Also
--------
Expr.output, Expr.inputs

Examples
--------
>>> with FusionDefinition() as fd:
...     x = fd.define_tensor(shape=[-1, 3], contiguity=True)
...     y = x * 2.0
...     fd.add_output(y)
>>> y.definition().outputs()[0] is y
True
)";

inline constexpr const char* kExprLocation = R"(The line of the user's program that made the expression.

Returns
-------
str
    Such as ``model.py:12 in block``; empty when it is not known.

See Also
--------
Val.location

Examples
--------
>>> with FusionDefinition() as fd:
...     x = fd.define_tensor(shape=[-1, 3], contiguity=True)
...     y = ops.relu(x)
...     fd.add_output(y)
>>> y.definition().location() == y.location()
True
)";

}  // namespace nvfuser::python::docs
