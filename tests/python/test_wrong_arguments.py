# SPDX-License-Identifier: Apache-2.0
"""Wrong arguments, drawn at random: only RuntimeError, TypeError and ValueError with a message come out, and the fusion
still runs right.  Seeds are printed with failures by Hypothesis."""

import gc
import threading

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wrong_values import NUMBERS, OTHERS, OWN, TENSORS, ended_value

import nvfuser
from nvfuser import DataType, FusionDefinition, FusionGuard, ops
from nvfuser._C import Fusion, FusionExecutor, TensorArgument

ERRORS = (RuntimeError, TypeError, ValueError, NotImplementedError)
SETTINGS = dict(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


VALUES = st.one_of(
    st.sampled_from(NUMBERS),
    st.sampled_from(OTHERS),
    st.sampled_from(TENSORS),
    st.sampled_from(OWN).map(lambda make: make()),
)
SIZES = st.sampled_from([-(1 << 63), -2, -1, 0, 1, 2, 3, 4, 1 << 31, 1 << 40, (1 << 63) - 1, 1 << 63])
LISTS = st.one_of(
    VALUES, st.lists(st.one_of(SIZES, VALUES), max_size=4), st.lists(st.just(-1), min_size=60, max_size=70)
)


def attempt(call):
    """The result of a call, or None after an error of a legal type that says something."""
    try:
        return call()
    except ERRORS as error:
        assert str(error).strip(), f"{type(error).__name__} without a message"
        return None


def small(plan_inputs):
    """Sizes that a test may allocate."""
    return all(not isinstance(value, int) or abs(value) < 1 << 20 for value in plan_inputs)


@pytest.fixture(scope="module")
def calls():
    """A fusion with every kind of input, and inputs on which it runs."""
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1], contiguity=[False])
        y = fd.define_tensor(shape=[-1], contiguity=[False])
        z = fd.define_tensor(shape=[], is_cpu=True)
        s, n = fd.define_scalar(), fd.define_scalar(dtype=DataType.Int)
        fd.add_output(x * s + z)
        fd.add_output(y + 1.0, y)
        fd.add_output(ops.broadcast_in_dim(x, [n, ops.size(x, 0)], [1]))
    return fd


def good():
    return [torch.ones(3), torch.ones(5), torch.tensor(2.0), 0.5, 2]


def check_usable(fd):
    first, second = fd.execute(good(), target="evaluator")
    assert first.tolist() == [2.5] * 3 and second.shape == (2, 3)


@settings(max_examples=400, **SETTINGS)
@given(st.data())
def test_inputs(calls, data):
    inputs = good()
    for position in data.draw(st.lists(st.integers(0, 4), max_size=2)):
        inputs[position] = data.draw(VALUES)
    inputs = inputs[: data.draw(st.integers(3, 5))] + data.draw(st.lists(VALUES, max_size=1))
    target = data.draw(st.sampled_from(["evaluator", "emulator"]))
    if small(inputs[4:5]):
        attempt(lambda: calls.execute(inputs, target="evaluator"))
    attempt(
        lambda: calls._plan(inputs, None if data.draw(st.booleans()) else target) if not small(inputs[4:5]) else None
    )
    check_usable(calls)


@settings(max_examples=150, **SETTINGS)
@given(inputs=LISTS, target=VALUES, seed=VALUES, device=VALUES)
def test_arguments_of_execute(calls, inputs, target, seed, device):
    for keywords in (dict(), dict(target=target), dict(seed=seed), dict(target="emulator", schedule_for=device)):
        if keywords or not isinstance(inputs, list):
            attempt(lambda: calls.execute(inputs if not keywords else good()[:4], **keywords))  # noqa: B023
    for call in (calls.reference, calls.validate, calls.kernel_text, calls.plan_text):
        attempt(lambda: call(inputs) if not isinstance(inputs, list) else None)  # noqa: B023
    check_usable(calls)


NAMES = sorted(name for name in dir(ops) if not name.startswith("_"))


@settings(max_examples=600, **SETTINGS)
@given(st.data())
def test_operations(data):
    """Any op on any arguments, and then the fusion as it was."""
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1, 4], contiguity=True)
        n = fd.define_scalar(dtype=DataType.Int)
        mixed = st.one_of(st.just(x), st.just(n), st.just(x.axis(0)), st.just(x.domain()), VALUES, LISTS)
        for _ in range(4):
            op = getattr(ops, data.draw(st.sampled_from(NAMES)))
            arguments = data.draw(st.lists(mixed, max_size=4))
            result = attempt(lambda: op(*([x] * data.draw(st.integers(0, 1)) + arguments)))  # noqa: B023
            if isinstance(result, nvfuser.TensorView) and data.draw(st.booleans()):
                attempt(lambda: fd.add_output(result))  # noqa: B023
        fd.add_output(x + 1.0)
    attempt(lambda: repr(fd))
    attempt(lambda: FusionExecutor(fd.fusion).prepare([]))
    (*_, last) = attempt(lambda: fd.execute([torch.ones(2, 4), 2], target="evaluator")) or [None]
    assert last is None or last.tolist() == [[2.0] * 4] * 2


@settings(max_examples=300, **SETTINGS)
@given(shape=LISTS, contiguity=LISTS, dtype=VALUES, order=LISTS, is_cpu=VALUES, static=VALUES)
def test_definitions(shape, contiguity, dtype, order, is_cpu, static):
    with FusionDefinition() as fd:
        for call in (
            lambda: fd.define_tensor(shape, contiguity),
            lambda: fd.define_tensor(shape=shape, contiguity=True, dtype=dtype),
            lambda: fd.define_tensor(shape=shape, contiguity=contiguity, is_cpu=is_cpu, stride_order=order),
            lambda: fd.define_tensor(sizes=shape, strides=order, static_sizes=static),
            lambda: fd.define_scalar(dtype),
            lambda: fd.define_scalar(dtype, static),
            lambda: fd.define_vector(shape) if not isinstance(shape, int) or shape < 100 else None,
            lambda: fd.from_pytorch(shape, static),
            lambda: fd.add_output(shape, order),
            lambda: fd.add_output(nvfuser.define_tensor(shape=[2]), order),
            lambda: nvfuser.compute_tensor_descriptor(shape, order),
            lambda: fd.fusion.add_input(shape),
            lambda: FusionGuard(shape),
        ):
            attempt(call)
        extra = len(fd.fusion.inputs())
        x = fd.define_tensor(shape=[2], contiguity=True)
        fd.add_output(x * 2.0)
    if extra == 0:
        assert fd.execute([torch.ones(2)], target="evaluator")[0].tolist() == [2, 2]


@settings(max_examples=200, **SETTINGS)
@given(data=st.data(), sizes=st.lists(SIZES, max_size=3), strides=st.lists(SIZES, max_size=3))
def test_descriptions(calls, data, sizes, strides):
    """Tensors as the executor sees them: nothing is read before all of it is checked."""
    bad = attempt(
        lambda: TensorArgument(data.draw(st.sampled_from([0, 1, 16])), DataType.Float, False, 0, sizes, strides)
    )
    if bad is not None:
        described = [
            TensorArgument(16, DataType.Float, False, 0, [3], [1]),
            TensorArgument(16, DataType.Float, False, 0, [5], [1]),
        ]
        inputs = [*described, TensorArgument(16, DataType.Float, False, 0, [], []), 0.5, 2]
        inputs[data.draw(st.integers(0, 2))] = bad
        attempt(lambda: FusionExecutor(calls.fusion).prepare(inputs, nvfuser.Way.evaluator))
    check_usable(calls)


def test_guards_in_any_order():
    """Guards that end in another order, twice, or on another thread leave the other definitions alone."""
    first, second, third = Fusion(), Fusion(), Fusion()
    guards = [FusionGuard(fusion) for fusion in (first, second, third)]
    guards[1].release()
    guards[1].release()
    assert nvfuser.define_scalar().fusion() is third
    thread = threading.Thread(target=guards.pop().release)
    thread.start()
    thread.join()
    assert nvfuser.define_scalar().fusion() is first
    del guards
    gc.collect()
    with pytest.raises(nvfuser.DefinitionError, match="no fusion is being defined"):
        nvfuser.define_scalar()


def test_values_outlive_their_fusion():
    value = ended_value()
    assert value.ndim == 2 and str(value).startswith("T0") and "wrong_values.py" in value.location()
    with pytest.raises(nvfuser.DefinitionError, match="is used outside of the definition of its fusion"):
        ops.neg(value)
