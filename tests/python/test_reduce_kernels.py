# SPDX-License-Identifier: Apache-2.0
"""Reductions in kernels: rows of odd lengths, special values, several reductions in one program."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

import pytest
import torch

from nvfuser import DataType, FusionDefinition, Way
from nvfuser._C import compiler_runs, prepare_batch

WAYS = ["host", "emulator"]
DTYPES = {DataType.Float: torch.float32, DataType.BFloat16: torch.bfloat16}
COLUMNS = {"host": [1, 3, 31, 32, 33, 255, 1000, 1024, 4097, 70001], "emulator": [1, 3, 33, 1000, 4097]}
Values = Callable[[Any, Any, DataType], list[Any]]


def column(fd: FusionDefinition, value: Any) -> Any:
    return fd.ops.broadcast(value, [False, True])


def row(fd: FusionDefinition, value: Any) -> Any:
    return fd.ops.broadcast(value, [True, False])


def wide(fd: FusionDefinition, x: Any) -> Any:
    return fd.ops.cast(x, DataType.Float)


def softmax(fd: FusionDefinition, x: Any, dtype: DataType) -> list[Any]:
    e = fd.ops.exp(x - column(fd, fd.ops.max(x, [1])))
    return [fd.ops.cast(e / column(fd, fd.ops.sum(e, [1])), dtype)]


def outer_softmax(fd: FusionDefinition, x: Any, dtype: DataType) -> list[Any]:
    e = fd.ops.exp(x - row(fd, fd.ops.max(x, [0])))
    return [fd.ops.cast(e / row(fd, fd.ops.sum(e, [0])), dtype)]


def layer_norm(fd: FusionDefinition, x: Any, dtype: DataType) -> list[Any]:
    var, mean = fd.ops.var_mean(wide(fd, x), [1], 0, True)
    return [fd.ops.cast((wide(fd, x) - mean) * fd.ops.rsqrt(var + 1e-5), dtype)]


def moments(fd: FusionDefinition, x: Any, dtype: DataType) -> list[Any]:
    return list(fd.ops.var_mean(wide(fd, x), [1], 0, False))


def both_axes(fd: FusionDefinition, x: Any, dtype: DataType) -> list[Any]:
    """Reductions over different axes: several kernels."""
    y = wide(fd, x)
    return [y * column(fd, fd.ops.sum(y, [1])) * row(fd, fd.ops.sum(y, [0]))]


def residual(fd: FusionDefinition, x: Any, dtype: DataType) -> list[Any]:
    """A value along the row is stored beside what is made of its reduction."""
    y = wide(fd, x) * 3.0
    return [y, y * column(fd, fd.ops.sum(y * y, [1]))]


PROGRAMS: dict[str, tuple[Values, Callable[[torch.Tensor], Any]]] = {
    "sum": (lambda fd, x, d: [fd.ops.sum(wide(fd, x), [1])], lambda x: [x.sum(1)]),
    "outer sum": (lambda fd, x, d: [fd.ops.sum(wide(fd, x), [0])], lambda x: [x.sum(0)]),
    "full sum": (lambda fd, x, d: [fd.ops.sum(wide(fd, x), [0, 1])], lambda x: [x.sum()]),
    "max": (lambda fd, x, d: [fd.ops.max(x, [1])], lambda x: [x.max(1).values]),
    "argmax": (lambda fd, x, d: [fd.ops.argmax(x, [1])], lambda x: [x.argmax(1)]),
    "softmax": (softmax, lambda x: [x.softmax(1)]),
    "outer softmax": (outer_softmax, lambda x: [x.softmax(0)]),
    "layer norm": (layer_norm, lambda x: [torch.nn.functional.layer_norm(x, [x.shape[1]])]),
    "moments": (moments, lambda x: list(torch.var_mean(x, 1, correction=0))),
    "both axes": (both_axes, lambda x: [x * x.sum(1, keepdim=True) * x.sum(0, keepdim=True)]),
    "residual": (residual, lambda x: [3 * x, 3 * x * (9 * x * x).sum(1, keepdim=True)]),
}


def program(name: str, dtype: DataType) -> FusionDefinition:
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1, -1], contiguity=True, dtype=dtype)
        for value in PROGRAMS[name][0](fd, x, dtype):
            fd.add_output(value)
    return fd


def check(got: list[torch.Tensor], want: list[torch.Tensor], what: str) -> None:
    for result, expected in zip(got, want, strict=True):
        assert result.shape == expected.shape, what
        tolerance = 1.2e-2 if result.dtype == torch.bfloat16 else 2e-5
        scale = max(1.0, float(expected.double().abs().max())) if expected.numel() else 1.0
        torch.testing.assert_close(
            result.double(), expected.double(), rtol=tolerance, atol=tolerance * scale, equal_nan=True, msg=what
        )


def layer_norm_backward(
    g: torch.Tensor, x: torch.Tensor, mean: torch.Tensor, rstd: torch.Tensor, w: torch.Tensor
) -> list[torch.Tensor]:
    h, scaled = (x - mean) * rstd, g * w
    means = scaled.mean(1, keepdim=True) + h * (scaled * h).mean(1, keepdim=True)
    return [(scaled - means) * rstd, (g * h).sum(0), g.sum(0)]


def rms_norm_backward(g: torch.Tensor, x: torch.Tensor, rstd: torch.Tensor, w: torch.Tensor) -> list[torch.Tensor]:
    h, scaled = x * rstd, g * w
    return [(scaled - h * (scaled * h).mean(1, keepdim=True)) * rstd, (g * h).sum(0)]


def forward_and_sums(x: torch.Tensor) -> list[torch.Tensor]:
    y = torch.nn.functional.layer_norm(x, [x.shape[1]])
    return [y, y.sum(0), (y * y).sum(0), x.mean(1)]


def define_forward_and_sums(fd: FusionDefinition, x: Any, dtype: DataType) -> list[Any]:
    var, mean = fd.ops.var_mean(wide(fd, x), [1], 0, True)
    y = (wide(fd, x) - mean) * fd.ops.rsqrt(var + 1e-5)
    return [fd.ops.cast(y, dtype), fd.ops.sum(y, [0]), fd.ops.sum(y * y, [0]), fd.ops.squeeze(mean, [1])]


# Programs that reduce along rows and across them: how many operands of all points, of rows and of columns they read.
BOTH_WAYS: dict[str, tuple[tuple[int, int, int], Callable[..., list[Any]], Callable[..., list[torch.Tensor]]]] = {
    "layer norm backward": (
        (2, 2, 1),
        lambda fd, d, g, x, mean, rstd, w: list(fd.ops.layer_norm_backward(g, x, mean, rstd, [-1], w)),
        layer_norm_backward,
    ),
    "RMS norm backward": (
        (2, 1, 1),
        lambda fd, d, g, x, rstd, w: [v for v in fd.ops.rms_norm_backward(g, x, rstd, [-1], w) if v is not None],
        rms_norm_backward,
    ),
    "sums": (
        (1, 0, 0),
        lambda fd, d, x: [fd.ops.sum(wide(fd, x), [1]), fd.ops.sum(wide(fd, x), [0])],
        lambda x: [x.sum(1), x.sum(0)],
    ),
    "forward and sums": ((1, 0, 0), lambda fd, d, x: define_forward_and_sums(fd, x, d), forward_and_sums),
}
BOTH_WAYS_SIZES = [(1, 5), (7, 1000), (300, 96), (33, 4097), (0, 24)]


def both_ways(name: str, dtype: DataType) -> FusionDefinition:
    (points, rows, columns), build, _ = BOTH_WAYS[name]
    with FusionDefinition() as fd:
        x = [fd.define_tensor(shape=[-1, -1], contiguity=True, dtype=dtype) for _ in range(points)]
        s = [fd.define_tensor(shape=[-1, 1], contiguity=[True, None], dtype=DataType.Float) for _ in range(rows)]
        w = [fd.define_tensor(shape=[-1], contiguity=True, dtype=dtype) for _ in range(columns)]
        for value in build(fd, dtype, *x, *s, *w):
            fd.add_output(value)
    return fd


def both_ways_inputs(
    name: str, size: tuple[int, int], stored: torch.dtype, make: Callable[..., torch.Tensor]
) -> list[torch.Tensor]:
    points, rows, columns = BOTH_WAYS[name][0]
    shapes = [size] * points + [(size[0], 1)] * rows + [(size[1],)] * columns
    return [make(shape).to(torch.float32 if shape == (size[0], 1) else stored) for shape in shapes]


Case = tuple[str, FusionDefinition, torch.Tensor]
BothWays = list[tuple[str, FusionDefinition, list[torch.Tensor]]]


@pytest.fixture(scope="module", params=WAYS)
def cases(request: pytest.FixtureRequest) -> tuple[str, list[Case], BothWays]:
    """Every program over every length, all kernels of a way compiled as one unit."""
    generator = torch.Generator().manual_seed(7)
    made: list[Case] = []
    for dtype, stored in DTYPES.items():
        for name in PROGRAMS:
            fd = program(name, dtype)
            for k, columns in enumerate(COLUMNS[request.param]):
                made.append((name, fd, torch.randn(1 + k % 3, columns, generator=generator).to(stored)))
    numbers = functools.partial(torch.randn, generator=generator)
    across: BothWays = []
    for dtype, stored in DTYPES.items():
        for name in BOTH_WAYS:
            fd = both_ways(name, dtype)
            across += [(name, fd, both_ways_inputs(name, size, stored, numbers)) for size in BOTH_WAYS_SIZES]
    batch = [(fd, [x]) for _, fd, x in made] + [(fd, inputs) for _, fd, inputs in across]
    prepare_batch([(fd._ready(), inputs, Way[request.param], "") for fd, inputs in batch])
    return request.param, made, across


@pytest.mark.parametrize("name", PROGRAMS)
def test_rows_of_any_length(name: str, cases: tuple[str, list[Case], BothWays]) -> None:
    way, made, _ = cases
    before = compiler_runs()
    for other, fd, x in made:
        if other == name:
            check(fd.execute([x], target=way), PROGRAMS[name][1](x.double()), f"{name} {way} {tuple(x.shape)}")
    assert compiler_runs() == before


@pytest.mark.parametrize("name", BOTH_WAYS)
def test_rows_are_reduced_both_ways(name: str, cases: tuple[str, list[Case], BothWays]) -> None:
    way, _, across = cases
    before = compiler_runs()
    for other, fd, inputs in across:
        if other == name:
            wanted = BOTH_WAYS[name][2](*[x.double() for x in inputs])
            what = f"{name} {way} {tuple(inputs[0].shape)}"
            check(fd.execute(inputs, target=way), wanted, what)
            kernels = re.findall(r"namespace k_(nvf_\w+?)(?:_p\d+)? {", fd.kernel_text(inputs, target=way))
            whole = inputs[0].numel() > 0
            assert not whole or kernels == [kernels[0], f"{kernels[0]}_then1"], f"{what}: one group, not {kernels}"
    assert compiler_runs() == before


@pytest.mark.parametrize(
    ("name", "way"),
    [("sum", "host"), ("max", "host"), ("softmax", "host"), ("softmax", "emulator"), ("layer norm", "host")],
)
def test_special_rows(name: str, way: str) -> None:
    """Infinities, NaN, denormals, a fully masked row: what torch gives in the same precision."""
    x = torch.randn(8, 70, generator=torch.Generator().manual_seed(3))
    x[0, 5] = float("inf")
    x[1, 69] = -float("inf")
    x[2] = -float("inf")
    x[3, 11] = float("nan")
    x[4] *= 1e-40
    x[5, 3], x[5, 4] = float("inf"), -float("inf")
    x[6] = 3e38
    if name == "sum":
        x[6] = 1e38  # beyond the range in float64's reference alone it would not be
        x = torch.cat([x[:6], x[7:]])
    want = PROGRAMS[name][1](x if name == "softmax" else x.double())
    if name == "layer norm":
        x, want = x[[3, 4, 7]], [want[0][[3, 4, 7]]]
    check(program(name, DataType.Float).execute([x], target=way), want, f"{name} {way}")


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0)])
def test_nothing_to_reduce(shape: tuple[int, int]) -> None:
    x, way = torch.zeros(shape), "host"
    for name in ["sum", "outer sum", "full sum", "softmax"]:
        check(program(name, DataType.Float).execute([x], target=way), PROGRAMS[name][1](x.double()), f"{name} {shape}")


def test_one_kernel_where_one_does() -> None:
    x, way = torch.randn(4, 40), "host"
    for name, kernels in {"softmax": 1, "layer norm": 1, "moments": 1, "residual": 1, "both axes": 3}.items():
        assert program(name, DataType.Float).plan_text([x], target=way).splitlines()[0].endswith(f"{kernels} kernels")
