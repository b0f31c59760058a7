# SPDX-License-Identifier: Apache-2.0
"""Elements that are taken where a tensor tells: every way against torch, of inputs and of computed values, with what
stands around them; indices outside; errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from agreement import HAS_COMPILER, WAYS, run

from nvfuser import DataType, DTypeError, FusionDefinition, Way
from nvfuser._C import prepare_batch
from nvfuser.definition import rebuild

Tensors = list[torch.Tensor]


def floats(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(len(shape)))


def places(most: int, *shape: int, dtype: torch.dtype = torch.int64) -> torch.Tensor:
    return torch.randint(0, most, shape, generator=torch.Generator().manual_seed(7)).to(dtype)


def norm_of_taken(ops: Any, x: Any, i: Any) -> list[Any]:
    """A row's sums beside one element of it: one kernel."""
    return [ops.sum(x, [1]) - ops.squeeze(ops.take_along_axis(ops.exp(x), i, 1), [1])]


CASES: dict[str, tuple[Tensors, Callable[..., Any], Callable[..., Any]]] = {
    "one a row": (
        [floats(9, 70), places(70, 9, 1)],
        lambda ops, x, i: [ops.take_along_axis(x, i, 1)],
        lambda x, i: [x.gather(1, i)],
    ),
    "several a row": (
        [floats(9, 70), places(70, 9, 5, dtype=torch.int32)],
        lambda ops, x, i: [ops.gather(x, i, -1)],
        lambda x, i: [x.gather(1, i.long())],
    ),
    "columns": (
        [floats(9, 70), places(9, 20, 70)],
        lambda ops, x, i: [ops.gather(x, i, 0) * 2.0],
        lambda x, i: [x.gather(0, i) * 2],
    ),
    "middle axis": (
        [floats(4, 6, 5), places(6, 4, 3, 5)],
        lambda ops, x, i: [ops.gather(x, i, 1)],
        lambda x, i: [x.gather(1, i)],
    ),
    "fewer rows": (
        [floats(9, 70), places(70, 4, 5)],
        lambda ops, x, i: [ops.gather(x, i, 1)],
        lambda x, i: [x.gather(1, i)],
    ),
    "rows for all": (
        [floats(9, 70), places(9, 20, 1)],
        lambda ops, x, i: [ops.take_along_axis(x, i, 0)],
        lambda x, i: [torch.take_along_dim(x, i, 0)],
    ),
    "one row of indices": (
        [floats(9, 70), places(70, 1, 5)],
        lambda ops, x, i: [ops.take_along_axis(x, i, 1)],
        lambda x, i: [torch.take_along_dim(x, i, 1)],
    ),
    "computed": (
        [floats(9, 70), places(69, 9, 2)],
        lambda ops, x, i: [ops.take_along_axis(ops.exp(x) + 1.0, i + 1, 1)],
        lambda x, i: [(x.exp() + 1).gather(1, i + 1)],
    ),
    "twice": (
        [floats(9, 70), places(70, 9, 1)],
        lambda ops, x, i: [ops.take_along_axis(x, i, 1) - ops.take_along_axis(x, 69 - i, 1)],
        lambda x, i: [x.gather(1, i) - x.gather(1, 69 - i)],
    ),
    "fewer rows of sums": (
        [floats(9, 4, 70), places(70, 5, 3)],
        lambda ops, x, i: [ops.gather(ops.sum(x, [1]), i, 1)],
        lambda x, i: [x.sum(1).gather(1, i)],
    ),
    "where another tells": (
        [floats(9, 70), places(70, 9, 8), places(8, 9, 3)],
        lambda ops, x, i, k: [ops.take_along_axis(x, ops.take_along_axis(i, k, 1), 1)],
        lambda x, i, k: [x.gather(1, i.gather(1, k))],
    ),
    "of a view": (
        [floats(70, 9), places(70, 9, 3)],
        lambda ops, x, i: [ops.take_along_axis(ops.permute(x, [1, 0]), i, 1)],
        lambda x, i: [x.t().gather(1, i)],
    ),
    "of sums": (
        [floats(9, 70), places(9, 20)],
        lambda ops, x, i: [ops.take_along_axis(ops.sum(x, [1]), i, 0)],
        lambda x, i: [x.sum(1).gather(0, i)],
    ),
    "of positions": (
        [floats(9, 70), places(70, 70)],
        lambda ops, x, i: [ops.take_along_axis(ops.iota(70), i, 0)],
        lambda x, i: [i],
    ),
    "beside sums": (
        [floats(9, 70), places(70, 9, 1)],
        norm_of_taken,
        lambda x, i: [x.sum(1) - x.exp().gather(1, i).squeeze(1)],
    ),
    "largest": (
        [floats(9, 70)],
        lambda ops, x: [ops.take_along_axis(x, ops.argmax(x, [1], True), 1)],
        lambda x: [x.amax(1, True)],
    ),
}


def define(function: Callable[..., Any], inputs: Tensors) -> FusionDefinition:
    with FusionDefinition() as fd:
        for value in function(fd.ops, *[fd.from_pytorch(x) for x in inputs]):
            fd.add_output(value)
    return fd


@pytest.fixture(scope="module", params=WAYS)
def made(request: pytest.FixtureRequest) -> tuple[str, dict[str, FusionDefinition]]:
    """Every case, all kernels of a way compiled as one unit."""
    found = {name: define(function, inputs) for name, (inputs, function, _) in CASES.items()}
    if request.param != "evaluator" and HAS_COMPILER:
        prepare_batch([(fd._ready(), CASES[name][0], Way[request.param], "") for name, fd in found.items()])
    return request.param, found


@pytest.mark.parametrize("name", CASES)
def test_taken(name: str, made: tuple[str, dict[str, FusionDefinition]]) -> None:
    way, found = made
    inputs, _, reference = CASES[name]
    for got, want in zip(run(found[name], inputs, way), reference(*inputs), strict=True):
        torch.testing.assert_close(got, want, rtol=2e-6, atol=1e-5, msg=lambda text: f"{name} {way}: {text}")


def test_one_kernel_beside_sums(made: tuple[str, dict[str, FusionDefinition]]) -> None:
    way, found = made
    if way != "evaluator":
        plan = found["beside sums"].plan_text(CASES["beside sums"][0], target=way)
        assert plan.splitlines()[0].endswith("1 kernels")


@pytest.mark.parametrize("outside", [-1, 70])
def test_indices_outside(outside: int, made: tuple[str, dict[str, FusionDefinition]]) -> None:
    way, found = made
    x, index = floats(9, 70), places(70, 9, 1)
    index[4] = outside
    if way == "host":  # the nearest element of the axis
        got = run(found["one a row"], [x, index], way)[0]
        assert torch.equal(got, x.gather(1, index.clamp(0, 69)))
        return
    message = {
        "evaluator": rf"take_along_axis \(.*test_take.py.*index {outside} is out of bounds for axis 1 with size 70",
        "emulator": rf"out of bounds: index {outside} of an axis of 70",
    }[way]
    with pytest.raises(RuntimeError, match=message):
        run(found["one a row"], [x, index], way)


def test_sizes_that_differ() -> None:
    fd = define(lambda ops, x, i: [ops.take_along_axis(x, i, 1)], [floats(9, 70), places(70, 9, 1)])
    with pytest.raises(RuntimeError, match=r"axis 0 of .* has size 8, but that of its result 9"):
        run(fd, [floats(9, 70), places(70, 8, 1)], "evaluator")
    with pytest.raises(RuntimeError, match=r"axis 1 of .* has no elements to take"):
        run(fd, [torch.zeros(9, 0), places(70, 9, 1)], "evaluator")


@pytest.mark.parametrize("name", CASES)
def test_source_builds_the_same(name: str) -> None:
    inputs, function, _ = CASES[name]
    fd = define(function, inputs)
    again = rebuild(repr(fd))
    assert again.fusion == fd.fusion and repr(again) == repr(fd)
    assert "fd.ops.slice(" not in repr(fd), "its part is made by gather"
    results = [run(one, inputs, "evaluator") for one in (fd, again)]
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


def test_definition_errors() -> None:
    with FusionDefinition() as fd:
        x, v = fd.define_tensor(shape=[4, 6]), fd.define_tensor(shape=[4])
        i, j = [fd.define_tensor(shape=shape, dtype=DataType.Int) for shape in ([4, 2], [5, 2])]
        with pytest.raises(DTypeError, match=r"take_along_axis: the index has to be an integer tensor, but is Float"):
            fd.ops.take_along_axis(x, x, 1)
        with pytest.raises(RuntimeError, match=r"has to have as many axes as Float .4."):
            fd.ops.gather(v, i, 0)
        with pytest.raises(RuntimeError, match=r"take_along_axis: axis 2 is out of range"):
            fd.ops.take_along_axis(x, i, 2)
        with pytest.raises(RuntimeError, match=r"the operands differ at axis 0"):
            fd.ops.take_along_axis(x, j, 1)
        with pytest.raises(RuntimeError, match=r"gather: axis 0 of Int .5, 2. is longer than that of Float .4, 6."):
            fd.ops.gather(x, j, 1)
