# SPDX-License-Identifier: Apache-2.0
"""What one column is measured at, in a process of its own: measure.py WHAT prints JSON.  PYTHONPATH says the column."""

from __future__ import annotations

import ctypes
import enum
import importlib.util
import inspect
import json
import sys
import time
import timeit
from pathlib import Path
from types import ModuleType
from typing import Any

ROUNDS = 9


def resident() -> int:
    """Pages that are mapped, counted one by one: VmRSS is a sum of counters that lag behind by some of them.

    A page that is touched brings others of its file, as many as the file's cache holds in one piece: on a disk that
    depends on how the file came there (0.4 MB of difference for equal files), so run.py puts the files into memory.
    """
    rollup = Path("/proc/self/smaps_rollup").read_text()
    return 1024 * int(next(line.split()[1] for line in rollup.splitlines() if line.startswith("Rss:")))


def load_alone() -> ModuleType:
    """The compiled module without the Python around it."""
    (path,) = Path(sys.path[1]).glob("nvfuser/_C.*.so")
    spec = importlib.util.spec_from_file_location("nvfuser._C", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def alone() -> dict[str, float]:
    before, start = resident(), time.process_time()
    module = load_alone()
    return {
        "import_ms": 1e3 * (time.process_time() - start),
        "resident_bytes": resident() - before,
        "held": len(dir(module)),
    }


def beside() -> dict[str, float]:
    """The compiled module in a process that has NumPy, hence the shared C++ runtime."""
    import numpy as np

    return {**alone(), "held": len(dir(np))}


def package() -> dict[str, float]:
    import numpy as np

    before, start = resident(), time.process_time()
    import nvfuser

    milliseconds = 1e3 * (time.process_time() - start)
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


def nanoseconds(statement: str, names: dict[str, Any], seconds: float = 0.05) -> float:
    """Of one statement, the loop around it included: processor time of the thread, the least of some rounds."""
    timer = timeit.Timer(statement, timer=time.thread_time, globals=names)
    count = max(1, int(seconds / max(timer.timeit(100) / 100, 1e-8)))
    return 1e9 * min(timer.timeit(count) for _ in range(ROUNDS)) / count


def adding(count: int = 2000) -> float:
    """Nanoseconds of one `ops.add` of two tensors in a definition."""
    import nvfuser

    rounds = []
    for _ in range(3 * ROUNDS):
        with nvfuser.FusionDefinition() as fd:
            x, y = fd.define_tensor(shape=[-1]), fd.define_tensor(shape=[-1])
            add, results = nvfuser.ops.add, [x] * count
            start = time.thread_time_ns()
            for k in range(count):
                results[k] = add(x, y)
            rounds.append((time.thread_time_ns() - start) / count)
    return min(rounds)


def probe(name: str, subject: Any) -> float:
    """What a function of probe.cpp measures."""
    from nvfuser import _C

    function = getattr(ctypes.PyDLL(_C.__file__), name)
    function.argtypes, function.restype = [ctypes.py_object, ctypes.c_long], ctypes.c_double
    return min(function(subject, 100_000) for _ in range(ROUNDS))


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
    names = {"z": z, "x": x, "definition": definition, "fusion": fusion, "fd": fd, "inputs": inputs}
    names["held"] = [z.uses(), x.axis(0), fusion.vals()]  # wrappers that live are found, not made
    return {
        "is_tensor() of a TensorView": nanoseconds("z.is_tensor()", names),
        "definition() of a TensorView": nanoseconds("z.definition()", names),
        "axis(0) of a TensorView": nanoseconds("x.axis(0)", names),
        "input(index=0) of an Expr": nanoseconds("definition.input(index=0)", names),
        "ndim of a TensorView": nanoseconds("z.ndim", names),
        "vals() of a Fusion": nanoseconds("fusion.vals()", names),
        "execute, 2 inputs of 1,024 floats": nanoseconds("fd.execute(inputs)", names, 0.2),
        "exchange_ns": probe("nvfuser_exchange_ns", inputs),
        "ops.add in a definition": adding(),
        "line_ns": probe("nvfuser_line_ns", fusion),
    }


if __name__ == "__main__":
    print(
        json.dumps(
            {"alone": alone, "beside": beside, "package": package, "members": members, "calls": calls}[sys.argv[1]]()
        )
    )
