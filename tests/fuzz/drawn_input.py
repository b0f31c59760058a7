# SPDX-License-Identifier: Apache-2.0
"""Inputs of random graphs: element types with their rounding, layouts, values."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import torch

from nvfuser import DataType
from nvfuser.tensors import TORCH_NAMES

# dtype -> (unit roundoff, smallest step, largest magnitude that values may reach)
FLOATS = {
    DataType.Double: (2.0**-53, 0.0, 1e4),
    DataType.Float: (2.0**-24, 2.0**-149, 1e4),
    DataType.Half: (2.0**-11, 2.0**-24, 1e4),
    DataType.BFloat16: (2.0**-8, 2.0**-133, 1e4),
    DataType.Float8_e4m3fn: (2.0**-4, 2.0**-10, 200.0),
    DataType.Float8_e5m2: (2.0**-3, 2.0**-17, 2e4),
    DataType.ComplexFloat: (2.0**-23, 2.0**-149, 1e4),
    DataType.ComplexDouble: (2.0**-52, 0.0, 1e4),
}
NARROW = (DataType.Half, DataType.BFloat16, DataType.Float8_e4m3fn, DataType.Float8_e5m2)
COMPLEX = (DataType.ComplexFloat, DataType.ComplexDouble)
INTEGERS = {DataType.Int: 2**63, DataType.Int32: 2**31, DataType.UInt64: 2**64}
# Float is drawn most often, as programs have it.
INPUT_DTYPES = (
    [DataType.Float] * 6
    + [DataType.Half, DataType.BFloat16] * 2
    + [DataType.Double, DataType.Int, DataType.Int32, DataType.UInt64, DataType.Bool]
    + [DataType.Float8_e4m3fn, DataType.Float8_e5m2, DataType.ComplexFloat, DataType.ComplexDouble]
)
CAST_DTYPES = tuple(FLOATS) + (*INTEGERS, DataType.Bool)


@dataclass
class DrawnInput:
    """Memory and the view of it that is passed."""

    room: torch.Tensor
    sizes: list[int]
    strides: list[int]
    offset: int

    def view(self, room: torch.Tensor | None = None) -> torch.Tensor:
        return (self.room if room is None else room).as_strided(self.sizes, self.strides, self.offset)

    def describe(self) -> str:
        dtype = str(self.room.dtype).removeprefix("torch.")
        return f"{dtype}, sizes {self.sizes}, strides {self.strides}, offset {self.offset}"


def rounding(dtype: DataType, bound: float) -> float:
    if dtype not in FLOATS:
        return 0.0
    unit, step, _ = FLOATS[dtype]
    return unit * bound + step


def dense(sizes: list[int]) -> list[int]:
    """Strides of a row-major tensor."""
    strides, step = [0] * len(sizes), 1
    for axis in reversed(range(len(sizes))):
        strides[axis] = step
        step *= max(sizes[axis], 1)
    return strides


def draw_layout(rng: random.Random, shape: list[int]) -> tuple[list[int], int]:
    """Strides and offset."""
    rank = len(shape)
    kind = rng.choice(("dense", "dense", "permuted", "stepped", "sliced", "expanded", "gaps"))
    order = list(range(rank))
    if kind == "permuted" or rng.random() < 0.1:
        rng.shuffle(order)
    step = rng.choice((2, 3)) if kind == "stepped" else 1
    strides = [0] * rank
    for axis in reversed(order):
        strides[axis] = step
        room = shape[axis] + (rng.choice((0, 1, 4, 8)) if kind in ("sliced", "gaps") else 0)
        step *= max(room, 1)
    if kind == "expanded":
        for axis in range(rank):
            if rng.random() < 0.4:
                strides[axis] = 0
    return strides, rng.choice((0, 0, 0, 1, 2, 4, 7))


def draw_values(
    rng: random.Random, numbers: np.random.Generator, dtype: DataType, count: int
) -> tuple[torch.Tensor, float, bool]:
    """Elements, a bound of their magnitude, and whether NaN or infinities may be among them."""
    torch_dtype = getattr(torch, TORCH_NAMES[dtype])
    if dtype == DataType.Bool:
        return torch.from_numpy(numbers.integers(0, 2, count).astype(bool)), 1.0, False
    if dtype in INTEGERS:
        low = 0 if dtype == DataType.UInt64 else -9
        return torch.from_numpy(numbers.integers(low, 10, count)).to(torch_dtype), 9.0, False
    real = numbers.uniform(-2.0, 2.0, count) if rng.random() < 0.8 else numbers.integers(-3, 4, count).astype(float)
    special = rng.random() < 0.1 and dtype not in COMPLEX
    if special:
        chosen = np.array([0.0, -0.0, 1.0, np.inf, -np.inf, np.nan, 1e-30, -3e38])
        real = np.where(numbers.random(count) < 0.3, numbers.choice(chosen, count), real)
    if dtype in COMPLEX:
        real = real + 1j * numbers.uniform(-2.0, 2.0, count)
    return torch.from_numpy(real).to(torch_dtype), 4.3 if dtype in COMPLEX else 3.0, special
