# SPDX-License-Identifier: Apache-2.0
"""Calls and odd layouts on a GPU: vectors with a tail, peeled rows, withheld facts, `out`, streams, CUDA graphs."""

import pytest

torch = pytest.importorskip("torch")
if not torch.cuda.is_available():
    pytest.skip("needs a GPU", allow_module_level=True)

from nvfuser import FusionDefinition  # noqa: E402
from nvfuser._C import set_option  # noqa: E402


def randn(*shape, dtype=torch.float32):
    return torch.randn(shape, device="cuda").to(dtype)


def added(*examples):
    """The sum of two tensors of any strides."""
    with FusionDefinition() as fd:
        x, y = [fd.from_pytorch(t) for t in examples]
        fd.add_output(x + y)
    return fd


@pytest.mark.parametrize("columns", [1, 3, 257, 4097])
def test_odd_totals_smallest(columns):
    """A body of vectors and a masked tail; a bias whose rows are odd is read by lanes that share one remainder."""
    x, b = randn(37, columns, dtype=torch.bfloat16), randn(columns, dtype=torch.bfloat16)
    with FusionDefinition() as fd:
        tx, tb = fd.from_pytorch(x), fd.from_pytorch(b)
        fd.add_output(tx + tb)
    (got,) = fd.execute([x, b])
    torch.testing.assert_close(got, (x.float() + b.float()))


@pytest.mark.parametrize("columns", [5, 37, 257, 4097])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_peeled_rows_smallest(columns, dtype):
    """In place into slices of odd stride: rows that start alike run from one aligned vector to the next."""
    base, other = randn(200, columns + 2, dtype=dtype), randn(200, columns + 2, dtype=dtype)
    x, y = base[:, :columns], other[:, :columns]
    want, untouched = x + y, base[:, columns + 1].clone()
    with FusionDefinition() as fd:
        tx, ty = fd.from_pytorch(x), fd.from_pytorch(y)
        fd.add_output(tx + ty, tx)
    text = fd.plan_text([x, y])
    fd.execute([x, y])
    torch.cuda.synchronize()
    torch.testing.assert_close(x, want)
    assert torch.equal(base[:, columns + 1], untouched)
    assert "1 kernels" in text and ("peel=1" in text or columns < 37)


@pytest.mark.parametrize("withheld", ["exact", "divisors", "alignment", "narrow", "exact,divisors,alignment,narrow"])
def test_withheld_facts_smallest(withheld):
    x, b = randn(64, 128), randn(128)
    set_option("withhold", withheld)
    try:
        with FusionDefinition() as fd:
            tx, tb = fd.from_pytorch(x), fd.from_pytorch(b)
            fd.add_output(tx * tb)
            fd.add_output(fd.ops.stride_order(fd.ops.permute(tx, [1, 0]), [1, 0]))
        product, turned = fd.execute([x, b])
        torch.testing.assert_close(product, x * b)
        assert torch.equal(turned, x.t())
    finally:
        set_option("withhold", "")


def test_out_smallest():
    x, y = randn(40, 50), randn(40, 50)
    fd = added(x, y)
    for target in [
        torch.empty_like(x),
        torch.empty(50, 40, device="cuda").t(),
        torch.empty(41, 51, device="cuda")[1:, 1:],
    ]:
        (got,) = fd.execute([x, y], out=[target])
        assert got is target
        torch.testing.assert_close(target, x + y)
    want = x + y
    fd.execute([x, y], out=[x])
    torch.testing.assert_close(x, want)


def test_channels_last_results():
    x = randn(4, 8, 16, 16).to(memory_format=torch.channels_last)
    fd = added(x, x)
    (got,) = fd.execute([x, x])
    assert got.stride() == x.stride()
    torch.testing.assert_close(got, x + x)


def test_one_plan_on_four_streams():
    x, y = randn(1 << 20), randn(1 << 20)
    fd = added(x, y)
    fd.execute([x, y])
    torch.cuda.synchronize()
    streams = [torch.cuda.Stream() for _ in range(4)]
    results = []
    for _ in range(20):
        for stream in streams:
            with torch.cuda.stream(stream):
                results += fd.execute([x, y])
    torch.cuda.synchronize()
    assert fd._executor.plan_count == 1
    for result in results:
        assert torch.equal(result, x + y)


def test_two_captures_of_one_plan_replay_together():
    x, y = randn(1 << 16), randn(1 << 16)
    fd = added(x, y)
    fd.execute([x, y])
    torch.cuda.synchronize()
    graphs, results = [], []
    for _ in range(2):
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            results += fd.execute([x, y])
        graphs.append(graph)
    x.fill_(2.0)
    y.fill_(3.0)
    for graph in graphs:
        graph.replay()
    torch.cuda.synchronize()
    for result in results:
        assert bool((result == 5).all())
