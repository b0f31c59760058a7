# SPDX-License-Identifier: Apache-2.0
"""Reductions on the host, in the emulator and in the evaluator: every row x dtype x axes against torch in float64;
types, axes, empty operands, NaN, errors."""

import itertools
import warnings

import numpy as np
import pytest
import torch
from agreement import HAS_COMPILER, WAYS, mismatch, run, wide

from nvfuser import DataType, DTypeError, FusionDefinition, Way
from nvfuser._C import prepare_batch
from nvfuser.tensors import TORCH_NAMES

SHAPE = (3, 5, 4)
DTYPES = {dtype: getattr(torch, name) for dtype, name in TORCH_NAMES.items()}
AXES = [None, 0, 1, -1, [0, 2], [1, 0], [0, 1, 2]]
# GPU text has its lengths, special values and cuts in test_reduce_kernels.py.
over_ways = pytest.mark.parametrize("way", [way for way in WAYS if way != "emulator"])


def dims_of(axes):
    return tuple(range(len(SHAPE))) if axes is None else (axes,) if isinstance(axes, int) else tuple(axes)


def over_all(function):
    """A function of the elements of each result, which stand in the last axis."""

    def reference(tensor, axes, keepdim):
        dims = [axis % tensor.dim() for axis in dims_of(axes)]
        kept = [axis for axis in range(tensor.dim()) if axis not in dims]
        rows = tensor.permute(*kept, *sorted(dims)).reshape(*(tensor.shape[axis] for axis in kept), -1)
        result = function(rows)
        return result.reshape([1 if k in dims else size for k, size in enumerate(tensor.shape)]) if keepdim else result

    return reference


def prod(rows):
    result = torch.ones_like(rows[..., 0])
    for column in rows.unbind(-1):
        result = result * column
    return result


REFERENCES = {
    "sum": over_all(lambda rows: rows.sum(-1)), "prod": over_all(prod),
    "max": over_all(lambda rows: rows.amax(-1)), "min": over_all(lambda rows: rows.amin(-1)),
    "any": over_all(lambda rows: (rows != 0).any(-1)), "all": over_all(lambda rows: (rows != 0).all(-1)),
    "argmax": over_all(lambda rows: rows.argmax(-1)), "argmin": over_all(lambda rows: rows.argmin(-1)),
}  # fmt: skip
ORDERED = ("max", "min", "argmax", "argmin")


def elements(dtype, seed=0):
    """Values without ties, of which no product overflows."""
    rng = np.random.default_rng(seed)
    count = int(np.prod(SHAPE))
    real = rng.permutation(np.linspace(-1.5, 1.5, count)).reshape(SHAPE)
    if dtype == torch.bool:
        return torch.from_numpy(real > 0)
    if dtype.is_complex:
        return torch.complex(torch.from_numpy(real), torch.from_numpy(rng.uniform(-1, 1, SHAPE))).to(dtype)
    if not dtype.is_floating_point:
        low = 0 if dtype == torch.uint64 else -count // 2
        return torch.from_numpy(rng.permutation(np.arange(low, low + count)).reshape(SHAPE)).to(dtype)
    if dtype == torch.float8_e8m0fnu:
        return torch.from_numpy(2.0 ** rng.integers(-3, 4, SHAPE)).to(torch.float32).to(dtype)
    return torch.from_numpy(real).to(dtype)


def build(tensor):
    """An output for each row, each set of axes and both kinds of shape that the dtype takes; the names refused."""
    cases, refused = [], set()
    with FusionDefinition() as fd:
        x = fd.from_pytorch(tensor)
        for name, axes, keepdim in itertools.product(REFERENCES, AXES, (False, True)):
            function = getattr(fd.ops, name)
            try:
                fd.add_output(function(x) if axes is None else function(x, axes, keepdim))
                cases.append((name, axes, keepdim and axes is not None))
            except DTypeError:
                refused.add(name)
    return fd, cases, refused


def result_dtype(name, dtype):
    if name.startswith("arg"):
        return torch.int64
    if name in ("any", "all"):
        return torch.bool
    whole = not dtype.is_floating_point and not dtype.is_complex
    return torch.int64 if whole and name in ("sum", "prod") else dtype


@pytest.fixture(scope="module", params=WAYS)
def rows(request):
    """Every reduction of every dtype, all kernels of a way compiled as one unit."""
    made = {}
    for dtype, stored in DTYPES.items():
        tensor = elements(stored)
        made[dtype] = tensor, *build(tensor)
    if request.param != "evaluator" and HAS_COMPILER:
        prepare_batch([(fd._ready(), [tensor], Way[request.param], "") for tensor, fd, _, _ in made.values()])
    return request.param, made


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.name)
def test_rows(dtype, rows):
    way, made = rows
    tensor, fd, cases, refused = made[dtype]
    assert refused == (set(ORDERED) if DTYPES[dtype].is_complex else set())
    results = run(fd, [tensor], way)
    problems = []
    for got, (name, axes, keepdim) in zip(results, cases, strict=True):
        operand = wide(tensor).to(torch.int64) if DTYPES[dtype] == torch.bool else wide(tensor)
        if name.startswith("arg") and DTYPES[dtype] in (torch.bool, torch.float8_e8m0fnu, torch.float8_e5m2):
            continue  # ties: see test_ties
        want = REFERENCES[name](operand, axes, keepdim)
        assert got.dtype == result_dtype(name, DTYPES[dtype]), name
        if text := mismatch(got, want.to(torch.float64) if got.dtype.is_floating_point else want):
            problems.append(f"{name} over {axes}: {text}")
    assert not problems, "\n".join(problems)


@over_ways
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.complex64, torch.complex128])
def test_moments(dtype, way):
    tensor = elements(dtype) + 3
    sets = [axes for axes in AXES if isinstance(axes, list)]
    cases = list(itertools.product(sets, (0, 1, 60), (False, True)))
    with FusionDefinition() as fd:
        x = fd.from_pytorch(tensor)
        for axes, correction, keepdim in cases:
            fd.add_output(fd.ops.var(x, axes, correction, keepdim))
            for part in fd.ops.var_mean(x, axes, correction=correction, keepdim=keepdim):
                fd.add_output(part)
    results = iter(run(fd, [tensor], way))
    for axes, correction, keepdim in cases:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            want = torch.var_mean(wide(tensor), axes, correction=correction, keepdim=keepdim)
        for got, expected in zip([next(results), next(results), next(results)], (want[0], *want), strict=True):
            assert got.dtype == (dtype if expected.is_complex() else wide(tensor).real.to(dtype).real.dtype)
            assert mismatch(got, expected) is None


@over_ways
def test_welford(way):
    tensor = elements(torch.float32)
    with FusionDefinition() as fd:
        for part in fd.ops.welford(fd.from_pytorch(tensor), [0, 2]):
            fd.add_output(part)
    average, squares, count = run(fd, [tensor], way)
    assert mismatch(average, wide(tensor).mean((0, 2))) is None
    assert mismatch(squares, ((wide(tensor) - wide(tensor).mean((0, 2), keepdim=True)) ** 2).sum((0, 2))) is None
    assert torch.equal(count, torch.full((5,), 12))


@over_ways
def test_dtype_argument(way):
    """The operand is cast first; without one Bool and integers become Int."""
    ints = torch.tensor([[2**31 - 1, 5], [1, -7]], dtype=torch.int32)
    with FusionDefinition() as fd:
        x = fd.from_pytorch(ints)
        fd.add_output(fd.ops.sum(x))
        fd.add_output(fd.ops.sum(x, dtype=DataType.Int32))
        fd.add_output(fd.ops.sum(x, 0, dtype=DataType.Double))
        fd.add_output(fd.ops.prod(x, [1], True, DataType.Float))
        fd.add_output(fd.ops.sum(fd.ops.gt(x, 0), dims=[0]))
    total, wrapped, doubles, floats, counts = run(fd, [ints], way)
    assert total.item() == 2**31 - 2 and total.dtype == torch.int64
    assert wrapped.item() == -(2**31) + 2**32 - 2 and wrapped.dtype == torch.int32
    assert torch.equal(doubles, torch.tensor([2.0**31, -2.0], dtype=torch.float64))
    assert torch.equal(floats, torch.tensor([[2.0**31 * 5], [-7.0]]))
    assert torch.equal(counts, torch.tensor([2, 1]))


@over_ways
def test_half_accumulates_in_float(way):
    tensor = torch.full((3, 4096), 0.1, dtype=torch.float16)
    with FusionDefinition() as fd:
        fd.add_output(fd.ops.sum(fd.from_pytorch(tensor), 1))
    (got,) = run(fd, [tensor], way)
    assert torch.equal(got, wide(tensor).sum(1).to(torch.float16))
    assert got[0] > 400  # a half accumulator would stop growing at 256


def test_the_evaluator_sums_exactly():
    """The error of 3 million floats is that of rounding the result."""
    tensor = torch.from_numpy(np.random.default_rng(1).normal(size=(3, 1_000_003)).astype(np.float32))
    with FusionDefinition() as fd:
        x = fd.from_pytorch(tensor)
        for axes in ([0], [1], [0, 1]):
            fd.add_output(fd.ops.sum(x, axes))
    for got, axes in zip(run(fd, [tensor], "evaluator"), ((0,), (1,), (0, 1)), strict=True):
        assert torch.allclose(got.double(), tensor.double().sum(axes), rtol=1e-7, atol=1e-7)


@over_ways
def test_ties(way):
    tensor = torch.tensor([[1.0, 3, 3, 0], [2, 0, 0, 2]])
    with FusionDefinition() as fd:
        x = fd.from_pytorch(tensor)
        for name, axes in itertools.product(("argmax", "argmin"), ([1], [0], [0, 1])):
            fd.add_output(getattr(fd.ops, name)(x, axes))
    got = [result.tolist() for result in run(fd, [tensor], way)]
    assert got == [[1, 0], [1, 0, 0, 1], 1, [3, 1], [0, 1, 1, 0], 3]


@over_ways
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_special_values(dtype, way):
    inf, nan = float("inf"), float("nan")
    rows = [[1, nan, 3], [-inf, -inf, -inf], [inf, -inf, 0], [inf, inf, 1], [1e-38, -1e-38, 1e-38]]
    tensor = torch.tensor(rows, dtype=dtype)
    with FusionDefinition() as fd:
        x = fd.from_pytorch(tensor)
        for name in REFERENCES:
            fd.add_output(getattr(fd.ops, name)(x, 1))
    for got, (name, reference) in zip(run(fd, [tensor], way), REFERENCES.items(), strict=True):
        assert mismatch(got, reference(wide(tensor), [1], False)) is None, name


@over_ways
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_empty(shape, way):
    tensor = torch.zeros(shape)
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1, -1])
        for name in REFERENCES:
            fd.add_output(getattr(fd.ops, name)(x, 1))
        fd.add_output(fd.ops.max(fd.ops.cast(x, DataType.Int32), 1))
        for part in fd.ops.var_mean(x, [1]):
            fd.add_output(part)
        fd.add_output(fd.ops.sum(x))
    got = run(fd, [tensor], way)
    neutral = [0, 1, -float("inf"), float("inf"), False, True, 0, 0, -(2**31)]
    for result, value in zip(got, neutral, strict=False):
        assert result.shape == (shape[0],) and (result == value).all()
    assert all(result.isnan().all() and result.shape == (shape[0],) for result in got[9:11])
    assert got[11] == 0


@over_ways
def test_rank_0(way):
    tensor = torch.tensor(2.5)
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[])
        fd.add_output(fd.ops.sum(x))
        fd.add_output(fd.ops.argmax(x))
        fd.add_output(fd.ops.any(x))
        for part in fd.ops.var_mean(x, [], correction=0):
            fd.add_output(part)
    assert [result.item() for result in run(fd, [tensor], way)] == [2.5, 0, True, 0.0, 2.5]


@over_ways
def test_broadcast_axes(way):
    """An axis of size 1 is dropped, an expanded one counts its elements."""
    row = torch.tensor([[1.0, 2.0, 4.0]])
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[1, -1])
        fd.add_output(fd.ops.sum(x, 0))
        wider = fd.ops.expand(x, [5, -1])
        fd.add_output(fd.ops.sum(wider, 0))
        fd.add_output(fd.ops.prod(wider, [0, 1]))
        fd.add_output(fd.ops.max(wider, 0))
        fd.add_output(fd.ops.argmax(wider))
        for part in fd.ops.welford(wider, [0]):
            fd.add_output(part)
    got = [result.tolist() for result in run(fd, [row], way)]
    assert got == [[1, 2, 4], [5, 10, 20], 8.0**5, [1, 2, 4], 2, [1, 2, 4], [0, 0, 0], [5, 5, 5]]


@over_ways
def test_softmax_from_its_parts(way):
    """Reductions of reductions, broadcast back over the axis."""
    tensor = elements(torch.float32) * 20
    with FusionDefinition() as fd:
        x = fd.from_pytorch(tensor)
        shifted = fd.ops.exp(fd.ops.sub(x, fd.ops.max(x, 2, keepdim=True)))
        fd.add_output(fd.ops.div(shifted, fd.ops.sum(shifted, 2, keepdim=True)))
        fd.add_output(fd.ops.sum(fd.ops.sum(shifted, 2), 0))
    got = run(fd, [tensor], way)
    assert mismatch(got[0], torch.softmax(wide(tensor), 2)) is None
    assert mismatch(got[1], torch.exp(wide(tensor) - wide(tensor).amax(2, True)).sum((0, 2))) is None


@over_ways
@pytest.mark.parametrize("layout", ["transposed", "stepped", "negative"])
def test_layouts(layout, way):
    base = elements(torch.float32)
    tensor = {
        "transposed": base.permute(2, 0, 1).contiguous().permute(1, 2, 0),
        "stepped": base.repeat_interleave(2, 2)[..., ::2],
        "negative": base,
    }[layout]
    operand = np.flip(base.numpy(), 1) if layout == "negative" else tensor
    want = base.flip(1) if layout == "negative" else base
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1, -1, -1], contiguity=False)
        for axes in ([0], [1], [2], [0, 2]):
            fd.add_output(fd.ops.sum(x, axes))
    for got, axes in zip(run(fd, [operand], way), ([0], [1], [2], [0, 2]), strict=True):
        assert mismatch(torch.as_tensor(np.asarray(got)), want.double().sum(axes)) is None


@over_ways
def test_source_builds_the_same(way):
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1, 4], dtype=DataType.Double)
        var, mean = fd.ops.var_mean(fd.ops.mul(x, 2.0), [1], correction=0, keepdim=True)
        fd.add_output(fd.ops.sub(x, mean))
        fd.add_output(var)
        fd.add_output(fd.ops.argmin(x, [0]))
    source = repr(fd)
    assert "= fd.ops.welford(" in source
    scope = {"FusionDefinition": FusionDefinition, "DataType": DataType}
    exec(source, scope)
    with FusionDefinition() as again:
        scope["nvfuser_fusion"](again)
    assert repr(again) == source
    tensor = torch.randn(3, 4, dtype=torch.float64)
    for a, b in zip(run(fd, [tensor], way), run(again, [tensor], way), strict=True):
        assert torch.equal(a, b)


def test_definition_errors():
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[4, 3])
        with pytest.raises(RuntimeError, match=r"sum: axis 2 is out of range for a tensor of rank 2"):
            fd.ops.sum(x, 2)
        with pytest.raises(RuntimeError, match=r"max: axis -1 is given twice"):
            fd.ops.max(x, [1, -1])
        with pytest.raises(RuntimeError, match=r"sum: no axes are given"):
            fd.ops.sum(x, [])
        with pytest.raises(DTypeError, match=r"min takes no dtype"):
            fd.ops.min(x, 0, False, DataType.Int)
        with pytest.raises(DTypeError, match=r"var_mean takes Float, Double and complex operands.*cast to Float first"):
            fd.ops.var_mean(fd.ops.cast(x, DataType.Half), [0])
        with pytest.raises(RuntimeError, match=r"correction is -1"):
            fd.ops.var(x, [0], -1)
        for wrong in (0.5, [0.5], "x", None):
            with pytest.raises(TypeError):
                fd.ops.sum(x, wrong)


def test_results_that_differ_in_size():
    with FusionDefinition() as fd:
        a, b = fd.define_tensor(shape=[-1, -1]), fd.define_tensor(shape=[-1, -1])
        fd.add_output(fd.ops.add(fd.ops.sum(a, 1), fd.ops.sum(b, 1)))
    with pytest.raises(RuntimeError, match=r"add \(.*test_reduce.py.*the operands differ at axis 0"):
        run(fd, [torch.ones(2, 3), torch.ones(3, 3)], "evaluator")
