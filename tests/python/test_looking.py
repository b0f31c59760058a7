# SPDX-License-Identifier: Apache-2.0
"""Looking at objects, as debuggers, notebooks and completion do: repr, str, dir and every attribute of all kinds of
objects compile nothing, open no GPU library, raise nothing and give short texts that name the class."""

import inspect
from pathlib import Path

import child
import numpy as np
import pytest

import nvfuser
import nvfuser_direct
from nvfuser import (
    FusionDefinition,
    FusionExecutorCache,
    FusionGuard,
    LRUCache,
    LruFusionCache,
    PythonProfiler,
    TensorSpec,
    Way,
    ops,
)
from nvfuser._C import compiler_runs

X = np.ones((3, 8), np.float32)


def define(package=nvfuser):
    with package.FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1, 8], contiguity=True)
        s = fd.define_scalar(2.0)
        fd.add_output(ops.sum(x * s, 1))
    return fd


def objects():
    """Objects of every public class, in the states in which users meet them."""
    fd = define()
    fd.execute([X], target="evaluator")
    x, total = fd.fusion.inputs()[0], fd.fusion.outputs()[0]
    yield from (fd, fd.fusion, x, x.domain(), x.axis(0), x.axis(0).extent(), total, total.definition())
    yield from (FusionDefinition(), FusionDefinition().executor, fd.executor, fd._plan([X], "evaluator"))
    yield from fd._plan([X], "evaluator").outputs
    guard = FusionGuard(nvfuser.Fusion())
    yield guard
    wide = ops.broadcast(nvfuser.define_tensor(shape=[3]), [True, False])
    yield from (wide.definition(), ops.squeeze(wide, [0]).definition())
    guard.release()
    yield guard
    yield from (FusionExecutorCache(fd.fusion), LRUCache(4), TensorSpec((2, 3)), LruFusionCache(max_fusions=2)(define))
    profiler = PythonProfiler()
    yield profiler
    with profiler:
        fd.execute([X], target="evaluator")
    yield from (profiler, profiler.profile, *profiler.profile.kernel_profiles)
    yield from (*nvfuser.DataType, *nvfuser.ParallelType, *nvfuser.MemoryType, *Way)
    direct = define(nvfuser_direct)
    yield from (nvfuser_direct.FusionDefinition(), direct, nvfuser_direct.FusionExecutorCache(direct.fusion))
    direct.execute([X], target="evaluator")
    yield from (direct, direct.fec, nvfuser_direct.LRUCache(4), nvfuser_direct.version())
    yield from (nvfuser.ShapeError("text"), nvfuser.PerformanceWarning("text"))
    yield from (nvfuser, nvfuser.ops, nvfuser.ir, nvfuser.runtime, nvfuser_direct, ops.add, ops.sum, FusionDefinition)


def looked_at(value):
    """Every text that a debugger would show of an object."""
    yield repr(value)
    yield str(value)
    for name in dir(value):
        yield repr(getattr(value, name, None))
    for name, member in inspect.getmembers(value):
        yield f"{name}: {member!r}"


def test_looking_does_nothing():
    before = compiler_runs()
    seen = 0
    for value in objects():
        longest = max(looked_at(value), key=len)
        assert len(longest) < 100_000, f"{type(value).__name__}: {longest[:200]}"
        seen += 1
    print(f"{seen} objects")
    assert seen > 80 and compiler_runs() == before


def test_looking_opens_no_gpu():
    program = """
        import sys
        sys.path.insert(0, {folder!r})
        import test_looking
        for value in test_looking.objects():
            for _ in test_looking.looked_at(value):
                pass
        with open("/proc/self/maps") as maps:
            text = maps.read()
        print([name for name in ("libcuda.so", "libnvrtc") if name in text])
    """
    assert child.output_of(program.format(folder=str(Path(__file__).parent))).splitlines()[-1] == "[]"


def test_every_class_has_a_text_of_its_own():
    named = (*nvfuser.__all__, "TensorArgument", "OutputSpec", "Plan", "FusionExecutor", "FusionCache", "Profiler")
    for name in named:
        cls = getattr(nvfuser, name, None) or getattr(nvfuser._C, name)
        if isinstance(cls, type):
            assert cls.__repr__ not in (object.__repr__, nvfuser._C.Statement.__base__.__repr__), name
    for value in objects():
        if type(value).__module__.startswith("nvfuser") and not isinstance(value, (FusionDefinition, str, Exception)):
            text, name = repr(value), type(value).__name__
            assert text.startswith((f"<{name}: ", f"{name}(", f"{name}.")), text


def test_str_is_the_readable_graph():
    fd = define()
    assert str(fd.fusion) == fd.fusion.print_math() and "sum(" in str(fd.fusion)
    assert str(fd) == repr(fd) and repr(fd).startswith("def nvfuser_fusion(fd")
    assert str(fd.fusion.inputs()[0]) == "T0_g_float[iS0{i0}, iS1{8}]"


def test_large_definitions_have_short_texts():
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1], contiguity=[True])
        for _ in range(20_000):
            x = ops.sin(x)
        fd.add_output(x)
    assert repr(fd).startswith("<FusionDefinition: <Fusion: 1 inputs, 20000 expressions") and len(repr(fd)) < 200
    assert len(nvfuser.translate_fusion(fd.fusion).splitlines()) == 20_003


def test_what_is_not_there_yet_is_no_member():
    assert not hasattr(FusionDefinition(), "fusion") and not hasattr(PythonProfiler(), "profile")
    with pytest.raises(NotImplementedError, match="Fusion does not exist!"):
        _ = nvfuser_direct.FusionDefinition().fusion
    with pytest.raises(RuntimeError, match="nothing was profiled"):
        _ = PythonProfiler().profile
