# SPDX-License-Identifier: Apache-2.0
"""Memory of objects that belong to no known framework: capsules of DLPack, buffers, described addresses."""

from __future__ import annotations

import array
import sys
from typing import Any

import numpy as np
import pytest

from nvfuser import FusionDefinition
from nvfuser._C import LentTensor

MATRIX = np.arange(12, dtype=np.float32).reshape(3, 4)


def doubled(in_place: bool = False) -> FusionDefinition:
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1, -1], contiguity=[False, False])
        fd.add_output(x * 2.0, x if in_place else None)
    return fd


class Exporter:
    """An array that nothing but DLPack reaches; `asked` are the options of each export."""

    def __init__(self, value: Any, knows_versions: bool = True) -> None:
        self.value, self.knows_versions, self.asked = value, knows_versions, []

    def __dlpack__(self, **options: Any) -> Any:
        self.asked.append(options)
        if not self.knows_versions and "max_version" in options:
            raise TypeError("__dlpack__() got an unexpected keyword argument 'max_version'")
        return self.value.__dlpack__(**options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self.value.__dlpack_device__()


@pytest.mark.parametrize("knows_versions", [True, False])
def test_capsules_of_both_kinds_are_read(knows_versions):
    for view in (MATRIX.copy(), MATRIX.T.copy().T, np.ascontiguousarray(MATRIX)[:, ::2]):
        exporter = Exporter(view, knows_versions)
        (got,) = doubled().execute([exporter])
        assert np.array_equal(np.asarray(got), view * 2)
        assert exporter.asked[0] == {"max_version": (1, 3)}
        assert len(exporter.asked) == (1 if knows_versions else 2)


def test_a_capsule_is_given_back():
    owner = MATRIX.copy()
    before = sys.getrefcount(owner)
    fd = doubled()
    for knows_versions in (True, False):
        for _ in range(5):
            fd.execute([Exporter(owner, knows_versions)])
        assert sys.getrefcount(owner) == before
        with pytest.raises(TypeError, match="input 0: nvfuser has no element type|input 0: no memory .* no element"):
            fd.execute([Exporter(owner.view(np.int16), knows_versions)])
    assert sys.getrefcount(owner) == before


def test_a_read_only_capsule_is_never_written():
    frozen = MATRIX.copy()
    frozen.flags.writeable = False
    try:
        frozen.__dlpack__(max_version=(1, 3))
    except TypeError:
        pytest.skip("needs a NumPy that exports read-only arrays (2.1)")
    (got,) = doubled().execute([Exporter(frozen)])
    assert np.array_equal(np.asarray(got), MATRIX * 2)
    with pytest.raises(ValueError, match="input 0, .*, is read-only"):
        doubled(in_place=True).execute([Exporter(frozen)])
    assert np.array_equal(frozen, MATRIX)
    loose = MATRIX.copy()
    assert doubled(in_place=True).execute([Exporter(loose)]) == []
    assert np.array_equal(loose, MATRIX * 2)


def test_what_the_exporter_raises_is_told():
    class Broken(Exporter):
        def __dlpack__(self, **options: Any) -> Any:
            raise BufferError("the memory is elsewhere")

    with pytest.raises(TypeError, match="input 0: no memory of this Broken through DLPack: the memory is elsewhere"):
        doubled().execute([Broken(MATRIX)])


def test_buffers_are_read():
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1], contiguity=[True])
        fd.add_output(x + 1.0)
    values = array.array("f", [1.0, 2.0, 3.0])
    for buffer in (values, memoryview(values), memoryview(values.tobytes()).cast("f")):
        (got,) = fd.execute([buffer])
        assert type(got) is np.ndarray and got.tolist() == [2.0, 3.0, 4.0]
    with pytest.raises(TypeError, match="input 0: nvfuser has no element type for uint8"):
        fd.execute([values.tobytes()])


def test_buffers_are_written_unless_they_are_read_only():
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1], contiguity=[True])
        fd.add_output(x + 1.0, x)
    values = array.array("f", [1.0, 2.0])
    fd.execute([values])
    assert values.tolist() == [2.0, 3.0]
    frozen = values.tobytes()
    with pytest.raises(ValueError, match="input 0, .*, is read-only"):
        fd.execute([memoryview(frozen).cast("f")])
    assert array.array("f", frozen).tolist() == [2.0, 3.0]


def test_described_addresses_are_refused_with_a_reason_where_they_cannot_be_reached():
    class Described:
        def __init__(self, **changes: Any) -> None:
            self.__cuda_array_interface__ = {
                "shape": (0, 4),
                "typestr": "<f4",
                "data": (0, False),
                "version": 3,
            } | changes

    from nvfuser.tensors import as_known

    empty = as_known(Described())
    assert isinstance(empty, LentTensor) and empty.described.cuda and empty.described.strides == [4, 1]
    assert as_known(Described(data=(0, True))).read_only and not empty.read_only
    with pytest.raises(TypeError, match="masked"):
        as_known(Described(mask=1))
    with pytest.raises(TypeError, match="foreign byte order"):
        as_known(Described(typestr=">f4"))
    with pytest.raises(TypeError, match="strides between its elements"):
        as_known(Described(strides=(16, 3)))


def test_tables_by_capsule_and_by_number():
    """A type may offer DLPack's table as a capsule, or as the address that earlier frameworks give."""
    import ctypes

    import torch

    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    address = pointer(torch.Tensor.__dict__["__dlpack_c_exchange_api__"], b"dlpack_exchange_api")

    class ByNumber(torch.Tensor):
        __dlpack_c_exchange_api__ = address

        @property
        def shape(self) -> Any:
            raise AssertionError("no attribute is read where the table is used")

    tensor = torch.from_numpy(MATRIX.copy()).as_subclass(ByNumber)
    (got,) = doubled().execute([tensor])
    assert type(got) is torch.Tensor and np.array_equal(got.numpy(), MATRIX * 2)
