# SPDX-License-Identifier: Apache-2.0
"""Softmax, normalisations, activations and cross-entropy with their gradients: every way against torch in float64,
special rows as torch has them, types, layouts, errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from agreement import HAS_COMPILER, WAYS, run

from nvfuser import DataType, DTypeError, FusionDefinition, Way
from nvfuser._C import prepare_batch

f = torch.nn.functional
DTYPES = [torch.float32, torch.bfloat16, torch.float16, torch.float64]
TOLERANCE = {torch.float32: 4e-6, torch.bfloat16: 8e-3, torch.float16: 1e-3, torch.float64: 1e-12}
Tensors = list[torch.Tensor]


@dataclass
class Case:
    """A program over inputs of one dtype (integers and float statistics stay), and what it means in torch."""

    inputs: Callable[[torch.Generator], Tensors]
    define: Callable[..., list[Any]]
    reference: Callable[..., Tensors]


def normal(*shape: int) -> Callable[[torch.Generator], torch.Tensor]:
    return lambda generator: torch.randn(*shape, generator=generator, dtype=torch.float64)


def draws(*makers: Callable[[torch.Generator], torch.Tensor]) -> Callable[[torch.Generator], Tensors]:
    return lambda generator: [make(generator) for make in makers]


def classes(count: int, *shape: int, ignored: int = -100) -> Callable[[torch.Generator], torch.Tensor]:
    def make(generator: torch.Generator) -> torch.Tensor:
        target = torch.randint(0, count, shape, generator=generator)
        target.view(-1)[1] = ignored
        return target

    return make


def gradients(function: Callable[..., torch.Tensor]) -> Callable[..., Tensors]:
    """The first tensor is the gradient of the result; those of all others that are floats are the reference."""

    def reference(grad: torch.Tensor, *inputs: torch.Tensor) -> Tensors:
        leaves = [x.clone().requires_grad_(x.is_floating_point()) for x in inputs]
        function(*leaves).backward(grad)
        return [x.grad for x in leaves if x.grad is not None]

    return reference


def one(function: Callable[..., Any]) -> Callable[..., list[Any]]:
    return lambda *values: [function(*values)]


def statistics(x: torch.Tensor, dims: list[int], eps: float = 1e-5) -> Tensors:
    var, mean = torch.var_mean(x, dims, correction=0, keepdim=True)
    return [mean, (var + eps).rsqrt()]


def with_layer_norm(rank: int, *makers: Any) -> Callable[[torch.Generator], Tensors]:
    """grad, x, weight, then the statistics of x over its last axes."""

    def make(generator: torch.Generator) -> Tensors:
        made = [maker(generator) for maker in makers]
        return [*made, *statistics(made[1], list(range(-rank, 0)))]

    return make


def group_statistics(x: torch.Tensor, groups: int) -> Tensors:
    return [value.flatten().view(x.shape[0], groups) for value in statistics(x.reshape(x.shape[0], groups, -1), [2])]


def channel_statistics(x: torch.Tensor) -> Tensors:
    return [value.flatten() for value in statistics(x, [0, 2, 3][: x.dim() - 1])]


def cross_entropy_cases() -> dict[str, Case]:
    cases = {}
    for name, options in {
        "mean": {}, "sum": {"reduction": "sum"}, "none": {"reduction": "none"},
        "smooth": {"label_smoothing": 0.25, "ignore_index": 2},
        "smooth none": {"label_smoothing": 1.0, "reduction": "none"},
    }.items():  # fmt: skip
        target = classes(37, 5, ignored=int(options.get("ignore_index", -100)))
        forward = draws(normal(5, 37), target)

        def define(fd: Any, x: Any, t: Any, options: Any = options) -> list[Any]:
            return list(fd.ops.cross_entropy_forward(x, t, **options))

        def reference(x: torch.Tensor, t: torch.Tensor, options: Any = options) -> Tensors:
            return [f.cross_entropy(x, t, **options), x.logsumexp(1)]

        cases[f"cross_entropy {name}"] = Case(forward, define, reference)
        each = options.get("reduction") == "none"

        def inputs(generator: torch.Generator, each: bool = each, target: Any = target) -> Tensors:
            x = normal(5, 37)(generator)
            grad = normal(5)(generator) if each else torch.tensor(0.75, dtype=torch.float64)
            return [grad, x, target(generator), x.logsumexp(1)]

        def backward(fd: Any, g: Any, x: Any, t: Any, s: Any, options: Any = options) -> list[Any]:
            return [fd.ops.cross_entropy_backward(g, x, t, s, **options)]

        def slope(
            g: torch.Tensor, x: torch.Tensor, t: torch.Tensor, s: torch.Tensor, options: Any = options
        ) -> Tensors:
            return gradients(lambda x: f.cross_entropy(x, t, **options))(g, x)

        cases[f"cross_entropy {name} backward"] = Case(inputs, backward, slope)
    cases["cross_entropy of pixels"] = Case(
        draws(normal(2, 6, 3, 5), classes(6, 2, 3, 5)),
        lambda fd, x, t: [fd.ops.cross_entropy(x, t)],
        lambda x, t: [f.cross_entropy(x, t)],
    )
    cases["cross_entropy of one row"] = Case(
        draws(normal(6), lambda generator: torch.tensor(3)),
        lambda fd, x, t: [fd.ops.cross_entropy(x, t)],
        lambda x, t: [f.cross_entropy(x, t)],
    )
    return cases


CASES: dict[str, Case] = {
    "softmax": Case(draws(normal(4, 70)), lambda fd, x: [fd.ops.softmax(x, -1)], lambda x: [x.softmax(1)]),
    "softmax outer": Case(draws(normal(9, 7)), lambda fd, x: [fd.ops.softmax(x, 0)], lambda x: [x.softmax(0)]),
    "softmax middle": Case(draws(normal(3, 5, 4)), lambda fd, x: [fd.ops.softmax(x, 1)], lambda x: [x.softmax(1)]),
    "softmax backward": Case(
        lambda generator: [normal(4, 70)(generator), normal(4, 70)(generator).softmax(1)],
        lambda fd, g, y: [fd.ops.softmax_backward(g, y, 1)],
        lambda g, y: [torch._softmax_backward_data(g, y, 1, y.dtype)],
    ),
    "log_softmax": Case(draws(normal(4, 70)), lambda fd, x: [fd.ops.log_softmax(x, 1)], lambda x: [x.log_softmax(1)]),
    "log_softmax backward": Case(
        lambda generator: [normal(4, 70)(generator), normal(4, 70)(generator).log_softmax(1)],
        lambda fd, g, y: [fd.ops.log_softmax_backward(g, y, 1)],
        lambda g, y: [torch._log_softmax_backward_data(g, y, 1, y.dtype)],
    ),
    "layer_norm": Case(
        draws(normal(4, 70), normal(70), normal(70)),
        lambda fd, x, w, b: list(fd.ops.layer_norm_forward(x, [70], w, b)),
        lambda x, w, b: [f.layer_norm(x, [70], w, b), *statistics(x, [1])],
    ),
    "layer_norm of two axes": Case(
        draws(normal(3, 5, 8)),
        lambda fd, x: [fd.ops.layer_norm(x, [-1, 8], eps=0.5)],
        lambda x: [f.layer_norm(x, [5, 8], eps=0.5)],
    ),
    "layer_norm of all axes": Case(
        draws(normal(5, 8), normal(5, 8)),
        lambda fd, x, b: [fd.ops.layer_norm(x, [5, 8], bias=b)],
        lambda x, b: [f.layer_norm(x, [5, 8], bias=b)],
    ),
    "layer_norm backward": Case(
        with_layer_norm(1, normal(6, 70), normal(6, 70), normal(70)),
        lambda fd, g, x, w, mean, rstd: list(fd.ops.layer_norm_backward(g, x, mean, rstd, [70], w)),
        lambda g, x, w, *_: gradients(lambda x, w, b: f.layer_norm(x, [70], w, b))(g, x, w, torch.zeros_like(w)),
    ),
    "layer_norm backward without weight": Case(
        with_layer_norm(2, normal(3, 4, 7), normal(3, 4, 7)),
        lambda fd, g, x, mean, rstd: [fd.ops.layer_norm_backward(g, x, mean, rstd, [4, 7])[0]],
        lambda g, x, *_: gradients(lambda x: f.layer_norm(x, [4, 7]))(g, x),
    ),
    "rms_norm": Case(
        draws(normal(4, 70), normal(70)),
        lambda fd, x, w: [fd.ops.rms_norm(x, [70], w, 1e-3)],
        lambda x, w: [f.rms_norm(x, [70], w, 1e-3)],
    ),
    "rms_norm residual": Case(
        draws(normal(4, 70), normal(4, 70), normal(70)),
        lambda fd, x, r, w: [fd.ops.add(x, r), *fd.ops.rms_norm_forward(fd.ops.add(x, r), [-1], w, 1e-5)],
        lambda x, r, w: [x + r, f.rms_norm(x + r, [70], w, 1e-5), ((x + r).square().mean(1, True) + 1e-5).rsqrt()],
    ),
    "rms_norm backward": Case(
        lambda generator: [
            normal(6, 70)(generator),
            x := normal(6, 70)(generator),
            normal(70)(generator),
            (x.square().mean(1) + 1e-5).rsqrt(),
        ],
        lambda fd, g, x, w, rstd: list(fd.ops.rms_norm_backward(g, x, rstd, [70], w)),
        lambda g, x, w, rstd: gradients(lambda x, w: f.rms_norm(x, [70], w, 1e-5))(g, x, w),
    ),
    "batch_norm": Case(
        draws(normal(4, 3, 5, 6), normal(3), normal(3)),
        lambda fd, x, w, b: list(fd.ops.batch_norm_forward(x, weight=w, bias=b, training=True)),
        lambda x, w, b: [f.batch_norm(x, None, None, w, b, True), *channel_statistics(x)],
    ),
    "batch_norm with running statistics": Case(
        lambda generator: [normal(4, 3, 5)(generator), normal(3)(generator), normal(3)(generator).exp()],
        lambda fd, x, mean, var: [fd.ops.batch_norm(x, mean, var)],
        lambda x, mean, var: [f.batch_norm(x, mean, var)],
    ),
    "batch_norm backward": Case(
        lambda generator: [
            normal(4, 3, 5, 6)(generator),
            x := normal(4, 3, 5, 6)(generator),
            normal(3)(generator),
            *channel_statistics(x),
        ],
        lambda fd, g, x, w, mean, rstd: list(fd.ops.batch_norm_backward(g, x, mean, rstd, w)),
        lambda g, x, w, *_: gradients(lambda x, w, b: f.batch_norm(x, None, None, w, b, True))(
            g, x, w, torch.zeros_like(w)
        ),
    ),
    "batch_norm backward of running statistics": Case(
        draws(normal(4, 3), normal(4, 3), normal(3), normal(3)),
        lambda fd, g, x, mean, rstd: list(fd.ops.batch_norm_backward(g, x, mean, rstd, training=False)),
        lambda g, x, mean, rstd: [g * rstd, (g * (x - mean) * rstd).sum(0), g.sum(0)],
    ),
    "group_norm": Case(
        draws(normal(2, 6, 4, 5), normal(6), normal(6)),
        lambda fd, x, w, b: list(fd.ops.group_norm_forward(x, 3, w, b)),
        lambda x, w, b: [f.group_norm(x, 3, w, b), *group_statistics(x, 3)],
    ),
    "group_norm silu": Case(
        draws(normal(2, 6, 4), normal(6), normal(6)),
        lambda fd, x, w, b: [fd.ops.silu(fd.ops.group_norm(x, 2, w, b))],
        lambda x, w, b: [f.silu(f.group_norm(x, 2, w, b))],
    ),
    "group_norm backward": Case(
        lambda generator: [
            normal(2, 6, 4, 5)(generator),
            x := normal(2, 6, 4, 5)(generator),
            normal(6)(generator),
            *group_statistics(x, 3),
        ],
        lambda fd, g, x, w, mean, rstd: list(fd.ops.group_norm_backward(g, x, mean, rstd, 3, w)),
        lambda g, x, w, *_: gradients(lambda x, w, b: f.group_norm(x, 3, w, b))(g, x, w, torch.zeros_like(w)),
    ),
    "gelu": Case(draws(normal(3, 40)), lambda fd, x: [fd.ops.gelu(x)], one(f.gelu)),
    "gelu tanh": Case(
        draws(normal(3, 40)), lambda fd, x: [fd.ops.gelu(x, "tanh")], lambda x: [f.gelu(x, approximate="tanh")]
    ),
    "gelu backward": Case(
        draws(normal(3, 40), normal(3, 40)), lambda fd, g, x: [fd.ops.gelu_backward(g, x)], gradients(f.gelu)
    ),
    "gelu tanh backward": Case(
        draws(normal(3, 40), normal(3, 40)),
        lambda fd, g, x: [fd.ops.gelu_backward(g, x, "tanh")],
        gradients(lambda x: f.gelu(x, approximate="tanh")),
    ),
    "silu backward": Case(
        draws(normal(3, 40), normal(3, 40)), lambda fd, g, x: [fd.ops.silu_backward(g, x)], gradients(f.silu)
    ),
    "bias gelu backward": Case(
        draws(normal(6, 40), normal(6, 40), normal(40)),
        lambda fd, g, x, b: [
            d := fd.ops.gelu_backward(g, x + b, "tanh", DataType.Float),
            fd.ops.sum(d, [0]),
        ],
        lambda g, x, b: gradients(lambda x, b: f.gelu(x + b, approximate="tanh"))(g, x, b),
    ),
} | cross_entropy_cases()  # fmt: skip


def inputs_of(case: Case, dtype: torch.dtype) -> Tensors:
    """Floats of the dtype; statistics are not narrowed."""
    made = case.inputs(torch.Generator().manual_seed(11))
    return [x.to(dtype) if x.is_floating_point() else x for x in made]


def define(case: Case, inputs: Tensors) -> FusionDefinition:
    with FusionDefinition() as fd:
        values = [fd.define_tensor(sizes=list(x.shape), strides=list(x.stride()), dtype=TYPES[x.dtype]) for x in inputs]
        for value in case.define(fd, *values):
            fd.add_output(value)
    return fd


TYPES = {
    torch.float32: DataType.Float, torch.bfloat16: DataType.BFloat16, torch.float16: DataType.Half,
    torch.float64: DataType.Double, torch.int64: DataType.Int,
}  # fmt: skip


def check(got: Tensors, want: Tensors, what: str) -> None:
    """Errors are counted in units of the largest value."""
    assert len(got) == len(want), what
    for result, expected in zip(got, want, strict=True):
        assert result.shape == expected.shape, what
        scale = max(1.0, float(expected.abs().nan_to_num().max()))
        torch.testing.assert_close(
            result.double() / scale, expected.double() / scale, rtol=TOLERANCE[result.dtype],
            atol=TOLERANCE[result.dtype], equal_nan=True, msg=lambda text: f"{what}: {text}",  # noqa: B023
        )  # fmt: skip


Made = dict[tuple[str, torch.dtype], tuple[Tensors, FusionDefinition]]


@pytest.fixture(scope="module", params=WAYS)
def made(request: pytest.FixtureRequest) -> tuple[str, Made]:
    """Every case of every dtype, all kernels of a way compiled as one unit."""
    found: Made = {}
    for name, case in CASES.items():
        for dtype in DTYPES:
            inputs = inputs_of(case, dtype)
            found[name, dtype] = inputs, define(case, inputs)
    if request.param != "evaluator" and HAS_COMPILER:
        prepare_batch([(fd._ready(), inputs, Way[request.param], "") for inputs, fd in found.values()])
    return request.param, found


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients(name: str, made: tuple[str, Made]) -> None:
    way, found = made
    for dtype in DTYPES:
        inputs, fd = found[name, dtype]
        want = CASES[name].reference(*[x.double() if x.is_floating_point() else x for x in inputs])
        check(run(fd, inputs, way), want, f"{name} {way} {dtype}")


def single(define: Callable[..., Any], *inputs: torch.Tensor) -> FusionDefinition:
    """A program of symbolic sizes, as users define it from examples."""
    with FusionDefinition() as fd:
        fd.add_output(define(fd, *[fd.from_pytorch(x) for x in inputs]))
    return fd


def special_rows() -> torch.Tensor:
    """Infinities, NaN, denormals, a fully masked row, large values."""
    x = torch.randn(9, 70, generator=torch.Generator().manual_seed(3))
    x[0, 5] = float("inf")
    x[1, 69] = -float("inf")
    x[2] = -float("inf")
    x[3, 11] = float("nan")
    x[4] *= 1e-40
    x[5, 3], x[5, 4] = float("inf"), -float("inf")
    x[6] = 3e38
    x[7, 1:] = -float("inf")
    return x


ON_SPECIAL_ROWS: dict[str, tuple[Callable[..., Any], Callable[[torch.Tensor], torch.Tensor]]] = {
    "softmax": (lambda fd, x: fd.ops.softmax(x, 1), lambda x: x.softmax(1)),
    "log_softmax": (lambda fd, x: fd.ops.log_softmax(x, 1), lambda x: x.log_softmax(1)),
    # torch's vectorised gelu gives NaN at +inf
    "gelu": (lambda fd, x: fd.ops.gelu(x), lambda x: 0.5 * x * (1 + torch.erf(x * 0.5**0.5))),
    "gelu tanh": (lambda fd, x: fd.ops.gelu(x, "tanh"), lambda x: f.gelu(x, approximate="tanh")),
    "layer_norm": (lambda fd, x: fd.ops.layer_norm(x, [70]), lambda x: f.layer_norm(x, [70])),
    "rms_norm": (lambda fd, x: fd.ops.rms_norm(x, [70]), lambda x: f.rms_norm(x, [70])),
    "cross_entropy": (
        lambda fd, x: fd.ops.cross_entropy(x, fd.ops.iota(fd.ops.size(x, 0)), reduction="none"),
        lambda x: f.cross_entropy(x, torch.arange(len(x)), reduction="none"),
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_special_rows(way: str) -> None:
    x = special_rows()
    with FusionDefinition() as fd:
        value = fd.from_pytorch(x)
        for define, _ in ON_SPECIAL_ROWS.values():
            fd.add_output(define(fd, value))
    for got, (name, (_, reference)) in zip(run(fd, [x], way), ON_SPECIAL_ROWS.items(), strict=True):
        want = reference(x)
        if name.endswith("_norm"):  # torch's own rows of 3e38 differ from machine to machine: their squares overflow
            got, want = got[[0, 1, 2, 3, 4, 5, 7, 8]], want[[0, 1, 2, 3, 4, 5, 7, 8]]
        torch.testing.assert_close(got, want, rtol=2e-5, atol=2e-6, equal_nan=True, msg=f"{name} {way}")


def test_classes_that_a_row_has_not() -> None:
    """Where torch raises, the row is NaN; it is no other row's matter."""
    x, target = torch.randn(4, 7), torch.tensor([1, 7, -100, -1])
    with FusionDefinition() as fd:
        logits, classes = fd.from_pytorch(x), fd.from_pytorch(target)
        loss, log_sum = fd.ops.cross_entropy_forward(logits, classes, reduction="none")
        fd.add_output(loss)
        ones = fd.ops.full([4], 1.0, DataType.Float)
        fd.add_output(fd.ops.cross_entropy_backward(ones, logits, classes, log_sum, reduction="none"))
    loss, slope = run(fd, [x, target], "evaluator")
    assert loss.isnan().tolist() == [False, True, False, True] and loss[2] == 0
    assert slope.isnan().all(1).tolist() == [False, True, False, True] and (slope[2] == 0).all()


def test_all_rows_ignored() -> None:
    x, target = torch.randn(3, 7), torch.full((3,), 5)
    fd = single(lambda fd, x, t: fd.ops.cross_entropy(x, t, ignore_index=5), x, target)
    assert run(fd, [x, target], "evaluator")[0].isnan()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_epsilon_of_rms_norm(dtype: torch.dtype) -> None:
    x = torch.full((1, 4), 1e-4, dtype=dtype)
    got = run(single(lambda fd, x: fd.ops.rms_norm(x, [4]), x), [x], "evaluator")[0]
    torch.testing.assert_close(got, f.rms_norm(x, [4]))


def test_running_statistics_are_updated() -> None:
    x, w = torch.randn(4, 3, 5), torch.randn(3)
    mean, var = torch.randn(3), torch.rand(3)
    module = torch.nn.BatchNorm1d(3, momentum=0.25, affine=False)
    module.running_mean, module.running_var = mean.clone(), var.clone()
    want = module(x) * w[:, None]
    with FusionDefinition() as fd:
        a, b, c, d = [fd.from_pytorch(tensor) for tensor in (x, mean, var, w)]
        fd.add_output(fd.ops.batch_norm(a, b, c, weight=d, training=True, momentum=0.25))
    (got,) = run(fd, [x, mean, var, w], "evaluator")
    torch.testing.assert_close(got, want)
    torch.testing.assert_close(mean, module.running_mean)
    torch.testing.assert_close(var, module.running_var)


def test_types_of_results() -> None:
    x, w = torch.randn(3, 8).bfloat16(), torch.randn(8)
    with FusionDefinition() as fd:
        a, b = fd.from_pytorch(x), fd.from_pytorch(w)
        y, mean, rstd = fd.ops.layer_norm_forward(a, [8], b)
        results = [y, mean, rstd, *fd.ops.layer_norm_backward(y, a, mean, rstd, [8], b)]
        results += [fd.ops.softmax(a, 1, DataType.Float), fd.ops.gelu(a, dtype=DataType.Double)]
        results += [fd.ops.cross_entropy(a, fd.ops.iota(3)), fd.ops.silu_backward(b, b, DataType.Half)]
        types = [value.dtype() for value in results]
    narrow, wide = DataType.BFloat16, DataType.Float
    assert types == [narrow, wide, wide, narrow, wide, wide, wide, DataType.Double, narrow, DataType.Half]


def test_weights_and_biases_are_no_reason_for_another_kernel_on_the_host() -> None:
    x, w = torch.randn(12, 40), torch.randn(40)
    with FusionDefinition() as fd:
        ops = fd.ops
        rows, weight = fd.from_pytorch(x), fd.from_pytorch(w)
        scaled = rows * ops.broadcast(weight, [True, False])
        fd.add_output(scaled - ops.broadcast(ops.max(scaled, [1]), [False, True]))
    assert fd.plan_text([x, w], target="host").startswith("way host, 1 kernels")


def test_channels_last_stays() -> None:
    x = torch.randn(2, 6, 4, 5).to(memory_format=torch.channels_last)
    fd = single(lambda fd, x: fd.ops.batch_norm(x, training=True), x)
    (got,) = run(fd, [x], "evaluator")
    torch.testing.assert_close(got, f.batch_norm(x, None, None, training=True))
    assert got.is_contiguous(memory_format=torch.channels_last)


def test_sizes_are_compared_at_the_call() -> None:
    fd = single(lambda fd, x: fd.ops.layer_norm(x, [8]), torch.randn(3, 8))
    torch.testing.assert_close(run(fd, [x := torch.randn(5, 8)], "evaluator")[0], f.layer_norm(x, [8]))
    with pytest.raises(RuntimeError, match=r"axis 1 of .* has size 9 and cannot be expanded to 8"):
        run(fd, [torch.randn(3, 9)], "evaluator")


def test_source_builds_the_same() -> None:
    x, w = torch.randn(3, 8), torch.randn(8)
    fd = single(lambda fd, x, w: fd.ops.rms_norm(fd.ops.gelu(x), [8], w), x, w)
    scope = {"FusionDefinition": FusionDefinition, "DataType": DataType}
    exec(repr(fd), scope)
    with FusionDefinition() as again:
        scope["nvfuser_fusion"](again)
    assert repr(again) == repr(fd)
    assert torch.equal(run(fd, [x, w], "evaluator")[0], run(again, [x, w], "evaluator")[0])


ERRORS: list[tuple[Callable[..., Any], type[Exception], str]] = [
    (lambda ops, x, v, n: ops.softmax(x, 2), RuntimeError, "softmax: axis 2 is out of range for a tensor of rank 2"),
    (lambda ops, x, v, n: ops.softmax(n, 0), DTypeError, "softmax takes floating tensors, but got Int .*cast it first"),
    (lambda ops, x, v, n: ops.softmax(x, 0, DataType.Int), DTypeError, "dtype of the result is Int"),
    (lambda ops, x, v, n: ops.softmax_backward(x, v, 0), RuntimeError, "their ranks have to be equal"),
    (lambda ops, x, v, n: ops.gelu(x, "erf"), ValueError, "'approximate': expected one of 'none', 'tanh', got 'erf'"),
    (lambda ops, x, v, n: ops.gelu(1.0), TypeError, "'x': expected a TensorView, got float"),
    (lambda ops, x, v, n: ops.layer_norm(x, []), RuntimeError, "normalized_shape has 0 sizes"),
    (lambda ops, x, v, n: ops.layer_norm(x, [3]), RuntimeError, "axis 1 of Float .4, 6. is normalized.* says 3"),
    (lambda ops, x, v, n: ops.layer_norm(x, [6], v), RuntimeError, "weight is Float .4., but has to have the shape"),
    (lambda ops, x, v, n: ops.layer_norm(x, [6], None, v), RuntimeError, "bias is Float .4."),
    (lambda ops, x, v, n: ops.layer_norm(x, [6], eps=1j), DTypeError, "eps has to be a real scalar"),
    (lambda ops, x, v, n: ops.layer_norm_backward(x, x, x, n, [6]), DTypeError, "layer_norm_backward takes floating"),
    (lambda ops, x, v, n: ops.rms_norm_backward(x, x, ops.sum(v), [6]), RuntimeError, "rstd is .*one value for each"),
    (lambda ops, x, v, n: ops.batch_norm(v), RuntimeError, "channels on axis 1, but got Float .4."),
    (lambda ops, x, v, n: ops.batch_norm(x), RuntimeError, "are needed unless training"),
    (lambda ops, x, v, n: ops.batch_norm(x, v), RuntimeError, "are given together or not at all"),
    (lambda ops, x, v, n: ops.batch_norm(x, v, v), RuntimeError, "running_mean is .*one value for each channel"),
    (
        lambda ops, x, v, n: ops.batch_norm(ops.permute(x, [1, 0]), v + 1.0, v + 1.0, training=True),
        RuntimeError,
        "updated in place and have to be inputs",
    ),
    (lambda ops, x, v, n: ops.group_norm(x, 4), RuntimeError, "cannot be divided into 4 groups"),
    (lambda ops, x, v, n: ops.group_norm(x, 0), RuntimeError, "cannot be divided into 0 groups"),
    (lambda ops, x, v, n: ops.cross_entropy(x, v), DTypeError, "target has to be classes of an integer type"),
    (lambda ops, x, v, n: ops.cross_entropy(v, n), RuntimeError, "axes of Float .4. without that of the classes"),
    (
        lambda ops, x, v, n: ops.cross_entropy(x, n, reduction="max"),
        ValueError,
        "expected one of 'mean', 'sum', 'none'",
    ),
    (lambda ops, x, v, n: ops.cross_entropy(x, n, label_smoothing=2.0), RuntimeError, "has to lie between 0 and 1"),
    (lambda ops, x, v, n: ops.cross_entropy_backward(v, x, n, v), RuntimeError, "grad is .*the loss has no axes"),
]


@pytest.mark.parametrize("error", range(len(ERRORS)))
def test_definition_errors(error: int) -> None:
    call, kind, message = ERRORS[error]
    with FusionDefinition() as fd:
        x, v = fd.define_tensor(shape=[4, 6]), fd.define_tensor(shape=[4])
        n = fd.define_tensor(shape=[4], dtype=DataType.Int)
        with pytest.raises(kind, match=message):
            call(fd.ops, x, v, n)


def test_documented() -> None:
    """Every composite says its formula, its parameters and what it returns."""
    for name in dir(FusionDefinition.ops):
        if any(part in name for part in ("softmax", "_norm", "gelu", "silu_", "cross_entropy")):
            text = getattr(FusionDefinition.ops, name).__doc__
            parts = ("Parameters\n----------\n", "Returns\n-------\n", "dtype : DataType\n")
            assert all(part in text for part in parts), name
