// SPDX-License-Identifier: Apache-2.0
// Docstrings of Fusion and FusionGuard.  The tests run the examples.
#pragma once

namespace nvfuser::python::docs {

inline constexpr const char* kFusion = R"(A graph of tensor expressions.

Two fusions are equal when they have the same definition: kinds, attributes, dtypes, constants, static sizes, layouts,
aliases, and the orders of inputs and outputs.

See Also
--------
FusionDefinition, FusionGuard, FusionExecutorCache

Examples
--------
>>> with FusionDefinition() as fd:
...     x = fd.define_tensor(shape=[-1, 3], contiguity=True)
...     y = ops.relu(x)
...     fd.add_output(y)
>>> fd.fusion
<Fusion: 1 inputs, 1 expressions, 1 outputs>
>>> print(fd.fusion, end="")
inputs:
  T0_g_float[iS0{i0}, iS1{3}]
outputs:
  T1_g_float[iS2{i0}, iS3{3}]
expressions:
  T1_g_float[iS2{i0}, iS3{3}] = relu(T0_g_float[iS0{i0}, iS1{3}]);
)";

inline constexpr const char* kFusionInputs = R"(The inputs in order.

Returns
-------
list of Val
    Tensors and scalars.

See Also
--------
Fusion.add_input, Fusion.outputs

Examples
--------
>>> with FusionDefinition() as fd:
...     x = fd.define_tensor(shape=[-1, 3], contiguity=True)
...     y = ops.relu(x)
...     fd.add_output(y)
>>> fd.fusion.inputs()
[<TensorView: T0_g_float[iS0{i0}, iS1{3}]>]
)";

inline constexpr const char* kFusionOutputs = R"(The outputs in order.

Returns
-------
list of TensorView
    Those that are written into inputs too.

See Also
--------
Fusion.add_output, Fusion.inputs

Examples
--------
>>> with FusionDefinition() as fd:
...     x = fd.define_tensor(shape=[-1, 3], contiguity=True)
...     y = ops.relu(x)
...     fd.add_output(y)
>>> fd.fusion.outputs()
[<TensorView: T1_g_float[iS2{i0}, iS3{3}]>]
)";

inline constexpr const char* kFusionVals = R"(All scalars and tensors.

Returns
-------
list of Val
    In the order of definition.

See Also
--------
Fusion.exprs

Examples
--------
>>> with FusionDefinition() as fd:
...     x = fd.define_tensor(shape=[-1, 3], contiguity=True)
...     y = ops.relu(x)
...     fd.add_output(y)
>>> fd.fusion.vals()[0] is x.axis(0).extent(), y in fd.fusion.vals()
(True, True)
)";

inline constexpr const char* kFusionExprs = R"(All expressions.

Returns
-------
list of Expr
    In the order of definition.

See Also
--------
Fusion.vals

Examples
--------
>>> with FusionDefinition() as fd:
...     x = fd.define_tensor(shape=[-1, 3], contiguity=True)
...     y = ops.relu(x)
...     fd.add_output(y)
>>> fd.fusion.exprs()
[<Expr: T1_g_float[iS2{i0}, iS3{3}] = relu(T0_g_float[iS0{i0}, iS1{3}]);>]
)";

inline constexpr const char* kFusionAddInput = R"(Registers a value as the next input.

Parameters
----------
input : Val
    A tensor or a symbolic scalar of this fusion that is no input yet.

Raises
------
DefinitionError
    For a constant, a value of another fusion, or an input.

See Also
--------
FusionDefinition.define_tensor, Fusion.inputs

Examples
--------
>>> fusion = Fusion()
>>> guard = FusionGuard(fusion)
>>> x = define_tensor(shape=[-1])
>>> guard.release()
>>> fusion.add_input(x)
>>> fusion.inputs()
[<TensorView: T0_g_float[iS0{i0}]>]
)";

inline constexpr const char* kFusionAddOutput = R"(Registers a tensor as the next output.

Parameters
----------
output : TensorView
    A tensor of this fusion.
alias_input : TensorView, optional
    An input into whose memory the result is written; the output is not returned then, unless it is registered without
    an alias too.

Raises
------
DefinitionError
    For a scalar, or a value of another fusion.

See Also
--------
FusionDefinition.add_output, Fusion.outputs

Examples
--------
>>> fusion = Fusion()
>>> guard = FusionGuard(fusion)
>>> x = define_tensor(shape=[-1])
>>> y = x * 2.0
>>> guard.release()
>>> fusion.add_input(x)
>>> fusion.add_output(y)
>>> fusion
<Fusion: 1 inputs, 1 expressions, 1 outputs>
)";

inline constexpr const char* kFusionDescribeInput =
    R"(An input with the line of the user's program that made it, for messages.

Parameters
----------
position : int
    Its number.

Returns
-------
str
    Empty where there is no such input.

See Also
--------
Val.location

Examples
--------
>>> with FusionDefinition() as fd:
...     x = fd.define_tensor(shape=[-1, 3], contiguity=True)
...     y = ops.relu(x)
...     fd.add_output(y)
>>> fd.fusion.describe_input(0).partition(" (")[0]
'T0_g_float[iS0{i0}, iS1{3}]'
)";

inline constexpr const char* kFusionPrintMath = R"(The fusion as text.

Parameters
----------
from_outputs_only : bool
    Leave out what no output needs.

Returns
-------
str
    A line for each expression.

See Also
--------
Fusion.python_source

Examples
--------
>>> with FusionDefinition() as fd:
...     x = fd.define_tensor(shape=[-1, 3], contiguity=True)
...     y = ops.relu(x)
...     fd.add_output(y)
>>> print(fd.fusion.print_math(), end="")
inputs:
  T0_g_float[iS0{i0}, iS1{3}]
outputs:
  T1_g_float[iS2{i0}, iS3{3}]
expressions:
  T1_g_float[iS2{i0}, iS3{3}] = relu(T0_g_float[iS0{i0}, iS1{3}]);
)";

inline constexpr const char* kFusionPythonSource = R"(Python source that rebuilds an equal fusion.

Returns
-------
str
    A function nvfuser_fusion(fd).

See Also
--------
translate_fusion, Fusion.print_math

Examples
--------
>>> with FusionDefinition() as fd:
...     x = fd.define_tensor(shape=[-1, 3], contiguity=True)
...     y = ops.relu(x)
...     fd.add_output(y)
>>> print(fd.fusion.python_source(), end="")
def nvfuser_fusion(fd : FusionDefinition) -> None :
    tv0 = fd.define_tensor(shape=[-1, 3], contiguity=[True, True], dtype=DataType.Float, is_cpu=False)
    tv1 = fd.ops.relu(tv0)
    fd.add_output(tv1)
)";

inline constexpr const char* kFusionHash = R"(A hash of the definition.

Returns
-------
int
    Equal for equal definitions.

See Also
--------
Fusion.same_definition

Examples
--------
>>> fusions = []
>>> for _ in range(2):
...     with FusionDefinition() as fd:
...         fd.add_output(fd.define_tensor(shape=[-1]) + 1.0)
...     fusions.append(fd.fusion)
>>> fusions[0].structural_hash() == fusions[1].structural_hash()
True
)";

inline constexpr const char* kFusionSame = R"(Whether both fusions have the same definition.

Parameters
----------
other : Fusion
    The fusion to compare with.

Returns
-------
bool
    What ``==`` gives.

See Also
--------
Fusion.structural_hash

Examples
--------
>>> with FusionDefinition() as fd:
...     x = fd.define_tensor(shape=[-1, 3], contiguity=True)
...     y = ops.relu(x)
...     fd.add_output(y)
>>> fd.fusion.same_definition(fd.fusion), fd.fusion == Fusion()
(True, False)
)";

inline constexpr const char* kFusionGuard =
    R"(Makes a fusion the one that operations of this thread build, until the guard dies.

Parameters
----------
fusion : Fusion
    The fusion.

See Also
--------
Fusion, FusionDefinition

Examples
--------
>>> fusion = Fusion()
>>> guard = FusionGuard(fusion)
>>> x = define_tensor(shape=[-1])
>>> guard.release()
>>> x.fusion() is fusion
True
)";

inline constexpr const char* kFusionGuardRelease = R"(Ends the guard now.

See Also
--------
FusionGuard

Examples
--------
>>> guard = FusionGuard(Fusion())
>>> guard.release()
>>> guard
<FusionGuard: released>
)";

}  // namespace nvfuser::python::docs
