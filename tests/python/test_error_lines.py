# SPDX-License-Identifier: Apache-2.0
"""Errors of a call name the op or the input, both facts and the user's line; the fusion runs right afterwards.

A line that an error has to name ends with a mark, `# @name of the case`.
"""

import re
import stat
import traceback
from pathlib import Path

import numpy as np
import pytest
import torch

import nvfuser
from nvfuser import DataType, DefinitionError, DeviceError, DTypeError, FusionDefinition, ShapeError, Way, ops
from nvfuser._C import FusionExecutor, TensorArgument, set_option


def line(mark):
    """The place that an error names: this file and the only line with that mark."""
    lines = Path(__file__).read_text().splitlines()
    (number,) = [k for k, text in enumerate(lines, 1) if text.endswith(f"# @{mark}")]
    return f"({__file__}:{number} in "


def add(fd):
    x = fd.define_tensor(shape=[-1], contiguity=True)
    y = fd.define_tensor(shape=[-1], contiguity=True)
    z = fd.ops.relu(x)
    fd.add_output(z + y)  # @add


def where(fd):
    c = fd.define_tensor(shape=[-1, -1], contiguity=True, dtype=DataType.Bool)
    x = fd.define_tensor(shape=[-1, -1], contiguity=True)
    picked = ops.where(c, x, 0.0)  # @where
    fd.add_output(ops.exp(picked))


def rows(fd):
    x = fd.define_tensor(shape=[-1, -1], contiguity=True)
    bias = fd.define_tensor(shape=[-1], contiguity=True)
    wide = ops.broadcast_in_dim(bias, [ops.size(x, 0), ops.size(x, 1)], [1])  # @rows
    fd.add_output(x * wide)


def expand(fd):
    x = fd.define_tensor(shape=[-1], contiguity=True)
    n = fd.define_scalar(dtype=DataType.Int)
    fd.add_output(ops.expand(x, [n]))  # @expand


def grown(fd):
    x = fd.define_tensor(shape=[1], contiguity=True)
    n = fd.define_scalar(dtype=DataType.Int)
    fd.add_output(ops.relu(ops.expand(x, [n])))  # @grown


def full(fd):
    n = fd.define_scalar(dtype=DataType.Int)
    fd.add_output(ops.full([n, 2], 1.0, DataType.Float))  # @full


def iota(fd):
    n = fd.define_scalar(dtype=DataType.Int)
    fd.add_output(ops.iota(n))  # @iota


def static(fd):
    x = fd.define_tensor(shape=[-1, 4], contiguity=True)  # @static
    fd.add_output(ops.neg(x))


def halves(fd):
    x = nvfuser.define_tensor(shape=[-1], contiguity=True, dtype=DataType.Half)  # @halves
    fd.fusion.add_input(x)
    fd.add_output(ops.neg(x))


def dense(fd):
    x = fd.define_tensor(  # @dense
        shape=[-1, -1],
        contiguity=True,
    )
    fd.add_output(ops.neg(x))


def like(fd):
    x = fd.from_pytorch(torch.ones(2, 3))  # @like
    fd.add_output(ops.neg(x))


def scaled(fd):
    x = fd.define_tensor(shape=[-1], contiguity=True)
    s = fd.define_scalar()  # @scaled
    fd.add_output(x * s)


def counted(fd):
    x = fd.define_tensor(shape=[-1], contiguity=True)
    n = fd.define_scalar(dtype=DataType.Int)  # @counted
    fd.add_output(x * n)


def vector(fd):
    a, b = fd.define_vector(2)  # @vector
    fd.add_output(ops.full([a, b], 0.0, DataType.Float))


def in_place(fd):
    x = fd.define_tensor(shape=[-1], contiguity=False)  # @in_place input
    y = fd.define_tensor(shape=[-1], contiguity=False)
    fd.add_output(y + 1.0, x)  # @in_place


def read_only():
    array = np.ones(3, np.float32)
    array.flags.writeable = False
    return array


def odd_address():
    return np.frombuffer(bytes(13), np.uint8)[1:].view(np.float32)


ONES = torch.ones
# name of the case -> (definition, good inputs, bad inputs, error, parts of the message, mark of the line)
CALLS = {
    "operands differ": (
        add, [ONES(3), ONES(3)], [ONES(3), ONES(4)], ShapeError,
        ["add (", "differ at axis 0", "T1_g_float[iS1{i1}] has size 4", "T2_l_float[iS2{i0}] has size 3"], "add",
    ),
    "broadcast that was not declared": (
        add, [ONES(3), ONES(3)], [ONES(3), ONES(1)], ShapeError,
        ["add (", "has size 1", "has size 3", "only an axis that is defined with size 1 is broadcast"], "add",
    ),
    "three operands": (
        where, [ONES(2, 3) > 0, ONES(2, 3)], [ONES(2, 3) > 0, ONES(2, 4)], ShapeError,
        ["where (", "differ at axis 1", "T1_g_float", "has size 4", "T0_g_bool", "has size 3"], "where",
    ),
    "broadcast_in_dim": (
        rows, [ONES(2, 3), ONES(3)], [ONES(2, 3), ONES(4)], ShapeError,
        ["expand (", "axis 1", "has size 4 and cannot be expanded to 3"], "rows",
    ),
    "expand": (
        expand, [ONES(3), 3], [ONES(3), 4], ShapeError,
        ["expand (", "axis 0 of T0_g_float", "has size 3 and cannot be expanded to 4"], "expand",
    ),
    "negative expand": (
        grown, [ONES(1), 3], [ONES(1), -3], ShapeError,
        ["expand (", "axis 0 of its result would have size -3", "cannot be negative"], "grown",
    ),
    "negative full": (full, [3], [-1], ShapeError, ["full (", "axis 0", "size -1", "cannot be negative"], "full"),
    "negative iota": (iota, [3], [-2], ShapeError, ["iota (", "axis 0", "size -2", "cannot be negative"], "iota"),
    "too many elements": (full, [3], [1 << 61], ShapeError, ["T0_g_float", "exceeds 2^63 bytes"], "full"),
    "static size": (
        static, [ONES(3, 4)], [ONES(3, 5)], ShapeError,
        ["input 0, T0_g_float", "to have size 4 in axis 1", "got size 5"], "static",
    ),
    "rank": (static, [ONES(3, 4)], [ONES(4)], ShapeError, ["input 0, T0", "have rank 2", "tensor of rank 1"], "static"),
    "dtype": (
        halves, [ONES(3).half()], [ONES(3)], DTypeError,
        ["input 0, T0_g_half", "dtype Half", "got a tensor of dtype Float"], "halves",
    ),
    "contiguity": (
        dense, [ONES(3, 4)], [ONES(4, 3).t()], ShapeError,
        ["input 0, T0", "contiguous in axis 1 (stride 1 elements)", "its stride is 3"], "dense",
    ),
    "layout of an example": (
        like, [ONES(2, 3)], [ONES(2, 3, 1)], ShapeError, ["input 0, T0", "rank 2", "rank 3"], "like",
    ),
    "tensor for a scalar": (
        scaled, [ONES(3), 2.0], [ONES(3), ONES(3)], DefinitionError,
        ["input 1, d1,", "to be a scalar", "got float tensor of rank 1"], "scaled",
    ),
    "scalar for a tensor": (
        static, [ONES(3, 4)], [2], DefinitionError, ["input 0, T0", "an at::Tensor", "got scalar 2"], "static",
    ),
    "kind of a scalar": (
        counted, [ONES(3), 2], [ONES(3), 2.5], DTypeError, ["Scalar value 2.5", "data type: int", "input 1"], "counted",
    ),
    "large integer": (
        counted, [ONES(3), 2], [ONES(3), 1 << 70], TypeError,
        ["input 1: the integer 1180591620717411303424", "does not fit into 64 bits", "it is for i1"], "counted",
    ),
    "no tensor": (scaled, [ONES(3), 2.0], [ONES(3), "a"], TypeError, ["input 1", "number, got str", "d1"], "scaled"),
    "too few": (
        scaled, [ONES(3), 2.0], [ONES(3)], DefinitionError,
        ["Expected 2 inputs, but got 1", "missing is input 1, d1, of dtype Double"], "scaled",
    ),
    "too many": (
        scaled, [ONES(3), 2.0], [ONES(3), 2.0, 3.0], DefinitionError,
        ["Expected 2 inputs, but got 3", "the last one is input 1, d1"], "scaled",
    ),
    "vector": (vector, [[2, 3]], [[2, -3]], ShapeError, ["full (", "axis 1", "size -3"], None),
    "element of a vector": (vector, [[2, 3]], [[2, 0.5]], DTypeError, ["value 0.5", "int", "input 1"], "vector"),
    "target of another size": (
        in_place, [ONES(3), ONES(3)], [ONES(4), ONES(3)], ShapeError,
        ["output 0, T2", "into input 0, T0", "the output is Float [3], the tensor Float [4]"], "in_place",
    ),
    "target with stride 0": (
        in_place, [ONES(3), ONES(3)], [ONES(1).expand(3), ONES(3)], ShapeError,
        ["output 0, T2", "into input 0, T0", "stride 0 in axis 0"], "in_place",
    ),
    "target that is read-only": (
        in_place, [np.ones(3, np.float32)] * 2, [read_only(), np.ones(3, np.float32)], ValueError,
        ["input 0, T0", "is read-only", "an output is written into it"], "in_place input",
    ),
    "address": (
        in_place, [np.ones(3, np.float32)] * 2, [np.ones(3, np.float32), odd_address()], DefinitionError,
        ["input 1, T1", "multiple of its element's 4 bytes", "address is 0x"], None,
    ),
}  # fmt: skip


def fresh(values):
    return [value.copy() if isinstance(value, np.ndarray) and value.flags.writeable else value for value in values]


@pytest.mark.parametrize("target", ["evaluator", "emulator", "host"])
@pytest.mark.parametrize("case", CALLS)
def test_calls(case, target):
    define, good, bad, error, parts, mark = CALLS[case]
    with FusionDefinition() as fd:
        define(fd)
    for _ in range(2):  # a second time, and after a call that runs
        with pytest.raises(error) as caught:
            fd.execute(fresh(bad), target=target)
        message = str(caught.value)
        assert isinstance(caught.value, (RuntimeError, TypeError, ValueError))
        assert all(part in message for part in parts), message
        assert mark is None or line(mark) in message, message
        good = [value.clone() if isinstance(value, torch.Tensor) else value for value in fresh(good)]
        want = fd.reference(fresh(good))
        for got, expected in zip(fd.execute(good, target="evaluator"), want, strict=True):
            np.testing.assert_allclose(np.asarray(got, np.float64), expected, rtol=1e-3)


def described(tensor, cuda=False, index=0):
    return TensorArgument(tensor.data_ptr(), DataType.Float, cuda, index, list(tensor.shape), list(tensor.stride()))


def test_devices():
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1], contiguity=True)  # @first device
        y = fd.define_tensor(shape=[-1], contiguity=True)  # @second device
        z = fd.define_tensor(shape=[], is_cpu=True)  # @cpu scalar
        fd.add_output(x + y * z)
    executor = FusionExecutor(fd.fusion)
    one, vector = ONES(()), ONES(3)
    with pytest.raises(DeviceError, match="input 0 is on cpu .* and input 1 is on cuda:0") as caught:
        executor.prepare([described(vector), described(vector, True), described(one)])
    assert line("first device") in str(caught.value) and line("second device") in str(caught.value)
    with pytest.raises(DeviceError, match="Expected input 2, T2.*, on the cpu, but got a tensor on cuda:0") as caught:
        executor.prepare([described(vector, True), described(vector, True), described(one, True)])
    assert line("cpu scalar") in str(caught.value)
    executor.prepare([described(vector), described(vector), described(one)], Way.evaluator)


def test_scalar_without_a_value():
    with FusionDefinition() as fd:
        n = nvfuser.define_scalar(dtype=DataType.Int)  # @loose scalar
        fd.add_output(ops.full([n], 1.0, DataType.Float))
    with pytest.raises(DefinitionError, match="scalar i0 has no value: it is neither an input") as caught:
        fd.execute([], target="evaluator")
    assert line("loose scalar") in str(caught.value)
    fd.fusion.add_input(n)
    with fd:
        pass
    assert fd.execute([2], target="evaluator")[0].tolist() == [1, 1]


def test_compiler_errors_name_the_ops(tmp_path):
    """A compiler that refuses a kernel: its ops and their lines stand in the error."""
    broken = tmp_path / "c++"
    broken.write_text(
        '#!/bin/sh\ncase "$*" in *--version*|*-dump*|*-v*) exec g++ "$@";; esac\necho cannot >&2\nexit 1\n'
    )
    broken.chmod(broken.stat().st_mode | stat.S_IXUSR)
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1], contiguity=True)
        y = ops.cosh(x)  # @first op
        fd.add_output(ops.lgamma(y))  # @second op
    set_option("cxx", str(broken))
    try:
        for target in ("host", "emulator"):
            with pytest.raises(nvfuser.CompileError, match="in the kernel nvf_cosh_lgamma") as caught:
                fd.execute([ONES(5)], target=target)
            message = str(caught.value)
            assert f"cosh {line('first op')}" in message and f"lgamma {line('second op')}" in message
    finally:
        set_option("cxx", "")
    fd.validate([ONES(5)], target="evaluator")


# Errors of a definition are raised in the user's line; here the traceback names it.
OPERATIONS = {
    "unknown argument": (lambda x: ops.permute(x, axes=[0, 1]), TypeError, "permute"),  # @unknown argument
    "missing argument": (lambda x: ops.add(x), TypeError, "add"),  # @missing argument
    "ill-typed operand": (lambda x: ops.add(x, "a"), TypeError, "'rhs': expected a Val"),  # @ill-typed operand
    "large integer": (lambda x: x + (1 << 64), TypeError, "does not fit into 64 bits"),  # @large integer
    "no axis": (lambda x: ops.size(x, 5), ShapeError, "size: axis 5 is out of range"),  # @no axis
    "no loop": (lambda x: x.axis(7), ShapeError, "axis 7 is out of range for the 2 loops"),  # @no loop
    "no dtype": (lambda x: ops.bitwise_and(x, 1), DTypeError, "bitwise_and"),  # @no dtype
}


@pytest.mark.parametrize("case", OPERATIONS)
def test_definitions(case):
    call, error, message = OPERATIONS[case]
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1, 4], contiguity=True)
        with pytest.raises(error, match=re.escape(message)) as caught:
            call(x)
        places = [f"({frame.filename}:{frame.lineno} in " for frame in traceback.extract_tb(caught.value.__traceback__)]
        assert line(case) in places
        fd.add_output(ops.neg(x))
    assert fd.execute([ONES(2, 4)], target="evaluator")[0].sum() == -8


def test_values_outside_of_their_definition():
    with FusionDefinition() as first:
        a = first.define_tensor(shape=[-1], contiguity=True)  # @value of another fusion
        first.add_output(a + 1.0)
    calls = [lambda: a + 1.0, lambda: -a, lambda: ops.exp(a), lambda: ops.set(a), lambda: ops.cast(a, DataType.Half)]
    for call in calls:
        with pytest.raises(DefinitionError, match="T0.* is used outside of the definition of its fusion") as caught:
            call()
        assert line("value of another fusion") in str(caught.value)
    with FusionDefinition() as second:
        b = second.define_tensor(shape=[-1], contiguity=True)
        calls += [lambda: b + a, lambda: ops.where(b > 0.0, a, b), lambda: second.add_output(a)]
        for call in calls:
            with pytest.raises(DefinitionError, match="T0.* belongs to another fusion|another fusion") as caught:
                call()
            assert line("value of another fusion") in str(caught.value), str(caught.value)
        second.add_output(b + 2.0)
    for fd, want in ((first, 2.0), (second, 3.0)):
        assert fd.execute([ONES(1)], target="evaluator")[0].tolist() == [want]
