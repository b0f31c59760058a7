# SPDX-License-Identifier: Apache-2.0
"""Executors and their cache with the arguments of nvFuser's direct API."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np

import nvfuser
from nvfuser import Fusion
from nvfuser_direct.call_options import DISABLE, ENABLE, check_options, device_index, on_device

if TYPE_CHECKING:
    import torch
    from typing_extensions import Unpack

    from nvfuser_direct.call_options import CallOptions


class FusionExecutorCache(nvfuser.FusionExecutorCache):
    """Plans and runs one fusion, as :class:`nvfuser.FusionExecutorCache`, with that API's arguments.

    Parameters
    ----------
    fusion
        The fusion.  It stays usable, and must not change afterwards.
    fusion_id
        A number of the caller's, which profiles show.
    auto_schedule
        True: schedules written by hand are not part of this version.
    """

    _package = "nvfuser_direct"

    def __init__(self, fusion: Fusion, fusion_id: int = 0, auto_schedule: bool = True) -> None:
        if not auto_schedule:
            raise nvfuser.ScheduleError("auto_schedule=False: schedules written by hand are not part of this version")
        super().__init__(fusion, fusion_id)

    @overload
    def execute(self, inputs: Iterable[complex], **options: Unpack[CallOptions]) -> list[Any]: ...
    @overload
    def execute(  # type: ignore[overload-overlap]
        self, inputs: Iterable[np.ndarray | complex], **options: Unpack[CallOptions]
    ) -> list[np.ndarray]: ...
    @overload
    def execute(
        self, inputs: Iterable[torch.Tensor | complex], **options: Unpack[CallOptions]
    ) -> list[torch.Tensor]: ...
    @overload
    def execute(self, inputs: Iterable[object], **options: Unpack[CallOptions]) -> list[Any]: ...
    def execute(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        inputs: Iterable[Any],
        *,
        device: Any = None,
        _enable_options: Iterable[str] = (),
        _disable_options: Iterable[str] = (),
        **options: Any,
    ) -> list[Any]:
        """Runs the fusion (see :meth:`nvfuser_direct.FusionDefinition.execute`)."""
        check_options(_enable_options, ENABLE)
        check_options(_disable_options, DISABLE)
        index = device_index(device)
        items = inputs if isinstance(inputs, (list, tuple)) else list(inputs)
        return on_device(super().execute(items, **options), items, index)

    def is_compiled(self, inputs: Sequence[Any], device: int = 0) -> bool:
        """Whether a plan for inputs of these facts exists; `device` is where they are."""
        return super().is_compiled(inputs)

    def get_cuda_kernel(self, inputs: Sequence[Any], device: int = 0) -> str:
        """The text of the kernels that these inputs run; an error before a call with such inputs."""
        return super().get_cuda_kernel(inputs)


class LRUCache(nvfuser.LRUCache):
    """Keeps the executors of at most `max_fusions` fusions, as :class:`nvfuser.LRUCache`."""

    _executors = FusionExecutorCache

    if TYPE_CHECKING:

        def cache_compile(self, fusion: Fusion) -> FusionExecutorCache: ...
