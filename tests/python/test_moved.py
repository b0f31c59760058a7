# SPDX-License-Identifier: Apache-2.0
"""Bytes that kernels move: distinct bytes of each buffer that the emulator saw read and written, summed over the
kernels of a program, against a bound written by hand for each."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from nvfuser import DataType, FusionDefinition, Way
from nvfuser._C import prepare_batch, set_option

M, N = 6, 1000
T = 2 * M * N  # bytes of a matrix
IMAGES = (3, 8, 5, 7)
S = 2 * math.prod(IMAGES)
C, GROUPS = IMAGES[1], 4
SHARES = 4  # turns of rows are dealt out among so many blocks, which leave a row of Float sums each
LONG = (3, 65536)  # rows that one block does not hold
L = 2 * math.prod(LONG)
ROW = (1, 2**18)
BLOCKS = 8  # that share it
CLASSES = "classes"
Shape = tuple[int, ...] | str

# inputs (bfloat16; statistics of rows are Float), program, most bytes that may move
CASES: dict[str, tuple[list[Shape], Callable[..., Any], int]] = {
    "sum inner": ([(M, N)], lambda ops, x: ops.sum(x, [1]), T + 2 * M),
    "sum outer": ([(M, N)], lambda ops, x: ops.sum(x, [0]), T + 2 * N),
    "sum all": ([(M, N)], lambda ops, x: ops.sum(x), T + 2),
    "softmax": ([(M, N)], lambda ops, x: ops.softmax(x, 1), 2 * T),
    "log_softmax": ([(M, N)], lambda ops, x: ops.log_softmax(x, 1), 2 * T),
    "softmax outer": ([(M, N)], lambda ops, x: ops.softmax(x, 0), 2 * T),
    "softmax backward": ([(M, N), (M, N)], lambda ops, g, y: ops.softmax_backward(g, y, 1), 3 * T),
    "layer norm": ([(M, N), (N,), (N,)], lambda ops, x, w, b: ops.layer_norm(x, [N], w, b), 2 * T + 4 * N),
    "RMS norm": ([(M, N), (N,)], lambda ops, x, w: ops.rms_norm(x, [N], w), 2 * T + 2 * N),
    "RMS norm + residual": (
        [(M, N), (M, N), (N,)],
        lambda ops, x, r, w: [ops.rms_norm(x + r, [N], w, dtype=DataType.BFloat16), ops.cast(x + r, DataType.BFloat16)],
        4 * T + 2 * N,
    ),
    # One kernel makes the gradients of rows and those of columns, of which the next combines what shares made.
    "layer norm backward": (
        [(M, N), (M, N), "row", "row", (N,)],
        lambda ops, g, x, mean, rstd, w: ops.layer_norm_backward(g, x, mean, rstd, [N], w),
        3 * T + 8 * M + 6 * N + 2 * (2 * 4 * SHARES * N),
    ),
    "RMS norm backward": (
        [(M, N), (M, N), "row", (N,)],
        lambda ops, g, x, rstd, w: ops.rms_norm_backward(g, x, rstd, [N], w),
        3 * T + 4 * M + 4 * N + 1 * (2 * 4 * SHARES * N),
    ),
    "bias gelu backward": (
        [(M, N), (M, N), (N,)],
        lambda ops, g, x, b: [
            ops.cast(slope := ops.gelu_backward(g, x + b, "tanh", DataType.Float), DataType.BFloat16),
            ops.cast(ops.sum(slope, [0]), DataType.BFloat16),
        ],
        3 * T + 4 * N,
    ),
    "cross-entropy": (
        [(M, N), CLASSES],
        lambda ops, x, t: ops.cross_entropy(x, t, reduction="none"),
        T + 8 * M + 2 * M,
    ),
    "batch norm": (
        [IMAGES, (C,), (C,)],
        lambda ops, x, w, b: ops.batch_norm(x, weight=w, bias=b, training=True),
        2 * S + 4 * C,
    ),
    # Groups are no axis of the result: the statistics, a mean and a sum of squares of each group, go through memory.
    "group norm + silu": (
        [IMAGES, (C,), (C,)],
        lambda ops, x, w, b: ops.silu(ops.group_norm(x, GROUPS, w, b)),
        3 * S + 4 * C + 4 * 4 * IMAGES[0] * GROUPS,
    ),
    # The blocks of a cluster hold a row together.
    "RMS norm of long rows": ([LONG], lambda ops, x: ops.rms_norm(x, [LONG[1]]), 2 * L),
    "layer norm of long rows": (
        [LONG, (LONG[1],), (LONG[1],)],
        lambda ops, x, w, b: ops.layer_norm(x, [LONG[1]], w, b),
        2 * L + 4 * LONG[1],
    ),
    # A team of blocks leaves a state each, which the next kernel reads.
    "sum of a long row": ([ROW], lambda ops, x: ops.sum(x, [1]), 2 * ROW[1] + 2 + 2 * 4 * BLOCKS),
    # What one element a row is taken from is not read whole.
    "take": ([(M, N), CLASSES], lambda ops, x, t: ops.take_along_axis(x, ops.broadcast(t, [False, True]), 1), 12 * M),
}


def tensor(shape: Shape, generator: torch.Generator) -> torch.Tensor:
    if shape == CLASSES:
        return torch.randint(0, N, (M,), generator=generator)
    if shape == "row":
        return torch.rand(M, 1, generator=generator) + 0.5
    return torch.randn(*shape, generator=generator).bfloat16()


@pytest.fixture(scope="module")
def programs() -> Iterator[dict[str, tuple[FusionDefinition, list[torch.Tensor]]]]:
    """All, compiled as one unit."""
    set_option("dump", "moved")
    generator, made = torch.Generator().manual_seed(2), {}
    for name, (shapes, define, _) in CASES.items():
        inputs = [tensor(shape, generator) for shape in shapes]
        with FusionDefinition() as fd:
            results = define(fd.ops, *[fd.from_pytorch(x) for x in inputs])
            for value in results if isinstance(results, list | tuple) else [results]:
                fd.add_output(value)
        made[name] = fd, inputs
    prepare_batch([(fd._ready(), inputs, Way.emulator, "H200") for fd, inputs in made.values()])
    yield made
    set_option("dump", "")


@pytest.mark.parametrize("name", CASES)
def test_bytes_moved(
    name: str, programs: dict[str, tuple[FusionDefinition, list[torch.Tensor]]], capfd: pytest.CaptureFixture[str]
) -> None:
    fd, inputs = programs[name]
    results = fd.execute(inputs, target="emulator", schedule_for="H200")
    told = capfd.readouterr().err
    moved = sum(int(number) for number in re.findall(r" (?:read|written) (\d+)", told))
    least = sum(x.numel() * x.element_size() for x in [*inputs, *results]) if name != "take" else 12 * M
    assert least <= moved <= CASES[name][2], told
