# SPDX-License-Identifier: Apache-2.0
"""Calls and odd layouts on a GPU: vectors with a tail, peeled rows, withheld facts, `out`, streams, CUDA graphs."""

import pytest

torch = pytest.importorskip("torch")
if not torch.cuda.is_available():
    pytest.skip("needs a GPU", allow_module_level=True)

import nvfuser  # noqa: E402
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
    assert fd.executor.plan_count == 1
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


def test_a_capture_without_a_plan_is_refused_and_stays_usable():
    """The call that needs a plan says so; what is captured before and after it is replayed."""
    x, y = randn(1 << 12), randn(1 << 12)
    fd, other = added(x, y), added(x, y)
    fd.execute([x, y])
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        (first,) = fd.execute([x, y])
        with pytest.raises(nvfuser.DeviceError, match="captured into a CUDA graph.*before the capture begins"):
            other.execute([x, y])
        with pytest.raises(nvfuser.DeviceError, match="still usable"):
            fd.execute([x[:77], y[:77]])
        (second,) = fd.execute([first, y])
    x.fill_(2.0)
    y.fill_(3.0)
    graph.replay()
    torch.cuda.synchronize()
    assert bool((first == 5).all()) and bool((second == 8).all())
    assert other.executor.plan_count == 0
    (got,) = other.execute([x, y])
    assert bool((got == 5).all())


def test_a_cut_program_is_captured_with_its_workspace():
    x = randn(1 << 12)
    with FusionDefinition() as fd:
        value = fd.from_pytorch(x)
        for _ in range(3):
            value = fd.ops.segment_set(value * 2.0)
        fd.add_output(value + 1.0)
    fd.execute([x])
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        (got,) = fd.execute([x])
    x.fill_(2.0)
    graph.replay()
    torch.cuda.synchronize()
    assert bool((got == 17).all())


def test_results_belong_to_the_caching_allocator():
    """They can be resized, and record_stream keeps their memory until another stream is done with it."""
    x = randn(1 << 20)
    fd = added(x, x)
    fd.execute([x, x])
    side = torch.cuda.Stream()
    (got,) = fd.execute([x, x])
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        torch.cuda._sleep(50_000_000)
        kept = got.clone()
    got.record_stream(side)
    address = got.data_ptr()
    del got
    later = [fd.execute([x, x])[0] for _ in range(4)]
    assert address not in [tensor.data_ptr() for tensor in later], (
        "the memory was given out while the side stream reads"
    )
    torch.cuda.synchronize()
    assert torch.equal(kept, x + x)
    later[0].resize_(2 << 20)


def test_results_live_on_the_device_of_the_inputs():
    if torch.cuda.device_count() < 2:
        pytest.skip("needs two GPUs")
    x = torch.randn(100, device="cuda:1")
    fd = added(x, x)
    for current in (0, 1):
        with torch.cuda.device(current):
            (got,) = fd.execute([x, x])
            assert torch.cuda.current_device() == current
            assert got.device == x.device and torch.equal(got, x + x)


class Described:
    """A tensor that nothing but `__cuda_array_interface__` reaches."""

    def __init__(self, tensor, stream=None):
        self.owner = tensor
        self.__cuda_array_interface__ = tensor.__cuda_array_interface__ | {"stream": stream}


class Exported:
    """A tensor that nothing but `__dlpack__` reaches."""

    def __init__(self, tensor):
        self.owner, self.asked = tensor, []

    def __dlpack__(self, **options):
        self.asked.append(options)
        return self.owner.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.owner.__dlpack_device__()


def test_memory_lent_by_other_protocols():
    x, y = randn(30, 40), randn(40, 30).t()
    fd = added(x, y)
    exported = Exported(x)
    for inputs in ([Described(x), y], [Described(x, 1), Described(y)], [exported, Exported(y)]):
        (got,) = fd.execute(inputs)
        assert type(got) is torch.Tensor and got.is_cuda
        torch.testing.assert_close(got, x + y)
    assert exported.asked[0]["stream"] == 1, "the legacy default stream, on which torch works here"
    side = torch.cuda.Stream()
    with torch.cuda.stream(side):
        fd.execute([exported, y])
    assert exported.asked[-1]["stream"] == side.cuda_stream
