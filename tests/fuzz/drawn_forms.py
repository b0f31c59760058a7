# SPDX-License-Identifier: Apache-2.0
"""Graphs that begin as common programs do: dense tensors of round sizes, and matrices in opposite memory orders.  Drawn
blindly they are rare, and with them wide vectors, full tiles and tiles through shared memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvfuser import DataType

if TYPE_CHECKING:
    from drawn_graph import Drawing, Value

# Element types by size, which decides how wide vectors are.
DTYPES = {
    1: (DataType.Bool, DataType.Float8_e4m3fn, DataType.Float8_e5m2),
    2: (DataType.Half, DataType.BFloat16),
    4: (DataType.Float, DataType.Float, DataType.Int32),
    8: (DataType.Double, DataType.Int, DataType.ComplexFloat),
    16: (DataType.ComplexDouble,),
}
SHARES = {1: 5, 2: 3, 4: 3, 8: 4, 16: 2}
REGULAR_SHAPES = ([4096], [2048], [64, 64], [16, 256], [32, 4, 32], [8, 512], [5, 256], [4100], [33, 64], [2, 1028])
SIDES = (16, 16, 32, 32, 48, 64, 64, 128, 128, 8, 12, 33, 100)


def draw_dtype(drawing: Drawing) -> DataType:
    size = drawing.rng.choices(list(SHARES), weights=list(SHARES.values()))[0]
    return drawing.rng.choice(DTYPES[size])


def add_regular(drawing: Drawing) -> None:
    """Two dense tensors and their sum, now and then in place of one of them."""
    rng = drawing.rng
    shape, dtype = list(rng.choice(REGULAR_SHAPES)), draw_dtype(drawing)
    x, y = drawing.add_input(shape, dtype), drawing.add_input(shape if rng.random() < 0.6 else shape[-1:], dtype)
    add_result(drawing, total(drawing, x, y), x)


def add_turned(drawing: Drawing) -> None:
    """A matrix, or several, against the memory order of another one, or of the result alone."""
    rng = drawing.rng
    batch, a, b = rng.choice(([], [], [], [2])), rng.choice(SIDES), rng.choice(SIDES)
    if batch:
        a, b = min(a, 32), min(b, 48)
    dims = list(range(len(batch))) + [len(batch) + 1, len(batch)]
    dtype = draw_dtype(drawing)
    if dtype in DTYPES[1]:  # their tiles are large
        a, b = rng.choice((128, 128, 64, 16, a)), rng.choice((16, 32, b))
    if rng.random() < 0.6:
        x, y = drawing.add_input([*batch, a, b], dtype), drawing.add_input([*batch, b, a], dtype)
        turned = drawing.same(y, drawing.ops.permute(y.tensor, dims), x.shape)
        add_result(drawing, total(drawing, x, turned), x)
        return
    x = drawing.add_input([*batch, a, b], dtype)
    turned = drawing.ops.permute(x.tensor, dims)
    straight = drawing.ops.stride_order(turned, list(reversed(range(len(dims)))))
    value = drawing.same(x, straight, [x.shape[d] for d in dims])
    target = drawing.add_input([*batch, b, a], dtype)
    add_result(drawing, value if rng.random() < 0.5 else total(drawing, value, target), target)


def total(drawing: Drawing, x: Value, y: Value) -> Value:
    """The sum in the dtype of x; of truth values, whether they differ."""
    shape = drawing.joined_shape(x, y)
    if x.dtype == DataType.Bool:
        exact = 0.0 if x.error == 0.0 and y.error == 0.0 else None
        return drawing.result(drawing.ops.ne(x.tensor, y.tensor), shape, 1.0, exact)
    value = drawing.joined("add", drawing.ops.add(x.tensor, y.tensor), shape, x, y)
    if value.dtype != x.dtype:
        cast = drawing.ops.cast(value.tensor, x.dtype)
        value = drawing.result(cast, shape, value.bound, value.error, value.special)
    return value


def add_result(drawing: Drawing, value: Value, target: Value) -> None:
    """Wants the value as an output, and two times in five in place of an input of equal sizes and dtype."""
    drawing.pool.append(value)
    fits = target.dtype == value.dtype and target.sizes == value.sizes
    drawing.results.append((value, target if fits and drawing.rng.random() < 0.4 else None))
