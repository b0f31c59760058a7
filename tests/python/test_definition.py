# SPDX-License-Identifier: Apache-2.0
"""A definition as an object: text that rebuilds it, pickle, operators, identity, lifetime, validation."""

import gc
import pickle
import random
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from agreement import run, ulps

from nvfuser import (
    DataType,
    DefinitionError,
    DTypeError,
    Fusion,
    FusionDefinition,
    FusionGuard,
    TensorView,
    Val,
    Way,
    define_tensor,
    ops,
)
from nvfuser._C import pointwise_table
from nvfuser.definition import rebuild


def rich():
    """A fusion with every kind of input, constants of all types, an alias, a cut and special layouts; its inputs."""
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1, 1, 4], contiguity=[True, None, True])
        y = fd.define_tensor(shape=[-1, 4], contiguity=[True, True], stride_order=[0, 1], dtype=DataType.Half)
        z = fd.define_tensor(shape=[3], contiguity=[True], dtype=DataType.ComplexFloat)
        s, n = fd.define_scalar(), fd.define_scalar(dtype=DataType.Int)
        a = ops.squeeze(x, [1]) * s + ops.cast(y, DataType.Float)
        fd.add_output(ops.cast(a, DataType.BFloat16))
        fd.add_output(ops.stride_order(ops.segment_set(a) * float("inf"), [0, 1]))
        fd.add_output(ops.where(a > 0.25, a, float("nan")))
        fd.add_output(z * (1 - 2j) + ops.broadcast_in_dim(ops.full([], True, DataType.Bool), [3], []))
        fd.add_output(ops.clamp(ops.iota(n * 2 + 1, 3, -2), -5, None))
        fd.add_output(ops.permute(a, [1, 0]))
        fd.add_output(ops.expand(x, [-1, ops.size(y, 0), -1]))
        fd.add_output(x + 1.0, x)
    return fd


def rich_inputs():
    x = torch.arange(12, dtype=torch.float32).reshape(3, 1, 4) / 8
    y = torch.arange(12, dtype=torch.float16).reshape(4, 3).t()
    return [x, y, torch.tensor([1 + 1j, 2, 3j]).to(torch.complex64), -0.5, 3]


def assert_same_results(first, second, make):
    inputs_a, inputs_b = make(), make()
    results_a, results_b = run(first, inputs_a, "evaluator"), run(second, inputs_b, "evaluator")
    assert len(results_a) == len(results_b)
    tensors = [value for value in inputs_a if torch.is_tensor(value)]
    others = [value for value in inputs_b if torch.is_tensor(value)]
    for a, b in zip(results_a + tensors, results_b + others, strict=True):
        assert a.stride() == b.stride() and a.dtype == b.dtype and ulps(a, b) == 0


@pytest.mark.parametrize("copy", [lambda fd: rebuild(repr(fd)), lambda fd: pickle.loads(pickle.dumps(fd))])
def test_round_trip(copy):
    first = rich()
    second = copy(first)
    assert first.fusion == second.fusion and first.fusion.structural_hash() == second.fusion.structural_hash()
    assert repr(first) == repr(second)
    assert_same_results(first, second, rich_inputs)


def test_printed_form():
    text = repr(rich())
    assert text.startswith(
        "def nvfuser_fusion(fd : FusionDefinition) -> None :\n    tv0 = fd.define_tensor(shape=[-1, 1, 4]"
    )
    assert 'float("inf")' in text and 'float("nan")' in text and "fd.define_scalar(None, dtype=DataType.Double)" in text
    assert repr(FusionDefinition()) == "<FusionDefinition: empty>"


def all_operations():
    """One fusion of every pointwise operation that Float or Int takes."""
    with FusionDefinition() as fd:
        for dtype in (DataType.Float, DataType.Int):
            x = fd.define_tensor(shape=[-1], contiguity=True, dtype=dtype)
            for name, arity, _, _ in pointwise_table():
                operands = [x] + [2] * (arity - 1) if name != "where" else [x > 0, x, 1]
                try:
                    fd.add_output(getattr(ops, name)(*operands))
                except DTypeError:
                    continue
    return fd


def test_every_operation_prints():
    fd = all_operations()
    assert len(fd.fusion.outputs()) > 130
    assert_same_results(fd, rebuild(repr(fd)), lambda: [torch.linspace(-3, 3, 11), torch.arange(-5, 6)])


def variants():
    """Definitions that all differ."""

    def one(
        shape=(-1, -1),
        contiguity=True,
        dtype=DataType.Float,
        order=(),
        op=ops.add,
        constant=2.0,
        outputs=1,
        alias=False,
    ):
        with FusionDefinition() as fd:
            x = fd.define_tensor(shape=list(shape), contiguity=contiguity, dtype=dtype, stride_order=list(order))
            y = op(x, constant)
            for _ in range(outputs):
                fd.add_output(y)
            if alias:
                fd.add_output(y, x)
        return fd

    yield one()
    yield one(shape=(-1, 4))
    yield one(shape=(-1, 1))
    yield one(contiguity=False)
    yield one(dtype=DataType.Double)
    yield one(order=(0, 1))
    yield one(op=ops.sub)
    yield one(constant=3.0)
    yield one(outputs=2)
    yield one(alias=True)


def test_equality():
    first, second = list(variants()), list(variants())
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            assert (a.fusion == b.fusion) == (i == j) == a.fusion.same_definition(b.fusion)
    assert len({fd.fusion.structural_hash() for fd in first}) == len(first)
    assert first[0].fusion != 3 and first[0].fusion != "text"


# Operators of Python -> the operation that they are.
OPERATORS = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "truediv": lambda a, b: a / b,
    "remainder": lambda a, b: a % b, "pow": lambda a, b: a**b, "bitwise_and": lambda a, b: a & b,
    "bitwise_or": lambda a, b: a | b, "bitwise_xor": lambda a, b: a ^ b, "bitwise_left_shift": lambda a, b: a << b,
    "bitwise_right_shift": lambda a, b: a >> b, "lt": lambda a, b: a < b, "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b, "ge": lambda a, b: a >= b,
}  # fmt: skip


@pytest.mark.parametrize("name", OPERATORS)
def test_operators(name):
    operator, values = OPERATORS[name], torch.tensor([-3, 0, 2, 5])
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1], contiguity=True, dtype=DataType.Int)
        for lhs, rhs in ((x, 2), (2, x), (x, x)):
            fd.add_output(operator(lhs, rhs))
            fd.add_output(getattr(ops, name)(lhs, rhs))
    results = run(fd, [values], "evaluator")
    for by_operator, by_name in zip(results[::2], results[1::2], strict=True):
        assert by_operator.dtype == by_name.dtype and ulps(by_operator, by_name) == 0
    with FusionDefinition() as fd, pytest.raises(TypeError):
        operator(fd.define_tensor(shape=[-1], dtype=DataType.Int), "text")


def test_unary_operators():
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1], contiguity=True, dtype=DataType.Int)
        for value in (-x, abs(x), ~x):
            fd.add_output(value)
    assert [t.tolist() for t in run(fd, [torch.tensor([-3, 4])], "evaluator")] == [[3, -4], [3, 4], [2, -5]]


def test_values_have_no_truth_and_compare_by_identity():
    with FusionDefinition() as fd:
        x, y = fd.define_tensor(shape=[-1]), fd.define_tensor(shape=[-1])
        for value in (x, x > 0.0, fd.define_scalar(), fd.define_scalar(True)):
            with pytest.raises(TypeError, match="has no truth value"):
                bool(value)
        assert x == x and x != y and len({x, y, x}) == 2
        assert fd.fusion.inputs()[0] is x and (x + y).definition().input(1) is y
        assert type(x) is TensorView and type(fd.define_scalar()) is Val
        assert type(x.axis(0) if hasattr(x, "axis") else x.get_logical_domain()[0]).__name__ == "IterDomain"


def test_exceptions_pass_through(capfd):
    class Mine(Exception):
        pass

    fd = FusionDefinition()
    with pytest.raises(Mine), fd:
        fd.add_output(fd.define_tensor(shape=[-1]) + 1.0)
        raise Mine
    out, err = capfd.readouterr()
    assert out == err == ""
    with pytest.raises(RuntimeError, match="no fusion is being defined"):
        fd.define_tensor(shape=[2])
    with fd:  # a definition may go on
        fd.add_output(fd.fusion.inputs()[0] * 2.0)
    assert [t.tolist() for t in run(fd, [torch.ones(2)], "evaluator")] == [[2, 2], [2, 2]]


def test_definitions_go_on_after_a_call():
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1], contiguity=True)
        fd.add_output(x + 1.0)
    assert len(run(fd, [torch.ones(2)], "evaluator")) == 1
    with fd:
        fd.add_output(x * 5.0)
    assert [t.tolist() for t in run(fd, [torch.ones(2)], "evaluator")] == [[2, 2], [5, 5]]
    with pytest.raises(RuntimeError, match="T0.* is used outside of the definition of its fusion"):
        x * 7.0
    guard = FusionGuard(fd.fusion)
    fd.fusion.add_output(x * 7.0)
    guard.release()
    with pytest.raises(RuntimeError, match="the fusion got inputs or outputs after its first call"):
        fd.execute([torch.ones(2)], target="evaluator")
    with fd:
        pass
    assert run(fd, [torch.ones(2)], "evaluator")[2].tolist() == [7, 7]


def test_threads():
    """Many threads run one fusion with sizes and scalars of their own."""
    with FusionDefinition() as fd:
        x, s = fd.define_tensor(shape=[-1, -1], contiguity=True), fd.define_scalar()
        fd.add_output(x * s + ops.permute(ops.permute(x, [1, 0]), [1, 0]))

    def work(number):
        for step in range(20):
            tensor = torch.full((1 + (step * 7 + number) % 5, 3), float(step))
            for way in (None, "evaluator"):
                (got,) = fd.execute([tensor, float(number)], target=way)
                assert torch.equal(got, tensor * number + tensor)
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))


def test_nested_definitions():
    with FusionDefinition() as outer:
        x = outer.define_tensor(shape=[-1])
        with FusionDefinition() as inner:
            inner.add_output(inner.define_tensor(shape=[-1]) + 1.0)
        outer.add_output(x * outer.define_scalar(3.0))
    for fd, want in ((outer, 3), (inner, 2)):
        assert run(fd, [torch.ones(1)], "evaluator")[0].item() == want


def test_operations_on_numbers_need_no_definition():
    """They give constants, each of a fusion of its own."""
    assert [str(value) for value in (ops.add(1, 2), ops.add(lhs=1, rhs=2.5), ops.sqrt(x=9), ops.eq(1j, 1j))] == [
        "3",
        "3.5",
        "3.0",
        "true",
    ]
    assert str(ops.cast(2.7, DataType.Int)) == "2" and str(ops.clamp(7.0, max=1.0)) == "1.0"
    constant = ops.mul(3, 4)
    assert type(constant) is Val and not constant.is_symbolic() and not constant.fusion().exprs()
    assert constant.fusion() is not ops.mul(3, 4).fusion()
    with pytest.raises(DefinitionError, match="no fusion is being defined"):
        ops.full([2], 1.0, DataType.Float)
    with pytest.raises(DefinitionError, match="outside of the definition of its fusion"):
        constant + 1
    with FusionDefinition() as fd, pytest.raises(DefinitionError, match="belongs to another fusion"):
        fd.define_scalar(2.0) * constant


def test_guards_as_blocks():
    fusion = Fusion()
    with FusionGuard(fusion) as guard:
        x = define_tensor(shape=[2])
        assert isinstance(guard, FusionGuard) and x.fusion() is fusion
        with pytest.raises(KeyError), FusionGuard(Fusion()):
            raise KeyError
        assert define_tensor(shape=[2]).fusion() is fusion
    with pytest.raises(DefinitionError, match="no fusion is being defined"):
        define_tensor(shape=[2])


def test_last_way():
    with FusionDefinition() as fd:
        fd.add_output(fd.define_tensor(shape=[-1], contiguity=True) + 1.0)
    assert fd.last_way is None
    for way in ("evaluator", "host", "emulator"):
        fd.execute([torch.ones(3)], target=way)
        assert fd.last_way is Way[way]
    fd.execute([torch.ones(3)], target=Way.host)
    assert fd.last_way == Way.host
    fd.execute([torch.ones(3)])
    assert fd.last_way == Way.host


def test_validate():
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1], contiguity=True, dtype=DataType.BFloat16)
        fd.add_output(ops.cast(ops.exp(x), DataType.BFloat16))
        fd.add_output(x > 0.0)
    tensor = torch.linspace(-1, 1, 9).bfloat16()
    outputs = fd.validate([tensor], target="evaluator")
    fd.validate([tensor], outputs, target="evaluator")
    wrong = [outputs[0].clone(), outputs[1].clone()]
    wrong[0][3] += 1
    with pytest.raises(RuntimeError, match="output 0 differs at \\(3,\\): got .* \\(1 of 9\\)"):
        fd.validate([tensor], wrong, target="evaluator")
    with pytest.raises(RuntimeError, match="output 1 differs at"):
        fd.validate([tensor], [outputs[0], ~outputs[1]], target="evaluator")
    with pytest.raises(RuntimeError, match="expected 1 outputs, got 2"):
        fd.validate([tensor], outputs[:1], target="evaluator")
    with pytest.raises(RuntimeError, match="output 0: expected shape \\(4,\\), got \\(9,\\)"):
        fd.validate([tensor], [outputs[0][:4], outputs[1]], target="evaluator")
    precise = fd.reference([tensor])
    assert precise[0].dtype == np.float64 and np.allclose(precise[0], np.exp(tensor.double().numpy()))


def test_wrappers_keep_their_fusion():
    """Every object stays usable whatever died before it, in any order."""
    rng = random.Random(7)
    for _ in range(3):
        fd = rich()
        fusion = fd.fusion
        objects = [fusion, *fusion.inputs(), *fusion.outputs(), *fusion.vals(), *fusion.exprs()]
        objects += [t.domain() for t in fusion.inputs() if t.is_tensor()]
        objects += [axis.extent() for t in fusion.outputs() for axis in t.get_logical_domain()]
        count = len(fusion.exprs())
        alive = weakref.ref(fd)
        rng.shuffle(objects)
        del fd, fusion
        gc.collect()
        assert alive() is None
        while objects:
            objects.pop()
            if len(objects) % 40 == 0:
                gc.collect()
            for value in objects[-2:]:
                assert str(value) and repr(value)
                owner = value.fusion() if isinstance(value, Val) else None
                assert owner is None or len(owner.exprs()) == count
