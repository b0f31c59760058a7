# SPDX-License-Identifier: Apache-2.0
"""Definitions of tensors and scalars: the three forms of define_tensor, scalars, vectors, and what is refused."""

import re

import pytest
import torch

from nvfuser import DataType, DTypeError, FusionDefinition, NvfError, ShapeError, compute_tensor_descriptor


def source(**kwargs):
    """The line of the printed definition that one define_tensor gives."""
    with FusionDefinition() as fd:
        fd.add_output(fd.ops.set(fd.define_tensor(**kwargs)))
    (line,) = [line.strip() for line in repr(fd).splitlines() if "define_tensor" in line]
    return line.split("define_tensor")[1]


FORMS = {
    "flags": (
        dict(shape=[-1, 1, 4], contiguity=[True, None, False], dtype=DataType.Half),
        "(shape=[-1, 1, 4], contiguity=[True, None, False], dtype=DataType.Half, is_cpu=False)",
    ),
    "flags_in_memory_order": (
        dict(shape=[-1, 1, 4], contiguity=[None, True, False], stride_order=[0, 2, 1]),
        "(shape=[-1, 1, 4], contiguity=[None, True, False], dtype=DataType.Float, is_cpu=False, "
        "stride_order=[0, 2, 1])",
    ),
    "expanded": (
        dict(shape=[-1, 5], contiguity=[None, True]),
        "(shape=[-1, 5], contiguity=[None, True], dtype=DataType.Float, is_cpu=False)",
    ),
    "one_flag": (
        dict(shape=[-1, 1, 4], contiguity=True, dtype=DataType.Int),
        "(shape=[-1, 1, 4], contiguity=[True, None, True], dtype=DataType.Int, is_cpu=False)",
    ),
    "default_flag": (
        dict(shape=[2, -1]),
        "(shape=[2, -1], contiguity=[False, False], dtype=DataType.Float, is_cpu=False)",
    ),
    "example": (
        dict(sizes=[2, 1, 3, 1, 4], strides=[24, 4, 8, 4, 2]),
        "(shape=[-1, 1, -1, 1, -1], contiguity=[True, True, None, None, False], dtype=DataType.Float, is_cpu=False, "
        "stride_order=[4, 2, 3, 1, 0])",
    ),
    "static_example": (
        dict(sizes=[2, 3], strides=[3, 1], dtype=DataType.Bool, static_sizes=True),
        "(shape=[2, 3], contiguity=[True, True], dtype=DataType.Bool, is_cpu=False)",
    ),
    "cpu_scalar": (
        dict(shape=[], contiguity=[], dtype=DataType.Double, is_cpu=True),
        "(shape=[], contiguity=[], dtype=DataType.Double, is_cpu=True)",
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_forms(form):
    given, printed = FORMS[form]
    assert source(**given) == printed


def test_positional_arguments():
    with FusionDefinition() as fd:
        a = fd.define_tensor([-1, 4], [True, True], DataType.Half)
        b = fd.define_tensor([-1, 4], True, DataType.Half)
        assert a.ndim == b.ndim == 2 and a.dtype() == b.dtype() == DataType.Half


def test_descriptor():
    contiguity, order = compute_tensor_descriptor([2, 1, 3, 1, 4], [24, 4, 8, 4, 2])
    assert contiguity == [True, True, None, None, False] and order == [4, 2, 3, 1, 0]
    assert compute_tensor_descriptor([4, 5], [5, 1]) == ([True, True], [1, 0])
    assert compute_tensor_descriptor([4, 5], [1, 4]) == ([True, True], [0, 1])
    assert compute_tensor_descriptor([4, 5], [0, 1]) == ([None, True], [1, 0])
    assert compute_tensor_descriptor([], []) == ([], [])
    with pytest.raises(ShapeError, match="stride -1 of axis 0 is negative"):
        compute_tensor_descriptor([3], [-1])
    with pytest.raises(ShapeError, match="2 sizes but 1 strides"):
        compute_tensor_descriptor([3, 4], [1])


REFUSED = {
    "below_minus_one": (
        dict(shape=[4, -2], contiguity=True),
        "the value -2 at index 1 was neither symbolic(-1), zero_element(0), broadcast(1), or static(>1)",
    ),
    "contiguity_length": (dict(shape=[-1, -1], contiguity=[True]), "contiguity has 1 entries for a shape of 2"),
    "cpu_with_axes": (dict(shape=[-1], contiguity=True, is_cpu=True), "only a tensor without axes can live on the CPU"),
    "order_length": (dict(shape=[-1, -1], contiguity=True, stride_order=[0]), "stride_order has 1 entries"),
    "order_twice": (dict(shape=[-1, -1], contiguity=True, stride_order=[0, 0]), "stride_order names 0 twice"),
    "order_out_of_range": (dict(shape=[-1, -1], contiguity=True, stride_order=[0, 2]), "axis 2 is out of range"),
    "negative_size": (dict(sizes=[-3], strides=[1]), "size -3 of axis 0 is negative"),
    "negative_stride": (dict(sizes=[3], strides=[-1]), "stride -1 of axis 0 is negative"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_shapes(case):
    given, message = REFUSED[case]
    with FusionDefinition() as fd, pytest.raises(RuntimeError, match=re.escape(message)) as caught:
        fd.define_tensor(**given)
    assert isinstance(caught.value, ShapeError)


WRONG_TYPES = {
    "float_size": dict(shape=[2.5], contiguity=True),
    "text_size": dict(shape=["a"], contiguity=True),
    "too_large": dict(shape=[2**63], contiguity=True),
    "number_as_flag": dict(shape=[-1], contiguity=[3]),
    "text_as_dtype": dict(shape=[-1], contiguity=True, dtype="Float"),
    "unknown_argument": dict(shape=[-1], contiguity=True, color=1),
    "mixed_forms": dict(shape=[-1], strides=[1]),
}


@pytest.mark.parametrize("case", WRONG_TYPES)
def test_wrong_argument_types(case):
    with FusionDefinition() as fd, pytest.raises(TypeError):
        fd.define_tensor(**WRONG_TYPES[case])


def test_scalars():
    with FusionDefinition() as fd:
        known = [fd.define_scalar(v) for v in (True, 2, 2.5, 1j)]
        fd.define_scalar(3, DataType.Double)
        symbolic = [fd.define_scalar(), fd.define_scalar(DataType.Int), fd.define_scalar(None, dtype=DataType.Bool)]
        vector = fd.define_vector(2)
        assert [v.is_symbolic() for v in known] == [False] * 4
        assert all(v.is_symbolic() for v in symbolic + vector)
        assert fd.fusion.inputs() == symbolic + vector
        with pytest.raises(DTypeError, match="define_scalar: a complex value cannot have the type Float"):
            fd.define_scalar(1j, DataType.Float)
        for wrong in ("a", [1], torch.ones(2)):
            with pytest.raises(TypeError):
                fd.define_scalar(wrong)


def test_definitions_need_a_fusion():
    from nvfuser import define_scalar, define_tensor

    for define in (lambda: define_scalar(1.0), lambda: define_tensor(shape=[2])):
        with pytest.raises(NvfError, match="no fusion is being defined; use `with FusionDefinition\\(\\) as fd:`"):
            define()


def test_from_pytorch():
    examples = {
        "contiguous": (torch.ones(2, 3), [True, True], None),
        "transposed": (torch.ones(2, 3).t(), [True, True], [0, 1]),
        "expanded": (torch.ones(2, 1).expand(2, 3), [True, None], None),
        "stepped": (torch.ones(2, 6)[:, ::2], [True, False], None),
    }
    for example, contiguity, order in examples.values():
        with FusionDefinition() as fd:
            fd.add_output(fd.ops.set(fd.from_pytorch(example)))
        assert f"contiguity={contiguity}" in repr(fd)
        assert (f"stride_order={order}" in repr(fd)) if order else ("stride_order" not in repr(fd))
    with FusionDefinition() as fd:
        assert fd.from_pytorch(torch.ones(4, 1, dtype=torch.int32), static_sizes=True).dtype() == DataType.Int32
        assert "shape=[4, 1]" in repr(fd)
        with pytest.raises(TypeError, match="expected a tensor, got list"):
            fd.from_pytorch([1, 2])
