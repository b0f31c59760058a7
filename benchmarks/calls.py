# SPDX-License-Identifier: Apache-2.0
"""Host time of warm calls from Python, next to torch eager, in interleaved rounds of one process.

A second table breaks a call down by step: prefixes of the call are timed, and each row is what one step adds.
All figures are microseconds a call, medians over rounds; the kernel's own work on 1,024 elements is inside.  On a GPU
calls are issued in short runs with a synchronisation between them, so that the queue never fills and no wait is timed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import torch

from nvfuser import DataType, FusionDefinition, __version__
from nvfuser._C import TensorArgument, part_of_call

ELEMENTS = 1024


def summed(count: int, device: str) -> tuple[FusionDefinition, list[Any]]:
    """A fusion of count - 1 additions over as many inputs, and its inputs."""
    inputs = [torch.rand(ELEMENTS, device=device) for _ in range(count)]
    with FusionDefinition() as fd:
        values = [fd.define_tensor(shape=[-1], contiguity=[True]) for _ in inputs]
        total = values[0]
        for value in values[1:]:
            total = total + value
        fd.add_output(total)
    return fd, inputs


def two_outputs(device: str) -> tuple[FusionDefinition, list[Any]]:
    inputs = [torch.rand(ELEMENTS, device=device) for _ in range(2)]
    with FusionDefinition() as fd:
        x, y = [fd.define_tensor(shape=[-1], contiguity=[True]) for _ in inputs]
        fd.add_output(x + y)
        fd.add_output(x * y)
    return fd, inputs


def two_ops(device: str) -> tuple[FusionDefinition, list[Any]]:
    inputs = [torch.rand(ELEMENTS, device=device) for _ in range(2)]
    with FusionDefinition() as fd:
        x, y = [fd.define_tensor(shape=[-1], contiguity=[True]) for _ in inputs]
        fd.add_output((x + y) * 2.0)
    return fd, inputs


def contenders(device: str, compile_peer: bool) -> dict[str, Callable[[], Any]]:
    runs: dict[str, Callable[[], Any]] = {}
    fd, (a, b) = two_ops(device)
    out = [torch.empty(ELEMENTS, device=device)]
    runs["nvfuser, 2 inputs, 2 operations"] = lambda: fd.execute([a, b])
    runs["nvfuser, the same with out="] = lambda: fd.execute([a, b], out=out)
    for count in (3, 8):
        more, inputs = summed(count, device)
        runs[f"nvfuser, {count} inputs"] = lambda more=more, inputs=inputs: more.execute(inputs)
    double, pair = two_outputs(device)
    runs["nvfuser, 2 outputs"] = lambda: double.execute(pair)
    if device == "cpu":
        arrays = [a.numpy(), b.numpy()]
        runs["nvfuser, 2 inputs of NumPy"] = lambda: fd.execute(arrays)
    runs["torch eager, 1 operation"] = lambda: a + b
    runs["torch eager, 2 operations"] = lambda: (a + b) * 2.0
    if compile_peer:
        compiled = torch.compile(lambda x, y: (x + y) * 2.0)
        runs["torch.compile, 2 operations"] = lambda: compiled(a, b)
    return runs


def step_times(device: str, rounds: int, calls: int, wait: Callable[[], None]) -> dict[str, float]:
    """What each step of a call of two inputs and two operations takes."""
    fd, inputs = two_ops(device)
    fd.execute(inputs)
    executor = fd.executor
    prefixes: dict[str, Callable[[], Any]] = {
        "an empty statement": lambda: None,
        "entry: from Python to the call's first line and back": lambda: part_of_call(executor, [], None, 1),
        "two inputs are borrowed, their facts written": lambda: part_of_call(executor, inputs, None, 1),
        "the plan is found": lambda: part_of_call(executor, inputs, None, 2),
        "the result is allocated, and freed": lambda: part_of_call(executor, inputs, None, 3),
        "image patched, stream asked, kernel launched, list made": lambda: fd.execute(inputs),
    }
    times = list(median_times(prefixes, rounds, calls, wait).values())
    return dict(zip(prefixes, [times[0], *(b - a for a, b in zip(times, times[1:], strict=False))], strict=True))


def median_times(runs: dict[str, Callable[[], Any]], rounds: int, calls: int, wait: Callable[[], None]) -> dict:
    """Microseconds a call."""
    for run in runs.values():
        for _ in range(20):
            run()
        wait()
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            start = time.perf_counter()
            for _ in range(calls):
                run()
            times[name].append((time.perf_counter() - start) / calls * 1e6)
            wait()
    return {name: statistics.median(values) for name, values in times.items()}


def new_shape_times(device: str, count: int) -> dict[str, float]:
    """Finding the kernel and making the plan of a shape that was not seen before; no memory is touched."""
    with FusionDefinition() as fd:
        x, y = [fd.define_tensor(shape=[-1, -1], contiguity=True) for _ in range(2)]
        fd.add_output((x + y) * 2.0)
    executor = fd._ready()
    times = []
    for k in range(count):
        sizes = [1000 + k, 4096]
        described = TensorArgument(1 << 20, DataType.Float, device == "cuda", 0, sizes, [sizes[1], 1])
        start = time.perf_counter()
        executor.prepare([described, described])
        times.append((time.perf_counter() - start) * 1e6)
    return {"nvfuser, a new shape, no compile": statistics.median(times[count // 2 :])}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", choices=["cpu", "cuda"])
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out")
    parser.add_argument("--out", default="", help="file for the results as JSON")
    options = parser.parse_args()
    torch.set_num_threads(1)
    on_gpu = options.device == "cuda"
    wait = torch.cuda.synchronize if on_gpu else lambda: None
    runs = contenders(options.device, not options.no_compile)
    calls = 200 if on_gpu else 2000
    rows = median_times(runs, options.rounds, calls, wait)
    steps = step_times(options.device, options.rounds, calls, wait)
    rows |= new_shape_times(options.device, 200)
    name = torch.cuda.get_device_name() if on_gpu else "CPU"
    print(f"nvfuser {__version__}, torch {torch.__version__}, {name}; microseconds a call")
    for row, value in rows.items():
        print(f"{row:40}{value:8.2f}")
    print("\nby step:")
    for row, value in steps.items():
        print(f"{row:60}{value:8.3f}")
    if options.out:
        with open(options.out, "w") as file:
            json.dump({"date": date.today().isoformat(), "device": name, "rows": rows, "steps": steps}, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
