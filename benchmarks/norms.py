# SPDX-License-Identifier: Apache-2.0
"""Reductions and normalisations along rows on one GPU, bfloat16 in and out: nvfuser next to torch eager, torch.compile
and max-autotune, as shares of a copy (see gpu.py)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import torch
from gpu import Case, compare, random

from nvfuser import DataType, FusionDefinition

SHAPES = [(131072, 1024), (16384, 8192), (4096, 32768)]
EPSILON = 1e-5


def column(fd: FusionDefinition, value: Any) -> Any:
    return fd.ops.broadcast(value, [False, True])


def wide(fd: FusionDefinition, value: Any) -> Any:
    return fd.ops.cast(value, DataType.Float)


def narrow(fd: FusionDefinition, value: Any) -> Any:
    return fd.ops.cast(value, DataType.BFloat16)


def row_sum(fd: FusionDefinition, x: Any) -> Any:
    return narrow(fd, fd.ops.sum(wide(fd, x), [1]))


def softmax(fd: FusionDefinition, x: Any) -> Any:
    e = fd.ops.exp(wide(fd, x) - column(fd, fd.ops.max(wide(fd, x), [1])))
    return narrow(fd, e / column(fd, fd.ops.sum(e, [1])))


def softmax_backward(fd: FusionDefinition, y: Any, grad: Any) -> Any:
    product = wide(fd, y) * wide(fd, grad)
    return narrow(fd, product - wide(fd, y) * column(fd, fd.ops.sum(product, [1])))


def layer_norm(fd: FusionDefinition, x: Any, w: Any, b: Any) -> Any:
    var, mean = fd.ops.var_mean(wide(fd, x), [1], 0, True)
    y = (wide(fd, x) - mean) * fd.ops.rsqrt(var + EPSILON)
    row = [fd.ops.broadcast(wide(fd, value), [True, False]) for value in (w, b)]
    return narrow(fd, y * row[0] + row[1])


def rms_norm(columns: int) -> Callable[..., Any]:
    def define(fd: FusionDefinition, x: Any, w: Any) -> Any:
        mean = fd.ops.sum(wide(fd, x) * wide(fd, x), [1]) * (1.0 / columns)
        scaled = wide(fd, x) * column(fd, fd.ops.rsqrt(mean + EPSILON))
        return narrow(fd, scaled * fd.ops.broadcast(wide(fd, w), [True, False]))

    return define


def case(name: str, shape: tuple[int, int], rows: int, eager: Callable[..., Any], define: Callable[..., Any]) -> Case:
    """One matrix, and `rows` vectors of its columns."""
    inputs = [random(*shape)] + [random(shape[1]) for _ in range(rows)]
    return Case(f"{name} {shape[0]}x{shape[1]}", inputs, eager, lambda fd, values: define(fd, *values))


def cases() -> list[Callable[[], Case]]:
    f = torch.nn.functional
    made: list[Callable[[], Case]] = [lambda: case("sum", SHAPES[1], 0, lambda x: x.sum(1), row_sum)]
    for shape in SHAPES:
        made.append(lambda n=shape: case("softmax", n, 0, lambda x: f.softmax(x, 1), softmax))
    for shape in SHAPES:
        made.append(
            lambda n=shape: case("RMS norm", n, 1, lambda x, w: f.rms_norm(x, w.shape, w, EPSILON), rms_norm(n[1]))
        )
    for shape in SHAPES:
        made.append(
            lambda n=shape: case(
                "layer norm", n, 2, lambda x, w, b: f.layer_norm(x, w.shape, w, b, EPSILON), layer_norm
            )
        )
    made.append(
        lambda: Case(
            "softmax backward 16384x8192",
            [torch.softmax(random(16384, 8192), 1), random(16384, 8192)],
            lambda y, g: torch._softmax_backward_data(g, y, 1, y.dtype),
            lambda fd, values: softmax_backward(fd, *values),
        )
    )
    return made


if __name__ == "__main__":
    sys.exit(compare(__doc__.splitlines()[0], (make() for make in cases())))
