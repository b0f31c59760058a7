# SPDX-License-Identifier: Apache-2.0
"""One program over many shapes: right results from few kernels, whatever came before."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nvfuser import FusionDefinition

SEED = 20261121
EDGES = [(0, 5), (5, 0), (1, 1), (1, 7), (7, 1), (2, 4), (64, 64), (63, 65), (16, 256), (17, 96), (3, 1000)]


def same_shapes() -> FusionDefinition:
    with FusionDefinition() as fd:
        x, y = [fd.define_tensor(shape=[-1, -1], contiguity=True) for _ in range(2)]
        fd.add_output((x + y) * 2.0)
    return fd


def strided() -> FusionDefinition:
    with FusionDefinition() as fd:
        x, y = [fd.define_tensor(shape=[-1, -1], contiguity=[False, False]) for _ in range(2)]
        fd.add_output((x + y) * 2.0)
    return fd


def with_row() -> FusionDefinition:
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1, -1], contiguity=True)
        row = fd.define_tensor(shape=[-1], contiguity=[True])
        fd.add_output(x + fd.ops.broadcast(row, [True, False]))
    return fd


def transposed() -> FusionDefinition:
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1, -1], contiguity=True)
        fd.add_output(fd.ops.permute(x * 2.0, [1, 0]))
    return fd


def matrix(rng: np.random.Generator, shape: tuple[int, int]) -> Any:
    return rng.standard_normal(shape, dtype=np.float32)


def sliced(rng: np.random.Generator, shape: tuple[int, int]) -> Any:
    """Rows of a wider matrix, from an offset that leaves them unaligned as often as not."""
    offset = int(rng.integers(0, 9))
    return rng.standard_normal((shape[0], shape[1] + int(rng.integers(9, 24))), dtype=np.float32)[
        :, offset : offset + shape[1]
    ]


Case = tuple[Callable[[], FusionDefinition], Callable[..., list[Any]], Callable[..., Any]]
CASES: dict[str, Case] = {
    "same": (same_shapes, lambda g, n: [matrix(g, n), matrix(g, n)], lambda x, y: (x + y) * np.float32(2)),
    "strided": (strided, lambda g, n: [sliced(g, n), sliced(g, n)], lambda x, y: (x + y) * np.float32(2)),
    "row": (with_row, lambda g, n: [matrix(g, n), matrix(g, (1, n[1]))[0]], lambda x, r: x + r),
    "transpose": (transposed, lambda g, n: [matrix(g, n)], lambda x: (x * np.float32(2)).T),
}


@pytest.mark.parametrize(
    ("name", "way"), [(name, "host") for name in CASES] + [("strided", "emulator"), ("row", "emulator")]
)
def test_results_over_many_shapes(name: str, way: str) -> None:
    """Shapes in random order, so kernels made for one serve others; every element is compared."""
    make, inputs_of, expected = CASES[name]
    rng = random.Random(f"{SEED} {name} {way}")
    data = np.random.default_rng(SEED)
    most = 6 if way == "emulator" else 9
    shapes = EDGES + [(int(2 ** rng.uniform(0, most)), int(2 ** rng.uniform(0, most + 1))) for _ in range(60)]
    rng.shuffle(shapes)
    fd = make()
    texts = set()
    for shape in shapes:
        inputs = inputs_of(data, shape)
        (result,) = fd.execute(inputs, target=way)
        np.testing.assert_array_equal(result, expected(*inputs), err_msg=f"{name} {shape} {way}, seed {SEED}")
        texts.add(fd.kernel_text(inputs, target=way))
    texts.discard("")  # of shapes without elements
    assert 1 <= len(texts) <= 8
