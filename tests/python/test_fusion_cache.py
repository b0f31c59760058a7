# SPDX-License-Identifier: Apache-2.0
"""Equal programs share their plans and compile once."""

import numpy as np
import pytest

import nvfuser
from nvfuser import FusionDefinition, FusionExecutorCache, LRUCache, LruFusionCache
from nvfuser._C import compiler_runs

X = np.arange(12, dtype=np.float32).reshape(3, 4)


def layer(factor: float) -> FusionDefinition:
    with FusionDefinition() as fd:
        x = fd.from_pytorch(X)
        fd.add_output(fd.ops.tanh(x * factor) + factor)
    return fd


def test_layers_share_an_executor():
    """A hundred equal layers compile as much as one."""
    cache = LRUCache(8)
    first = cache.cache_compile(layer(0.5).fusion)
    (expected,) = first.execute([X])
    runs = compiler_runs()
    for _ in range(100):
        (got,) = cache.cache_compile(layer(0.5).fusion).execute([X])
        assert np.array_equal(got, expected)
    assert compiler_runs() == runs
    assert cache.num_fusions() == 1
    assert "fusions: 1 of at most 8, 1 compiled, 0 evicted" in cache.stats()
    assert "lookups: 101, hits: 100, hit rate: 99.0 %" in cache.stats()


def test_unlike_fusions_do_not_meet():
    cache = LRUCache(2)
    for factor in (1.0, 2.0, 3.0):
        (got,) = cache.cache_compile(layer(factor).fusion).execute([X], target="evaluator")
        assert np.allclose(got, np.tanh(X * factor) + factor)
    assert cache.num_fusions() == 2
    assert "1 evicted" in cache.stats()
    with pytest.raises(nvfuser.OptionError, match="Expected max_fusions to be positive, but got 0"):
        LRUCache(0)


def test_decorator():
    made = LruFusionCache(max_fusions=4)(layer)
    for factor in (0.25, 0.5, 0.25):
        (got,) = made(factor).execute([X], target="evaluator")
        assert np.allclose(got, np.tanh(X * factor) + factor)
    assert made.num_fusions() == 2
    assert "lookups: 3, hits: 1" in made.stats()
    assert made.__name__ == "layer"
    assert made(0.25).executor is made(0.25).executor


def test_executor_cache():
    executor = FusionExecutorCache(layer(2.0).fusion, fusion_id=7)
    assert executor.fusion_id == 7
    assert not executor.is_compiled([X])
    (got,) = executor.execute([X], target="evaluator")
    assert np.allclose(got, np.tanh(X * 2) + 2)
    out = np.empty_like(X)
    (same,) = executor.execute([X], out=[out])
    assert same is out and np.allclose(out, got)
    executor.execute([X])
    assert executor.is_compiled([X]) and not executor.is_compiled([X[:2]])
    assert executor.fusion().outputs()
