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
    fusion
        The fusion; it must not change afterwards.
    fusion_id
        A number of the caller's, which profiles show.
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
        """The caller's number; 0 for executors that equal fusions share."""
        return self._ready().fusion_id

    def prepare(self, shapes: Iterable[Any], *, target: str | Way | None = None, device: Any = None) -> None:
        """Compiles ahead what calls of these shapes will run (see :meth:`FusionDefinition.prepare`)."""
        ahead.prepare(self._ready(), shapes, target, "", device)

    def repro_script_for(
        self,
        inputs: Sequence[Any] | None = None,
        *,
        target: str | Way | None = None,
        save_inputs: str | os.PathLike[str] | None = None,
    ) -> str:
        """A program that repeats a call (see :meth:`FusionDefinition.repro_script_for`)."""
        call = None if inputs is None else repro.describe_call(inputs, target, values=save_inputs)
        return repro.script(self.fusion(), call, self._package)

    def last_repro_script(self) -> str:
        """The script of the last call with `save_repro_inputs`; AssertionError before one."""
        assert self._last_call is not None, "no call was made with save_repro_inputs=True"
        return repro.script(self.fusion(), self._last_call, self._package)

    def is_compiled(self, inputs: Sequence[Any]) -> bool:
        """Whether a plan for inputs of these facts exists."""
        return self._ready().is_prepared(inputs)

    def get_cuda_kernel(self, inputs: Sequence[Any]) -> str:
        """The text of the kernels that inputs of these facts run; DefinitionError before a call with such inputs."""
        if not self.is_compiled(inputs):
            raise DefinitionError("no kernel is there for these inputs: execute them, or prepare their shapes, first")
        return self._ready().prepare(inputs).kernel_text

    def fusion(self) -> Fusion:
        """The fusion."""
        return self._ready().fusion


class LRUCache:
    """Keeps executors of at most `max_fusions` fusions; equal ones share an executor.

    Equality counts kinds, attributes, dtypes, constants, static sizes, layouts, aliases, and the orders of inputs and
    outputs.  Any number of threads may use one cache.

    Raises
    ------
    OptionError
        When `max_fusions` is not positive.
    """

    _executors: type[FusionExecutorCache] = FusionExecutorCache

    def __init__(self, max_fusions: int) -> None:
        self._cache = FusionCache(max_fusions)

    def cache_compile(self, fusion: Fusion) -> FusionExecutorCache:
        """The executor of an equal fusion, or a new one; the least recently used one may be dropped for it."""
        return self._executors._of(self._cache.get(fusion))

    def num_fusions(self) -> int:
        """Fusions kept at present."""
        return len(self._cache)

    def stats(self) -> str:
        """A report: capacity, use, lookups, hits, and the hits of each fusion in the order of last use."""
        return self._cache.stats()


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

    The decorated function has `stats()` and `num_fusions()`.
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
