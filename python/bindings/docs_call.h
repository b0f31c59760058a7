// SPDX-License-Identifier: Apache-2.0
// Docstrings of calls.  The tests run the examples.
#pragma once

namespace nvfuser::python::docs {

inline constexpr const char* kExecute = R"(Runs the fusion.

Parameters
----------
inputs : iterable of tensors and numbers
    In the order of definition, lists of them put in place.  Tensors of one device and any framework, of any strides,
    with the dtypes and ranks of the definition.
out : sequence of tensors, optional
    Tensors of the results' sizes, dtypes and device, one for each visible output, into which they are written.  They
    may share memory with inputs, not with each other.
target : str or Way, optional
    None: kernels on the GPU for CUDA tensors, compiled host code for CPU tensors.  Otherwise a Way or its name:
    "host", "emulator" (GPU kernels run thread by thread on the CPU, every access checked) or "evaluator".
schedule_for : str
    With the emulator: the GPU whose schedules are run, such as "H200" (the default) or "A100".
seed : int
    With the emulator: the order in which threads run.
save_repro_inputs : bool or path, optional
    True keeps what the inputs look like, for last_repro_script; a path saves their values there too.

Returns
-------
list of tensors
    One for each visible output, in the framework of the first tensor input.

Raises
------
ShapeError
    For sizes that contradict the definition or each other.
DTypeError
    For an input of another dtype.
DeviceError
    For tensors of several devices, and for what a driver refuses.
CompileError
    For a kernel that a compiler refuses.
NotImplementedError
    For a definition without outputs.
TypeError
    For an input that is neither a tensor nor a number.

See Also
--------
FusionDefinition.prepare, FusionDefinition.validate

Examples
--------
>>> with FusionDefinition() as fd:
...     x = fd.define_tensor(shape=[-1], contiguity=[True])
...     s = fd.define_scalar(dtype=DataType.Double)
...     fd.add_output(x * s)
>>> fd.execute([np.float32([1, 2]), 0.5], target="evaluator")
[array([0.5, 1. ], dtype=float32)]
>>> y = np.empty(2, np.float32)
>>> fd.execute([np.float32([3, 4]), 2.0], out=[y], target="evaluator")[0] is y
True
)";

inline constexpr const char* kExecutable = R"(What can be called: FusionDefinition and FusionExecutorCache.

See Also
--------
FusionDefinition, FusionExecutorCache

Examples
--------
>>> issubclass(FusionDefinition, nvfuser._C.Executable)
True
)";

}  // namespace nvfuser::python::docs
