# SPDX-License-Identifier: Apache-2.0
"""Where a program is cut into kernels."""

import pytest
import torch
from agreement import COMPILED, kernel_count, run

from nvfuser import DataType, FusionDefinition, ops


def numbers(*shape):
    return torch.arange(torch.Size(shape).numel(), dtype=torch.float32).reshape(shape) / 8


def cut_once(fd, x, y):
    fd.add_output(ops.segment_set(x * 2.0) + y)


def cut_twice(fd, x, y):
    fd.add_output(ops.segment_set(ops.segment_set(x * 2.0) + y) * 3.0)


def cut_and_keep(fd, x, y):
    """The cut tensor is an output too: no workspace."""
    middle = ops.segment_set(x * 2.0)
    fd.add_output(middle)
    fd.add_output(ops.permute(middle, [1, 0]) + ops.permute(y, [1, 0]))


def two_spaces(fd, x, y):
    """Outputs of different iteration spaces."""
    fd.add_output(x + y)
    fd.add_output(ops.iota(ops.size(x, 0)))


def one_space(fd, x, y):
    fd.add_output(x + y)
    fd.add_output(ops.exp(x))
    fd.add_output(ops.permute(x - y, [1, 0]))


def grouped(fd, x, y):
    """Statistics of groups of channels, and results of the channels' shape: both count the same points."""
    fd.add_output(ops.group_norm(ops.sin(x), 5))


def both_axes(fd, x, y):
    """One kernel reads x for both sums, a second combines those across rows, a third applies both."""
    fd.add_output(x * ops.sum(x, [1], True) * ops.sum(x, [0], True))


# name -> (build, kernels, reference)
PROGRAMS = {
    "cut_once": (cut_once, 2, lambda x, y: [x * 2 + y]),
    "cut_twice": (cut_twice, 3, lambda x, y: [(x * 2 + y) * 3]),
    "cut_and_keep": (cut_and_keep, 2, lambda x, y: [x * 2, (x * 2 + y).t()]),
    "two_spaces": (two_spaces, 2, lambda x, y: [x + y, torch.arange(x.shape[0])]),
    "grouped": (grouped, 1, lambda x, y: [torch.nn.functional.group_norm(x.sin(), 5)]),
    "both_axes": (both_axes, 3, lambda x, y: [x * x.sum(1, keepdim=True) * x.sum(0, keepdim=True)]),
    "one_space": (one_space, 1, lambda x, y: [x + y, torch.exp(x), (x - y).t()]),
}


@pytest.mark.parametrize("way", COMPILED)
@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(name, way):
    build, kernels, reference = PROGRAMS[name]
    x, y = numbers(20, 35), numbers(20, 35).flip(0).contiguous()
    with FusionDefinition() as fd:
        build(fd, fd.from_pytorch(x), fd.from_pytorch(y))
    assert kernel_count(fd, [x, y], way) == kernels
    for got, want in zip(run(fd, [x, y], way), reference(x, y), strict=True):
        torch.testing.assert_close(got, want)


def test_unused_cuts_cost_nothing():
    x = numbers(4, 4)
    with FusionDefinition() as fd:
        tensor = fd.from_pytorch(x)
        ops.segment_set(ops.sin(tensor))
        fd.add_output(tensor + 1.0)
    assert kernel_count(fd, [x], "host") == 1
    assert fd.plan_text([x], target="evaluator").startswith("way evaluator, 0 kernels")


def test_empty_results_launch_nothing():
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1, -1], contiguity=True, dtype=DataType.Half)
        fd.add_output(ops.segment_set(x) + 1.0)
    for way in COMPILED:
        assert kernel_count(fd, [torch.ones(0, 3).half()], way) == 0
        assert run(fd, [torch.ones(0, 3).half()], way)[0].shape == (0, 3)
