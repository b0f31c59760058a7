# SPDX-License-Identifier: Apache-2.0
"""Rows that are reduced along them and across them by one kernel, on a GPU: the gradients of layer and RMS norms under
every candidate, against float64, with equal bits every time.  Needs torch with CUDA."""

import re

import pytest

torch = pytest.importorskip("torch")
if not torch.cuda.is_available():
    pytest.skip("needs a GPU", allow_module_level=True)

from nvfuser import DataType, FusionDefinition  # noqa: E402
from nvfuser._C import set_option  # noqa: E402

DTYPES = {DataType.BFloat16: torch.bfloat16, DataType.Float: torch.float32}
SHAPES = [(1, 1), (3, 4097), (33, 255), (64, 1 << 15), (4097, 64), (4096, 1024), (16384, 4096), (100_000, 24)]
SHAPES += [(2000, 14347), (601, 34189), (5003, 1089)]
CANDIDATES = range(12)


def program(dtype, with_mean):
    with FusionDefinition() as fd:
        g, x = (fd.define_tensor(shape=[-1, -1], contiguity=True, dtype=dtype) for _ in range(2))
        statistics = [
            fd.define_tensor(shape=[-1, 1], contiguity=[True, None], dtype=DataType.Float) for _ in range(1 + with_mean)
        ]
        w = fd.define_tensor(shape=[-1], contiguity=True, dtype=dtype)
        backward = fd.ops.layer_norm_backward if with_mean else fd.ops.rms_norm_backward
        for value in backward(g, x, *statistics, [-1], w):
            if value is not None:
                fd.add_output(value)
    return fd


def inputs_of(shape, dtype, with_mean):
    g, x = (torch.randn(shape, device="cuda").to(DTYPES[dtype]) for _ in range(2))
    wide = x.float()
    mean = wide.mean(1, keepdim=True) * with_mean
    rstd = ((wide - mean).square().mean(1, keepdim=True) + 1e-3).rsqrt()
    return [g, x, *([mean] if with_mean else []), rstd, torch.randn(shape[1], device="cuda").to(DTYPES[dtype])]


def check(results, inputs, dtype):
    g, x, *statistics, w = (t.double() for t in inputs)
    mean, rstd = statistics if len(statistics) == 2 else (0.0, statistics[0])
    h, scaled = (x - mean) * rstd, g * w
    dx = (scaled - scaled.mean(1, keepdim=True) * (len(statistics) - 1) - h * (scaled * h).mean(1, keepdim=True)) * rstd
    tolerance = 1.6e-2 if dtype == DataType.BFloat16 else 1e-4
    torch.testing.assert_close(results[0].double(), dx, rtol=tolerance, atol=tolerance)
    for got, terms in zip(results[1:], [g * h, g], strict=False):
        scale = terms.abs().sum(0).clamp(min=1.0)
        assert ((got.double() - terms.sum(0)).abs() / scale).max() < (1e-2 if dtype == DataType.BFloat16 else 1e-5)


@pytest.mark.parametrize("with_mean", [True, False])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_gradients(dtype, shape, with_mean):
    inputs, fd = inputs_of(shape, dtype, with_mean), program(dtype, with_mean)
    first = fd.execute(inputs)
    check(first, inputs, dtype)
    for _ in range(10):
        assert all(torch.equal(a, b) for a, b in zip(fd.execute(inputs), first, strict=True))


@pytest.mark.parametrize("with_mean", [True, False])
@pytest.mark.parametrize("shape", [(4096, 1024), (16384, 4096), (4099, 14347)])
def test_every_candidate(shape, with_mean, capfd):
    inputs = inputs_of(shape, DataType.BFloat16, with_mean)
    seen = set()
    set_option("dump", "params")
    try:
        for candidate in CANDIDATES:
            set_option("candidate", str(candidate))
            fd = program(DataType.BFloat16, with_mean)
            first = fd.execute(inputs)
            check(first, inputs, DataType.BFloat16)
            assert all(torch.equal(a, b) for a, b in zip(fd.execute(inputs), first, strict=True))
            seen.update(re.findall(r": (mixed .*?) \(", capfd.readouterr().err))
    finally:
        set_option("candidate", "0")
        set_option("dump", "")
    assert len(seen) >= 4, seen
    if torch.cuda.get_device_capability() >= (9, 0):
        assert any("home=shared" in text for text in seen), seen
