# SPDX-License-Identifier: Apache-2.0
"""Conversions between all element types, with what does not fit, against torch and the definitions of 8-bit floats."""

import itertools

import pytest
import torch
from agreement import WAYS, run, ulps, wide
from float8 import FORMATS, magnitude, narrowed

from nvfuser import DataType, DTypeError, FusionDefinition
from nvfuser.tensors import TORCH_NAMES

DTYPES = {dtype: getattr(torch, name) for dtype, name in TORCH_NAMES.items()}
TINY = (DataType.Float8_e4m3fn, DataType.Float8_e5m2, DataType.Float8_e8m0fnu)
PARTNERS = (DataType.Double, DataType.Float, DataType.Half, DataType.BFloat16)

FLOATS = [
    0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 3.999, 1e-3, 1.4, 1.6, float("nan"), float("inf"), float("-inf"),
    448.0, 449.0, 464.0, 465.0, 480.0, 57344.0, 61439.0, 61440.0, -61440.0, 65504.0, 65519.0, 65520.0, 1e5, -1e5,
    6e-8, 2.9e-8, 3e-8, 1e-40, 1.4e-45, 1e-300, 3.3e38, 3.39e38, 3.4e38, 1e300, -1e300, 2.0**31, -(2.0**31) - 1,
    2.0**31 - 1, 2.0**53 + 2, 2.0**63, -(2.0**63), 2.0**64, 16777217.0, 0.1, 1 / 3,
]  # fmt: skip
INTEGERS = [
    0, 1, -1, 2, 255, 256, 448, 2049, 65504, 65520, 70000, 16777217, -16777219, 2**31 - 1, -(2**31), 2**31, 2**53 + 1,
    2**63 - 1, -(2**63), -(2**31) - 1,
]  # fmt: skip


def source(dtype):
    """Values with the turning points of every target."""
    torch_dtype = DTYPES[dtype]
    if dtype == DataType.Bool:
        return torch.tensor([True, False] * 8)
    if torch_dtype.is_complex:
        real = torch.tensor(FLOATS, dtype=torch.float64)
        return torch.complex(real, real.flip(0)).to(torch_dtype)
    if dtype in TINY:
        return narrowed(torch.tensor(FLOATS, dtype=torch.float64), torch_dtype)
    if torch_dtype.is_floating_point:
        return torch.tensor(FLOATS, dtype=torch.float64).to(torch_dtype)
    inside = [v for v in INTEGERS if -(2**31) <= v < 2**31] if dtype == DataType.Int32 else INTEGERS
    return torch.tensor(inside, dtype=torch.int64).to(torch_dtype)


def is_known(start, end):
    if start in TINY or end in TINY:
        return (start in PARTNERS or end in PARTNERS) or start == end
    return not DTYPES[start].is_complex or DTYPES[end].is_complex or end == DataType.Bool


def saturated(tensor, dtype):
    """Truncation; what does not fit is the nearest limit (UInt64 takes negative values as Int does), NaN is 0."""
    low, high = torch.iinfo(dtype).min, torch.iinfo(dtype).max
    if dtype == torch.uint64:
        low = torch.iinfo(torch.int64).min
    numbers = []
    for value in tensor.to(torch.float64).tolist():
        if value != value:
            numbers.append(0)
        else:
            numbers.append(max(low, min(high, int(max(-1e30, min(1e30, value))))))
    return torch.tensor([n - 2**64 if n >= 2**63 else n for n in numbers]).to(dtype)


def expected(tensor, dtype):
    whole = not dtype.is_floating_point and not dtype.is_complex and dtype != torch.bool
    if whole and tensor.dtype.is_floating_point:
        return saturated(wide(tensor), dtype)
    if tensor.dtype == torch.uint64 and dtype == torch.bool:
        return wide(tensor) != 0
    if dtype.is_floating_point and dtype.itemsize == 1:
        return narrowed(tensor, dtype)
    return tensor.to(dtype)


@pytest.fixture(scope="module")
def casts():
    """(fusion, inputs, pairs): one output a pair."""
    pairs = [pair for pair in itertools.product(DTYPES, DTYPES) if is_known(*pair)]
    tensors = {dtype: source(dtype) for dtype in DTYPES}
    with FusionDefinition() as fd:
        inputs = {dtype: fd.from_pytorch(tensor) for dtype, tensor in tensors.items()}
        for start, end in pairs:
            fd.add_output(fd.ops.cast(inputs[start], end))
    return fd, list(tensors.values()), pairs


@pytest.mark.parametrize("way", WAYS)
def test_every_pair(casts, way):
    fd, inputs, pairs = casts
    outputs = run(fd, inputs, way)
    by_dtype = dict(zip(DTYPES, inputs, strict=True))
    problems = []
    for (start, end), got in zip(pairs, outputs, strict=True):
        want = expected(by_dtype[start], DTYPES[end])
        if got.dtype != want.dtype or ulps(got, want):
            problems.append(f"{start.name} to {end.name}: got {got}, expected {want}, of {by_dtype[start]}")
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("dtype", FORMATS, ids=str)
def test_reference_has_the_values_that_torch_reads(dtype):
    exponent_bits, fraction_bits, largest, _ = FORMATS[dtype]
    codes = torch.arange(largest + 1, dtype=torch.uint8)
    values = torch.tensor([magnitude(code, exponent_bits, fraction_bits) for code in codes.tolist()])
    assert torch.equal(codes.view(dtype).to(torch.float32), values)
    for signed in (values, -values):
        assert torch.equal(narrowed(signed, dtype).to(torch.float32), signed)


@pytest.mark.parametrize("start", DTYPES, ids=lambda dtype: dtype.name)
def test_unknown_pairs_are_errors(start):
    unknown = [end for end in DTYPES if not is_known(start, end)]
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1], contiguity=True, dtype=start)
        for end in unknown:
            with pytest.raises(DTypeError, match=f"cast: no conversion from {start.name} to {end.name}"):
                fd.ops.cast(x, end)
        fd.add_output(fd.ops.cast(x, start))
    tensor = source(start)
    (copy,) = run(fd, [tensor], "evaluator")
    assert ulps(copy, tensor) == 0


def test_scalars():
    """Constants and scalar inputs convert as elements do."""
    with FusionDefinition() as fd:
        scalar = fd.define_scalar(dtype=DataType.Double)
        for value in (scalar, fd.define_scalar(2.7)):
            for dtype in (DataType.Int, DataType.Float, DataType.Half, DataType.Bool, DataType.ComplexFloat):
                fd.add_output(fd.ops.full([2], fd.ops.cast(value, dtype), dtype))
    for way in WAYS:
        outputs = run(fd, [2.7], way)
        for got, want in zip(outputs[:5], outputs[5:], strict=True):
            assert torch.equal(got, want)
        assert [wide(got)[0].item() for got in outputs[:2]] == [2, pytest.approx(2.7, abs=1e-6)]
        assert outputs[3].tolist() == [True, True]
