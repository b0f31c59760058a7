# SPDX-License-Identifier: Apache-2.0
"""Tensors of every framework go in, results come back in the framework of the first tensor."""

import numpy as np
import pytest
import torch
from agreement import COMPILED, WAYS, run

from nvfuser import DataType, FusionDefinition, ShapeError, ops


def doubled(**layout):
    """Twice a matrix, and its transpose."""
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1, -1], **(layout or dict(contiguity=[False, False])))
        fd.add_output(x * 2.0)
        fd.add_output(ops.permute(x, [1, 0]))
    return fd


@pytest.fixture(scope="module")
def strided():
    return doubled()


class OnlyDlpack:
    """A tensor that nothing but DLPack reaches."""

    def __init__(self, tensor):
        self.tensor = tensor

    def __dlpack__(self, **options):
        return self.tensor.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.tensor.__dlpack_device__()


MATRIX = np.arange(60, dtype=np.float32).reshape(6, 10)
VIEWS = {
    "contiguous": MATRIX, "transposed": MATRIX.T, "stepped": MATRIX[::2, 1::3], "reversed": MATRIX[::-1],
    "reversed_rows": MATRIX[:, ::-1], "reversed_both": MATRIX.T[::-1, ::-2],
    "expanded": np.broadcast_to(MATRIX[0], (6, 10)),
    "empty": MATRIX[:0], "single": MATRIX[2:3, 4:5], "fortran": np.asfortranarray(MATRIX),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_numpy(strided, way):
    for name, view in VIEWS.items():
        outputs = run(strided, [view], way)
        assert all(type(array) is np.ndarray and array.dtype == np.float32 for array in outputs), name
        assert np.array_equal(outputs[0], view * 2) and np.array_equal(outputs[1], view.T), name


@pytest.mark.parametrize("way", WAYS)
def test_torch(strided, way):
    for view in VIEWS.values():
        if min(view.strides) < 0 or view.base is None or not view.flags.writeable:
            continue
        tensor = torch.from_numpy(view)
        outputs = run(strided, [tensor], way)
        assert all(type(result) is torch.Tensor for result in outputs)
        assert torch.equal(outputs[0], tensor * 2) and torch.equal(outputs[1], tensor.t())


@pytest.mark.parametrize("way", COMPILED)
def test_updates_of_reversed_arrays(way):
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1, -1], contiguity=[False, False])
        fd.add_output(x + 1.0, x)
    array = MATRIX.copy()
    assert run(fd, [array[::-1, ::-3]], way) == []
    want = MATRIX.copy()
    want[::-1, ::-3] += 1
    assert np.array_equal(array, want)


def test_negative_strides_are_not_contiguous():
    fd = doubled(contiguity=[True, True])
    for view in (MATRIX[::-1], MATRIX[:, ::-1]):
        with pytest.raises(ShapeError, match="Expected input 0, .*, to be contiguous in axis . .*but its stride is -"):
            fd.execute([view], target="evaluator")


def test_parameters_and_their_gradients(strided):
    tensor = torch.ones(2, 3, requires_grad=True)
    outputs = run(strided, [torch.nn.Parameter(tensor)], "host")
    assert type(outputs[0]) is torch.Tensor and not outputs[0].requires_grad and outputs[0].grad_fn is None


def test_dlpack_only(strided):
    for tensor in (torch.ones(2, 3), torch.ones(3, 2).t(), torch.ones(2, 6)[:, ::2]):
        (got, _) = run(strided, [OnlyDlpack(tensor)], "evaluator")
        assert np.array_equal(np.asarray(got), np.full((2, 3), 2, np.float32))
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1], contiguity=True, dtype=DataType.BFloat16)
        fd.add_output(ops.cast(x, DataType.Float), None)
        fd.add_output(x, None)
        fd.add_output(ops.cast(x * 2.0, DataType.BFloat16), x)
    tensor = torch.ones(3).bfloat16()
    run(fd, [OnlyDlpack(tensor)], "evaluator")
    assert tensor.tolist() == [2, 2, 2], "an update reaches the memory of the caller"


def test_mixed(strided):
    """The first tensor decides; numbers of NumPy are numbers."""
    with FusionDefinition() as fd:
        a, b = fd.define_tensor(shape=[-1]), fd.define_tensor(shape=[-1])
        s, n = fd.define_scalar(), fd.define_scalar(dtype=DataType.Int)
        fd.add_output(a + b * s + n)
    one, two = np.ones(3, np.float32), torch.ones(3)
    (first,) = run(fd, [one, two, np.float32(2), np.int64(3)], "evaluator")
    (second,) = run(fd, [two, one, 2, np.True_], "evaluator")
    assert type(first) is np.ndarray and first.tolist() == [6, 6, 6]
    assert type(second) is torch.Tensor and second.tolist() == [4, 4, 4]


def test_vectors():
    with FusionDefinition() as fd:
        n, m = fd.define_vector(2)
        fd.add_output(ops.full([n, m], 1, DataType.Float))
    for sizes in ([2, 3], (2, 3)):
        assert run(fd, [sizes], "evaluator")[0].shape == (2, 3)
    assert run(fd, [2, 3], "evaluator")[0].shape == (2, 3)


# What is no tensor: name -> (value, message).
REFUSED = {
    "int16": (np.ones((2, 2), np.int16), "input 0: nvfuser has no element type for int16; known: bfloat16, bool"),
    "byte_order": (np.ones((2, 2), ">f4"), "input 0: "),
    "odd_strides": (
        np.zeros(4, "f4,i1")["f0"].reshape(2, 2),
        "input 0: strides .* are no multiples of the element's 4",
    ),
    "sparse": (
        torch.ones(2, 2).to_sparse(),
        "input 0: expected a strided tensor on cpu or cuda, got layout torch.sparse_coo",
    ),
    "meta": (torch.ones(2, 2, device="meta"), "input 0: expected a strided tensor .* on meta"),
    "conjugate": (torch.ones(2, 2, dtype=torch.complex64).conj(), "input 0: .* lazy conjugate .* resolve_conj"),
    "text": ("text", "input 0: expected a tensor or a number, got str"),
    "none": (None, "input 0: expected a tensor or a number, got NoneType"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(strided, case):
    value, message = REFUSED[case]
    with pytest.raises(TypeError, match=message):
        strided.execute([value], target="evaluator")
    assert run(strided, [MATRIX], "evaluator")[0][1, 1] == 22


def test_numpy_without_narrow_floats(monkeypatch):
    """NumPy has no bfloat16 by itself; the error names the package that brings it."""
    import sys

    with FusionDefinition() as fd:
        fd.add_output(ops.cast(fd.define_tensor(shape=[-1]), DataType.BFloat16))
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    with pytest.raises(TypeError, match="a NumPy array of bfloat16 needs the package ml_dtypes"):
        fd.execute([np.ones(3, np.float32)], target="evaluator")
    (got,) = run(fd, [torch.ones(3)], "evaluator")
    assert got.dtype == torch.bfloat16


def test_offsets(strided):
    """Pointers that are aligned to their element alone."""
    room = np.arange(64, dtype=np.float32)
    for way in COMPILED:
        for offset in (1, 2, 3):
            view = room[offset : offset + 48].reshape(6, 8)
            assert np.array_equal(run(strided, [view], way)[0], view * 2)


def test_cupy(strided):
    cupy = pytest.importorskip("cupy", reason="needs CuPy")
    if not cupy.cuda.is_available():
        pytest.skip("needs a GPU")
    array = cupy.asarray(MATRIX)
    outputs = strided.execute([array])
    assert isinstance(outputs[1], cupy.ndarray) and (outputs[1] == array.T).all()


def test_jax(strided):
    jax = pytest.importorskip("jax", reason="needs JAX")
    array = jax.device_put(MATRIX, jax.devices("cpu")[0])
    with FusionDefinition() as fd:
        x = fd.from_pytorch(array)
        fd.add_output(ops.permute(x, [1, 0]))
        fd.add_output(ops.expand(ops.broadcast(x, [False, True, False]), [-1, 5, -1]))
        fd.add_output(ops.cast(x * 2.0, DataType.BFloat16))
    for way in WAYS:
        transposed, expanded, narrow = run(fd, [array], way)
        assert all(isinstance(result, jax.Array) for result in (transposed, expanded, narrow))
        assert np.array_equal(transposed, MATRIX.T) and expanded.shape == (6, 5, 10)
        assert np.array_equal(expanded[:, 3], MATRIX) and narrow.dtype == "bfloat16"
    with FusionDefinition() as fd:
        x = fd.from_pytorch(array)
        fd.add_output(x + 1.0, x)
    with pytest.raises(ValueError, match="input 0, T0.*, is read-only"):
        fd.execute([array])


def test_cuda_tensors(strided):
    if not torch.cuda.is_available():
        pytest.skip("needs a GPU")
    tensor = torch.from_numpy(MATRIX).cuda()
    outputs = strided.execute([tensor])
    assert strided.last_way.name == "cuda" and outputs[0].is_cuda
    assert torch.equal(outputs[0].cpu(), torch.from_numpy(MATRIX) * 2)
