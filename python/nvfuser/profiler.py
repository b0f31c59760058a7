# SPDX-License-Identifier: Apache-2.0
"""PythonProfiler: what calls cost, kernel by kernel."""

from __future__ import annotations

from types import TracebackType

from nvfuser._C import DefinitionError, FusionProfile, Profiler


class NothingProfiledError(DefinitionError, AttributeError):
    """No call was profiled; an AttributeError, so that whoever looks at all members passes over it."""


class PythonProfiler:
    """Profiles the calls that its ``with`` block makes in this thread; `profile` is the last of them.

    Each thread may have one at a time.  Kernels on a GPU are timed by events in the stream of the call, which include
    the few microseconds of a launch where the GPU had nothing to do before it: call more than once for short kernels,
    the calls then follow each other without a gap.  Waiting for the GPU happens when `profile` is read.

    Parameters
    ----------
    auto_scheduled : bool
        False: `scheduler` of the kernels reads "user".

    See Also
    --------
    FusionProfile, KernelProfile, get_fusion_profile

    Examples
    --------
    >>> with FusionDefinition() as fd:
    ...     x = fd.define_tensor(shape=[-1], contiguity=[True])
    ...     fd.add_output(x + 1.0)
    >>> with PythonProfiler() as prof:
    ...     _ = fd.execute([np.ones(1024, np.float32)])
    >>> prof.profile.segments, prof.profile.input_bytes
    (1, 4096)
    """

    def __init__(self, auto_scheduled: bool = True) -> None:
        self._profiler = Profiler("" if auto_scheduled else "user")

    def __enter__(self) -> PythonProfiler:
        """Starts; RuntimeError where a profiler of this thread is on."""
        self._profiler.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._profiler.stop()

    @property
    def profile(self) -> FusionProfile:
        """The last call that returned in the ``with`` block; RuntimeError when there is none."""
        try:
            return self._profiler.profile()
        except DefinitionError as error:
            raise NothingProfiledError(str(error)) from None

    def __repr__(self) -> str:
        return repr(self._profiler).replace("Profiler", type(self).__name__)
