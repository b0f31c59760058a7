# SPDX-License-Identifier: Apache-2.0
"""Executors of fusions, and caches by which equal programs share one."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar, cast

from nvfuser import ahead, repro
from nvfuser._C import DefinitionError, Executable, Fusion, FusionCache, FusionExecutor, Way
from nvfuser.definition import FusionDefinition

if TYPE_CHECKING:
    from typing_extensions import Self


class FusionExecutorCache(Executable):
    """Plans and runs one fusion: a plan for each set of facts (dtypes, sizes, strides, alignment, device).

    Parameters
    ----------
    fusion : Fusion
        The fusion.  It stays usable, and must not change afterwards.
    fusion_id : int
        A number of the caller's, which profiles show.

    See Also
    --------
    FusionDefinition, LRUCache

    Examples
    --------
    >>> with FusionDefinition() as fd:
    ...     fd.add_output(fd.define_tensor(shape=[-1]) * 2.0)
    >>> FusionExecutorCache(fd.fusion).execute([np.float32([1, 2])], target="evaluator")
    [array([2., 4.], dtype=float32)]
    """

    _package = "nvfuser"  # which scripts import

    def __init__(self, fusion: Fusion, fusion_id: int = 0) -> None:
        super().__init__()
        self.executor = FusionExecutor(fusion)
        self.executor.fusion_id = fusion_id
        self._last_call: repro.Call | None = None

    @classmethod
    def _of(cls, executor: FusionExecutor) -> Self:
        made = cls.__new__(cls)
        Executable.__init__(made)
        made.executor, made._last_call = executor, None
        return made

    def _ready(self) -> FusionExecutor:
        if self.executor is None:
            raise NotImplementedError("the cache was made without a fusion")
        return self.executor

    def _keep_call(self, inputs: Any, target: Any, schedule_for: str, seed: int, values: Any) -> None:
        """What `execute(..., save_repro_inputs=values)` notes before the call."""
        self._last_call = repro.call_to_save(inputs, target, schedule_for, seed, values)

    @property
    def fusion_id(self) -> int:
        """The number that the caller gave; 0 for executors that equal fusions share."""
        return self._ready().fusion_id

    def prepare(self, shapes: Iterable[Any], *, target: str | Way | None = None, device: Any = None) -> None:
        """Compiles ahead what calls of these shapes will run.

        Parameters
        ----------
        shapes : iterable
            As :meth:`FusionDefinition.prepare` takes them.
        target : str or Way, optional
            As in :meth:`execute`.
        device : str, int or torch.device, optional
            Where the tensors will be.

        Raises
        ------
        NvfError
            As :meth:`FusionDefinition.prepare`.

        See Also
        --------
        FusionDefinition.prepare, FusionExecutorCache.is_compiled

        Examples
        --------
        >>> with FusionDefinition() as fd:
        ...     fd.add_output(fd.define_tensor(shape=[-1], contiguity=[True]) + 1.0)
        >>> cache = FusionExecutorCache(fd.fusion)
        >>> cache.prepare([(64,)], device="cpu")
        >>> cache.executor.plan_count
        1
        """
        ahead.prepare(self._ready(), shapes, target, "", device)

    def repro_script_for(
        self,
        inputs: Sequence[Any] | None = None,
        *,
        target: str | Way | None = None,
        save_inputs: str | os.PathLike[str] | None = None,
    ) -> str:
        """A program that builds the fusion of this executor and calls it on inputs like these.

        Parameters
        ----------
        inputs : sequence of tensors and numbers, optional
            As :meth:`FusionDefinition.repro_script_for` takes them.
        target : str or Way, optional
            As in :meth:`execute`.
        save_inputs : path, optional
            A file (.npz) for the inputs' values.

        Returns
        -------
        str
            The program.

        Raises
        ------
        TypeError
            For an input that is neither a tensor nor a number.

        See Also
        --------
        FusionDefinition.repro_script_for

        Examples
        --------
        >>> with FusionDefinition() as fd:
        ...     fd.add_output(fd.define_tensor(shape=[-1]) * 2.0)
        >>> "nvfuser_fusion(fd)" in FusionExecutorCache(fd.fusion).repro_script_for()
        True
        """
        call = None if inputs is None else repro.describe_call(inputs, target, values=save_inputs)
        return repro.script(self.fusion(), call, self._package)

    def last_repro_script(self) -> str:
        """A program that repeats this executor's last call with ``save_repro_inputs``.

        Returns
        -------
        str
            As of :meth:`repro_script_for`.

        Raises
        ------
        AssertionError
            When there was no such call.

        See Also
        --------
        FusionExecutorCache.repro_script_for

        Examples
        --------
        >>> with FusionDefinition() as fd:
        ...     fd.add_output(fd.define_tensor(shape=[-1]) * 2.0)
        >>> cache = FusionExecutorCache(fd.fusion)
        >>> _ = cache.execute([np.float32([1, 2])], target="evaluator", save_repro_inputs=True)
        >>> print(cache.last_repro_script().splitlines()[-1])
        outputs = fd.execute(inputs, target="evaluator")
        """
        assert self._last_call is not None, "no call was made with save_repro_inputs=True"
        return repro.script(self.fusion(), self._last_call, self._package)

    def is_compiled(self, inputs: Sequence[Any]) -> bool:
        """Whether a plan for inputs of these facts exists.

        Parameters
        ----------
        inputs : sequence of tensors and numbers
            As for :meth:`execute`.

        Returns
        -------
        bool
            True after a call with such inputs, or after their preparation.

        Raises
        ------
        NvfError
            For inputs that contradict the definition.

        See Also
        --------
        FusionExecutorCache.prepare

        Examples
        --------
        >>> with FusionDefinition() as fd:
        ...     fd.add_output(fd.define_tensor(shape=[-1], contiguity=[True]) * 2.0)
        >>> FusionExecutorCache(fd.fusion).is_compiled([np.float32([1, 2])])
        False
        """
        return self._ready().is_prepared(inputs)

    def get_cuda_kernel(self, inputs: Sequence[Any]) -> str:
        """The text of the kernels that were compiled for inputs of these facts.

        Parameters
        ----------
        inputs : sequence of tensors and numbers
            As for :meth:`execute`.

        Returns
        -------
        str
            CUDA C++ or host C++.

        Raises
        ------
        DefinitionError
            Before a call with such inputs.

        See Also
        --------
        FusionDefinition.kernel_text, FusionExecutorCache.is_compiled

        Examples
        --------
        >>> with FusionDefinition() as fd:
        ...     fd.add_output(fd.define_tensor(shape=[-1], contiguity=[True]) + 1.0)
        >>> cache, x = FusionExecutorCache(fd.fusion), np.ones(8, np.float32)
        >>> _ = cache.execute([x])
        >>> "rt::add" in cache.get_cuda_kernel([x])
        True
        """
        if not self.is_compiled(inputs):
            raise DefinitionError("no kernel is there for these inputs: execute them, or prepare their shapes, first")
        return self._ready().prepare(inputs).kernel_text

    def fusion(self) -> Fusion:
        """The fusion that is run.

        Returns
        -------
        Fusion
            As it was given.

        See Also
        --------
        FusionDefinition

        Examples
        --------
        >>> with FusionDefinition() as fd:
        ...     fd.add_output(fd.define_tensor(shape=[-1]) * 2.0)
        >>> FusionExecutorCache(fd.fusion).fusion() is fd.fusion
        True
        """
        return self._ready().fusion


class LRUCache:
    """Keeps executors of fusions; equal ones share an executor, and the least recently used one goes first.

    Equality counts kinds, attributes, dtypes, constants, static sizes, layouts, aliases, and the orders of inputs and
    outputs.  Any number of threads may use one cache.

    Parameters
    ----------
    max_fusions : int
        How many are kept at most.

    Raises
    ------
    OptionError
        When that is not positive.

    See Also
    --------
    LruFusionCache, FusionExecutorCache

    Examples
    --------
    >>> cache = LRUCache(max_fusions=8)
    >>> for _ in range(3):
    ...     with FusionDefinition() as fd:
    ...         fd.add_output(fd.define_tensor(shape=[-1]) * 2.0)
    ...     executor = cache.cache_compile(fd.fusion)
    >>> cache.num_fusions()
    1
    """

    _executors: type[FusionExecutorCache] = FusionExecutorCache

    def __init__(self, max_fusions: int) -> None:
        self._cache = FusionCache(max_fusions)

    def cache_compile(self, fusion: Fusion) -> FusionExecutorCache:
        """The executor of an equal fusion, or a new one.

        Parameters
        ----------
        fusion : Fusion
            The fusion; it must not change afterwards.

        Returns
        -------
        FusionExecutorCache
            It stays usable when the cache drops it.

        See Also
        --------
        LRUCache.stats

        Examples
        --------
        >>> with FusionDefinition() as fd:
        ...     fd.add_output(fd.define_tensor(shape=[-1]) * 2.0)
        >>> LRUCache(8).cache_compile(fd.fusion).execute([np.float32([1, 2])], target="evaluator")
        [array([2., 4.], dtype=float32)]
        """
        return self._executors._of(self._cache.get(fusion))

    def num_fusions(self) -> int:
        """How many fusions are kept at present.

        Returns
        -------
        int
            Equal fusions count once.

        See Also
        --------
        LRUCache.stats

        Examples
        --------
        >>> LRUCache(8).num_fusions()
        0
        """
        return len(self._cache)

    def stats(self) -> str:
        """A report: capacity, use, lookups, hits, and the hits of each fusion in the order of last use.

        Returns
        -------
        str
            Several lines.

        See Also
        --------
        LRUCache.num_fusions

        Examples
        --------
        >>> len(LRUCache(8).stats().splitlines()) > 1
        True
        """
        return self._cache.stats()

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.num_fusions()} fusions>"


P = ParamSpec("P")
Defined = TypeVar("Defined", bound=FusionDefinition)
Defined_co = TypeVar("Defined_co", bound=FusionDefinition, covariant=True)


class CachedDefinition(Protocol[P, Defined_co]):
    """What :func:`LruFusionCache` makes of a function."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Defined_co:
        """Calls the function; equal definitions share their compiled kernels."""
        ...

    def stats(self) -> str:
        """The report of the cache (see :meth:`LRUCache.stats`)."""
        ...

    def num_fusions(self) -> int:
        """Definitions that the cache keeps at present."""
        ...


def LruFusionCache(
    max_fusions: int = 16384,
) -> Callable[[Callable[P, Defined]], CachedDefinition[P, Defined]]:
    """Decorates a function that defines and returns a FusionDefinition: equal definitions share their compiled kernels.

    The decorated function has ``stats()`` and ``num_fusions()``, as :class:`LRUCache` has them.

    Parameters
    ----------
    max_fusions : int
        How many definitions are kept at most.

    Returns
    -------
    callable
        The decorator.

    Raises
    ------
    OptionError
        When `max_fusions` is not positive.

    See Also
    --------
    LRUCache

    Examples
    --------
    >>> @LruFusionCache(max_fusions=8)
    ... def scale(factor: float) -> FusionDefinition:
    ...     with FusionDefinition() as fd:
    ...         fd.add_output(fd.define_tensor(shape=[-1]) * factor)
    ...     return fd
    >>> fds = [scale(2.0), scale(2.0), scale(3.0)]
    >>> scale.num_fusions()
    2
    """

    def decorate(function: Callable[P, Defined]) -> CachedDefinition[P, Defined]:
        cache = LRUCache(max_fusions)

        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> Defined:
            fd = function(*args, **kwargs)
            fd.executor = cache._cache.get(fd.fusion)
            return fd

        decorated = cast("CachedDefinition[P, Defined]", wrapper)
        decorated.stats = cache.stats  # type: ignore[method-assign]
        decorated.num_fusions = cache.num_fusions  # type: ignore[method-assign]
        return decorated

    return decorate
