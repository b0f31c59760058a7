# SPDX-License-Identifier: Apache-2.0
"""What one column is measured at, in a process of its own: measure.py WHAT prints JSON.  PYTHONPATH says the column."""

from __future__ import annotations

import ctypes
import enum
import importlib.util
import inspect
import json
import statistics
import sys
import time
import timeit
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

ROUNDS = 9


def resident() -> int:
    status = Path("/proc/self/status").read_text()
    return 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


def load_alone() -> ModuleType:
    """The compiled module without the Python around it."""
    (path,) = Path(sys.path[1]).glob("nvfuser/_C.*.so")
    spec = importlib.util.spec_from_file_location("nvfuser._C", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def alone() -> dict[str, float]:
    before, start = resident(), time.perf_counter()
    module = load_alone()
    return {
        "import_ms": 1e3 * (time.perf_counter() - start),
        "resident_bytes": resident() - before,
        "held": len(dir(module)),
    }


def package() -> dict[str, float]:
    import numpy as np

    before, start = resident(), time.perf_counter()
    import nvfuser

    milliseconds = 1e3 * (time.perf_counter() - start)
    return {"import_ms": milliseconds, "resident_bytes": resident() - before, "held": len(dir(nvfuser)) + len(dir(np))}


def members() -> list[str]:
    """Names of all that is bound: functions, classes, their own members, enumerators, exceptions."""
    module = load_alone()
    found = []

    def add(name: str, owner: Any) -> None:
        found.append(name)
        if inspect.ismodule(owner) or inspect.isclass(owner):
            for member, value in vars(owner).items():
                is_data = member.startswith("__") and not callable(value)
                if not is_data and not (inspect.isclass(owner) and issubclass(owner, (enum.Enum, BaseException))):
                    add(f"{name}.{member}", value)
        if inspect.isclass(owner) and issubclass(owner, enum.Enum):
            found.extend(f"{name}.{member}" for member in owner.__members__)

    for name, value in vars(module).items():
        if not name.startswith("_"):
            add(name, value)
    own = {"__module__", "__qualname__", "__doc__", "__new__", "_pybind11_conduit_v1_", "__weakref__", "__dict__"}
    return sorted(name for name in found if name.rpartition(".")[2] not in own)


def nanoseconds(call: Callable[[], object], seconds: float = 0.05) -> float:
    """Of one call, an empty statement taken off; the least of some rounds."""
    timer, empty = timeit.Timer(call), timeit.Timer(lambda: None)
    count = max(1, int(seconds / max(timer.timeit(100) / 100, 1e-8)))
    least = min(timer.timeit(count) for _ in range(ROUNDS))
    return 1e9 * (least - min(empty.timeit(count) for _ in range(ROUNDS))) / count


def adding(count: int = 2000) -> float:
    """Nanoseconds of one `ops.add` of two tensors in a definition."""
    import nvfuser

    rounds = []
    for _ in range(3 * ROUNDS):
        with nvfuser.FusionDefinition() as fd:
            x, y = fd.define_tensor(shape=[-1]), fd.define_tensor(shape=[-1])
            add, results = nvfuser.ops.add, [x] * count
            start = time.perf_counter_ns()
            for k in range(count):
                results[k] = add(x, y)
            rounds.append((time.perf_counter_ns() - start) / count)
    return statistics.median(rounds)


def line(fusion: Any) -> float:
    """Nanoseconds for the source line of an op."""
    from nvfuser import _C

    find = ctypes.PyDLL(_C.__file__).nvfuser_line_ns
    find.argtypes, find.restype = [ctypes.py_object, ctypes.c_long], ctypes.c_double
    return min(find(fusion, 100_000) for _ in range(ROUNDS))


def calls() -> dict[str, float]:
    import torch

    import nvfuser

    torch.set_num_threads(1)
    with nvfuser.FusionDefinition() as fd:
        x, y = [fd.define_tensor(shape=[-1], contiguity=[True]) for _ in range(2)]
        z = x + y
        fd.add_output(z)
    inputs = [torch.rand(1024), torch.rand(1024)]
    fd.execute(inputs)
    definition, fusion = z.definition(), fd.fusion
    held = [definition, z.uses(), x.axis(0), fusion.vals()]
    return {
        "is_tensor() of a TensorView": nanoseconds(z.is_tensor),
        "definition() of a TensorView": nanoseconds(z.definition),
        "axis(0) of a TensorView": nanoseconds(lambda: z.axis(0)),
        "input(index=0) of an Expr": nanoseconds(lambda: definition.input(index=0)),
        "ndim of a TensorView": nanoseconds(lambda: z.ndim),
        "vals() of a Fusion": nanoseconds(fusion.vals),
        "execute, 2 inputs of 1,024 floats": nanoseconds(lambda: fd.execute(inputs), 0.2),
        "ops.add in a definition": adding(),
        "line_ns": line(fusion),
        "held": len(held),
    }


if __name__ == "__main__":
    print(json.dumps({"alone": alone, "package": package, "members": members, "calls": calls}[sys.argv[1]]()))
