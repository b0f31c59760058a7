# SPDX-License-Identifier: Apache-2.0
"""Every operation x dtype x layout, on the host, in the emulator and in the evaluator, against torch in float64."""

import numpy as np
import pytest
import references
import torch

from nvfuser import DataType, DTypeError, FusionDefinition, Way
from nvfuser._C import pointwise_table
from nvfuser.tensors import TORCH_NAMES

TABLE = {name: arity for name, arity, _, _ in pointwise_table()}
DTYPES = {d: getattr(torch, TORCH_NAMES[d]) for d in TORCH_NAMES if d != DataType.Float8_e8m0fnu}
LAYOUTS = ("contiguous", "transposed", "stepped", "expanded", "sliced", "channels_last")
WIDE_LAYOUT_DTYPES = (DataType.Float, DataType.BFloat16, DataType.Int, DataType.Bool)
WAYS = ("host", "emulator", "evaluator")
SHAPE = (2, 3, 5, 4)
TOLERANCE = {
    torch.float64: 1e-11, torch.complex128: 1e-10, torch.float32: 6e-6, torch.complex64: 4e-5, torch.float16: 2e-3,
    torch.bfloat16: 1.6e-2, torch.float8_e4m3fn: 0.13, torch.float8_e5m2: 0.26,
}  # fmt: skip


def wide(tensor):
    """The same values in the reference's dtype."""
    if tensor.dtype == torch.bool:
        return tensor
    if tensor.dtype.is_complex:
        return tensor.to(torch.complex128)
    return tensor.to(torch.float64 if tensor.dtype.is_floating_point else torch.int64)


def values(dtype, seed, small=False):
    """Random values of both signs, with the values where operations turn, in a 4-D tensor."""
    rng = np.random.default_rng(seed)
    count = int(np.prod(SHAPE))
    if dtype == torch.bool:
        return torch.from_numpy(rng.integers(0, 2, SHAPE).astype(bool))
    if dtype in (torch.int64, torch.int32, torch.uint64):
        low = 0 if dtype == torch.uint64 or small else -9
        return torch.from_numpy(rng.integers(low, 10, SHAPE)).to(dtype)
    real = rng.uniform(-2.5, 2.5, count)
    real[:8] = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0]
    if dtype.is_complex:
        return torch.complex(torch.from_numpy(real), torch.from_numpy(rng.uniform(-2.5, 2.5, count))).reshape(SHAPE).to(dtype)
    if dtype not in (torch.float8_e4m3fn,):
        real[8:11] = [np.inf, -np.inf, np.nan]
    return torch.from_numpy(real).reshape(SHAPE).to(dtype)


def arrange(tensor, layout):
    """The same shape and (nearly) the same values in another layout."""
    if layout == "transposed":
        return tensor.transpose(1, 3).contiguous().transpose(1, 3)
    if layout == "stepped":
        room = torch.zeros(*SHAPE[:3], SHAPE[3] * 2, dtype=tensor.dtype)
        room[..., ::2] = tensor
        return room[..., ::2]
    if layout == "expanded":
        return tensor[:, :1].expand(*SHAPE)
    if layout == "sliced":
        room = torch.zeros(SHAPE[0] + 1, *SHAPE[1:], dtype=tensor.dtype)
        room[1:] = tensor
        return room[1:]
    if layout == "channels_last":
        return tensor.contiguous(memory_format=torch.channels_last) if tensor.dtype.itemsize > 1 else arrange(tensor, "transposed")
    return tensor.contiguous()


def reference(name, operands):
    if name in references.SHIFTS:
        bits = 32 if operands[0].dtype == torch.int32 else 64
        return references.BINARY[name](*[wide(t) for t in operands], bits)
    table = {**references.UNARY, **references.BINARY, **references.OTHER}
    if name in ("nextafter", "complex"):
        return table[name](*operands)
    return table[name](*[wide(t) for t in operands])


def operand_count(name):
    """Tensor operands; clamp, threshold and addcmul take scalars for the rest."""
    return {"clamp": 1, "threshold": 1, "addcmul": 3}.get(name, TABLE[name])


SCALARS = {"clamp": (-1, 1), "threshold": (1, 2), "addcmul": (2,)}
# uint64 is exchanged, but torch computes almost nothing in it: values are small, so int64 gives the same.


def build(arity, dtype, tensors):
    """One fusion with an output for every operation of that arity which takes the dtype; the names in order."""
    names = []
    with FusionDefinition() as fd:
        operands = [fd.from_pytorch(t) for t in tensors]
        for name in TABLE:
            if operand_count(name) != arity:
                continue
            arguments = list(operands[:arity])
            if name == "where":
                arguments[0] = fd.ops.ne(arguments[0], 0) if dtype != torch.bool else arguments[0]
            try:
                result = getattr(fd.ops, name)(*arguments, *SCALARS.get(name, ()))
            except DTypeError:
                continue
            fd.add_output(result)
            names.append(name)
    return fd, names


def expected(name, tensors, arity):
    operands = [wide(t) if name not in references.SHIFTS and name not in ("nextafter", "complex") else t for t in tensors[:arity]]
    if name == "where":
        operands[0] = tensors[0].to(torch.complex128) != 0 if tensors[0].dtype.is_complex else wide(tensors[0]) != 0
    return reference(name, operands + [torch.tensor(s) for s in SCALARS.get(name, ())] if name == "addcmul" else operands) if (
        name not in ("clamp", "threshold")
    ) else {"clamp": lambda x: torch.clamp(x.to(torch.int64) if x.dtype == torch.bool else x, -1, 1),
            "threshold": lambda x: torch.where(x <= 1, torch.full_like(x, 2), x)}[name](operands[0])


def compare(name, got, want):
    want, got = want.to(torch.complex128 if got.dtype.is_complex else want.dtype), got
    tolerance = TOLERANCE.get(got.dtype)
    if tolerance is None:
        assert torch.equal(wide(got), wide(want.to(got.dtype))), name
        return
    a, b = wide(got), wide(want)
    if not got.dtype.is_complex:
        b = b.to(torch.float64)
        limit = torch.finfo(got.dtype).max
        near = (b.abs() > limit * (1 - tolerance)) & (a.isinf() | (a.abs() >= limit * (1 - tolerance)) | a.isnan())
        a, b = torch.where(near, 0.0, a), torch.where(near, 0.0, b)
    torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance, equal_nan=True, msg=lambda m: f"{name}: {m}")


CASES = [(d, layout) for d in DTYPES for layout in LAYOUTS if layout == "contiguous" or d in WIDE_LAYOUT_DTYPES]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("arity", (1, 2, 3))
@pytest.mark.parametrize(("dtype", "layout"), CASES, ids=lambda v: getattr(v, "name", v))
def test_operations(dtype, layout, arity, way):
    torch_dtype = DTYPES[dtype]
    tensors = [arrange(values(torch_dtype, seed), layout) for seed in range(arity)]
    fd, names = build(arity, torch_dtype, tensors)
    if not names:
        assert arity == 3 or torch_dtype.itemsize == 1, "no operation takes this dtype"
        return
    outputs = fd.execute(tensors, target=way)
    assert fd.last_way == getattr(Way, way)
    for name, got in zip(names, outputs, strict=True):
        compare(name, got, expected(name, tensors, arity))


def test_every_operation_has_a_reference():
    known = {**references.UNARY, **references.BINARY, **references.OTHER}
    assert set(TABLE) == set(known)
