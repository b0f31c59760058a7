# SPDX-License-Identifier: Apache-2.0
"""Plans of many calls from one compile, and outputs in the places that plans choose for them."""

import numpy as np
import pytest

from nvfuser import DataType, FusionDefinition, Way
from nvfuser._C import compiler_runs, kernel_texts, prepare_batch

WAYS = ("evaluator", "host", "emulator")


def scaled(factor):
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1], contiguity=True)
        fd.add_output(x * factor)
    return fd


@pytest.mark.parametrize("way", (Way.host, Way.emulator))
def test_one_compile_serves_all_calls(way):
    x = np.arange(37, dtype=np.float32)
    fusions = [scaled(float(k) + 0.5) for k in range(12)]
    before = compiler_runs()
    plans = prepare_batch([(fd._ready(), [x], way, "") for fd in fusions])
    assert compiler_runs() - before <= 1
    assert [plan.way for plan in plans] == [way] * 12
    for k, fd in enumerate(fusions):
        (got,) = fd.execute([x], target=way)
        np.testing.assert_array_equal(got, x * np.float32(k + 0.5))
    assert compiler_runs() - before <= 1


def test_a_call_may_stand_in_a_batch_twice():
    fd, x = scaled(2.0), np.ones(5, np.float32)
    first, second = prepare_batch([(fd._ready(), [x], Way.emulator, "A100")] * 2)
    assert str(first) == str(second)


def test_texts_need_no_compiler():
    before = compiler_runs()
    (text,) = kernel_texts((scaled(3.0)._ready(), [np.ones(64, np.float32)], Way.emulator, "B200"))
    assert "RT_KERNEL(nvf_mul_0" in text
    assert compiler_runs() == before


@pytest.mark.parametrize("way", WAYS)
def test_empty_expanded_output_beside_another(way):
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[], contiguity=[])
        fd.add_output(fd.ops.expand(fd.ops.broadcast(x, [True, True]), [17, 0]))
        fd.add_output(fd.ops.abs(x))
    empty, got = fd.execute([np.array(-1.5, np.float32)], target=way)
    assert empty.shape == (17, 0)
    assert got == 1.5


@pytest.mark.parametrize("way", WAYS)
def test_aliased_output_is_read_by_a_later_kernel(way):
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1, -1], contiguity=True)
        t = fd.ops.segment_set(fd.ops.neg(x))
        fd.add_output(fd.ops.set(fd.ops.permute(t, [1, 0])))
        fd.add_output(t, x)
    a = np.arange(40, dtype=np.float32).reshape(5, 8)
    want = -a
    (got,) = fd.execute([a], target=way)
    np.testing.assert_array_equal(got, want.T)
    np.testing.assert_array_equal(a, want)


@pytest.mark.parametrize("way", WAYS)
def test_expanded_output_fills_the_input_that_it_is_written_into(way):
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1, -1], contiguity=True)
        y = fd.define_tensor(shape=[-1, 1], contiguity=True, dtype=DataType.Float)
        fd.add_output(fd.ops.expand(fd.ops.permute(fd.ops.neg(y), [1, 0]), [3, 4]), x)
    a, b = np.zeros((3, 4), np.float32), np.arange(4, dtype=np.float32).reshape(4, 1)
    fd.execute([a, b], target=way)
    np.testing.assert_array_equal(a, np.broadcast_to(-b.T, (3, 4)))


@pytest.mark.parametrize("way", WAYS)
def test_truncation_to_zero_has_no_sign(way):
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1], contiguity=True)
        fd.add_output(fd.ops.cast(fd.ops.cast(x, DataType.Int32), DataType.Float))
    (got,) = fd.execute([np.full(19, -0.5, np.float32)], target=way)
    assert not np.signbit(got).any()
