# SPDX-License-Identifier: Apache-2.0
"""Threads: Python runs on while nvfuser compiles and computes; 32 of them call mixed programs.

The thread sanitizer runs the last of these against a module built with it.
"""

import random
import threading

import numpy as np
import pytest
from slow_compiler import SlowCompiler

from nvfuser import FusionDefinition, ops
from nvfuser._C import compile_cubin, set_option

THREADS, CALLS = 32, 1000
STEPS = 3_000_000


def scaled(factor, cut=False, dtype=np.float32):
    """x * factor + y, in one kernel or in two."""
    with FusionDefinition() as fd:
        x, y = (fd.from_pytorch(np.ones(8, dtype)) for _ in range(2))
        product = fd.ops.segment_set(x * factor) if cut else x * factor
        fd.add_output(product + y)
    return fd


class Counter(threading.Thread):
    """Counts in pure Python until it is stopped."""

    def __init__(self):
        super().__init__()
        self.count, self.stopped = 0, False

    def run(self):
        while not self.stopped:
            self.count += 1

    def __enter__(self):
        self.start()
        while self.count == 0:
            pass
        return self

    def __exit__(self, *error):
        self.stopped = True
        self.join()


def test_python_runs_on_during_a_compile(tmp_path):
    """The compiler waits until another thread has counted to three millions: it would wait for ever without."""
    slow, x = SlowCompiler(tmp_path), np.ones(8, np.float32)
    counted = 0

    def count():
        nonlocal counted
        slow.wait()
        while counted < STEPS:
            counted += 1
        slow.go.touch()

    set_option("cxx", str(slow.path))
    thread = threading.Thread(target=count)
    thread.start()
    try:
        (got,) = scaled(2.5).execute([x, x], target="host")
    finally:
        slow.go.touch()
        thread.join()
        set_option("cxx", "")
    assert got.tolist() == [3.5] * 8
    assert counted == STEPS and len(slow.runs()) == 1


def test_python_runs_on_during_nvrtc(tmp_path):
    body = "".join(f"x = x * {k}.5f + sqrtf(x + {k}.25f);\n" for k in range(40))
    kernel = 'extern "C" __global__ void k%d(float* p) { float x = p[0];\n%s p[0] = x; }\n'
    set_option("cache_dir", str(tmp_path))
    try:
        with Counter() as counter:
            before = counter.count
            compile_cubin("".join(kernel % (k, body) for k in range(30)), 90)
            assert counter.count - before > 100_000
    finally:
        set_option("cache_dir", "")


@pytest.mark.parametrize("target", ["emulator", "evaluator"])
def test_python_runs_on_during_a_launch(target):
    x = np.ones(1 << 19, np.float32)
    fd = scaled(2.0)
    fd.execute([x, x], target=target)
    with Counter() as counter:
        for _ in range(100):
            before = counter.count
            fd.execute([x, x], target=target)
            if counter.count - before > 1000:
                return
    pytest.fail("no call let another thread count to 1,000")


def in_threads(count, body):
    """Runs body(k) in threads that start together; what they raised."""
    barrier, errors = threading.Barrier(count), []

    def run(k):
        barrier.wait()
        try:
            body(k)
        except BaseException as error:
            errors.append((k, repr(error)))

    threads = [threading.Thread(target=run, args=(k,)) for k in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def test_threads_build_different_programs():
    """Each has its own current fusion: `with` blocks of eight threads overlap."""
    inside = threading.Barrier(8)

    def build(k):
        with FusionDefinition() as fd:
            x = fd.define_tensor(shape=[-1], contiguity=True)
            inside.wait()
            y = x + float(k)
            inside.wait()
            fd.add_output(ops.neg(y))
        (got,) = fd.execute([np.ones(3, np.float32)], target="evaluator")
        assert got.tolist() == [-1.0 - k] * 3

    assert in_threads(8, build) == []


def test_threads_want_one_new_program():
    """One makes the plan, fifteen wait for it."""
    fd, x = scaled(7.0), np.ones(8, np.float32)

    def call(_):
        assert fd.execute([x, x])[0].tolist() == [8.0] * 8

    assert in_threads(16, call) == []
    assert fd._ready().plan_count == 1


def test_many_threads_call_mixed_programs():
    """32 threads, 1,000 calls each: programs of one and of two kernels, other dtypes, shapes, ways, and `out`."""
    programs = [(factor, scaled(factor, cut, dtype), dtype) for factor, cut, dtype in MIXED]
    for _, fd, dtype in programs:
        for size in SIZES:
            fd.execute([np.ones(size, dtype)] * 2, target="host")

    def work(seed):
        chosen = random.Random(seed)
        for n in range(CALLS):
            factor, fd, dtype = chosen.choice(programs)
            size = chosen.choice(SIZES)
            x, y = np.arange(size).astype(dtype), np.full(size, seed, dtype)
            way = "evaluator" if n % 8 == 0 and size < 100 else None
            if n % 200 == 199:
                fd = scaled(factor, False, dtype)
                way = "evaluator"
            out = [np.empty(size, dtype)] if n % 3 == 0 else None
            (got,) = fd.execute([x, y], out=out, target=way)
            assert got.dtype == dtype and np.array_equal(got, x * dtype(factor) + y), (seed, n)

    assert in_threads(THREADS, work) == []


MIXED = [(2, False, np.float32), (3, True, np.float32), (4, False, np.float64), (5, False, np.int64)]
SIZES = (0, 1, 7, 64, 1000)
