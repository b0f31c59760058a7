# SPDX-License-Identifier: Apache-2.0
"""Outputs that are written into inputs: hazards, layouts, what is returned, what is refused."""

import numpy as np
import pytest
import torch
from agreement import WAYS, run

from nvfuser import DataType, FusionDefinition, NvfError, ShapeError, ops


def numbers(*shape):
    return torch.arange(torch.Size(shape).numel(), dtype=torch.float32).reshape(shape) + 1


def plus_transpose(fd, x):
    fd.add_output(x + ops.permute(x, [1, 0]), x)


def each_other(fd, a, b):
    fd.add_output(a * 2.0 + b, a)
    fd.add_output(b * 3.0 + a, b)


def into_unread(fd, a, b):
    fd.add_output(a + 1.0, b)


def increment(fd, a):
    fd.add_output(a + 1.0, a)


def broadcast_and_update(fd, a, b):
    """`b` is read along another axis than that on which `a` is updated."""
    fd.add_output(a + ops.broadcast(b, [True, False]), a)
    fd.add_output(b * 2.0, b)


def updated_and_read_by_others(fd, a, b):
    fd.add_output(a + b, a)
    fd.add_output(ops.permute(a, [1, 0]) * 2.0)


def after_a_cut(fd, a, b):
    fd.add_output(ops.segment_set(a * 2.0) + ops.permute(a, [1, 0]), a)


def swapped(fd, a, b):
    fd.add_output(ops.set(a), b)
    fd.add_output(ops.set(b), a)


# name -> (build, inputs, results (of fresh inputs): inputs after the call, then visible outputs)
CASES = {
    "plus_transpose": (plus_transpose, lambda: [numbers(37, 37)], lambda x: [x + x.t()]),
    "each_other": (each_other, lambda: [numbers(50), numbers(50).flip(0)], lambda a, b: [a * 2 + b, b * 3 + a]),
    "swapped": (swapped, lambda: [numbers(33), -numbers(33)], lambda a, b: [b, a]),
    "into_unread": (into_unread, lambda: [numbers(9), torch.zeros(9)], lambda a, b: [a, a + 1]),
    "stepped_target": (increment, lambda: [numbers(5, 12)[:, ::3]], lambda a: [a + 1]),
    "transposed_target": (increment, lambda: [numbers(5, 12).t()], lambda a: [a + 1]),
    "sliced_target": (increment, lambda: [numbers(7, 12)[2:5, 1:]], lambda a: [a + 1]),
    "broadcast": (broadcast_and_update, lambda: [numbers(6, 10), numbers(10)], lambda a, b: [a + b, b * 2]),
    "read_by_others": (
        updated_and_read_by_others,
        lambda: [numbers(8, 8), numbers(8, 8)],
        lambda a, b: [a + b, b, a.t() * 2],
    ),
    "after_a_cut": (after_a_cut, lambda: [numbers(16, 16), numbers(1)], lambda a, b: [a * 2 + a.t(), b]),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", CASES)
def test_in_place(case, way):
    build, make, results = CASES[case]
    with FusionDefinition() as fd:
        build(fd, *[fd.from_pytorch(tensor) for tensor in make()])
    for _ in range(2):  # the second call finds a plan
        inputs = make()
        rooms = [tensor._base if tensor._base is not None else tensor for tensor in inputs]
        untouched = [room.clone() for room in rooms]
        want = [tensor.clone() for tensor in results(*inputs)]
        outputs = run(fd, inputs, way)
        assert all(torch.equal(got, ref) for got, ref in zip(inputs + outputs, want, strict=True)), (inputs, outputs)
        # Memory around the targets is as it was.
        for tensor, room, before in zip(inputs, rooms, untouched, strict=True):
            mask = torch.ones(room.numel(), dtype=torch.bool)
            mask.as_strided(tensor.shape, tensor.stride(), tensor.storage_offset()).fill_(False)
            assert torch.equal(room.flatten()[mask], before.flatten()[mask])


@pytest.mark.parametrize("way", WAYS)
def test_hidden_and_visible(way):
    """An aliased output is not returned, unless it is added without the alias too; all of them share memory."""
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1], contiguity=True)
        y = x + 1.0
        fd.add_output(y, x)
        fd.add_output(y)
        fd.add_output(y)
        fd.add_output(x * 1.0)
    tensor = numbers(5)
    outputs = run(fd, [tensor], way)
    assert len(outputs) == 3
    assert tensor.tolist() == [2, 3, 4, 5, 6] and outputs[2].tolist() == [1, 2, 3, 4, 5]
    assert {outputs[0].data_ptr(), outputs[1].data_ptr(), tensor.data_ptr()} == {tensor.data_ptr()}
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1], contiguity=True)
        fd.add_output(x * 2.0, x)
    assert run(fd, [tensor], way) == [] and tensor.tolist() == [4, 6, 8, 10, 12]


@pytest.mark.parametrize("way", WAYS)
def test_inputs_and_duplicates_as_outputs(way):
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1], contiguity=True)
        y = x * 2.0
        for output in (y, x, y):
            fd.add_output(output)
    tensor = numbers(4)
    outputs = run(fd, [tensor], way)
    assert [t.tolist() for t in outputs] == [[2, 4, 6, 8], [1, 2, 3, 4], [2, 4, 6, 8]]
    assert outputs[0].data_ptr() == outputs[2].data_ptr()


@pytest.mark.parametrize("way", WAYS)
def test_inputs_that_share_memory(way):
    """All is read before anything is written; where targets overlap the later output stays."""
    with FusionDefinition() as fd:
        a, b = (fd.define_tensor(shape=[-1, -1], contiguity=True) for _ in range(2))
        fd.add_output(a + ops.permute(b, [1, 0]), a)
    for separate in (True, False, True):  # plans of both kinds exist after the first two calls
        x = numbers(30, 30)
        y = x.clone() if separate else x
        want = x + y.t()
        run(fd, [x, y], way)
        assert torch.equal(x, want)
    with FusionDefinition() as fd:
        a, b = (fd.define_tensor(shape=[-1], contiguity=True) for _ in range(2))
        fd.add_output(a + b, b)
    x = numbers(40)
    want = torch.cat([x[:1], x[:-1] + x[1:]])
    run(fd, [x[:-1], x[1:]], way)
    assert torch.equal(x, want)
    with FusionDefinition() as fd:
        a, b = (fd.define_tensor(shape=[-1], contiguity=True) for _ in range(2))
        fd.add_output(a * 2.0, a)
        fd.add_output(b * 3.0, b)
    x = torch.ones(40)
    run(fd, [x[:30], x[10:]], way)
    assert x.tolist() == [2.0] * 10 + [3.0] * 30


@pytest.mark.parametrize("way", WAYS)
def test_refused_targets(way):
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1, -1], contiguity=[False, False])
        fd.add_output(x + 1.0, x)
    with pytest.raises(
        ShapeError, match="output 0, T1.*, cannot be written into input 0, T0.*, which has stride 0 in axis 1"
    ):
        fd.execute([torch.ones(3, 1).expand(3, 4)], target=way)
    with pytest.raises(
        ShapeError, match="into input 0, T0.*, whose axes 0 and 1 overlap, so several elements share memory"
    ):
        fd.execute([torch.ones(40).as_strided((10, 3), (1, 1))], target=way)
    frozen = np.ones((3, 4), np.float32)
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="input 0, T0.*, is read-only, but an output is written into it"):
        fd.execute([frozen], target=way)
    assert np.all(frozen == 1)
    tensor = torch.ones(3, 4)
    run(fd, [tensor], way)  # the fusion stays usable
    assert tensor.tolist() == [[2.0] * 4] * 3


@pytest.mark.parametrize("way", WAYS)
def test_target_of_other_size_or_dtype(way):
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1], contiguity=True)
        y = fd.define_tensor(shape=[-1], contiguity=True)
        fd.add_output(x + 1.0, y)
    with pytest.raises(ShapeError, match="output 0, .*, cannot be written into input 1, T1.*, sizes or dtypes differ"):
        fd.execute([torch.ones(3), torch.ones(4)], target=way)
    with FusionDefinition() as fd:
        half = fd.define_tensor(shape=[-1], contiguity=True, dtype=DataType.Half)
        with pytest.raises(NvfError):
            fd.add_output(half + 1.0, half)
            fd.execute([torch.ones(3, dtype=torch.half)], target=way)


def test_alias_has_to_be_an_input():
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1], contiguity=True)
        y = x + 1.0
        with pytest.raises(NvfError):
            fd.add_output(y * 2.0, y)
        with pytest.raises(TypeError, match="argument 'alias_input': expected a TensorView, got int"):
            fd.add_output(y, 1)


def test_one_value_has_one_target():
    with FusionDefinition() as fd:
        x, y = fd.define_tensor(shape=[-1]), fd.define_tensor(shape=[-1])
        z = x + 1.0
        fd.add_output(z, x)
        with pytest.raises(NvfError, match="is written into T0.* already"):
            fd.add_output(z, y)
        with pytest.raises(NvfError):
            fd.add_output(y * 2.0, x)
