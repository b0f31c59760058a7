# SPDX-License-Identifier: Apache-2.0
"""Compile time of a program of several kernels: all in one unit, a unit for each processor, or a unit for each kernel,
compiled at once by threads.

For the host compiler and for NVRTC, which needs no GPU.  All ways in turn, in every round with other constants, so that
nothing is found in a cache; medians and ratios.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from nvfuser import _C, FusionDefinition, TensorView, Way, ops

PROCESSORS = len(os.sched_getaffinity(0))
X = np.ones((64, 256), np.float32)
HEADERS = "".join(f'#include "rt/{name}.h"\n' for name in ("types", "convert", "math", "memory"))
numbers = itertools.count(1)


def step(value: TensorView, number: int) -> TensorView:
    """One kernel's worth of operations."""
    return ops.tanh(value * (1.0 + number / 1024.0)) + ops.exp(ops.neg(ops.abs(value)))


def whole(count: int) -> FusionDefinition:
    """A program cut into `count` kernels."""
    with FusionDefinition() as fd:
        value = fd.from_pytorch(X)
        for k in range(count):
            value = step(value, next(numbers))
            value = ops.segment_set(value) if k + 1 < count else value
        fd.add_output(value)
    return fd


def parts(count: int) -> list[FusionDefinition]:
    """Programs of one kernel, as those of `whole`."""
    made = []
    for _ in range(count):
        with FusionDefinition() as fd:
            fd.add_output(step(fd.from_pytorch(X), next(numbers)))
        made.append(fd)
    return made


def at_once(jobs: list[Callable[[], Any]]) -> None:
    threads = [threading.Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def shares(items: list[Any], units: int) -> list[list[Any]]:
    """As equal as can be, in that many lists or fewer."""
    return [items[k::units] for k in range(min(units, len(items)))]


def host_jobs(count: int, units: int) -> list[Callable[[], Any]]:
    if units == 1:
        one = whole(count)._ready()
        return [lambda: one.prepare([X], Way.host)]
    calls = [(fd._ready(), [X], Way.host, "") for fd in parts(count)]
    return [lambda share=share: _C.prepare_batch(share) for share in shares(calls, units)]


def nvrtc_jobs(count: int, units: int) -> list[Callable[[], Any]]:
    texts = _C.kernel_texts((whole(count)._ready(), [X], Way.emulator, "H200"))
    return [lambda share=share: _C.compile_cubin(HEADERS + "\n".join(share), 90) for share in shares(texts, units)]


def processor_seconds() -> float:
    """Of this process and of the compilers that it has run."""
    return sum(os.times()[:4])


def measure(jobs_of: Callable[[int, int], list[Callable[[], Any]]], count: int, rounds: int) -> dict[str, float]:
    """Median milliseconds of each way, and of the processors together; the first round is thrown away."""
    times: dict[str, list[float]] = {}
    for _ in range(rounds + 1):
        for name, units in (("one", 1), ("processors", PROCESSORS), ("each", count)):
            jobs = jobs_of(count, units)
            start, work = time.perf_counter(), processor_seconds()
            at_once(jobs)
            times.setdefault(name, []).append((time.perf_counter() - start) * 1e3)
            times.setdefault(name + ", work", []).append((processor_seconds() - work) * 1e3)
    return {name: statistics.median(values[1:]) for name, values in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", type=int, nargs="+", default=[2, 4, 8])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", help="file for the figures as JSON")
    chosen = parser.parse_args()
    _C.set_option("cache", "0")
    figures = {}
    print(
        f"{PROCESSORS} processors, load {os.getloadavg()[0]:.1f}; milliseconds, in brackets those of all processors\n"
    )
    print("| compiler | kernels | one unit | a unit for each processor | a unit each | ratio | ratio |")
    print("|---|---|---|---|---|---|---|")
    for compiler, jobs_of in (("host", host_jobs), ("NVRTC", nvrtc_jobs)):
        for count in chosen.counts:
            found = measure(jobs_of, count, chosen.rounds)
            cells = [f"{found[name]:.0f} ({found[name + ', work']:.0f})" for name in ("one", "processors", "each")]
            ratios = [f"{found[name] / found['one']:.2f}" for name in ("processors", "each")]
            print(f"| {' | '.join([compiler, str(count), *cells, *ratios])} |", flush=True)
            figures[f"{compiler} {count}"] = found
    if chosen.out:
        with open(chosen.out, "w") as file:
            json.dump(figures, file, indent=1)


if __name__ == "__main__":
    main()
