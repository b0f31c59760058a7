# SPDX-License-Identifier: Apache-2.0
"""Values that are wrong nearly everywhere: numbers of odd kinds and sizes, objects that lie about themselves, tensors
that no kernel can read, values of other fusions."""

import gc
import math

import numpy as np
import torch

import nvfuser
from nvfuser import DataType, FusionDefinition, FusionGuard, ops
from nvfuser._C import Fusion


class BrokenDlpack:
    """An object whose DLPack methods do what `how` says."""

    def __init__(self, how):
        self.how = how

    def __dlpack_device__(self):
        return {"device": (99, 0), "device_type": "cpu", "device_none": None}.get(self.how, (1, 0))

    def __dlpack__(self, **options):
        if self.how == "key":
            raise KeyError("no such tensor")
        if self.how == "assertion":
            raise AssertionError
        if self.how == "capsule":
            return object()
        return {"none": None, "number": 3}.get(self.how, "text")


class Impostor:
    """Claims to be of torch, and to have members that tensors have."""

    __module__ = "torch.nowhere"
    device, layout, dtype, shape = "cuda", None, None, (1,)

    def __iter__(self):
        raise KeyError("iteration")


class OddModule:
    __module__ = 5


def foreign_value():
    with FusionDefinition() as fd:
        return fd.define_tensor(shape=[-1], contiguity=True)


def ended_value():
    """A value whose fusion nobody else holds."""
    fusion = Fusion()
    guard = FusionGuard(fusion)
    value = nvfuser.define_tensor(shape=[2, 3], contiguity=True)
    guard.release()
    del fusion, guard
    gc.collect()
    return value


def read_only():
    array = np.ones(3, np.float32)
    array.flags.writeable = False
    return array


class Raising:
    """Every question about it is an error."""

    def __index__(self):
        raise KeyError("index")

    def __len__(self):
        raise KeyError("length")

    def __getitem__(self, index):
        raise KeyError("item")

    def __bool__(self):
        raise KeyError("truth")

    def __eq__(self, other):
        raise KeyError("equality")

    __hash__ = None


class Growing(list):
    """A list that says another length each time."""

    def __len__(self):
        self.append(0)
        return super().__len__()


def spent_capsule():
    """A capsule whose tensor was taken: it is renamed, and holds nothing."""
    capsule = np.ones(3, np.float32).__dlpack__()
    torch.from_dlpack(Lender(capsule))
    return capsule


class Lender:
    """Gives a capsule that exists already."""

    def __init__(self, capsule):
        self.capsule = capsule

    def __dlpack_device__(self):
        return (1, 0)

    def __dlpack__(self, **options):
        return self.capsule


NUMBERS = [0, 1, -1, 2, 1 << 31, 1 << 62, -(1 << 63), 1 << 64, -(1 << 200), True, 0.5, math.nan, -math.inf, 1e308]
NUMBERS += [
    2j,
    complex(math.nan, 1),
    np.float32(2),
    np.int64(3),
    np.uint64(1 << 63),
    np.float16(math.nan),
    np.bool_(True),
]
OTHERS = [
    None,
    "a",
    b"b",
    [],
    (),
    {},
    {1: 2},
    {3},
    [1],
    [None],
    [[1], [2, [3]]],
    object(),
    type,
    int,
    len,
    ...,
    slice(1),
]
OTHERS += [BrokenDlpack(how) for how in ("device", "device_type", "device_none", "key", "assertion", "capsule", "none")]
OTHERS += [
    BrokenDlpack("number"),
    Impostor(),
    Impostor,
    OddModule(),
    DataType.Float,
    torch.float32,
    torch.device("cpu"),
]
OTHERS += [np.datetime64("2020-01-01"), np.str_("s"), np.dtype("f4"), np.array(["s"]), np.array([None]), ops, iter([])]
OTHERS += [torch.Size([2]), torch.Generator()]
# What makes wrong values of this library: made when drawn, since what strategies hold outlives the interpreter.
OWN = [foreign_value, ended_value, FusionDefinition, Fusion]
TENSORS = [
    torch.ones(3),
    torch.ones(()),
    torch.ones(0),
    torch.ones(2, 3),
    torch.ones(2, 0, 3),
    torch.ones(3, dtype=torch.int16),
]
TENSORS += [torch.ones(3, 2).t(), torch.ones(1).expand(3), torch.ones(3, device="meta"), torch.ones(3).to_sparse()]
TENSORS += [torch.ones(3).half(), torch.ones([1] * 40), torch.ones(3, dtype=torch.complex64).conj(), torch.ones(6)[::2]]
TENSORS += [
    np.ones(3, np.float32),
    np.ones(3, np.float32)[::-1],
    np.ones(3, ">f4"),
    read_only(),
    np.ones((), np.float32),
]
TENSORS += [np.frombuffer(bytes(13), np.uint8)[1:].view(np.float32), np.ones([1] * 32, np.float32), np.ma.masked_all(3)]
TENSORS += [
    np.zeros(3, [("a", "f4"), ("b", "f4")]),
    np.zeros(3, "V0"),
    np.lib.stride_tricks.as_strided(np.ones(3), (2, 2), (0, 8)),
]
TENSORS += [spent_capsule(), Lender(spent_capsule()), Lender(np.ones(3, np.float32).__dlpack__())]
# Objects whose own methods raise, or that change while they are read.
HOSTILE = [Raising(), Growing([1, 2])]
OTHERS += [torch.finfo(torch.float32), np.float32, np.dtype("V4"), torch.quint8]
