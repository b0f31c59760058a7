# SPDX-License-Identifier: Apache-2.0
"""What type checkers know of a program that uses nvfuser: `make lint` runs mypy --strict and pyright over it.

A line marked `type: ignore` with an error code is wrong on purpose: checkers have to find that error there.
"""

from typing import Any

import numpy as np
import torch
from typing_extensions import assert_type

import nvfuser
import nvfuser_direct
from nvfuser import (
    DataType,
    Expr,
    Fusion,
    FusionDefinition,
    FusionExecutorCache,
    FusionGuard,
    FusionProfile,
    IterDomain,
    LRUCache,
    LruFusionCache,
    PythonProfiler,
    TensorDomain,
    TensorSpec,
    TensorView,
    Val,
    Way,
    draw,
    ops,
)
from nvfuser.ir import TensorView as SameTensorView
from nvfuser.ops import relu
from nvfuser.runtime import Way as SameWay


def dtypes(fd: FusionDefinition, x: TensorView) -> None:
    assert_type(ops.full([2], 1.0, torch.float16), TensorView)
    assert_type(ops.sum(x, 0, dtype=np.float64), TensorView)
    assert_type(fd.define_tensor(shape=[2], dtype=np.dtype("f4")), TensorView)
    assert_type(fd.define_scalar(torch.int64), Val)
    fd.define_tensor(shape=[2], dtype="float32")  # type: ignore[call-overload]


def operations(fd: FusionDefinition) -> None:
    x = fd.define_tensor(shape=[-1, -1], contiguity=[True, True], dtype=DataType.Float)
    s = fd.define_scalar(dtype=DataType.Double)
    assert_type(x, TensorView)
    assert_type(s, Val)
    assert_type(x + 1.0, TensorView)
    assert_type(2.0 * x, TensorView)
    assert_type(s + x, TensorView)
    assert_type(s + 1, Val)
    assert_type(-x, TensorView)
    assert_type(x < 3, TensorView)
    assert_type(ops.add(x, s), TensorView)
    assert_type(ops.add(lhs=s, rhs=x), TensorView)
    assert_type(ops.add(s, 1j), Val)
    assert_type(ops.where(x > 0, x, 0.0), TensorView)
    assert_type(ops.clamp(x, min=0.0), TensorView)
    assert_type(relu(x), TensorView)
    assert_type(fd.ops.relu(s), Val)
    assert_type(ops.sum(x, [0]), TensorView)
    assert_type(ops.sum(x, 0, keepdim=True), TensorView)
    assert_type(ops.var_mean(x, [0]), tuple[TensorView, TensorView])
    assert_type(ops.cast(x, DataType.Half), TensorView)
    assert_type(ops.cast(s, DataType.Half), Val)
    assert_type(ops.shape(x), list[Val])
    ops.add("a", x)  # type: ignore[call-overload]
    ops.relu(y=x)  # type: ignore[call-overload]
    ops.matmul(x, x)  # type: ignore[attr-defined]
    fd.add_output(x + s)
    fd.add_output(s)  # type: ignore[arg-type]


def graph(fusion: Fusion, x: TensorView) -> None:
    assert_type(fusion.inputs(), list[Val])
    assert_type(fusion.outputs(), list[TensorView])
    assert_type(x.definition(), Expr | None)
    assert_type(x.uses(), list[Expr])
    assert_type(x.uses()[0].inputs(), list[Val])
    assert_type(x.domain(), TensorDomain)
    assert_type(x.axis(-1), IterDomain)
    assert_type(x.axis(0).extent(), Val)
    assert_type(x.dtype(), DataType)
    assert_type(x.ndim, int)
    assert_type(x.fusion() == fusion, bool)
    assert_type(draw(fusion), str)
    with FusionGuard(fusion) as guard:
        assert_type(guard, FusionGuard)
        assert_type(ops.add(1, 2), Val)
    same: SameTensorView = x
    assert_type(same, TensorView)


def calls(fd: FusionDefinition, t: torch.Tensor, p: torch.nn.Parameter, a: np.ndarray[Any, Any]) -> None:
    assert_type(fd.execute([t]), list[torch.Tensor])
    assert_type(fd.execute((t, 2.0, True, 1j)), list[torch.Tensor])
    assert_type(fd.execute([p, t], target="emulator"), list[torch.Tensor])
    assert_type(fd.execute([t], out=[t], target=Way.host, save_repro_inputs=None), list[torch.Tensor])
    assert_type(fd.execute([a, 2]), list[np.ndarray[Any, Any]])
    assert_type(fd.execute([2.0]), list[Any])
    assert_type(fd.execute([t, [1, 2]]), list[Any])
    assert_type(fd.last_way, Way | None)
    assert_type(fd.kernel_text([t]), str)
    fd.prepare([(8, 16), TensorSpec((8,), dtype=torch.float16), None])
    fd.execute(t, targt="host")  # type: ignore[call-overload]
    way: SameWay | None = fd.last_way
    assert_type(way, Way | None)


def caches(fd: FusionDefinition, t: torch.Tensor) -> None:
    cache = LRUCache(max_fusions=4)
    assert_type(cache.cache_compile(fd.fusion), FusionExecutorCache)
    assert_type(cache.cache_compile(fd.fusion).execute([t]), list[torch.Tensor])
    with PythonProfiler() as profiler:
        fd.execute([t])
    assert_type(profiler.profile, FusionProfile)
    assert_type(profiler.profile.kernel_profiles[0].time_ms, float)


@LruFusionCache(max_fusions=8)
def cached(size: int) -> FusionDefinition:
    with FusionDefinition() as fd:
        fd.add_output(ops.full([size], 0.0, DataType.Float))
    return fd


def decorated(t: torch.Tensor) -> None:
    assert_type(cached(3), FusionDefinition)
    assert_type(cached.num_fusions(), int)
    assert_type(cached.stats(), str)
    cached("3")  # type: ignore[arg-type]


def direct(t: torch.Tensor) -> None:
    with nvfuser_direct.FusionDefinition() as fd:
        x = fd.from_pytorch(t)
        fd.add_output(fd.ops.neg(x))
    assert_type(fd, nvfuser_direct.FusionDefinition)
    assert_type(fd.execute((t,), device=0, _enable_options=["fuse_matmul"]), list[torch.Tensor])
    assert_type(fd.fec.is_compiled([t], device=0), bool)
    assert_type(nvfuser_direct.LRUCache(2).cache_compile(fd.fusion), nvfuser_direct.FusionExecutorCache)
    nvfuser_direct.KernelExecutor()  # type: ignore[attr-defined]


def errors() -> None:
    kinds: list[type[RuntimeError]] = [nvfuser.NvfError, nvfuser.ShapeError, nvfuser.CompileError]
    assert_type(kinds[0].__name__, str)
