# SPDX-License-Identifier: Apache-2.0
"""Arguments as users have them: sequences of any kind, NumPy's numbers, 0 and 1, dtypes of torch and NumPy; what is
wrong with the others is said by index."""

import numpy as np
import pytest
import torch

import nvfuser
from nvfuser import DataType, FusionDefinition, compute_tensor_descriptor, ops


class Counted:
    """A sequence that says how often its length was asked for."""

    def __init__(self, items):
        self.items, self.asked = items, 0

    def __len__(self):
        self.asked += 1
        return len(self.items)

    def __getitem__(self, index):
        return self.items[index]


class Shrinking:
    """An integer that empties the list it is in when it is read."""

    def __init__(self):
        self.holder = [self, 1, 2]

    def __index__(self):
        self.holder.clear()
        return 0


@pytest.fixture
def x():
    with FusionDefinition() as fd:
        yield fd.define_tensor(shape=[-1, 4, 1], contiguity=True)


ORDERS = ([2, 0, 1], (2, 0, 1), torch.Size([2, 0, 1]), np.array([2, 0, 1]), [np.int64(2), np.int8(0), np.uint64(1)])


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: type(order).__name__)
def test_sequences_of_integers(x, order):
    assert [str(axis.extent()) for axis in ops.permute(x, order).get_logical_domain()] == ["1", "i0", "4"]


def test_any_sequence_is_sized_once_and_held(x):
    counted = Counted([2, 0, 1])
    assert ops.permute(x, counted).ndim == 3 and counted.asked == 1
    assert ops.permute(x, range(3)).ndim == 3
    shrinking = Shrinking()
    assert ops.permute(x, shrinking.holder).ndim == 3 and shrinking.holder == []


def test_shapes(x):
    assert [str(v) for v in ops.expand(x, np.array([-1, 4, 5])).shape()] == ["i0", "4", "5"]
    assert ops.broadcast_in_dim(x, torch.Size([2, 3, 4, 1]), (1, 2, 3)).ndim == 4
    assert ops.full((np.int32(2), ops.size(x, 0)), 1, DataType.Float).ndim == 2
    assert compute_tensor_descriptor(torch.ones(2, 3).size(), torch.ones(2, 3).stride()) == ([True, True], [1, 0])


WRONG = {
    "text": (lambda x: ops.permute(x, [0, 1, "2"]), "element 2: expected an int, got str"),
    "none": (lambda x: ops.sum(x, [0, None]), "element 1: expected an int, got NoneType"),
    "float": (lambda x: ops.squeeze(x, (2.0,)), "element 0: expected an int, got float"),
    "value": (lambda x: ops.sum(x, [ops.size(x, 0)]), "element 0: expected an int, got Val"),
    "large": (lambda x: ops.sum(x, [1 << 63]), "the integer 9223372036854775808 does not fit into 64 bits"),
    "flag": (lambda x: ops.broadcast(x, [True, 2, False]), "element 1: expected a bool, got int"),
    "shape": (lambda x: ops.expand(x, [4, 0.5, 1]), "argument 'shape', element 1: expected an int or a Val, got float"),
    "size": (lambda x: nvfuser.define_tensor(shape=[2, b"3"]), "element 1: expected an int, got bytes"),
    "no_sequence": (lambda x: ops.permute(x, 3), r"1\. permute\(arg: TensorView, dims: Sequence\[int\]\)"),
    "a_text": (lambda x: ops.permute(x, "021"), r"1\. permute\("),
    "a_dictionary": (lambda x: ops.sum(x, {0: 1}), r"3\. sum\(arg: TensorView, dims: Sequence\[int\]"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_elements(x, case):
    call, message = WRONG[case]
    with pytest.raises(TypeError, match=message):
        call(x)


def test_booleans(x):
    for yes in (True, 1, np.bool_(True)):
        assert ops.sum(x, [0], yes).ndim == 3 and ops.sum(x, [0], False).ndim == 2
        assert ops.broadcast(x, [yes, 0, np.False_, False]).ndim == 4
        assert nvfuser.define_tensor(shape=[2, 3], contiguity=yes).ndim == 2
    for wrong in (2, -1, 1.0, "1", None, np.int64(1), [True]):
        with pytest.raises(TypeError, match=r"keepdim: bool"):
            ops.sum(x, [0], wrong)


def test_integers_after_sizes_are_strides():
    """By position 0 and 1 could be flags or strides: strides they are, as in that API."""
    with FusionDefinition() as fd:
        fd.add_output(fd.define_tensor([2, 3], [1, 1]))
        fd.add_output(fd.define_tensor(shape=[2, 3], contiguity=[1, 0]))
    assert "shape=[-1, -1], contiguity=[None, True]" not in repr(fd)
    assert "shape=[2, 3], contiguity=[True, False]" in repr(fd)


DTYPES = {
    DataType.Half: (torch.float16, np.float16, np.dtype("f2")),
    DataType.BFloat16: (torch.bfloat16,),
    DataType.Double: (torch.float64, np.float64, np.dtype("f8"), float),
    DataType.Int: (torch.int64, np.int64, int),
    DataType.Int32: (torch.int32, np.int32),
    DataType.Bool: (torch.bool, np.bool_, bool),
    DataType.ComplexFloat: (torch.complex64, np.complex64),
    DataType.Float8_e4m3fn: (torch.float8_e4m3fn,),
}


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.name)
def test_dtypes(x, dtype):
    for given in DTYPES[dtype]:
        assert ops.cast(x, given).dtype() == dtype
        assert nvfuser.define_tensor(shape=[2], dtype=given).dtype() == dtype
        assert ops.full([2], 1, given).dtype() == dtype
        assert str(nvfuser.define_scalar(given))[0] == str(nvfuser.define_scalar(dtype))[0]
        with FusionDefinition() as fd:
            fd.define_scalar(given)
        assert f"dtype=DataType.{dtype.name}" in repr(fd)


def test_dtypes_without_an_element_type(x):
    for given in (torch.quint8, np.dtype("V4"), np.str_, torch.int16):
        with pytest.raises(TypeError, match="nvfuser has no element type for .*; known: bfloat16, bool"):
            ops.cast(x, given)
    for given in ("float32", 3, object, torch.ones(2), None):
        with pytest.raises(TypeError, match=r"1\. cast\(arg: Val \| complex, dtype: DataType\)"):
            ops.cast(x, given)


def test_numbers_of_numpy(x):
    for two in (np.float32(2), np.int64(2), np.bool_(True), np.complex64(2j), np.uint8(2)):
        for value in (x + two, two + x, ops.mul(x, two), x * two.item()):
            assert isinstance(value, nvfuser.TensorView)
    assert not nvfuser.define_scalar(np.float32(0.5)).is_symbolic()
    for wrong in (np.datetime64("2020-01-01"), np.str_("a"), np.array([1.0])):
        with pytest.raises(TypeError):
            ops.add(x, wrong)
