# SPDX-License-Identifier: Apache-2.0
"""CPU tensors without axes beside tensors of a device: kernels get their values, read at the call, and nothing is
copied.  The emulator runs the kernels that a GPU would; tests/gpu has the calls with tensors of both."""

import re

import numpy as np
import pytest
import torch
from agreement import WAYS, kernel_count, run

from nvfuser import DataType, FusionDefinition, ops
from nvfuser.tensors import TORCH_NAMES

DTYPES = [dtype for dtype in TORCH_NAMES if hasattr(torch, TORCH_NAMES[dtype])]


def scaled():
    """x * s + t, with a CPU scalar s and an ordinary tensor t without axes."""
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1], contiguity=True)
        s = fd.define_tensor(shape=[], is_cpu=True)
        t = fd.define_tensor(shape=[])
        fd.add_output(x * s + t)
    return fd


@pytest.mark.parametrize("way", WAYS)
def test_the_value_is_read_at_the_call(way):
    fd = scaled()
    x, s, t = torch.arange(5.0), torch.tensor(2.0), torch.tensor(1.0)
    for factor in (2.0, -3.0, 0.5):
        s.fill_(factor)
        t.fill_(factor + 1)
        (got,) = run(fd, [x, s, t], way)
        assert torch.equal(got, x * factor + (factor + 1))


@pytest.mark.parametrize("way", ["host", "emulator"])
def test_the_kernel_takes_a_value_and_no_pointer(way):
    fd = scaled()
    inputs = [torch.arange(5.0), torch.tensor(2.0), torch.tensor(1.0)]
    text = fd.kernel_text(inputs, target=way)
    assert kernel_count(fd, inputs, way) == 1
    assert re.search(r"rt::float32 s0\b", text), text
    assert re.search(r"\bin0\b", text) and re.search(r"\bin2\b", text) and not re.search(r"\bin1\b", text), text


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.name)
def test_every_dtype(dtype):
    torch_dtype = getattr(torch, TORCH_NAMES[dtype])
    wide = DataType.ComplexDouble if torch_dtype.is_complex else DataType.Double
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1], contiguity=True, dtype=wide)
        s = fd.define_tensor(shape=[], is_cpu=True, dtype=dtype)
        fd.add_output(x + ops.cast(ops.cast(s, DataType.Float) if "Float8" in dtype.name else s, wide))
        fd.add_output(ops.set(s))
    x = torch.ones(3, dtype=torch.complex128 if torch_dtype.is_complex else torch.float64)
    value = torch.tensor(2.0).to(torch_dtype)
    for way in WAYS:
        total, copy = run(fd, [x, value], way)
        assert total.tolist() == [1 + value.to(x.dtype).item()] * 3, way
        assert copy.shape == () and copy.dtype == torch_dtype and copy.to(x.dtype) == value.to(x.dtype), way


@pytest.mark.parametrize("way", WAYS)
def test_only_values(way):
    """Nothing but CPU scalars: results without axes, and with axes of constants."""
    with FusionDefinition() as fd:
        s, t = fd.define_tensor(shape=[], is_cpu=True), fd.define_tensor(shape=[], is_cpu=True)
        fd.add_output(s + t)
        fd.add_output(ops.full([2], 1.0, DataType.Float) * s)
        fd.add_output(ops.exp(ops.segment_set(s * t)))
    first, second, third = run(fd, [np.full((), 2, np.float32), np.full((), 3, np.float32)], way)
    assert first == 5 and second.tolist() == [2, 2]
    assert third == pytest.approx(np.exp(6), rel=1e-5)


def test_examples_without_axes_stay_on_the_cpu():
    with FusionDefinition() as fd:
        x, s = fd.from_pytorch(torch.ones(3)), fd.from_pytorch(torch.tensor(2.0))
        fd.add_output(x * s)
    assert "shape=[], contiguity=[], dtype=DataType.Float, is_cpu=True" in repr(fd)
    fd.validate([torch.ones(3), torch.tensor(4.0)], target="evaluator")
