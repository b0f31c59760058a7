# SPDX-License-Identifier: Apache-2.0
"""A fusion that is one kernel, without segments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nvfuser._C import DefinitionError, Fusion, FusionExecutor, ScheduleError, Way
from nvfuser.executor_cache import FusionExecutorCache
from nvfuser.ways import way_of


class KernelExecutor:
    """Compiles and runs one fusion as one kernel, whose schedule is chosen; a fusion that takes several is refused.

    Parameters
    ----------
    fusion_id : int
        A number of the caller's, which profiles show.
    concrete_id, runtime_id, group_id : int
        Numbers of the caller's, which are kept.

    See Also
    --------
    FusionExecutorCache

    Examples
    --------
    >>> with FusionDefinition() as fd:
    ...     fd.add_output(fd.define_tensor(shape=[-1], contiguity=[True]) + 1.0)
    >>> kernel, x = KernelExecutor(), np.ones(8, np.float32)
    >>> kernel.compile(fd.fusion, [x])
    >>> kernel.run([x])[0].sum()
    np.float32(16.0)
    """

    def __init__(self, fusion_id: int = 0, concrete_id: int = 0, runtime_id: int = 0, group_id: int = 0) -> None:
        self.fusion_id, self.concrete_id = fusion_id, concrete_id
        self.runtime_id, self.group_id = runtime_id, group_id
        self._executor: FusionExecutor | None = None

    def compile(self, fusion: Fusion, args: Sequence[Any] = (), *, target: str | Way | None = None) -> None:
        """Compiles the kernel of a fusion for inputs.

        Parameters
        ----------
        fusion : Fusion
            The fusion.  It stays usable, and must not change afterwards.
        args : sequence of tensors and numbers
            Inputs of the facts that calls will have.
        target : str or Way, optional
            As in :meth:`FusionExecutorCache.execute`.

        Raises
        ------
        ScheduleError
            For a fusion that takes no kernel, or several.
        NvfError
            As :meth:`FusionExecutorCache.execute`.

        See Also
        --------
        KernelExecutor.run

        Examples
        --------
        >>> with FusionDefinition() as fd:
        ...     fd.add_output(fd.define_tensor(shape=[-1], contiguity=[True]) + 1.0)
        >>> kernel = KernelExecutor()
        >>> kernel.compile(fd.fusion, [np.ones(8, np.float32)])
        >>> kernel.is_compiled()
        True
        """
        executor = FusionExecutor(fusion)
        executor.fusion_id = self.fusion_id
        self._check(executor, args, target)
        self._executor = executor

    def run(self, args: Sequence[Any], *, target: str | Way | None = None) -> list[Any]:
        """Runs the kernel; inputs of other facts than those that it was compiled for make it anew.

        Parameters
        ----------
        args : sequence of tensors and numbers
            In the order of definition.
        target : str or Way, optional
            As in :meth:`FusionExecutorCache.execute`.

        Returns
        -------
        list of tensors
            One for each visible output.

        Raises
        ------
        DefinitionError
            Before :meth:`compile`.
        NvfError
            As :meth:`compile`.

        See Also
        --------
        KernelExecutor.compile

        Examples
        --------
        >>> with FusionDefinition() as fd:
        ...     fd.add_output(fd.define_tensor(shape=[-1], contiguity=[True]) + 1.0)
        >>> kernel = KernelExecutor()
        >>> kernel.compile(fd.fusion, [np.ones(8, np.float32)])
        >>> kernel.run([np.zeros(8, np.float32)])[0].max()
        np.float32(1.0)
        """
        if self._executor is None:
            raise DefinitionError("no kernel is there: compile a fusion first")
        self._check(self._executor, args, target)
        return FusionExecutorCache._of(self._executor).execute(args, target=target)

    def is_compiled(self) -> bool:
        """Whether a fusion was compiled.

        Returns
        -------
        bool
            True after :meth:`compile`.

        See Also
        --------
        FusionExecutorCache.is_compiled

        Examples
        --------
        >>> KernelExecutor().is_compiled()
        False
        """
        return self._executor is not None

    def is_programmatic_dependent_launch_enabled(self) -> bool:
        """Whether the kernel starts while one before it still runs.

        Returns
        -------
        bool
            False: it is the only one of its program.

        See Also
        --------
        KernelExecutor.run

        Examples
        --------
        >>> KernelExecutor().is_programmatic_dependent_launch_enabled()
        False
        """
        return False

    def __repr__(self) -> str:
        return f"<KernelExecutor: {repr(self._executor.fusion) if self._executor else 'empty'}>"

    @staticmethod
    def _check(executor: FusionExecutor, args: Sequence[Any], target: str | Way | None) -> None:
        plan = executor.prepare(args, None if target is None else way_of(target))
        if plan.kernel_count != 1:
            raise ScheduleError(
                f"KernelExecutor does not support the Fusion provided.  It takes {plan.kernel_count} kernels for these "
                "inputs, not one; use FusionExecutorCache"
            )
