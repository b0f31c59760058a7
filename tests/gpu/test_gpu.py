# SPDX-License-Identifier: Apache-2.0
"""Kernels on a GPU against the evaluator: each schedule family, each layout, every operation.  Needs torch with CUDA.

The tests named `smallest` are what compute-sanitizer runs.
"""

import pytest

torch = pytest.importorskip("torch")
if not torch.cuda.is_available():
    pytest.skip("needs a GPU", allow_module_level=True)

from nvfuser import DataType, DTypeError, FusionDefinition, Way  # noqa: E402
from nvfuser._C import pointwise_table, set_option  # noqa: E402

TABLE = {name: arity for name, arity, _, _ in pointwise_table()}


def check(define, inputs, tolerance=2e-5):
    """Runs a fusion on the GPU and compares every output with the float64 reference."""
    with FusionDefinition() as fd:
        outputs = define(fd, *[fd.from_pytorch(t) for t in inputs])
        for output in outputs if isinstance(outputs, list) else [outputs]:
            fd.add_output(output)
    got = fd.execute(inputs)
    torch.cuda.synchronize()
    assert fd.last_way == Way.cuda
    for result, want in zip(got, fd.reference(inputs), strict=True):
        want = torch.from_numpy(want)
        mine = result.cpu().to(want.dtype)
        torch.testing.assert_close(mine, want, rtol=tolerance, atol=tolerance, equal_nan=True)
    return fd


def randn(*shape, dtype=torch.float32):
    return torch.randn(shape, device="cuda").to(dtype)


def bf16(fd, value):
    return fd.ops.cast(value, DataType.BFloat16)


def row_major_transpose(fd, x):
    return fd.ops.stride_order(fd.ops.permute(x, [1, 0]), [1, 0])


@pytest.mark.parametrize("shape", [(1,), (31,), (4096,), (1000, 257), (64, 1), (3, 5, 7), (2, 0, 3), ()])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64, torch.int32, torch.int64])
def test_flat_smallest(shape, dtype):
    x = (
        randn(*shape, dtype=dtype)
        if dtype.is_floating_point
        else torch.randint(-9, 9, shape, device="cuda", dtype=dtype)
    )
    check(lambda fd, a, b: a * b + a, [x, x.clone()], 2e-2 if dtype == torch.bfloat16 else 2e-5)


@pytest.mark.parametrize("size", [(64, 64), (65, 33), (128, 256), (513, 257)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64, torch.bool])
def test_transpose_smallest(size, dtype):
    x = randn(*size).to(dtype) if dtype != torch.bool else randn(*size) > 0
    check(lambda fd, a: row_major_transpose(fd, a), [x], 1e-2)


@pytest.mark.parametrize("size", [(1024, 2048), (1000, 1030)])
def test_self_transpose(size):
    side = max(size)
    check(lambda fd, a: a + fd.ops.permute(a, [1, 0]), [randn(side, side)])


@pytest.mark.parametrize("candidate", range(0, 12))
@pytest.mark.parametrize("columns", [8192, 8190, 257])
def test_every_candidate(candidate, columns):
    set_option("candidate", str(candidate))
    try:
        check(
            lambda fd, x, b: bf16(fd, fd.ops.tanh(x + b)),
            [randn(300, columns, dtype=torch.bfloat16), randn(columns, dtype=torch.bfloat16)],
            2e-2,
        )
        check(lambda fd, x: row_major_transpose(fd, fd.ops.relu(x)), [randn(300, columns, dtype=torch.bfloat16)], 2e-2)
    finally:
        set_option("candidate", "0")


@pytest.mark.parametrize(
    "view",
    [
        lambda x: x,
        lambda x: x.t(),
        lambda x: x[:, ::2],
        lambda x: x[3:, 5:],
        lambda x: x[:1].expand(40, -1),
        lambda x: x.flatten()[1:],
        lambda x: x.reshape(8, 8, 8, 8).to(memory_format=torch.channels_last),
    ],
)
def test_layouts(view):
    x = view(randn(64, 64))
    check(lambda fd, a: a * 2.0 + 1.0, [x])
    check(lambda fd, a: bf16(fd, a * 2.0), [x.bfloat16()], 2e-2)


@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.float64, torch.bfloat16, torch.int32, torch.int64, torch.bool, torch.complex64]
)
def test_every_operation(dtype):
    """All operations that take the dtype, on values where all are defined."""
    x = torch.rand(3, 500, device="cuda") * 0.8 + 0.1
    if dtype == torch.bool:
        x = x > 0.5
    elif not dtype.is_floating_point and not dtype.is_complex:
        x = (x * 10).to(dtype) + 1
    x, y = x.to(dtype), x.flip(1).to(dtype).contiguous()

    def define(fd, a, b):
        found = []
        for name, arity in TABLE.items():
            operands = {
                "clamp": (a, 0, 1),
                "threshold": (a, 0, 1),
                "addcmul": (a, b, a, 2),
                "where": (fd.ops.ne(a, 0), a, b),
            }.get(name, (a, b, a)[:arity])
            try:
                found.append(getattr(fd.ops, name)(*operands))
            except DTypeError:
                continue
        assert len(found) > 20
        return found

    check(define, [x, y], 3e-2 if dtype == torch.bfloat16 else 1e-4)


def test_alias_smallest():
    x, y = randn(30, 40), randn(30, 40)
    want = x + y
    with FusionDefinition() as fd:
        a, b = fd.from_pytorch(x), fd.from_pytorch(y)
        fd.add_output(a + b, a)
    assert fd.execute([x, y]) == []
    torch.cuda.synchronize()
    torch.testing.assert_close(x, want)


def test_self_transpose_in_place():
    x = randn(129, 129)
    want = x + x.t()
    with FusionDefinition() as fd:
        a = fd.from_pytorch(x)
        fd.add_output(a + fd.ops.permute(a, [1, 0]), a)
    fd.execute([x])
    torch.cuda.synchronize()
    torch.testing.assert_close(x, want)


def test_scalars_and_segments_smallest():
    x = randn(100)
    with FusionDefinition() as fd:
        a, s = fd.from_pytorch(x), fd.define_scalar(None, dtype=DataType.Double)
        fd.add_output(fd.ops.segment_set(a * s) + 1.0)
    torch.testing.assert_close(fd.execute([x, 2.5])[0], x * 2.5 + 1)
    assert "2 kernels" in fd.plan_text([x, 2.5])


def test_current_stream():
    x = randn(1 << 20)
    with FusionDefinition() as fd:
        fd.add_output(fd.from_pytorch(x) * 2.0)
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        torch.cuda._sleep(10_000_000)
        x.fill_(3.0)
        y = fd.execute([x])[0]
    stream.synchronize()
    assert bool((y == 6).all())


def test_wide_index():
    """More than 2^31 elements: 64-bit indices."""
    x = torch.ones(2**31 + 8, dtype=torch.bool, device="cuda")
    with FusionDefinition() as fd:
        fd.add_output(fd.ops.logical_not(fd.from_pytorch(x)))
    (y,) = fd.execute([x])
    assert not bool(y[-8:].any()) and not bool(y[:8].any())
    assert "narrow" not in fd.plan_text([x])
