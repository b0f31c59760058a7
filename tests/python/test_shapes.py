# SPDX-License-Identifier: Apache-2.0
"""Shape operations, factories, broadcasting, sizes 0 and 1, offsets and the strides of outputs."""

import pytest
import torch
from agreement import COMPILED, WAYS, kernel_count, run, run_everywhere, ulps

from nvfuser import DataType, FusionDefinition, ops


def numbers(*shape):
    """Distinct values in row-major order."""
    count = torch.Size(shape).numel()
    return torch.arange(count, dtype=torch.float32).reshape(shape) / 4 + 1


def check(build, inputs, references, static=False, strides=True):
    """Outputs of `build(fd, *inputs)` equal the references in every way, and so do their strides."""
    with FusionDefinition() as fd:
        for output in build(fd, *[fd.from_pytorch(tensor, static_sizes=static) for tensor in inputs]):
            fd.add_output(output)
    for way, outputs in run_everywhere(fd, inputs).items():
        for position, (got, want) in enumerate(zip(outputs, references, strict=True)):
            assert got.shape == want.shape and ulps(got, want) == 0, (way, position, got, want)
            if strides and want.numel() > 0:
                assert got.stride() == want.stride(), (way, position)
    return fd


@pytest.mark.parametrize("static", [False, True])
def test_shape_operations(static):
    x, v, r = numbers(3, 4), numbers(4), numbers(2, 1, 5)

    def build(fd, x, v, r):
        n, m = ops.shape(x)
        yield ops.broadcast(x, [False, True, False])
        yield ops.broadcast(x, [True, False, False, True])
        yield ops.set(ops.broadcast_in_dim(v, [3, 4], [1]))
        yield ops.broadcast_in_dim(v, [n, ops.size(v, 0)], [-1]) + 0.0
        yield ops.set(ops.expand(r, [-1, 3, 5]))
        yield ops.expand(r, [ops.size(r, 0), 6, -1]) * 1.0
        yield ops.squeeze(r, [1])
        yield ops.squeeze(ops.expand(r, [-1, 7, -1]), [-2], squeeze_expanded=True)
        yield ops.permute(x, [1, 0])
        yield ops.permute(r, [2, 0, 1])
        yield ops.permute(ops.permute(r, [2, 0, 1]), [1, 2, 0])
        yield ops.full([n, 2], 1.5, DataType.Double)
        yield ops.full([2, ops.size(x, -1)], ops.size(x, 0), DataType.Int)
        yield ops.iota(ops.size(x, 1), n, 2, DataType.Int)
        yield x + ops.cast(m, DataType.Float)

    wide = r.expand(2, 6, 5).contiguous()
    references = [
        x[:, None, :], x[None, :, :, None], v.expand(3, 4), v.expand(3, 4).contiguous(), r.expand(2, 3, 5), wide,
        r[:, 0], r[:, 0], x.t(), r.permute(2, 0, 1), r, torch.full((3, 2), 1.5, dtype=torch.float64),
        torch.full((2, 4), 3), 3 + 2 * torch.arange(4), x + 4,
    ]  # fmt: skip
    check(build, [x, v, r], references, static=static, strides=False)


def test_factories_without_inputs():
    with FusionDefinition() as fd:
        fd.add_output(ops.full([2, 3], 2, DataType.Float))
        fd.add_output(ops.full([2, 0], True, DataType.Bool))
        fd.add_output(ops.full([], 1 + 2j, DataType.ComplexFloat))
        fd.add_output(ops.iota(6))
        fd.add_output(ops.iota(5, 2, -3, DataType.Int32))
        fd.add_output(ops.iota(4, 0.5, 0.25, DataType.Double))
        fd.add_output(ops.iota(0))
        fd.add_output(ops.full([6], 1, DataType.Half) + ops.iota(6))
    references = [
        torch.full((2, 3), 2.0), torch.full((2, 0), True), torch.tensor(1 + 2j), torch.arange(6),
        torch.arange(2, -13, -3, dtype=torch.int32), torch.arange(0.5, 1.5, 0.25, dtype=torch.float64),
        torch.arange(0), torch.arange(6).float() + 1,
    ]  # fmt: skip
    for outputs in run_everywhere(fd, []).values():
        for got, want in zip(outputs, references, strict=True):
            assert got.dtype == want.dtype and got.shape == want.shape and torch.equal(got, want)


def test_factories_with_symbolic_sizes():
    with FusionDefinition() as fd:
        n, m = fd.define_vector(2)
        start, value = fd.define_scalar(dtype=DataType.Double), fd.define_scalar(dtype=DataType.Int)
        fd.add_output(ops.full([n, m], value, DataType.Int32))
        fd.add_output(ops.iota(n * m + 1, start, start / 2, DataType.Float))
    for n, m in ((3, 5), (1, 1), (0, 4)):
        for outputs in run_everywhere(fd, [[n, m], 0.5, -7]).values():
            assert torch.equal(outputs[0], torch.full((n, m), -7, dtype=torch.int32))
            assert torch.equal(outputs[1], 0.5 + 0.25 * torch.arange(n * m + 1))


def test_sizes_from_scalars_of_all_types():
    """A plan holds for the sizes that it was made for, whatever they were computed from."""
    with FusionDefinition() as fd:
        length, longer = fd.define_scalar(), fd.define_scalar(dtype=DataType.Bool)
        fd.add_output(ops.full([ops.cast(length, DataType.Int)], length, DataType.Float))
        fd.add_output(ops.iota(ops.where(longer, 5, 3)))
    for way in WAYS:
        for length, longer in ((2.0, True), (3.0, True), (3.5, False), (3.5, True)):
            full, iota = run(fd, [length, longer], way)
            assert full.tolist() == [length] * int(length) and iota.tolist() == list(range(5 if longer else 3))


# One kernel each, though one tensor is read along different axes: name -> (input, builder, reference).
ONE_KERNEL = {
    "outer": (
        numbers(37),
        lambda x: ops.broadcast(x, [False, True]) + ops.broadcast(x, [True, False]),
        lambda x: x[:, None] + x[None, :],
    ),
    "plus_transpose": (numbers(33, 33), lambda x: x + ops.permute(x, [1, 0]), lambda x: x + x.t()),
    "two_axes": (
        numbers(8),
        lambda x: ops.broadcast_in_dim(x, [8, 8, 3], [0]) * ops.broadcast_in_dim(x, [8, 8, 3], [1]),
        lambda x: (x[:, None, None] * x[None, :, None]).expand(8, 8, 3),
    ),
    "two_permutes": (
        numbers(6, 6, 6),
        lambda x: ops.permute(x, [2, 0, 1]) - ops.permute(x, [1, 2, 0]),
        lambda x: x.permute(2, 0, 1) - x.permute(1, 2, 0),
    ),
    "computed_transpose": (
        numbers(40, 40),
        lambda x: ops.permute(x * x + 1.0, [1, 0]) - (x * x + 1.0),
        lambda x: (x * x + 1).t() - (x * x + 1),
    ),
}


@pytest.mark.parametrize("way", COMPILED)
@pytest.mark.parametrize("case", ONE_KERNEL)
def test_one_kernel(case, way):
    x, build, reference = ONE_KERNEL[case]
    with FusionDefinition() as fd:
        fd.add_output(build(fd.from_pytorch(x)))
    assert kernel_count(fd, [x], way) == 1
    (got,) = run(fd, [x], way)
    assert torch.equal(got, reference(x))
    (evaluated,) = run(fd, [x], "evaluator")
    assert torch.equal(got, evaluated) and got.stride() == evaluated.stride()


def test_one_fusion_for_many_sizes():
    """Symbolic sizes: 0, 1, and sizes around tiles, with an offset that breaks the alignment of vectors."""
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1, -1], contiguity=[True, True])
        y = fd.define_tensor(shape=[-1], contiguity=[True])
        fd.add_output(x * 2.0 + y)
        fd.add_output(ops.permute(x, [1, 0]))
    room = numbers(70 * 70 + 1)
    for way in WAYS:
        for n, m in ((0, 3), (3, 0), (0, 0), (1, 1), (1, 5), (5, 1), (31, 33), (64, 64), (70, 69)):
            for offset in (0, 1):
                x = room[offset : offset + n * m].reshape(n, m)
                y = room[offset : offset + m]
                got = run(fd, [x, y], way)
                assert torch.equal(got[0], x * 2 + y), (way, n, m, offset)
                assert got[1].shape == (m, n) and torch.equal(got[1], x.t())


def test_rank_zero():
    x, y = torch.tensor(1.5), numbers(3)

    def build(fd, x, y):
        yield x + 1.0
        yield x + y
        yield ops.broadcast_in_dim(x, [2, 3], []) + y  # an expanded axis keeps stride 0 until it meets a real one
        yield ops.broadcast(x, [True, True])
        yield ops.where(ops.gt(x, 1.0), x, 0.0)
        yield ops.cast(x, DataType.Int)
        yield ops.full([], 7, DataType.Int)
        yield ops.permute(x, [])

    references = [
        torch.tensor(2.5), 1.5 + y, (1.5 + y).expand(2, 3), torch.full((1, 1), 1.5), torch.tensor(1.5),
        torch.tensor(1), torch.tensor(7), torch.tensor(1.5),
    ]  # fmt: skip
    check(build, [x, y], references)


def test_odd_strides_of_size_one():
    """The stride of an axis of size 1 means nothing."""
    x = torch.as_strided(numbers(12), (3, 1, 4), (4, 77, 1))
    y = torch.as_strided(numbers(12), (1, 3, 4), (99, 4, 1))
    with FusionDefinition() as fd:
        a = fd.define_tensor(shape=[-1, 1, -1], contiguity=[True, None, True])
        b = fd.define_tensor(shape=[-1, -1, -1], contiguity=[True, True, True])
        fd.add_output(a * 2.0)
        fd.add_output(b + 1.0)
    for outputs in run_everywhere(fd, [x, y]).values():
        assert torch.equal(outputs[0], x * 2) and torch.equal(outputs[1], y + 1)
        assert outputs[0].is_contiguous() and outputs[1].is_contiguous()


def test_layout_of_outputs():
    """Channels-last stays channels-last; a result follows its inputs; stride_order fixes the layout."""
    x = numbers(2, 3, 4, 5).contiguous(memory_format=torch.channels_last)
    bias = numbers(3).reshape(1, 3, 1, 1)
    row_major = x.contiguous()

    def build(fd, x, bias, row_major):
        yield ops.relu(x)
        yield x + bias
        yield x + ops.permute(row_major, [0, 1, 2, 3])
        yield ops.stride_order(x, [3, 2, 1, 0])
        yield ops.stride_order(row_major, [0, 3, 1, 2])
        yield ops.cast(x, DataType.Half)
        yield ops.permute(x, [0, 2, 3, 1])
        yield ops.stride_order(ops.broadcast(row_major, [False, True, False, False, False]), [4, 3, 2, 0, 1])

    ordered = row_major.permute(1, 3, 2, 0).contiguous().permute(3, 0, 2, 1)
    references = [
        x, x + bias, x + x, row_major, ordered, x.half(), x.permute(0, 2, 3, 1),
        row_major.transpose(2, 3).contiguous().transpose(2, 3).unsqueeze(1),
    ]  # fmt: skip
    fd = check(build, [x, bias, row_major], references, strides=False)
    outputs = run(fd, [x, bias, row_major], "host")
    assert outputs[4].stride() == ordered.stride() == (1, 40, 2, 8)
    for position in (0, 1, 2, 5):
        assert outputs[position].is_contiguous(memory_format=torch.channels_last), position
    for position in (3, 6):
        assert outputs[position].is_contiguous(), position
    assert outputs[7].squeeze(1).transpose(2, 3).is_contiguous()


def test_broadcast_strides():
    """A broadcast with a fixed order has the strides of a dense tensor."""
    x = numbers(3, 2)
    with FusionDefinition() as fd:
        a = ops.broadcast(fd.from_pytorch(x), [True, False, False, True])
        fd.add_output(ops.stride_order(a, [0, 1, 2, 3]))
    for (got,) in run_everywhere(fd, [x]).values():
        assert got.stride() == (1, 1, 3, 6) and torch.equal(got, x[None, :, :, None])
