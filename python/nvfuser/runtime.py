# SPDX-License-Identifier: Apache-2.0
"""Calls: from a caller's tensors to a plan, results in the caller's framework."""

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
    OutputSpec,
    Plan,
    TensorArgument,
    Way,
    evaluate_float64,
    option,
)


class PerformanceWarning(UserWarning):
    """A fusion runs, but slowly, for the reason that the message gives."""


_warned = False


def _warn_once(reason: str) -> None:
    global _warned
    if _warned or option("NVFUSER_SILENCE_PERFORMANCE_WARNING") == "1":
        return
    _warned = True
    warnings.warn(
        f"no compiled kernel on this machine, so fusions run in the evaluator, many times slower: {reason}",
        PerformanceWarning,
        stacklevel=4,
    )


def way_of(target: str | Way | None) -> Way | None:
    """The way that a caller asks for, by itself or by its name; None leaves the choice to the inputs."""
    if target is None or isinstance(target, Way):
        return target
    names = [way.name for way in Way]
    if target not in names:
        raise OptionError(f"unknown target {target!r}; known: {', '.join(names)}")
    return Way[target]


def device_kind(value: Any) -> str:
    """The device type of a torch tensor, such as cuda; an empty text for anything else."""
    return str(getattr(getattr(value, "device", None), "type", ""))


class Call:
    """Arguments of one call, described."""

    def __init__(self, inputs: Sequence[Any]) -> None:
        self.values = tensors.flatten(inputs)
        self.frameworks = [tensors.framework_of(value) for value in self.values]
        self._move_scalars()
        self.arguments = [
            tensors.named(position, framework.describe, value) if framework else value
            for position, (value, framework) in enumerate(zip(self.values, self.frameworks, strict=True))
        ]
        known = [framework for framework in self.frameworks if framework]
        self.framework = known[0] if known else tensors.default_framework()

    def _move_scalars(self) -> None:
        """0-dim CPU tensors that come with CUDA tensors are moved to their device."""
        device = next((value.device for value in self.values if device_kind(value) == "cuda"), None)
        if device is not None:
            self.values = [
                value.to(device) if device_kind(value) == "cpu" and value.dim() == 0 else value for value in self.values
            ]

    def stream(self) -> int:
        """The current stream of the caller's framework; 0 on the CPU."""
        for argument in self.arguments:
            if isinstance(argument, TensorArgument) and argument.cuda:
                return int(self.framework.stream(argument.index))
        return 0


def execute(
    executor: FusionExecutor, inputs: Sequence[Any], target: str | Way | None, device: str, seed: int
) -> tuple[list[Any], Plan]:
    """Runs a fusion; returns its visible outputs and the plan that ran."""
    call = Call(inputs)
    plan = executor.prepare(call.arguments, way_of(target), seed, device)
    if plan.fallback_reason:
        _warn_once(plan.fallback_reason)
    specs = plan.outputs
    buffers: list[Any] = []
    addresses: list[int] = []
    for spec in specs:
        if spec.alias_input >= 0:
            _check_writable(call, spec)
            buffers.append(call.values[spec.alias_input])
            addresses.append(0)
        elif spec.same_as >= 0:
            buffers.append(buffers[spec.same_as])
            addresses.append(0)
        else:
            buffer, address = call.framework.empty(spec)
            buffers.append(buffer)
            addresses.append(address)
    executor.run(plan, call.arguments, addresses, call.stream(), seed)
    visible = [
        call.framework.finish(buffer)
        for buffer, spec in zip(buffers, specs, strict=True)
        if not spec.hidden and not spec.workspace
    ]
    return visible, plan


def _check_writable(call: Call, spec: OutputSpec) -> None:
    position = spec.alias_input
    framework = call.frameworks[position]
    if framework is not None and not framework.writable(call.values[position]):
        raise ValueError(f"input {position} is read-only, but an output is written into it")


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


def reference(executor: FusionExecutor, inputs: Sequence[Any]) -> list[np.ndarray]:
    """All visible outputs, evaluated on the CPU with every floating value in float64 (complex in complex128)."""
    call = Call([value.cpu() if device_kind(value) == "cuda" else value for value in tensors.flatten(inputs)])
    plan = executor.prepare(call.arguments, Way.evaluator)
    specs = [spec for spec in plan.outputs if not spec.workspace]
    arrays: list[np.ndarray] = [np.empty(spec.sizes, REFERENCE_TYPES.get(spec.dtype, np.float64)) for spec in specs]
    evaluate_float64(executor.fusion, call.arguments, [array.__array_interface__["data"][0] for array in arrays])
    return [array for array, spec in zip(arrays, specs, strict=True) if not spec.hidden]
