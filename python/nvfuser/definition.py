# SPDX-License-Identifier: Apache-2.0
"""FusionDefinition: define a fusion in a ``with`` block, then execute it on tensors."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from nvfuser import ahead, ops, repro, tensors
from nvfuser._C import DataType, Executable, Fusion, FusionExecutor, FusionGuard, Plan, TensorView, Val, Way
from nvfuser._C import define_scalar as _define_scalar
from nvfuser._C import define_tensor as _define_tensor
from nvfuser.ways import reference, way_of

if TYPE_CHECKING:
    from typing_extensions import Self

    from nvfuser._C.ops import Operations

# Largest relative and absolute error that `validate` accepts per dtype, about 16 units in the last place.
TOLERANCES = {
    DataType.Double: 1e-12,
    DataType.ComplexDouble: 1e-12,
    DataType.Float: 4e-6,
    DataType.ComplexFloat: 4e-6,
    DataType.Half: 4e-3,
    DataType.BFloat16: 3e-2,
    DataType.Float8_e4m3fn: 0.2,
    DataType.Float8_e5m2: 0.4,
}


def translate_fusion(fusion: Fusion) -> str:
    """Python source of a function that defines an equal fusion (see ``repr(fd)``)."""
    return fusion.python_source()


def rebuild(source: str, package: str = "nvfuser") -> FusionDefinition:
    """The fusion that a printed definition describes (see ``repr(fd)``), as a FusionDefinition of that package."""
    scope: dict[str, Any] = {}
    exec(f"from {package} import DataType, FusionDefinition\n{source}", scope)
    fd: FusionDefinition = scope["FusionDefinition"]()
    with fd:
        scope["nvfuser_fusion"](fd)
    return fd


class FusionDefinition(Executable):
    """A fusion under definition, and the means to run it.

    Examples
    --------
    >>> import numpy as np
    >>> from nvfuser import FusionDefinition
    >>> with FusionDefinition() as fd:
    ...     x = fd.define_tensor(shape=[-1], contiguity=[True])
    ...     fd.add_output(fd.ops.relu(x + 1.0))
    >>> fd.execute([np.array([-3.0, 0.5], np.float32)])
    [array([0. , 1.5], dtype=float32)]
    """

    if TYPE_CHECKING:
        ops: Operations
    else:
        ops = ops
    _package = "nvfuser"  # which scripts import

    def __init__(self) -> None:
        super().__init__()
        self._fusion: Fusion | None = None
        self._guard: FusionGuard | None = None
        self._last_call: repro.Call | None = None

    # ---- definition ----

    def __enter__(self) -> Self:
        if self._fusion is None:
            self._fusion = Fusion()
        self._guard = FusionGuard(self._fusion)
        self.executor = self._last_call = None  # they hold for the definition as it was
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._guard is not None:
            self._guard.release()
            self._guard = None

    @property
    def fusion(self) -> Fusion:
        """The fusion; NotImplementedError before the first ``with``."""
        if self._fusion is None:
            raise NotImplementedError("Fusion does not exist! Use `with FusionDefinition() as fd:` to define one.")
        return self._fusion

    def define_tensor(self, *args: Any, **kwargs: Any) -> TensorView:
        """Defines a tensor and registers it as the next input (see :func:`nvfuser.define_tensor`)."""
        tensor = _define_tensor(*args, **kwargs)
        self.fusion.add_input(tensor)
        return tensor

    def define_scalar(self, *args: Any, **kwargs: Any) -> Val:
        """Defines a scalar; one without a value is registered as the next input (see :func:`nvfuser.define_scalar`)."""
        scalar = _define_scalar(*args, **kwargs)
        if scalar.is_symbolic():
            self.fusion.add_input(scalar)
        return scalar

    def define_vector(self, size: int) -> list[Val]:
        """Defines `size` integer scalars, each an input; a list of numbers is passed for them."""
        return [self.define_scalar(dtype=DataType.Int) for _ in range(size)]

    def from_pytorch(self, tensor: Any, static_sizes: bool = False) -> TensorView:
        """Defines an input with the dtype, rank and layout of an example (a tensor of any known framework).

        Parameters
        ----------
        tensor
            The example; only its description is used.  A CPU tensor without axes becomes one that stays on the CPU.
        static_sizes
            True keeps the sizes as constants.
        """
        framework = tensors.framework_of(tensor)
        if framework is None:
            raise TypeError(f"expected a tensor, got {type(tensor).__name__}")
        example = framework.describe(tensor)
        return self.define_tensor(
            sizes=example.sizes,
            strides=example.strides,
            dtype=example.dtype,
            static_sizes=static_sizes,
            is_cpu=not example.cuda and not example.sizes,
        )

    def add_output(self, output: TensorView, alias_input: TensorView | None = None) -> None:
        """Registers an output; with `alias_input` the result is written into that input's memory."""
        self.fusion.add_output(output, alias_input)

    def validate_definition(self) -> tuple[bool, str]:
        """Whether the fusion can be executed, and if not why."""
        if self._fusion is None:
            return False, "Fusion does not exist!"
        if not self._fusion.outputs():
            return False, "Fusion is empty!"
        return True, ""

    # ---- execution ----

    def _ready(self) -> FusionExecutor:
        valid, message = self.validate_definition()
        if not valid:
            hint = "Define inputs, operations and outputs inside `with FusionDefinition() as fd:`."
            raise NotImplementedError(f"{message} {hint}")
        if self.executor is None:
            self.executor = FusionExecutor(self.fusion)
        return self.executor

    def _keep_call(self, inputs: Any, target: Any, schedule_for: str, seed: int, values: Any) -> None:
        """What `execute(..., save_repro_inputs=values)` notes before the call."""
        self._last_call = repro.call_to_save(inputs, target, schedule_for, seed, values)

    def prepare(
        self,
        shapes: Iterable[Any],
        *,
        target: str | Way | None = None,
        schedule_for: str = "",
        device: Any = None,
    ) -> None:
        """Compiles ahead what calls of these shapes will run; all kernels that are missing are compiled as one batch.

        Parameters
        ----------
        shapes
            For each input in order a shape, a :class:`nvfuser.TensorSpec`, or an example (a tensor of any framework, of
            which only the description is used); for scalars a number, or None where no size depends on it.  Or a list
            of several such lists.  Shapes alone mean what the definition says of dtype and memory order, dense and
            aligned to 16 bytes as fresh tensors are.
        target, schedule_for
            As in :meth:`execute`; a call finds what was prepared for the same target.
        device
            Where the tensors will be, such as "cpu" or "cuda:1".  None: "cuda:0" where there is a GPU and the target
            leaves it, else "cpu".

        Examples
        --------
        >>> from nvfuser import FusionDefinition
        >>> with FusionDefinition() as fd:
        ...     x = fd.define_tensor(shape=[-1, -1], contiguity=[True, True])
        ...     fd.add_output(fd.ops.relu(x))
        >>> fd.prepare([(8, 1024)], device="cpu")
        >>> fd.prepare([[(16, 1024)], [(32, 1024)]], device="cpu")
        """
        ahead.prepare(self._ready(), shapes, target, schedule_for, device)

    @property
    def last_way(self) -> Way | None:
        """How the last call ran: `Way.cuda`, `host`, `emulator` or `evaluator`; None before the first."""
        return self.executor.last_way if self.executor is not None else None

    def kernel_text(self, inputs: Sequence[Any], *, target: str | Way | None = None) -> str:
        """The text of the kernels that these inputs run."""
        return self._plan(inputs, target).kernel_text

    def plan_text(self, inputs: Sequence[Any], *, target: str | Way | None = None) -> str:
        """What these inputs run: the way, and for each kernel its schedule, facts and launch."""
        return str(self._plan(inputs, target))

    def _plan(self, inputs: Sequence[Any], target: str | Way | None) -> Plan:
        return self._ready().prepare(inputs, way_of(target))

    def reference(self, inputs: Sequence[Any]) -> list[np.ndarray]:
        """The outputs evaluated in float64 on the CPU, as NumPy arrays."""
        return reference(self._ready(), inputs)

    def validate(
        self, inputs: Sequence[Any], reference_outputs: Sequence[Any] | None = None, **kwargs: Any
    ) -> list[Any]:
        """Runs the fusion and compares the results with `reference_outputs`, or with :meth:`reference`.

        Raises
        ------
        RuntimeError
            When a result differs by more than the tolerance of its dtype.
        """
        expected = self.reference(inputs) if reference_outputs is None else reference_outputs
        outputs = self.execute(inputs, **kwargs)
        if len(expected) != len(outputs):
            raise RuntimeError(f"expected {len(expected)} outputs, got {len(outputs)}")
        for position, (got, want) in enumerate(zip(outputs, expected, strict=True)):
            _compare(position, got, want)
        return outputs

    # ---- text ----

    def repro_script_for(
        self,
        inputs: Sequence[Any] | None = None,
        *,
        target: str | Way | None = None,
        schedule_for: str = "",
        save_inputs: str | os.PathLike[str] | None = None,
    ) -> str:
        """A program that builds this fusion and calls it on inputs like these; without inputs, one that builds it.

        Its tensors have the shapes, strides, dtypes, devices and alignment of these; their values are random from a
        fixed seed, or these inputs' own where `save_inputs` names a file (.npz), into which they are saved.
        """
        call = None if inputs is None else repro.describe_call(inputs, target, schedule_for, values=save_inputs)
        return repro.script(self.fusion, call, self._package)

    def last_repro_script(self) -> str:
        """:meth:`repro_script_for` the last call with `save_repro_inputs`, failed or not; AssertionError before one."""
        assert self._last_call is not None, "no call was made with save_repro_inputs=True"
        return repro.script(self.fusion, self._last_call, self._package)

    def __repr__(self) -> str:
        return self.fusion.python_source() if self._fusion is not None else "<FusionDefinition: empty>"

    def __reduce__(self) -> tuple[Callable[[str, str], FusionDefinition], tuple[str, str]]:
        return rebuild, (self.fusion.python_source(), self._package)


def as_float64(tensor: Any) -> np.ndarray:
    """A tensor's values as a NumPy array, narrow floats widened."""
    if hasattr(tensor, "detach"):
        tensor = tensor.detach().cpu()
        if tensor.dtype.is_floating_point:
            tensor = tensor.double()
        return np.asarray(tensor)
    array = np.asarray(tensor.get() if hasattr(tensor, "get") else tensor)
    return array if array.dtype.kind in "biuc" else array.astype(np.float64)


def _compare(position: int, got: Any, want: Any) -> None:
    framework = tensors.framework_of(got)
    tolerance = TOLERANCES.get(framework.describe(got).dtype, 0.0) if framework is not None else 0.0
    a, b = as_float64(got), as_float64(want)
    if a.shape != b.shape:
        raise RuntimeError(f"output {position}: expected shape {b.shape}, got {a.shape}")
    with np.errstate(all="ignore"):
        same = np.isclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True) if tolerance else a == b
    if not np.all(same):
        place = tuple(int(i) for i in np.argwhere(~np.asarray(same))[0])
        count = f"{int(np.sum(~same))} of {a.size}"
        raise RuntimeError(f"output {position} differs at {place}: got {a[place]}, expected {b[place]} ({count})")
