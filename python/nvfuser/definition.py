# SPDX-License-Identifier: Apache-2.0
"""FusionDefinition: define a fusion in a ``with`` block, then execute it on tensors."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from nvfuser import ahead, repro
from nvfuser._C import Fusion, FusionExecutor, Plan, Way
from nvfuser.defining import Defining
from nvfuser.validation import compare
from nvfuser.ways import reference, way_of


def translate_fusion(fusion: Fusion) -> str:
    """Python source of a function that defines an equal fusion, as ``repr(fd)`` shows it.

    Parameters
    ----------
    fusion : Fusion
        The fusion.

    Returns
    -------
    str
        The source of ``nvfuser_fusion(fd)``.

    See Also
    --------
    Fusion.python_source, FusionDefinition

    Examples
    --------
    >>> with FusionDefinition() as fd:
    ...     fd.add_output(fd.define_tensor(shape=[2]) + 1.0)
    >>> translate_fusion(fd.fusion) == repr(fd)
    True
    """
    return fusion.python_source()


def rebuild(source: str, package: str = "nvfuser") -> FusionDefinition:
    """The fusion that a printed definition describes (see ``repr(fd)``), as a FusionDefinition of that package."""
    scope: dict[str, Any] = {}
    exec(f"from {package} import DataType, FusionDefinition\n{source}", scope)
    fd: FusionDefinition = scope["FusionDefinition"]()
    with fd:
        scope["nvfuser_fusion"](fd)
    return fd


class FusionDefinition(Defining):
    """A fusion under definition, and the means to run it.

    Inside ``with FusionDefinition() as fd:`` operations build the fusion; afterwards ``fd.execute(inputs)`` runs it.
    An instance takes attributes of the user's, may be defined further in another ``with`` block, can be pickled, and
    may be called by any number of threads at once.

    See Also
    --------
    Fusion, FusionExecutorCache, LruFusionCache

    Examples
    --------
    >>> with FusionDefinition() as fd:
    ...     x = fd.define_tensor(shape=[-1], contiguity=[True])
    ...     fd.add_output(x + 1.0)
    >>> fd.execute([np.array([-3.0, 0.5], np.float32)])
    [array([-2. ,  1.5], dtype=float32)]
    """

    def _ready(self) -> FusionExecutor:
        valid, message = self.validate_definition()
        if not valid:
            hint = "Define inputs, operations and outputs inside `with FusionDefinition() as fd:`."
            raise NotImplementedError(f"{message} {hint}")
        if self.executor is None:
            self.executor = FusionExecutor(self.fusion)
        return self.executor

    def _keep_call(self, inputs: Any, target: Any, schedule_for: str, seed: int, values: Any) -> None:
        """What `execute(..., save_repro_inputs=values)` notes before the call."""
        self._last_call = repro.call_to_save(inputs, target, schedule_for, seed, values)

    def prepare(
        self,
        shapes: Iterable[Any],
        *,
        target: str | Way | None = None,
        schedule_for: str = "",
        device: Any = None,
    ) -> None:
        """Compiles ahead what calls of these shapes will run; all kernels that are missing are compiled as one batch.

        Parameters
        ----------
        shapes : iterable
            For each input in order a shape, a :class:`nvfuser.TensorSpec`, or an example (a tensor of any framework, of
            which only the description is used); for scalars a number, or None where no size depends on it.  Or a list
            of several such lists.  Shapes alone mean what the definition says of dtype and memory order, dense and
            aligned to 16 bytes as fresh tensors are.
        target : str or Way, optional
            As in :meth:`execute`; a call finds what was prepared for the same target.
        schedule_for : str
            As in :meth:`execute`.
        device : str, int or torch.device, optional
            Where the tensors will be, such as "cpu" or "cuda:1".  None: "cuda:0" where there is a GPU and the target
            leaves it, else "cpu".

        Raises
        ------
        ShapeError
            For a shape that contradicts the definition.
        CompileError
            For a kernel that a compiler refuses.
        NotImplementedError
            For a definition without outputs.

        See Also
        --------
        FusionDefinition.execute, TensorSpec

        Examples
        --------
        >>> with FusionDefinition() as fd:
        ...     fd.add_output(fd.define_tensor(shape=[-1], contiguity=[True]) + 1.0)
        >>> fd.prepare([(1024,)], device="cpu")
        >>> fd.prepare([[(2048,)], [(4096,)]], device="cpu")
        >>> fd.executor.plan_count
        3
        """
        ahead.prepare(self._ready(), shapes, target, schedule_for, device)

    @property
    def last_way(self) -> Way | None:
        """How the last call of the definition ran; None before the first."""
        return self.executor.last_way if self.executor is not None else None

    def kernel_text(self, inputs: Sequence[Any], *, target: str | Way | None = None) -> str:
        """The text of the kernels that these inputs run, which are compiled if need be.

        Parameters
        ----------
        inputs : sequence of tensors and numbers
            As for :meth:`execute`.
        target : str or Way, optional
            As in :meth:`execute`.

        Returns
        -------
        str
            CUDA C++ or host C++; empty for the evaluator.

        Raises
        ------
        NvfError
            As :meth:`execute`.

        See Also
        --------
        FusionDefinition.plan_text, FusionExecutorCache.get_cuda_kernel

        Examples
        --------
        >>> with FusionDefinition() as fd:
        ...     fd.add_output(fd.define_tensor(shape=[-1], contiguity=[True]) + 1.0)
        >>> "rt::add" in fd.kernel_text([np.ones(8, np.float32)])
        True
        """
        return self._plan(inputs, target).kernel_text

    def plan_text(self, inputs: Sequence[Any], *, target: str | Way | None = None) -> str:
        """What these inputs run: the way, and for each kernel its schedule, facts and launch.

        Parameters
        ----------
        inputs : sequence of tensors and numbers
            As for :meth:`execute`.
        target : str or Way, optional
            As in :meth:`execute`.

        Returns
        -------
        str
            A line for the way, then one for each kernel.

        Raises
        ------
        NvfError
            As :meth:`execute`.

        See Also
        --------
        FusionDefinition.kernel_text

        Examples
        --------
        >>> with FusionDefinition() as fd:
        ...     fd.add_output(fd.define_tensor(shape=[-1], contiguity=[True]) + 1.0)
        >>> print(fd.plan_text([np.ones(8, np.float32)]).splitlines()[0])
        way host, 1 kernels
        """
        return str(self._plan(inputs, target))

    def _plan(self, inputs: Sequence[Any], target: str | Way | None) -> Plan:
        return self._ready().prepare(inputs, way_of(target))

    def reference(self, inputs: Sequence[Any]) -> list[np.ndarray]:
        """The outputs evaluated in float64 on the CPU.

        Parameters
        ----------
        inputs : sequence of tensors and numbers
            As for :meth:`execute`; tensors of a GPU are copied.

        Returns
        -------
        list of numpy.ndarray
            One for each visible output; complex128 for complex ones, integers as they are.

        Raises
        ------
        NvfError
            As :meth:`execute`.

        See Also
        --------
        FusionDefinition.validate

        Examples
        --------
        >>> with FusionDefinition() as fd:
        ...     fd.add_output(ops.sqrt(fd.define_tensor(shape=[-1])))
        >>> fd.reference([np.float32([2])])
        [array([1.41421356])]
        """
        return reference(self._ready(), inputs)

    def validate(
        self, inputs: Sequence[Any], reference_outputs: Sequence[Any] | None = None, **kwargs: Any
    ) -> list[Any]:
        """Runs the fusion and compares the results with given ones, or with :meth:`reference`.

        Parameters
        ----------
        inputs : sequence of tensors and numbers
            As for :meth:`execute`, which gets further arguments by name too.
        reference_outputs : sequence of tensors, optional
            What is expected, one for each visible output.

        Returns
        -------
        list of tensors
            The results.

        Raises
        ------
        RuntimeError
            When a result differs by more than the tolerance of its dtype.

        See Also
        --------
        FusionDefinition.reference, FusionDefinition.execute

        Examples
        --------
        >>> with FusionDefinition() as fd:
        ...     fd.add_output(fd.define_tensor(shape=[-1]) * 2.0)
        >>> fd.validate([np.float32([1, 2])], target="evaluator")
        [array([2., 4.], dtype=float32)]
        """
        expected = self.reference(inputs) if reference_outputs is None else reference_outputs
        outputs = self.execute(inputs, **kwargs)
        if len(expected) != len(outputs):
            raise RuntimeError(f"expected {len(expected)} outputs, got {len(outputs)}")
        for position, (got, want) in enumerate(zip(outputs, expected, strict=True)):
            compare(position, got, want)
        return outputs

    def repro_script_for(
        self,
        inputs: Sequence[Any] | None = None,
        *,
        target: str | Way | None = None,
        schedule_for: str = "",
        save_inputs: str | os.PathLike[str] | None = None,
    ) -> str:
        """A program that builds this fusion and calls it on inputs like these; without inputs, one that builds it.

        Parameters
        ----------
        inputs : sequence of tensors and numbers, optional
            The program's tensors have their shapes, strides, dtypes, devices and alignment, with random values from a
            fixed seed.
        target : str or Way, optional
            As in :meth:`execute`.
        schedule_for : str
            As in :meth:`execute`.
        save_inputs : path, optional
            A file (.npz) into which the inputs' values are saved, and from which the program reads them.

        Returns
        -------
        str
            The program.

        Raises
        ------
        NotImplementedError
            Before the first ``with`` block.
        TypeError
            For an input that is neither a tensor nor a number.

        See Also
        --------
        FusionDefinition.last_repro_script

        Examples
        --------
        >>> with FusionDefinition() as fd:
        ...     fd.add_output(fd.define_tensor(shape=[-1]) * 2.0)
        >>> print(fd.repro_script_for([np.float32([1, 2])]).splitlines()[-1])
        outputs = fd.execute(inputs)
        """
        call = None if inputs is None else repro.describe_call(inputs, target, schedule_for, values=save_inputs)
        return repro.script(self.fusion, call, self._package)

    def last_repro_script(self) -> str:
        """A program that repeats the last call with ``save_repro_inputs``, failed or not.

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
        FusionDefinition.repro_script_for, FusionDefinition.execute

        Examples
        --------
        >>> with FusionDefinition() as fd:
        ...     fd.add_output(fd.define_tensor(shape=[-1]) * 2.0)
        >>> _ = fd.execute([np.float32([1, 2])], target="evaluator", save_repro_inputs=True)
        >>> print(fd.last_repro_script().splitlines()[-1])
        outputs = fd.execute(inputs, target="evaluator")
        """
        assert self._last_call is not None, "no call was made with save_repro_inputs=True"
        return repro.script(self.fusion, self._last_call, self._package)

    def __reduce__(self) -> tuple[Callable[[str, str], FusionDefinition], tuple[str, str]]:
        return rebuild, (self.fusion.python_source(), self._package)
