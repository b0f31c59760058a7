# SPDX-License-Identifier: Apache-2.0
"""prepare: what was compiled ahead is not compiled again."""

import numpy as np
import pytest

import nvfuser
from nvfuser import DataType, FusionDefinition, FusionExecutorCache, TensorSpec
from nvfuser._C import compiler_runs, option, set_option

RNG = np.random.default_rng(3)


@pytest.fixture(autouse=True)
def own_cache(tmp_path):
    """Every kernel that is not in memory is compiled."""
    before = option("NVFUSER_CACHE_DIR")
    set_option("cache_dir", str(tmp_path))
    yield
    set_option("cache_dir", before)


def scaled(constant):
    """A program that no other test has."""
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1, -1], contiguity=[True, True])
        b = fd.define_tensor(shape=[-1], contiguity=[True])
        s = fd.define_scalar(dtype=DataType.Double)
        fd.add_output(fd.ops.exp(x * s + b) * constant)
    return fd


def inputs_of(rows, columns):
    return [RNG.standard_normal((rows, columns), np.float32), RNG.standard_normal(columns, np.float32), 0.5]


@pytest.mark.parametrize("target, constant", [(None, 1.25), ("host", 2.25), ("emulator", 3.25)])
def test_later_calls_compile_nothing(target, constant):
    fd = scaled(constant)
    shapes = [(1, 1), (3, 7), (64, 512), (1000, 33)]
    runs = compiler_runs()
    fd.prepare([[(r, c), (c,), None] for r, c in shapes], target=target, device="cpu")
    assert compiler_runs() == runs + 1  # one batch
    plans = fd.executor.plan_count
    assert plans == len(shapes)
    for rows, columns in shapes:
        x, b, s = inputs_of(rows, columns)
        (got,) = fd.execute([x, b, s], target=target)
        np.testing.assert_allclose(got, np.exp(x * s + b) * constant, rtol=1e-5)
    assert compiler_runs() == runs + 1
    assert fd.executor.plan_count == plans


def test_one_set_and_descriptions():
    fd = FusionExecutorCache(scaled(7.5).fusion)
    fd.prepare([(5, 6), TensorSpec([6], strides=[1], dtype=np.float32, device="cpu"), 2.0], device="cpu")
    x, b, s = inputs_of(5, 6)
    assert fd.is_compiled([x, b, s])
    x, b, s = inputs_of(9, 4)
    assert not fd.is_compiled([x, b, s])
    fd.prepare([x, b, None], device="cpu")  # examples
    assert fd.is_compiled([x, b, s])


def test_strides_and_memory_order():
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1, -1], contiguity=[True, True], stride_order=[0, 1])
        y = fd.define_tensor(shape=[-1, -1], contiguity=[False, False])
        fd.add_output(x - y)
    fd.prepare([(4, 6), TensorSpec([4, 6], strides=[12, 2])], device="cpu")
    runs, plans = compiler_runs(), fd.executor.plan_count
    x, y = RNG.standard_normal((6, 4), np.float32).T, RNG.standard_normal((4, 12), np.float32)[:, ::2]
    (got,) = fd.execute([x, y])
    assert np.array_equal(got, x - y)
    assert (compiler_runs(), fd.executor.plan_count) == (runs, plans)


def test_written_inputs_do_not_meet():
    """Tensors that are only described share no memory, so updates in place are planned as calls find them."""
    with FusionDefinition() as fd:
        x, y = (fd.define_tensor(shape=[-1], contiguity=[True]) for _ in range(2))
        fd.add_output(x + y, x)
    fd.prepare([(100,), (100,)], device="cpu")
    plans = fd.executor.plan_count
    x, y = np.ones(100, np.float32), np.full(100, 2, np.float32)
    fd.execute([x, y])
    assert x.tolist() == [3.0] * 100 and fd.executor.plan_count == plans


def test_scalars():
    with FusionDefinition() as fd:
        n = fd.define_scalar(dtype=DataType.Int)
        s = fd.define_scalar(dtype=DataType.Double)
        fd.add_output(fd.ops.full([n], s, DataType.Float))
    with pytest.raises(nvfuser.DefinitionError, match="Expected a value for input 0, which decides the size"):
        fd.prepare([None, None], device="cpu")
    fd.prepare([5, None], device="cpu")
    runs = compiler_runs()
    (got,) = fd.execute([5, 1.5])
    assert got.tolist() == [1.5] * 5 and compiler_runs() == runs


def test_errors_name_the_input():
    fd = scaled(2.0)
    with pytest.raises(nvfuser.ShapeError, match="Expected 2 sizes for T0.*, but got 1"):
        fd.prepare([(4,), (4,), None], device="cpu")
    with pytest.raises(nvfuser.DefinitionError, match="Expected a number for input 2, but got a shape"):
        fd.prepare([(4, 4), (4,), (4,)], device="cpu")
    with pytest.raises(nvfuser.DefinitionError, match="Expected a shape for input 1, but got None"):
        fd.prepare([(4, 4), None, None], device="cpu")
    with pytest.raises(nvfuser.DTypeError, match="dtype Float, but got a tensor of dtype Half"):
        fd.prepare([TensorSpec((4, 4), dtype=DataType.Half), (4,), None], device="cpu")
    with pytest.raises(nvfuser.DefinitionError, match="Expected 3 inputs, but got 2"):
        fd.prepare([(4, 4), (4,)], device="cpu")
    with pytest.raises(ValueError, match="expected a device such as cpu or cuda:0, got 'tpu'"):
        fd.prepare([(4, 4), (4,), None], device="tpu")
    with pytest.raises(TypeError, match="input 1: expected a tensor or a number, got str"):
        fd.prepare([(4, 4), "b", None], device="cpu")
    with pytest.raises(NotImplementedError):
        FusionDefinition().prepare([(4,)])
    assert fd.executor.plan_count == 0
