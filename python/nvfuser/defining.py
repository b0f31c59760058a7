# SPDX-License-Identifier: Apache-2.0
"""The part of a FusionDefinition that defines: the ``with`` block, inputs, outputs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from nvfuser import ops, repro, tensors
from nvfuser._C import DataType, Executable, Fusion, FusionGuard, TensorView, Val
from nvfuser._C import define_scalar as _define_scalar
from nvfuser._C import define_tensor as _define_tensor

if TYPE_CHECKING:
    from typing_extensions import Self

    from nvfuser._C import DTypeLike
    from nvfuser._C.ops import Operations

P = ParamSpec("P")
R = TypeVar("R")


MOST_TEXT = 500_000  # characters that `repr` gives


class NoFusionError(NotImplementedError, AttributeError):
    """There is no fusion yet; an AttributeError, so that whoever looks at all members passes over it."""

    def __init__(self) -> None:
        super().__init__("Fusion does not exist! Use `with FusionDefinition() as fd:` to define one.")


def _layout_arguments(
    self: Defining,
    shape: Sequence[int],
    contiguity: bool | Sequence[bool | None] = False,
    dtype: DataType = DataType.Float,
    is_cpu: bool = False,
    stride_order: Sequence[int] = (),
    *,
    sizes: Sequence[int] = (),
    strides: Sequence[int] = (),
    static_sizes: bool = False,
) -> Any:
    """What `define_tensor` takes in its forms together, for `help`."""


def _shown_as(shown: Callable[..., Any]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Gives a function that passes its arguments on the names of those that it takes."""

    def named(function: Callable[P, R]) -> Callable[P, R]:
        function.__signature__ = inspect.signature(shown)  # type: ignore[attr-defined]
        return function

    return named


class Defining(Executable):
    """A fusion under definition."""

    if TYPE_CHECKING:
        ops: Operations
    else:
        ops = ops
    _package = "nvfuser"  # which scripts import

    def __init__(self) -> None:
        super().__init__()
        self._fusion: Fusion | None = None
        self._guard: FusionGuard | None = None
        self._last_call: repro.Call | None = None

    def __enter__(self) -> Self:
        if self._fusion is None:
            self._fusion = Fusion()
        self._guard = FusionGuard(self._fusion)
        self.executor = self._last_call = None  # they hold for the definition as it was
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._guard is not None:
            self._guard.release()
            self._guard = None

    @property
    def fusion(self) -> Fusion:
        """The fusion that is or was defined; NotImplementedError before the first ``with``."""
        if self._fusion is None:
            raise NoFusionError
        return self._fusion

    @overload
    def define_tensor(
        self,
        shape: Sequence[int],
        contiguity: bool | Sequence[bool | None] = False,
        dtype: DTypeLike = DataType.Float,
        is_cpu: bool = False,
        stride_order: Sequence[int] = (),
    ) -> TensorView: ...
    @overload
    def define_tensor(
        self,
        sizes: Sequence[int],
        strides: Sequence[int],
        dtype: DTypeLike = DataType.Float,
        static_sizes: bool = False,
        is_cpu: bool = False,
    ) -> TensorView: ...
    @_shown_as(_layout_arguments)
    def define_tensor(self, *args: Any, **kwargs: Any) -> TensorView:
        """Defines a tensor and registers it as the next input.

        Parameters
        ----------
        shape : sequence of int
            One entry an axis: -1 symbolic, 0 empty, 1 broadcast, anything larger static.
        contiguity : bool or sequence of (bool or None)
            Whether axes are dense, as :func:`nvfuser.define_tensor` takes it.
        dtype : DataType, or a dtype of torch or NumPy
            The dtype of the elements.
        is_cpu : bool
            True for a tensor without axes that stays on the CPU.
        stride_order : sequence of int
            For each axis the rank of its stride, 0 the fastest; empty for row-major.
        sizes : sequence of int
            In place of shape: the sizes of an example; all but 1 become symbolic.
        strides : sequence of int
            In place of contiguity: the strides of the example in elements.
        static_sizes : bool
            True keeps the example's sizes as constants.

        Returns
        -------
        TensorView
            The input.

        Raises
        ------
        ShapeError
            For sizes below -1, or lists that differ in length.
        DefinitionError
            Outside of the ``with`` block.

        See Also
        --------
        define_tensor, FusionDefinition.from_pytorch

        Examples
        --------
        >>> with FusionDefinition() as fd:
        ...     x = fd.define_tensor(shape=[-1, 8], contiguity=[True, True], dtype=DataType.Half)
        >>> x
        <TensorView: T0_g_half[iS0{i0}, iS1{8}]>
        """
        tensor = _define_tensor(*args, **kwargs)
        self.fusion.add_input(tensor)
        return tensor

    def define_scalar(self, value: complex | DTypeLike | None = None, dtype: DTypeLike | None = None) -> Val:
        """Defines a scalar; one without a value is registered as the next input.

        Parameters
        ----------
        value : bool, int, float, complex or None
            The value of a constant; None for an input.  A dtype alone is that of an input.
        dtype : DataType, optional
            As :func:`nvfuser.define_scalar` takes it.

        Returns
        -------
        Val
            The input, or the constant.

        Raises
        ------
        DefinitionError
            Outside of the ``with`` block.

        See Also
        --------
        define_scalar, FusionDefinition.define_vector

        Examples
        --------
        >>> with FusionDefinition() as fd:
        ...     x, s = fd.define_tensor(shape=[-1]), fd.define_scalar(dtype=DataType.Double)
        ...     fd.add_output(x * s)
        >>> fd.execute([np.float32([1, 2]), 0.5], target="evaluator")
        [array([0.5, 1. ], dtype=float32)]
        """
        given: Any = value
        scalar: Val = _define_scalar(given, dtype) if value is None or dtype is not None else _define_scalar(given)
        if scalar.is_symbolic():
            self.fusion.add_input(scalar)
        return scalar

    def define_vector(self, size: int) -> list[Val]:
        """Defines integer scalars, each an input, for which a call passes a list of numbers.

        Parameters
        ----------
        size : int
            How many.

        Returns
        -------
        list of Val
            The inputs, of dtype Int.

        Raises
        ------
        DefinitionError
            Outside of the ``with`` block.

        See Also
        --------
        FusionDefinition.define_scalar

        Examples
        --------
        >>> with FusionDefinition() as fd:
        ...     shape = fd.define_vector(2)
        ...     fd.add_output(ops.full(shape, 7, DataType.Int))
        >>> fd.execute([[2, 3]], target="evaluator")[0].tolist()
        [[7, 7, 7], [7, 7, 7]]
        """
        return [self.define_scalar(dtype=DataType.Int) for _ in range(size)]

    def from_pytorch(self, tensor: Any, static_sizes: bool = False) -> TensorView:
        """Defines an input with the dtype, rank and layout of an example.

        Parameters
        ----------
        tensor : tensor of any framework
            The example; only its description is used.  A CPU tensor without axes becomes one that stays on the CPU.
        static_sizes : bool
            True keeps the sizes as constants.

        Returns
        -------
        TensorView
            The input.

        Raises
        ------
        TypeError
            For anything but a tensor of torch, NumPy, CuPy or JAX.
        DefinitionError
            Outside of the ``with`` block.

        See Also
        --------
        FusionDefinition.define_tensor, compute_tensor_descriptor

        Examples
        --------
        >>> with FusionDefinition() as fd:
        ...     x = fd.from_pytorch(np.ones((4, 1), np.float16))
        >>> x
        <TensorView: T0_g_half[iS0{i0}, bS1{1}]>
        """
        framework = tensors.framework_of(tensor)
        if framework is None:
            raise TypeError(f"expected a tensor, got {type(tensor).__name__}")
        example = framework.describe(tensor)
        return self.define_tensor(
            sizes=example.sizes,
            strides=example.strides,
            dtype=example.dtype,
            static_sizes=static_sizes,
            is_cpu=not example.cuda and not example.sizes,
        )

    def add_output(self, output: TensorView, alias_input: TensorView | None = None) -> None:
        """Registers a tensor of the definition as the next output.

        Parameters
        ----------
        output : TensorView
            The tensor.
        alias_input : TensorView, optional
            An input into whose memory the result is written; the output is not returned then.

        Raises
        ------
        DefinitionError
            For a value of another fusion.
        TypeError
            For a scalar.

        See Also
        --------
        Fusion.add_output, FusionDefinition.execute

        Examples
        --------
        >>> with FusionDefinition() as fd:
        ...     x = fd.define_tensor(shape=[-1])
        ...     fd.add_output(x + 1.0, x)
        >>> y = np.float32([1, 2])
        >>> fd.execute([y], target="evaluator"), y
        ([], array([2., 3.], dtype=float32))
        """
        self.fusion.add_output(output, alias_input)

    def validate_definition(self) -> tuple[bool, str]:
        """Whether the fusion can be executed, and if not why.

        Returns
        -------
        tuple of bool and str
            The reason is empty where it can.

        See Also
        --------
        FusionDefinition.execute

        Examples
        --------
        >>> FusionDefinition().validate_definition()
        (False, 'Fusion does not exist!')
        """
        if self._fusion is None:
            return False, "Fusion does not exist!"
        if not self._fusion.outputs():
            return False, "Fusion is empty!"
        return True, ""

    def __repr__(self) -> str:
        """Python source that defines the same fusion; of one that is too large for a screen its size."""
        if self._fusion is None:
            return "<FusionDefinition: empty>"
        source = self._fusion.python_source()
        more = "translate_fusion(fd.fusion) is its source"
        return source if len(source) <= MOST_TEXT else f"<FusionDefinition: {self._fusion!r}; {more}>"

    def _repr_html_(self) -> str:
        """What a notebook shows: see :func:`nvfuser.draw`."""
        from nvfuser.drawing import html

        return html(self)
