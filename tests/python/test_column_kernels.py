# SPDX-License-Identifier: Apache-2.0
"""Reductions that keep the innermost axis: sums, extremes and moments over the axes further out, alone and with what
is made of them or stored beside them, for strips of every width, in kernels of the host and of the emulator."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch

from nvfuser import DataType, FusionDefinition, Way
from nvfuser._C import compiler_runs, prepare_batch

WAYS = ["host", "emulator"]
DTYPES = {DataType.Float: torch.float32, DataType.BFloat16: torch.bfloat16, DataType.Double: torch.float64}
SHAPES = [
    (1, 1), (1, 33), (3, 4097), (31, 32), (32, 31), (33, 255), (255, 1), (1000, 3), (1024, 64), (1000, 33), (4097, 8),
    (130, 1024), (7, 1000),
]  # fmt: skip
Values = Callable[[Any, list[Any]], list[Any]]


def over(fd: FusionDefinition, value: Any, axes: list[int], rank: int = 2) -> Any:
    return fd.ops.broadcast(value, [k in axes for k in range(rank)])


def softmax(fd: FusionDefinition, inputs: list[Any]) -> list[Any]:
    (x,) = inputs
    e = fd.ops.exp(x - over(fd, fd.ops.max(x, [0]), [0]))
    return [e / over(fd, fd.ops.sum(e, [0]), [0])]


def normalised(fd: FusionDefinition, inputs: list[Any]) -> list[Any]:
    (x,) = inputs
    var, mean = fd.ops.var_mean(x, [0], 0, True)
    return [(x - mean) * fd.ops.rsqrt(var + 1e-5), mean]


def gradients(fd: FusionDefinition, inputs: list[Any]) -> list[Any]:
    """Of silu(x + bias): that of x is stored, that of the bias is its sum."""
    x, g, bias = inputs
    z = x + over(fd, bias, [0])
    s = fd.ops.sigmoid(z)
    dx = g * s * (1.0 + z * (1.0 - s))
    return [dx, fd.ops.sum(dx, [0])]


def gradients_torch(x: torch.Tensor, g: torch.Tensor, bias: torch.Tensor) -> list[torch.Tensor]:
    z = x + bias
    s = z.sigmoid()
    dx = g * s * (1 + z * (1 - s))
    return [dx, dx.sum(0)]


Program = tuple[list[str], Values, Callable[..., Any]]
# Inputs (their axes, and "t" where the first one is the innermost in memory), values, the same in torch.
PROGRAMS: dict[str, Program] = {
    "sum": (["mn"], lambda fd, i: [fd.ops.sum(i[0], [0])], lambda x: [x.sum(0)]),
    "sum and max": (["mn"], lambda fd, i: [fd.ops.sum(i[0], [0]), fd.ops.max(i[0], [0])],
                    lambda x: [x.sum(0), x.max(0).values]),
    "argmin": (["mn"], lambda fd, i: [fd.ops.argmin(i[0], [0])], lambda x: [x.argmin(0)]),
    "moments": (["mn"], lambda fd, i: list(fd.ops.var_mean(i[0], [0], 0, False)),
                lambda x: list(torch.var_mean(x, 0, correction=0))),
    "softmax": (["mn"], softmax, lambda x: [x.softmax(0)]),
    "normalised": (["mn"], normalised, lambda x: [
        (x - x.mean(0)) / (x.var(0, correction=0) + 1e-5).sqrt(), x.mean(0, keepdim=True)]),
    "gradients": (["mn", "mn", "n"], gradients, gradients_torch),
    "weighted": (["mn", "m"], lambda fd, i: [fd.ops.sum(i[0] * over(fd, i[1], [1]), [0])],
                 lambda x, w: [(x * w[:, None]).sum(0)]),
    "turned": (["mn t"], lambda fd, i: [fd.ops.sum(i[0], [1])], lambda x: [x.sum(1)]),
    "turned and not": (["mn t", "mn"], lambda fd, i: [fd.ops.sum(i[0] * i[1], [0])], lambda x, y: [(x * y).sum(0)]),
}  # fmt: skip
DEEP: dict[str, tuple[list[int], list[int], bool]] = {  # shape, reduced axes, stored beside it
    "middle": ([5, 33, 24], [1], False),
    "middle, odd": ([3, 70, 7], [1], True),
    "middle, one column": ([40, 70, 1], [1], False),
    "both outer": ([6, 40, 32], [0, 1], True),
    "channels last": ([2, 5, 7, 64], [0, 1, 2], True),
    "few channels": ([2, 9, 50, 3], [0, 1, 2], False),
    "channels first": ([3, 6, 5, 8], [0, 2, 3], True),
    "every other": ([4, 6, 5, 16], [0, 2], True),
    "every other, odd": ([4, 6, 5, 3], [0, 2], False),
    "batch": ([9, 4, 6, 8], [0], True),
}


def define(sources: list[str], values: Values, dtype: DataType) -> FusionDefinition:
    with FusionDefinition() as fd:
        inputs = []
        for source in sources:
            order = [0, 1] if source.endswith("t") else []
            rank = len(source.split()[0])
            x = fd.define_tensor(shape=[-1] * rank, contiguity=True, dtype=dtype, stride_order=order)
            inputs.append(fd.ops.cast(x, DataType.Float) if dtype == DataType.BFloat16 else x)
        for value in values(fd, inputs):
            fd.add_output(value)
    return fd


def draw(source: str, shape: tuple[int, int], dtype: torch.dtype, generator: torch.Generator) -> torch.Tensor:
    if source == "mn t":
        return torch.randn(shape[::-1], generator=generator).to(dtype).t()
    sizes = [{"m": shape[0], "n": shape[1]}[axis] for axis in source]
    return torch.randn(sizes, generator=generator).to(dtype)


def define_deep(rank: int, axes: list[int], beside: bool) -> FusionDefinition:
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1] * rank, contiguity=True)
        y = x * 2.0
        total = fd.ops.sum(y, axes)
        fd.add_output(total)
        if beside:
            fd.add_output(y - over(fd, total, axes, rank))
    return fd


def deep_torch(x: torch.Tensor, axes: list[int], beside: bool) -> list[torch.Tensor]:
    y = 2 * x
    return [y.sum(axes), y - y.sum(axes, keepdim=True)] if beside else [y.sum(axes)]


def check(got: list[torch.Tensor], want: list[torch.Tensor], what: str) -> None:
    for result, expected in zip(got, want, strict=True):
        assert result.shape == expected.shape, what
        if not expected.is_floating_point():
            assert torch.equal(result, expected), what
            continue
        tolerance = 1e-12 if result.dtype == torch.float64 else 2e-5
        scale = max(1.0, float(expected.abs().max()))
        torch.testing.assert_close(result.double(), expected, rtol=tolerance, atol=tolerance * scale, msg=what)


Case = tuple[str, FusionDefinition, list[torch.Tensor], list[torch.Tensor]]


@pytest.fixture(scope="module", params=WAYS)
def cases(request: pytest.FixtureRequest) -> tuple[str, list[Case]]:
    """Every program over every shape, all kernels of a way compiled as one unit."""
    generator = torch.Generator().manual_seed(11)
    made: list[Case] = []
    for dtype, stored in DTYPES.items():
        for name, (sources, values, reference) in PROGRAMS.items():
            fd = define(sources, values, dtype)
            # Other dtypes take every third shape, each program others.
            for shape in SHAPES if dtype == DataType.Float else SHAPES[len(made) % 3 :: 3]:
                inputs = [draw(source, shape, stored, generator) for source in sources]
                made.append((name, fd, inputs, reference(*[x.double() for x in inputs])))
    for name, (sizes, axes, beside) in DEEP.items():
        x = torch.randn(sizes, generator=generator)
        made.append((name, define_deep(len(sizes), axes, beside), [x], deep_torch(x.double(), axes, beside)))
    prepare_batch([(fd._ready(), inputs, Way[request.param], "") for _, fd, inputs, _ in made])
    return request.param, made


@pytest.mark.parametrize("name", [*PROGRAMS, *DEEP])
def test_columns_of_any_shape(name: str, cases: tuple[str, list[Case]]) -> None:
    way, made = cases
    before = compiler_runs()
    for other, fd, inputs, want in made:
        if other == name:
            check(fd.execute(inputs, target=way), want, f"{name} {way} {[tuple(x.shape) for x in inputs]}")
    assert compiler_runs() == before


@pytest.mark.parametrize("name", ["sum", "softmax", "normalised", "gradients"])
def test_one_kernel(name: str, cases: tuple[str, list[Case]]) -> None:
    """Where blocks need not share rows."""
    way, made = cases
    for other, fd, inputs, _ in made:
        if other == name and inputs[0].shape == (31, 32):
            assert fd.plan_text(inputs, target=way).splitlines()[0].endswith("1 kernels")


@pytest.mark.parametrize("shape", [(100_000, 16), (5000, 1100)])
def test_many_rows_are_summed_as_exactly_as_by_torch(shape: tuple[int, int]) -> None:
    fd = define(*PROGRAMS["sum"][:2], DataType.Float)
    x = torch.randn(shape, generator=torch.Generator().manual_seed(2))
    exact = x.double().sum(0)
    error = [(got.double() - exact).norm() for got in (fd.execute([x], target="host")[0], x.sum(0))]
    assert error[0] < 1.5 * error[1]


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0)])
def test_nothing_to_reduce(shape: tuple[int, int]) -> None:
    fd = define(*PROGRAMS["sum and max"][:2], DataType.Float)
    least = torch.full(shape[1:], 0.0 if shape[0] else -float("inf"))
    for got, want in zip(fd.execute([torch.zeros(shape)], target="host"), [torch.zeros(shape[1:]), least], strict=True):
        assert torch.equal(got, want)


def test_special_columns(cases: tuple[str, list[Case]]) -> None:
    way, made = cases
    fd, x = next((fd, i[0]) for name, fd, i, _ in made if name == "softmax" and i[0].shape == (1000, 33))
    x = x.clone()
    x[5, 0], x[999, 1], x[11, 3], x[3, 5], x[4, 5] = (float(v) for v in ("inf", "-inf", "nan", "inf", "-inf"))
    x[:, 2], x[:, 6] = -float("inf"), 3e38
    x[:, 4] *= 1e-40
    got = fd.execute([x], target=way)[0]
    torch.testing.assert_close(got, x.softmax(0), rtol=2e-5, atol=2e-7, equal_nan=True)


BITS = """
import torch
from nvfuser import FusionDefinition
with FusionDefinition() as fd:
    x = fd.define_tensor(shape=[-1, -1], contiguity=True)
    fd.add_output(fd.ops.sum(x, [0]))
    fd.add_output(fd.ops.var_mean(x, [0], 0, False)[0])
for shape in [(5001, 37), (40000, 12), (300, 5000)]:
    x = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    results = [fd.execute([x], target="host") for _ in range(5)]
    assert all(torch.equal(a, b) for more in results for a, b in zip(more, results[0]))
    print([float(v).hex() for v in torch.cat(results[0])])
"""


def test_equal_bits_for_any_number_of_threads() -> None:
    printed = set()
    for threads in ["1", "2", "7"]:
        environment = os.environ | {"NVFUSER_THREADS": threads}
        printed.add(
            subprocess.run([sys.executable, "-c", BITS], env=environment, capture_output=True, check=True).stdout
        )
    assert len(printed) == 1


def test_the_order_of_threads_is_nothing(cases: tuple[str, list[Case]]) -> None:
    way, made = cases
    if way == "emulator":
        for name in ["softmax", "gradients"]:
            fd, inputs = next((fd, i) for other, fd, i, _ in made if other == name and i[0].shape == (1000, 33))
            first = fd.execute(inputs, target=way, seed=1)
            for seed in range(2, 5):
                got = fd.execute(inputs, target=way, seed=seed)
                assert all(torch.equal(a, b) for a, b in zip(got, first, strict=True))
