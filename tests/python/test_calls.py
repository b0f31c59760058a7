# SPDX-License-Identifier: Apache-2.0
"""Calls: how tensors are borrowed, how results are made, what `out` means, and what a warm call leaves alone."""

from __future__ import annotations

import gc
import sys
import threading

import numpy as np
import pytest

import nvfuser
from nvfuser import FusionDefinition

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def doubled():
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1, -1], contiguity=[False, False])
        fd.add_output(x * 2.0)
    return fd


def test_a_subclass_goes_the_checked_way(doubled):
    class Named(torch.Tensor):
        pass

    tensor = torch.ones(2, 3).as_subclass(Named)
    (got,) = doubled.execute([tensor])
    assert type(got) is torch.Tensor
    assert got.tolist() == [[2.0] * 3] * 2


def test_a_parameter_is_lent_like_a_tensor(doubled):
    (got,) = doubled.execute([torch.nn.Parameter(torch.ones(2, 3))])
    assert got.tolist() == [[2.0] * 3] * 2
    assert not got.requires_grad


def test_results_carry_no_autograd_state(doubled):
    (got,) = doubled.execute([torch.ones(2, 3, requires_grad=True)])
    assert got.grad_fn is None and not got.requires_grad


@pytest.mark.parametrize("view", ["neg", "conj"])
def test_lazy_views_are_refused(view):
    """Their memory holds other values than they have."""
    values = torch.arange(4.0).reshape(2, 2)
    if view == "neg":
        lazy = torch.complex(values, values).conj().imag
        assert lazy.is_neg()
        dtype = nvfuser.DataType.Float
    else:
        lazy = torch.complex(values, values).conj()
        dtype = nvfuser.DataType.ComplexFloat
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1, -1], contiguity=[False, False], dtype=dtype)
        fd.add_output(x + 1.0)
    with pytest.raises(TypeError, match="input 0: .*resolve_"):
        fd.execute([lazy])
    (got,) = fd.execute([lazy.resolve_neg().resolve_conj()])
    assert torch.equal(got, lazy + 1.0)


def test_a_tensor_without_memory_is_refused(doubled):
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode() as mode:
        fake = mode.from_tensor(torch.ones(2, 3))
        with pytest.raises(TypeError, match="input 0: "):
            doubled.execute([fake])
    with pytest.raises(TypeError, match="input 0: .*layout torch.sparse_coo"):
        doubled.execute([torch.ones(2, 3).to_sparse()])
    with pytest.raises(TypeError, match="input 0: .*meta"):
        doubled.execute([torch.ones(2, 3, device="meta")])


def test_layouts_of_results():
    """Channels-last in, channels-last out; large results from the pool, small ones from the framework."""
    with FusionDefinition() as fd:
        x = fd.from_pytorch(torch.ones(2, 3, 4, 5).to(memory_format=torch.channels_last))
        fd.add_output(x + 1.0)
    for shape in [(2, 3, 4, 5), (4, 16, 64, 128)]:
        tensor = torch.rand(shape).to(memory_format=torch.channels_last)
        (got,) = fd.execute([tensor])
        assert got.stride() == tensor.stride()
        assert torch.equal(got, tensor + 1.0)
        got.add_(1.0)
        assert torch.equal(got, tensor + 2.0)


def test_results_are_freed():
    """No reference to a result, nor to an input, stays behind."""
    with FusionDefinition() as fd:
        fd.add_output(fd.from_pytorch(torch.ones(8)) + 1.0)
    tensor, array = torch.ones(8), np.ones(8, np.float32)
    fd.execute([tensor]), fd.execute([array])
    before = sys.getrefcount(tensor), sys.getrefcount(array)
    for _ in range(100):
        fd.execute([tensor]), fd.execute([array])
    assert (sys.getrefcount(tensor), sys.getrefcount(array)) == before
    (result,) = fd.execute([tensor])
    assert sys.getrefcount(result) == 2


# ---- out ----


@pytest.mark.parametrize("way", ["host", "emulator", "evaluator"])
def test_out_takes_results(doubled, way):
    x = torch.rand(5, 7)
    for target in [torch.empty(5, 7), torch.empty(7, 5).t(), torch.empty(5, 14)[:, ::2], torch.empty(6, 8)[1:, 1:]]:
        (got,) = doubled.execute([x], out=[target], target=way)
        assert got is target
        assert torch.equal(target, x * 2)
    array = np.empty((5, 7), np.float32)
    (got,) = doubled.execute([x.numpy()], out=[array], target=way)
    assert got is array and np.array_equal(array, x.numpy() * 2)


@pytest.mark.parametrize("way", ["host", "emulator", "evaluator"])
def test_out_may_share_memory_with_inputs(way):
    """All is read before anything that was read is written."""
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1, -1], contiguity=[False, False])
        fd.add_output(x + fd.ops.permute(x, [1, 0]))
    x = torch.rand(9, 9)
    expected = x + x.t()
    (got,) = fd.execute([x], out=[x], target=way)
    assert got is x and torch.equal(x, expected)
    base = torch.rand(12, 9)
    expected = base[:9] + base[:9].t()
    fd.execute([base[:9]], out=[base[3:]], target=way)
    assert torch.equal(base[3:], expected)


def test_out_is_checked(doubled):
    x = torch.rand(5, 7)
    frozen = np.empty((5, 7), np.float32)
    frozen.flags.writeable = False
    base = torch.empty(5, 8)
    cases = [
        ([torch.empty(5, 8)], nvfuser.ShapeError, r"out\[0\].*sizes or dtypes differ"),
        ([torch.empty(5, 7, dtype=torch.float64)], nvfuser.ShapeError, "sizes or dtypes differ"),
        ([torch.empty(5, 7), torch.empty(5, 7)], nvfuser.DefinitionError, "Expected 1 tensors in `out`, but got 2"),
        ([torch.empty(5, 1).expand(5, 7)], nvfuser.ShapeError, "stride 0 in axis 1"),
        ([base.as_strided((5, 7), (1, 1))], nvfuser.ShapeError, "overlap"),
        ([2.0], TypeError, r"out\[0\]: expected a tensor"),
        ([frozen], ValueError, r"out\[0\] is read-only"),
    ]
    for out, kind, message in cases:
        with pytest.raises(kind, match=message):
            doubled.execute([x], out=out)
    (got,) = doubled.execute([x])
    assert torch.equal(got, x * 2)


def test_out_of_two_outputs():
    with FusionDefinition() as fd:
        x = fd.from_pytorch(torch.ones(4))
        fd.add_output(x + 1.0)
        fd.add_output(x * 3.0)
    x, a, b = torch.rand(4), torch.empty(4), torch.empty(4)
    first, second = fd.execute([x], out=[a, b])
    assert first is a and second is b
    assert torch.equal(a, x + 1) and torch.equal(b, x * 3)
    with pytest.raises(nvfuser.ShapeError, match=r"out\[1\] and out\[0\] share memory"):
        fd.execute([x], out=[a, a])


# ---- plans ----


def test_plans_are_found_again():
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1], contiguity=[True])
        scale = fd.define_scalar(dtype=nvfuser.DataType.Double)
        fd.add_output(x * scale)
    executor = fd._ready()
    for _ in range(3):
        for factor in (2.0, 3.0):
            (got,) = fd.execute([np.ones(6, np.float32), factor])
            assert got.tolist() == [factor] * 6
    assert executor.plan_count == 1, "a factor is no fact"
    fd.execute([np.ones(7, np.float32), 2.0])
    assert executor.plan_count == 2
    assert fd.last_way == nvfuser.Way.host


def test_threads_share_a_program(doubled):
    errors = []

    def work(seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        for step in range(50):
            x = torch.rand(3 + seed, 2 + step % 5, generator=generator)
            (got,) = doubled.execute([x])
            if not torch.equal(got, x * 2):
                errors.append((seed, step))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors


def test_results_note_that_memory_was_written(doubled):
    """Autograd finds out that a tensor which it saved was written by `out` or in place."""
    x, weight = torch.rand(3, 4), torch.rand(3, 4, requires_grad=True)
    product = (weight * x).sum()
    version = x._version
    doubled.execute([torch.rand(3, 4)], out=[x])
    assert x._version == version + 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        product.backward()


def test_results_are_tensors_like_any_other(doubled):
    (got,) = doubled.execute([torch.ones(2, 3)])
    assert got._version == 0 and got.is_leaf and type(got) is torch.Tensor
    got.resize_(100, 100)
    assert got.shape == (100, 100)
    with torch.inference_mode():
        assert doubled.execute([torch.ones(2, 3)])[0].is_inference()


def test_definitions_are_called_by_compiled_code(doubled):
    """No Python function stands between the caller and the plan."""
    assert not isinstance(type(doubled).execute, type(lambda: None))
    called = []
    inputs = [torch.ones(2, 3)]
    doubled.execute(inputs)
    sys.setprofile(lambda frame, event, argument: called.append((event, frame.f_code.co_name)))
    try:
        doubled.execute(inputs)
    finally:
        sys.setprofile(None)
    assert [name for event, name in called if event == "call"] == []


def test_a_hit_leaves_nothing_but_results(doubled):
    """Blocks of Python's memory that calls leave behind: a list and its room, and what a tensor itself takes."""
    inputs, out = [torch.ones(2, 3), torch.ones(2, 3)], torch.ones(2, 3)
    with FusionDefinition() as fd:
        fd.add_output(fd.from_pytorch(out) + fd.from_pytorch(out))
    count = 200
    results = [None] * count

    def blocks(make) -> float:
        for k in range(count):
            results[k] = make()
        before = sys.getallocatedblocks()
        for k in range(count):
            results[k] = None
        return (before - sys.getallocatedblocks()) / count

    gc.disable()
    try:
        empty = blocks(lambda: [torch.empty(2, 3)])
        assert round(blocks(lambda: fd.execute(inputs))) == round(empty)
        assert round(blocks(lambda: fd.execute(inputs, out=[out]))) == round(blocks(lambda: [out]))
    finally:
        gc.enable()


def test_plans_are_bounded():
    nvfuser._C.set_option("plans", "2")
    try:
        with FusionDefinition() as fd:
            fd.add_output(fd.define_tensor(shape=[-1]) + 1.0)
        for size in (3, 4, 5, 3, 4, 5):
            assert fd.execute([np.ones(size, np.float32)])[0].shape == (size,)
        assert fd.executor.plan_count == 2
    finally:
        nvfuser._C.set_option("plans", "")


def test_a_cut_program_has_one_workspace():
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1])
        value = x
        for _ in range(4):
            value = fd.ops.segment_set(value * 2.0)
        fd.add_output(value + 1.0)
    plan = fd._plan([np.ones(1000, np.float32)], None)
    workspace = [spec for spec in plan.outputs if spec.workspace]
    assert [spec.elements for spec in workspace] == [2 * 4096]
    for target in ("host", "emulator"):
        assert fd.execute([np.ones(1000, np.float32)], target=target)[0].tolist() == [17.0] * 1000
