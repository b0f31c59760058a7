# SPDX-License-Identifier: Apache-2.0
"""What a call needs of Python beyond the compiled part: names of ways, the warning, float64 references."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from nvfuser import tensors
from nvfuser._C import (
    DataType,
    FusionExecutor,
    OptionError,
    Way,
    evaluate_float64,
    option,
)


class PerformanceWarning(UserWarning):
    """A fusion runs, but slowly, for the reason that the message gives.

    See Also
    --------
    FusionDefinition.last_way

    Examples
    --------
    >>> issubclass(PerformanceWarning, UserWarning)
    True
    """


_warned = False


def warn_once(reason: str) -> None:
    """A PerformanceWarning, once a process."""
    global _warned
    if _warned or option("NVFUSER_SILENCE_PERFORMANCE_WARNING") == "1":
        return
    _warned = True
    warnings.warn(
        f"no compiled kernel on this machine, so fusions run in the evaluator, many times slower: {reason}",
        PerformanceWarning,
        stacklevel=2,
    )


def way_of(target: str | Way | None) -> Way | None:
    """The way that a caller asks for, by itself or by its name; None leaves the choice to the inputs."""
    if target is None or isinstance(target, Way):
        return target
    names = [way.name for way in Way]
    if target not in names:
        raise OptionError(f"unknown target {target!r}; known: {', '.join(names)}")
    return Way[target]


# Where a reference is not float64.
REFERENCE_TYPES = {
    DataType.ComplexFloat: np.complex128,
    DataType.ComplexDouble: np.complex128,
    DataType.Int: np.int64,
    DataType.Index: np.int64,
    DataType.Int32: np.int32,
    DataType.UInt64: np.uint64,
    DataType.Bool: np.bool_,
}


def device_kind(value: Any) -> str:
    """The device type of a torch tensor, such as cuda; an empty text for anything else."""
    return str(getattr(getattr(value, "device", None), "type", ""))


def reference(executor: FusionExecutor, inputs: Sequence[Any]) -> list[np.ndarray]:
    """All visible outputs, evaluated on the CPU with every floating value in float64 (complex in complex128)."""
    on_cpu = [
        value.cpu() if device_kind(value) == "cuda" else value
        for value in tensors.flatten(inputs, executor.fusion.describe_input)
    ]
    plan = executor.prepare(on_cpu, Way.evaluator)
    specs = [spec for spec in plan.outputs if not spec.workspace]
    arrays: list[np.ndarray] = [np.empty(spec.sizes, REFERENCE_TYPES.get(spec.dtype, np.float64)) for spec in specs]
    evaluate_float64(executor, on_cpu, [array.__array_interface__["data"][0] for array in arrays])
    return [array for array, spec in zip(arrays, specs, strict=True) if not spec.hidden]
