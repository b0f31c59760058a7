# SPDX-License-Identifier: Apache-2.0
"""Reductions that keep the innermost axis, on a GPU: strips that are walked, held in registers, shared by blocks with
the finish in a kernel that starts early; against float64, with equal bits every time.  Needs torch with CUDA."""

import pytest

torch = pytest.importorskip("torch")
if not torch.cuda.is_available():
    pytest.skip("needs a GPU", allow_module_level=True)

from nvfuser import DataType, FusionDefinition  # noqa: E402

DTYPES = {DataType.BFloat16: torch.bfloat16, DataType.Float: torch.float32}
SHAPES = [
    (1, 1),
    (3, 4097),
    (33, 255),
    (64, 1 << 18),
    (1000, 33),
    (4097, 64),
    (16384, 8192),
    (100_000, 24),
    (1 << 20, 3),
]


def over_rows(fd, value):
    return fd.ops.broadcast(value, [True, False])


def program(dtype):
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1, -1], contiguity=True, dtype=dtype)
        g = fd.define_tensor(shape=[-1, -1], contiguity=True, dtype=dtype)
        bias = fd.define_tensor(shape=[-1], contiguity=True, dtype=dtype)
        wide = [fd.ops.cast(t, DataType.Float) for t in (x, g, bias)]
        z = wide[0] + over_rows(fd, wide[2])
        s = fd.ops.sigmoid(z)
        dx = wide[1] * s * (1.0 + z * (1.0 - s))
        fd.add_output(fd.ops.cast(dx, dtype))
        fd.add_output(fd.ops.sum(dx, [0]))
        fd.add_output(fd.ops.max(wide[0], [0]))
    return fd


def normalised(dtype):
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1, -1], contiguity=True, dtype=dtype)
        wide = fd.ops.cast(x, DataType.Float)
        var, mean = fd.ops.var_mean(wide, [0], 0, True)
        fd.add_output(fd.ops.cast((wide - mean) * fd.ops.rsqrt(var + 1e-5), dtype))
    return fd


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_gradients(dtype, shape):
    x, g = (torch.randn(shape, device="cuda").to(DTYPES[dtype]) for _ in range(2))
    bias = torch.randn(shape[1], device="cuda").to(DTYPES[dtype])
    fd = program(dtype)
    dx, total, most = fd.execute([x, g, bias])
    z = x.double() + bias.double()
    s = z.sigmoid()
    want = g.double() * s * (1 + z * (1 - s))
    tolerance = 1e-2 if dtype == DataType.BFloat16 else 2e-5
    torch.testing.assert_close(dx.double(), want, rtol=tolerance, atol=tolerance)
    scale = want.abs().sum(0).clamp(min=1.0)
    assert ((total.double() - want.sum(0)).abs() / scale).max() < 1e-5
    assert torch.equal(most, x.float().amax(0))
    for _ in range(10):
        assert torch.equal(fd.execute([x, g, bias])[1], total)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES[1:])
def test_normalised(dtype, shape):
    x = torch.randn(shape, device="cuda").to(DTYPES[dtype])
    wide = x.double()
    want = (wide - wide.mean(0)) / (wide.var(0, correction=0) + 1e-5).sqrt()
    tolerance = 2e-2 if dtype == DataType.BFloat16 else 2e-4
    got = normalised(dtype).execute([x])[0]
    torch.testing.assert_close(got.double(), want, rtol=tolerance, atol=tolerance)
