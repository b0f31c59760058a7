# SPDX-License-Identifier: Apache-2.0
"""Reductions in random graphs: over any axes, with and without the reduced axes kept, rows made of their own sums.

Sums and products of floats are combined in another order by every schedule, so the ways to run agree with the float64
reference within the error that any order may make, not with each other in every bit: such values are `loose`, and so
is all that a graph draws after the first of them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from drawn_input import COMPLEX, FLOATS, INTEGERS, NARROW, rounding

from nvfuser import DataType

if TYPE_CHECKING:
    from drawn_graph import Drawing, Value

# Rows that decide something other than the smallest lengths: shorter and longer than teams, vectors that fit and not.
ROW_SHAPES = ([3, 1000], [2, 4097], [40, 33], [17, 64], [5, 255], [1, 3000], [300, 8], [4, 31, 32], [64, 3])
UNIT = DataType.Float


def axes_of(drawing: Drawing, x: Value) -> list[int]:
    count = drawing.rng.choice((1, 1, 1, 2, len(x.shape)))
    return sorted(drawing.rng.sample(range(len(x.shape)), min(count, len(x.shape))))


def reduced_shape(x: Value, axes: list[int], keepdim: bool) -> list[tuple[int, bool]]:
    kept = [(1, True) if k in axes else axis for k, axis in enumerate(x.shape)]
    return kept if keepdim else [axis for k, axis in enumerate(x.shape) if k not in axes]


def reduced(drawing: Drawing, x: Value, name: str, axes: list[int], keepdim: bool) -> Value | None:
    """One reduction with the error that any order of its terms may make."""
    tensor = getattr(drawing.ops, name)(x.tensor, axes, keepdim)
    shape = reduced_shape(x, axes, keepdim)
    count = math.prod(x.sizes[k] for k in axes)
    if name in ("any", "all"):
        return drawing.result(tensor, shape, 1.0, 0.0 if x.error == 0.0 else None)
    if name in ("max", "min"):
        empty = count == 0
        return drawing.result(tensor, shape, x.bound, None if empty else x.error, x.special or empty)
    floating = x.dtype in FLOATS
    error = x.error
    if floating and error is not None:
        error = count * (error + count * rounding(x.dtype if x.dtype not in NARROW else UNIT, x.bound))
    drawing.loose = drawing.loose or floating
    return drawing.result(tensor, shape, max(count, 1) * x.bound, error, x.special)


def reduce(drawing: Drawing, x: Value) -> Value | None:
    """A step: one reduction over some axes of a value."""
    if not x.shape or 0 in x.sizes:
        return None
    names = ("any", "all") if x.dtype == DataType.Bool else ("sum", "sum", "max", "min")
    name = "sum" if x.dtype in COMPLEX else drawing.rng.choice(names)
    if name == "sum" and x.dtype in INTEGERS and x.bound * math.prod(x.sizes) >= 2.0**31:
        return None
    return reduced(drawing, x, name, axes_of(drawing, x), drawing.rng.random() < 0.5)


def add_rows(drawing: Drawing) -> None:
    """A form: a tensor of rows, what they sum to, and what is made of both, as norms are."""
    rng = drawing.rng
    shape = list(rng.choice(ROW_SHAPES))
    dtype = rng.choice((DataType.Float, DataType.Float, DataType.BFloat16, DataType.Half, DataType.Double))
    x = drawing.add_input(shape, dtype)
    if x.special:
        return
    axes = [len(shape) - 1] if rng.random() < 0.6 else axes_of(drawing, x)
    total = reduced(drawing, x, rng.choice(("sum", "sum", "max")), axes, True)
    value = drawing.joined("sub", drawing.ops.sub(x.tensor, total.tensor), x.shape, x, total)
    drawing.pool += [total, value]
    if rng.random() < 0.5:
        again = reduced(drawing, value, "sum", axes, rng.random() < 0.5)
        drawing.pool.append(again)
        drawing.results.append((again, None))
    drawing.results.append((value, None))
