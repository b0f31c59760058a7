# SPDX-License-Identifier: Apache-2.0
"""Errors name the op or the input, what was expected and what came; the fusion stays usable afterwards."""

import re

import numpy as np
import pytest
import torch

import nvfuser
from nvfuser import DataType, DefinitionError, DeviceError, DTypeError, FusionDefinition, NvfError, ShapeError, Way, ops
from nvfuser._C import FusionExecutor, TensorArgument


@pytest.fixture(scope="module")
def scaled():
    """A fusion of a matrix that is contiguous and has 4 columns, a vector and a scalar."""
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1, 4], contiguity=[True, True])
        y = fd.define_tensor(shape=[-1], contiguity=[False])
        s = fd.define_scalar()
        fd.add_output(x * s)
        fd.add_output(y + s)
    return fd


X, Y = torch.ones(3, 4), torch.ones(5)
# Wrong arguments: name -> (inputs, error, message).
ARGUMENTS = {
    "rank": ([torch.ones(4), Y, 2.0], ShapeError, "Expected input 0, T0.*, to have rank 2, but got a tensor of rank 1"),
    "dtype": (
        [X.half(), Y, 2.0],
        DTypeError,
        "Expected input 0, T0.*, to be bound to a tensor of dtype Float, but got a tensor of dtype Half",
    ),
    "integers": ([X, Y.long(), 2.0], DTypeError, "Expected input 1, T1.*, .* dtype Float, but got .* dtype Int"),
    "contiguity": (
        [torch.ones(4, 3).t(), Y, 2.0],
        ShapeError,
        "Expected input 0, T0.*, to be contiguous in axis 1 \\(stride 1 elements\\), but its stride is 3",
    ),
    "outer_contiguity": (
        [torch.ones(3, 8)[:, :4], Y, 2.0],
        ShapeError,
        "Expected input 0, T0.*, to be contiguous in axis 0 \\(stride 4 elements\\), but its stride is 8",
    ),
    "static_size": ([torch.ones(3, 5), Y, 2.0], ShapeError, "input 0, T0.*4.*5|input 0, T0.*5.*4"),
    "too_few": ([X, Y], DefinitionError, "Expected 3 inputs, but got 2"),
    "too_many": ([X, Y, 1.0, 2.0], DefinitionError, "Expected 3 inputs, but got 4"),
    "scalar_for_tensor": ([2, Y, 2.0], DefinitionError, "Expected input 0, .*, to be an at::Tensor but got scalar 2"),
    "tensor_for_scalar": (
        [X, Y, X],
        DefinitionError,
        "Expected input 2, d2, to be a scalar but got float tensor of rank 2",
    ),
    "complex_for_double": (
        [X, Y, 2 + 1j],
        DTypeError,
        "Scalar value \\(2,1\\) is not compatible with the expected data type: double.",
    ),
    "text": ([X, Y, "a"], TypeError, "expected a tensor or a number, got str"),
    "nothing": ([X, None, 2.0], TypeError, "expected a tensor or a number, got NoneType"),
}


@pytest.mark.parametrize("case", ARGUMENTS)
def test_arguments(scaled, case):
    inputs, error, message = ARGUMENTS[case]
    with pytest.raises(error, match=message) as caught:
        scaled.execute(inputs)
    assert isinstance(caught.value, (RuntimeError, TypeError))
    first, second = scaled.execute([X, Y, 3.0], target="evaluator")
    assert torch.equal(first, X * 3) and torch.equal(second, Y + 3)


def test_scalars_are_promoted_not_narrowed():
    with FusionDefinition() as fd:
        scalars = [fd.define_scalar(dtype=dtype) for dtype in (DataType.Bool, DataType.Int, DataType.Double)]
        for scalar in scalars:
            fd.add_output(ops.full([1], scalar, scalar_type(scalar)))
    assert [t.item() for t in fd.execute([True, True, 2], target="evaluator")] == [True, 1, 2.0]
    for wrong in ([1, 1, 1.0], [True, 1.5, 1.0]):
        with pytest.raises(DTypeError, match="is not compatible with the expected data type"):
            fd.execute(wrong, target="evaluator")


def scalar_type(scalar):
    return {"b": DataType.Bool, "i": DataType.Int, "d": DataType.Double}[str(scalar)[0]]


def test_targets(scaled):
    with pytest.raises(nvfuser.DeviceError, match="CPU tensors do not run on cuda"):
        scaled.execute([X, Y, 2.0], target="cuda")
    with pytest.raises(nvfuser.OptionError, match="unknown target 'gpu'; known: cuda, host, emulator, evaluator"):
        scaled.execute([X, Y, 2.0], target="gpu")
    with pytest.raises(NvfError, match="H200"):
        scaled.execute([X, Y, 2.0], target="emulator", schedule_for="no such device")
    scaled.execute([X, Y, 2.0], target="evaluator")


def test_device_claims(scaled):
    """Devices are compared before any memory is touched."""

    def described(tensor, cuda, index=0):
        return TensorArgument(tensor.data_ptr(), DataType.Float, cuda, index, list(tensor.shape), list(tensor.stride()))

    executor = FusionExecutor(scaled.fusion)
    with pytest.raises(DeviceError, match="inputs on one device, but input 0 is on cpu .* and input 1 is on cuda:0"):
        executor.prepare([described(X, False), described(Y, True), 2.0])
    with pytest.raises(DeviceError, match="but input 0 is on cuda:0 .* and input 1 is on cuda:1"):
        executor.prepare([described(X, True), described(Y, True, 1), 2.0])
    with pytest.raises(DeviceError, match="CUDA tensors run on cuda, not on host"):
        executor.prepare([described(X, True), described(Y, True), 2.0], Way.host)
    executor.prepare([described(X, False), described(Y, False), 2.0], Way.evaluator)


def test_nothing_to_execute():
    with pytest.raises(NotImplementedError, match="Fusion does not exist!.*with FusionDefinition"):
        FusionDefinition().execute([])
    with FusionDefinition() as fd:
        fd.define_tensor(shape=[-1], contiguity=True)
    with pytest.raises(NotImplementedError, match="Fusion is empty!"):
        fd.execute([X])
    assert fd.validate_definition() == (False, "Fusion is empty!")
    with FusionDefinition() as fd:
        scalar = fd.define_scalar(2.0)
        with pytest.raises(NvfError, match="Non-TensorView outputs are not supported"):
            fd.add_output(scalar)


# Operations with wrong operands or attributes: name -> (call, error, message).
OPERATIONS = {
    "other_axis": (
        lambda x: ops.permute(x, [0, 2]),
        ShapeError,
        "permute: axis 2 is out of range for a tensor of rank 2",
    ),
    "axis_twice": (lambda x: ops.permute(x, [0, 0]), ShapeError, "permute: axis 0 is given twice"),
    "too_few_axes": (
        lambda x: ops.permute(x, [0]),
        ShapeError,
        "permute: 1 axes are named, but the operand is Float [?, 4]",
    ),
    "flags": (
        lambda x: ops.broadcast(x, [True]),
        ShapeError,
        "broadcast: the flags keep 0 axes, but the operand is Float [?, 4]",
    ),
    "no_broadcast": (lambda x: ops.squeeze(x, [1]), ShapeError, "squeeze: axis 1 of Float [?, 4] is no broadcast axis"),
    "expand": (lambda x: ops.expand(x, [-1, 5]), ShapeError, "expand: axis 1 of Float [?, 4] cannot be expanded to 5"),
    "expand_rank": (lambda x: ops.expand(x, [-1]), ShapeError, "expand: a shape of 1 axes for Float [?, 4]"),
    "placed": (
        lambda x: ops.broadcast_in_dim(x, [4], [0, 1]),
        ShapeError,
        "broadcast_in_dim: a shape of 1 axes is too short",
    ),
    "placed_twice": (
        lambda x: ops.broadcast_in_dim(x, [4, 4], [0, 0]),
        ShapeError,
        "broadcast_in_dim: the placed axes",
    ),
    "size": (lambda x: ops.size(x, 2), ShapeError, "size: axis 2 is out of range for a tensor of rank 2"),
    "order": (lambda x: ops.stride_order(x, [0]), ShapeError, "stride_order: 1 entries for Float [?, 4]"),
    "bits": (lambda x: ops.bitwise_and(x, 1), DTypeError, "bitwise_and"),
    "condition": (lambda x: ops.where(x, x, x), DTypeError, "where expects a Bool condition, but got Float"),
    "imaginary": (lambda x: ops.imag(x), DTypeError, "imag expects a complex operand, but got Float"),
    "order_of_complex": (
        lambda x: ops.lt(x, 1j),
        DTypeError,
        "lt has no meaning for ComplexFloat: ComplexFloat [?, 4]",
    ),
    "limits": (lambda x: ops.clamp(x, x), DefinitionError, "clamp: operand 1 has to be a scalar, but got Float [?, 4]"),
    "no_step": (lambda x: ops.iota(4, 0, 0), DefinitionError, "iota: step has to differ from 0"),
    "length": (lambda x: ops.iota(-4), ShapeError, "iota: the length -4 is negative"),
    "kind_of_start": (lambda x: ops.iota(4, 0.5), DTypeError, "iota: start has to be a scalar of the kind of Int"),
    "extent": (lambda x: ops.full([-2], 1, DataType.Int), ShapeError, "full: extent -2 of axis 0 is negative"),
    "fill_value": (
        lambda x: ops.full([2], x, DataType.Float),
        DefinitionError,
        "full: the fill value has to be a scalar",
    ),
    "sizes_differ": (
        lambda x: ops.add(x, ops.full([3, 5], 1, DataType.Float)),
        ShapeError,
        "add: the operands differ at axis 1: Float [?, 4], Float [3, 5]",
    ),
    "operand_type": (
        lambda x: ops.add(x, "a"),
        TypeError,
        "argument 'rhs': expected a Val, bool, int, float or complex, got str",
    ),
    "no_tensor": (lambda x: ops.permute(2, [0]), TypeError, "argument 'arg': expected a TensorView, got int"),
    "float_axis": (lambda x: ops.permute(x, [0.5, 1]), TypeError, "element 0: expected an int, got float"),
    "float_extent": (
        lambda x: ops.expand(x, [-1, 4.5]),
        TypeError,
        "argument 'shape', element 1: expected an int or a Val, got float",
    ),
    "unknown_argument": (lambda x: ops.permute(x, axes=[0, 1]), TypeError, "permute"),
    "missing_argument": (lambda x: ops.add(x), TypeError, "add"),
    "too_many_arguments": (lambda x: ops.relu(x, x), TypeError, "relu"),
    "no_dtype": (lambda x: ops.cast(x, "Float"), TypeError, "cast"),
}


@pytest.mark.parametrize("case", OPERATIONS)
def test_operations(case):
    call, error, message = OPERATIONS[case]
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1, 4], contiguity=True)
        with pytest.raises(error, match=re.escape(message)) as caught:
            call(x)
        assert isinstance(caught.value, (RuntimeError, TypeError))
        fd.add_output(ops.relu(x))
    (got,) = fd.execute([-X], target="evaluator")
    assert not got.any()


def test_value_of_another_fusion():
    with FusionDefinition() as first:
        a = first.define_tensor(shape=[-1], contiguity=True)
        first.add_output(a + 1.0)
    with FusionDefinition() as second:
        b = second.define_tensor(shape=[-1], contiguity=True)
        for call in (
            lambda: a + b,
            lambda: ops.add(b, a),
            lambda: ops.where(b > 0.0, b, a),
            lambda: second.add_output(a),
            lambda: second.fusion.add_input(a),
        ):
            with pytest.raises(DefinitionError, match="belongs to another fusion"):
                call()
        second.add_output(b * 2.0)
    for fd, want in ((first, 2.0), (second, 2.0)):
        assert fd.execute([np.ones(1, np.float32)], target="evaluator")[0].tolist() == [want]


def test_all_errors_are_runtime_errors():
    for kind in ("Definition", "Shape", "DType", "Schedule", "Compile", "Device", "Option", "Internal"):
        assert issubclass(getattr(nvfuser, kind + "Error"), NvfError)
    assert issubclass(NvfError, RuntimeError)


def test_options():
    from nvfuser._C import option, set_option

    with pytest.raises(nvfuser.OptionError, match="unknown option 'speed'; known: cache, "):
        set_option("speed", "1")
    with pytest.raises(nvfuser.OptionError, match="NVFUSER_DUMP: 'all' is unknown; known: fusion, segments, params"):
        set_option("dump", "all")
    with pytest.raises(nvfuser.OptionError, match="NVFUSER_THREADS: 'many' is no integer >= 0"):
        set_option("threads", "many")
    with pytest.raises(nvfuser.OptionError, match="NVFUSER_CACHE: 'maybe' is no flag"):
        set_option("cache", "maybe")
    with pytest.raises(nvfuser.OptionError, match="unknown option NVFUSER_SPEED"):
        option("NVFUSER_SPEED")


def test_options_page():
    """Lists of choices begin and end with a choice."""
    from nvfuser._C import options_page

    rows = [row.split(" | ") for row in options_page().splitlines() if row.startswith("| `")]
    choices = {row[0]: row[2].split(",") for row in rows if row[2]}
    assert choices["| `NVFUSER_DUMP`"] == ["fusion", "segments", "params", "kernel", "code", "plan", "moved", "time"]
    assert all(all(names) for names in choices.values())
