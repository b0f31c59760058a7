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
    fusion : Fusion
        The fusion.  It stays usable, and must not change afterwards.
    fusion_id : int
        A number of the caller's, which profiles show.
    auto_schedule : bool
        True: schedules written by hand are not part of this version.

    See Also
    --------
    nvfuser.FusionExecutorCache

    Examples
    --------
    >>> import nvfuser_direct
    >>> with nvfuser_direct.FusionDefinition() as fd:
    ...     fd.add_output(fd.define_tensor(shape=[-1]) * 2.0)
    >>> nvfuser_direct.FusionExecutorCache(fd.fusion).execute([np.float32([1])], target="evaluator")
    [array([2.], dtype=float32)]
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
        """Runs the fusion of this executor, with that API's arguments.

        Parameters
        ----------
        inputs : iterable of tensors and numbers
            In the order of definition.
        device : int, str or torch.device, optional
            The GPU on which results are where no input is a tensor.
        _enable_options : iterable of str
            Names of that API's options, which are checked.
        _disable_options : iterable of str
            The same.

        Returns
        -------
        list of tensors
            One for each visible output.

        Raises
        ------
        NvfError
            As :meth:`nvfuser.FusionDefinition.execute`.

        See Also
        --------
        nvfuser_direct.FusionDefinition.execute

        Examples
        --------
        >>> import nvfuser_direct
        >>> with nvfuser_direct.FusionDefinition() as fd:
        ...     fd.add_output(ops.full([2], 7, DataType.Int))
        >>> nvfuser_direct.FusionExecutorCache(fd.fusion).execute([], target="evaluator")[0].tolist()
        [7, 7]
        """
        check_options(_enable_options, ENABLE)
        check_options(_disable_options, DISABLE)
        index = device_index(device)
        items = inputs if isinstance(inputs, (list, tuple)) else list(inputs)
        return on_device(super().execute(items, **options), items, index)

    def is_compiled(self, inputs: Sequence[Any], device: int = 0) -> bool:
        """Whether a plan for inputs of these facts exists on a device.

        Parameters
        ----------
        inputs : sequence of tensors and numbers
            As for :meth:`execute`.
        device : int
            Where they are, which they tell themselves.

        Returns
        -------
        bool
            True after a call with such inputs.

        Raises
        ------
        NvfError
            For inputs that contradict the definition.

        See Also
        --------
        nvfuser_direct.FusionExecutorCache.get_cuda_kernel

        Examples
        --------
        >>> import nvfuser_direct
        >>> with nvfuser_direct.FusionDefinition() as fd:
        ...     fd.add_output(fd.define_tensor(shape=[-1], contiguity=[True]) * 2.0)
        >>> nvfuser_direct.FusionExecutorCache(fd.fusion).is_compiled([np.float32([1, 2])], device=0)
        False
        """
        return super().is_compiled(inputs)

    def get_cuda_kernel(self, inputs: Sequence[Any], device: int = 0) -> str:
        """The text of the kernels that were compiled for such inputs on a device.

        Parameters
        ----------
        inputs : sequence of tensors and numbers
            As for :meth:`execute`.
        device : int
            Where they are, which they tell themselves.

        Returns
        -------
        str
            CUDA C++, or host C++ for tensors of the CPU.

        Raises
        ------
        DefinitionError
            Before a call with such inputs.

        See Also
        --------
        nvfuser_direct.FusionExecutorCache.is_compiled

        Examples
        --------
        >>> import nvfuser_direct
        >>> with nvfuser_direct.FusionDefinition() as fd:
        ...     fd.add_output(fd.define_tensor(shape=[-1], contiguity=[True]) + 1.0)
        >>> _ = fd.execute([np.ones(8, np.float32)])
        >>> "rt::add" in fd.fec.get_cuda_kernel([np.ones(8, np.float32)])
        True
        """
        return super().get_cuda_kernel(inputs)


class LRUCache(nvfuser.LRUCache):
    """Keeps executors of this package of at most `max_fusions` fusions, as :class:`nvfuser.LRUCache`.

    See Also
    --------
    nvfuser.LRUCache

    Examples
    --------
    >>> import nvfuser_direct
    >>> nvfuser_direct.LRUCache(max_fusions=8).num_fusions()
    0
    """

    _executors = FusionExecutorCache

    if TYPE_CHECKING:

        def cache_compile(self, fusion: Fusion) -> FusionExecutorCache: ...
