# SPDX-License-Identifier: Apache-2.0
"""Plans and kernels ahead of the first call, for tensors that are only described."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nvfuser import tensors
from nvfuser._C import (
    DataType,
    FusionExecutor,
    TensorArgument,
    Way,
    describe_dense,
    device_status,
    prepare_described,
)
from nvfuser.ways import way_of


@dataclass(frozen=True)
class TensorSpec:
    """A tensor that need not exist, for :meth:`FusionDefinition.prepare`.

    Parameters
    ----------
    shape : sequence of int
        Size of each axis.
    strides : sequence of int, optional
        Stride of each axis in elements; None: dense, in the memory order of the definition.
    dtype : DataType, or a dtype of torch or NumPy, optional
        None: as the definition says.
    device : str or torch.device, optional
        Such as "cpu" or "cuda:1"; None: as the call of `prepare` says.

    See Also
    --------
    FusionDefinition.prepare

    Examples
    --------
    >>> TensorSpec((8, 1024), strides=(2048, 1), dtype=DataType.Half)
    TensorSpec(shape=(8, 1024), strides=(2048, 1), dtype=DataType.Half, device=None)
    """

    shape: Sequence[int]
    strides: Sequence[int] | None = None
    dtype: Any = None
    device: Any = None


def _device(device: Any) -> tuple[bool, int]:
    """(cuda, ordinal) of "cpu", "cuda", "cuda:1", a torch.device, or the ordinal of a GPU."""
    if isinstance(device, int):
        return True, device
    kind, _, index = str(device).partition(":")
    if kind not in ("cpu", "cuda") or (index and not index.isdigit()):
        raise ValueError(f"expected a device such as cpu or cuda:0, got {device!r}")
    return kind == "cuda", int(index or 0) if kind == "cuda" else 0


def _default_device(way: Way | None) -> str:
    has_gpu = way in (None, Way.cuda) and device_status()["cuda"][0]
    return "cuda:0" if has_gpu or way == Way.cuda else "cpu"


def _is_shape(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(size, int) for size in value)


def _sets(shapes: Iterable[Any]) -> list[list[Any]]:
    """The sets of descriptions; one set may be given by itself."""
    items = list(shapes)
    several = bool(items) and all(isinstance(item, (list, tuple)) and not _is_shape(item) for item in items)
    return [list(item) for item in items] if several else [items]


class _Describe:
    """From an entry of a set to what the executor takes."""

    def __init__(self, executor: FusionExecutor, device: Any) -> None:
        self.executor, self.device = executor, device

    def __call__(self, position: int, entry: Any) -> Any:
        if isinstance(entry, TensorSpec):
            return self.spec(position, entry)
        if _is_shape(entry):
            return self.spec(position, TensorSpec(entry))
        if entry is None or isinstance(entry, (bool, int, float, complex, TensorArgument)):
            return entry
        known = tensors.named(position, tensors.as_known, entry, self.executor.fusion.describe_input)
        framework = tensors.framework_of(known)
        return known if framework is None else framework.describe(known)

    def spec(self, position: int, spec: TensorSpec) -> TensorArgument:
        cuda, index = _device(self.device if spec.device is None else spec.device)
        dense = describe_dense(self.executor, position, list(spec.shape), cuda, index)
        dtype = spec.dtype
        if dtype is None:
            dtype = dense.dtype
        elif not isinstance(dtype, DataType):
            dtype = tensors.data_type_of(np.dtype(dtype) if isinstance(dtype, type) else dtype)
        strides = dense.strides if spec.strides is None else list(spec.strides)
        return TensorArgument(dense.data, dtype, cuda, index, dense.sizes, strides)


def prepare(
    executor: FusionExecutor, shapes: Iterable[Any], target: str | Way | None, schedule_for: str, device: Any
) -> None:
    """See :meth:`nvfuser.FusionDefinition.prepare`."""
    way = way_of(target)
    describe = _Describe(executor, _default_device(way) if device is None else device)
    sets = [[describe(position, entry) for position, entry in enumerate(entries)] for entries in _sets(shapes)]
    prepare_described(executor, sets, way, schedule_for)
