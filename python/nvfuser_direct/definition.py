# SPDX-License-Identifier: Apache-2.0
"""FusionDefinition with the conventions of nvFuser's direct API."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, overload

import numpy as np

import nvfuser
from nvfuser import TensorView
from nvfuser.absent import ABSENT_MEMBERS
from nvfuser.defining import NoFusionError
from nvfuser_direct.call_options import DISABLE, ENABLE, check_options, device_index, on_device
from nvfuser_direct.executors import FusionExecutorCache

if TYPE_CHECKING:
    import torch
    from typing_extensions import Unpack

    from nvfuser_direct.call_options import CallOptions


class FusionDefinition(nvfuser.FusionDefinition):
    """A fusion under definition and the means to run it, as :class:`nvfuser.FusionDefinition`.

    Three things differ: `from_pytorch` refuses CPU tensors that have axes, `execute` takes that API's arguments, and
    after the first call `fec` is the executor.

    See Also
    --------
    nvfuser.FusionDefinition

    Examples
    --------
    >>> import nvfuser_direct
    >>> with nvfuser_direct.FusionDefinition() as fd:
    ...     x = fd.define_tensor(shape=[-1], contiguity=[True], dtype=DataType.Float)
    ...     fd.add_output(fd.ops.neg(x))
    >>> [out.tolist() for out in fd.execute((np.float32([1, 2]),), save_repro_inputs=None, target="evaluator")]
    [[-1.0, -2.0]]
    """

    _package = "nvfuser_direct"
    _fec: FusionExecutorCache | None = None

    def from_pytorch(self, tensor: Any, static_sizes: bool = False) -> TensorView:
        """Defines an input with the dtype, rank and layout of an example on a GPU, or without axes on the CPU.

        Parameters
        ----------
        tensor : torch.Tensor
            The example; only its description is used.
        static_sizes : bool
            True keeps the sizes as constants.

        Returns
        -------
        TensorView
            The input.

        Raises
        ------
        ValueError
            For a CPU tensor that has axes.

        See Also
        --------
        nvfuser.FusionDefinition.from_pytorch

        Examples
        --------
        >>> import nvfuser_direct
        >>> with nvfuser_direct.FusionDefinition() as fd:
        ...     try:
        ...         fd.from_pytorch(np.ones(3))
        ...     except ValueError as error:
        ...         print(error)
        Found unsupported device cpu, only scalar CPU or CUDA tensors are supported
        """
        kind = getattr(getattr(tensor, "device", None), "type", "cpu")
        if kind == "cpu" and getattr(tensor, "ndim", 0) != 0:
            raise ValueError("Found unsupported device cpu, only scalar CPU or CUDA tensors are supported")
        return super().from_pytorch(tensor, static_sizes)

    if TYPE_CHECKING:

        @property
        def fec(self) -> FusionExecutorCache: ...

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
        save_repro_inputs: Any = False,
        _enable_options: Iterable[str] = (),
        _disable_options: Iterable[str] = (),
        **options: Any,
    ) -> list[Any]:
        """Runs the fusion, as :meth:`nvfuser.FusionDefinition.execute`, of which it takes all arguments too.

        Parameters
        ----------
        inputs : iterable of tensors and numbers
            In the order of definition, in a list, a tuple or anything that can be iterated.
        device : int, str or torch.device, optional
            The GPU on which results are where no input is a tensor.
        save_repro_inputs : bool or path, optional
            True keeps what the inputs look like, for `last_repro_script`.
        _enable_options : iterable of str
            Names of that API's options.  They are checked; what they steer is not there, so nothing follows from them.
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
        OptionError
            For an option that is not known or changes results.
        AssertionError
            For a device that is no GPU.

        See Also
        --------
        nvfuser.FusionDefinition.execute

        Examples
        --------
        >>> import nvfuser_direct
        >>> with nvfuser_direct.FusionDefinition() as fd:
        ...     fd.add_output(fd.define_tensor(shape=[-1]) * 2.0)
        >>> fd.execute((np.float32([1, 2]),), _enable_options=["fuse_matmul"], target="evaluator")
        [array([2., 4.], dtype=float32)]
        """
        check_options(_enable_options, ENABLE)
        check_options(_disable_options, DISABLE)
        index = device_index(device)
        items = inputs if isinstance(inputs, (list, tuple)) else list(inputs)
        save = False if save_repro_inputs is None else save_repro_inputs
        results = super().execute(items, save_repro_inputs=save, **options)
        return on_device(results, items, index)

    def _get_device_index(self, device: Any) -> int | None:
        return device_index(device)

    if not TYPE_CHECKING:  # checkers know what there is

        def __getattr__(self, name: str) -> Any:
            if name == "fusion":  # of its property, which found none
                raise NoFusionError
            if name == "fec" and self.executor is not None:
                if self._fec is None or self._fec.executor is not self.executor:
                    self._fec = FusionExecutorCache._of(self.executor)
                return self._fec
            message = f"{type(self).__name__!r} object has no attribute {name!r}"
            reason = ABSENT_MEMBERS.get(name)
            raise AttributeError(f"{message}: {reason}" if reason else message)
