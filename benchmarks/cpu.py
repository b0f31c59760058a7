# SPDX-License-Identifier: Apache-2.0
"""Pointwise figures of the CPU target: fused chains next to a plain copy, NumPy, torch eager and torch.compile.

All contenders of a row run in interleaved rounds of one process, with the same number of threads; medians count.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np

from nvfuser import FusionDefinition, __version__


def chain(fd: FusionDefinition, x: Any) -> Any:
    """Six pointwise operations."""
    return fd.ops.maximum((x * 1.5 + 0.5) * x - 2.0, 0.25) + x


def torch_chain(torch: Any, x: Any) -> Any:
    return torch.clamp((x * 1.5 + 0.5) * x - 2.0, min=0.25) + x


ROWS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "chain of 6": (chain, torch_chain),
    "erf": (lambda fd, x: fd.ops.erf(x * 0.5) + 1.0, lambda torch, x: torch.erf(x * 0.5) + 1.0),
    "exp": (lambda fd, x: fd.ops.exp(x * 0.5) + 1.0, lambda torch, x: torch.exp(x * 0.5) + 1.0),
    "tanh": (lambda fd, x: fd.ops.tanh(x * 0.5) + 1.0, lambda torch, x: torch.tanh(x * 0.5) + 1.0),
    "log": (lambda fd, x: fd.ops.log(fd.ops.abs(x) + 0.5) + 1.0, lambda torch, x: torch.log(x.abs() + 0.5) + 1.0),
    "erf of exp of tanh of log": (
        lambda fd, x: fd.ops.erf(fd.ops.exp(fd.ops.tanh(fd.ops.log(fd.ops.abs(x) + 0.5)))),
        lambda torch, x: torch.erf(torch.exp(torch.tanh(torch.log(x.abs() + 0.5)))),
    ),
}


def medians(runs: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Median milliseconds of each contender."""
    for run in runs.values():
        run()
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            times[name].append((time.perf_counter() - start) * 1e3)
    return {name: statistics.median(values) for name, values in times.items()}


def measure(name: str, size: int, rounds: int, compile_peer: bool) -> dict[str, Any]:
    build, peer = ROWS[name]
    x = np.random.default_rng(0).standard_normal(size).astype(np.float32)
    target = np.empty_like(x)
    with FusionDefinition() as fd:
        fd.add_output(build(fd, fd.from_pytorch(x)))
    runs: dict[str, Callable[[], Any]] = {"copy": lambda: np.copyto(target, x), "nvfuser": lambda: fd.execute([x])}
    try:
        import torch

        torch.set_num_threads(len(os.sched_getaffinity(0)))
        tensor = torch.from_numpy(x)
        out = torch.empty_like(tensor)
        runs["copy, all threads"] = lambda: out.copy_(tensor)
        runs["nvfuser of torch"] = lambda: fd.execute([tensor])
        runs["torch eager"] = lambda: peer(torch, tensor)
        if compile_peer:
            compiled = torch.compile(lambda value: peer(torch, value), dynamic=False)
            runs["torch.compile"] = lambda: compiled(tensor)
    except ImportError:
        pass
    times = medians(runs, rounds)
    text = "  ".join(f"{contender} {value:.2f} ms" for contender, value in times.items())
    print(f"{name}, {size} floats ({fd.last_way.name}): {text}")
    best_copy = min(value for key, value in times.items() if key.startswith("copy"))
    print(f"  share of copy {best_copy / times['nvfuser']:.3f}", end="")
    for rival in ("torch eager", "torch.compile"):
        if rival in times:
            print(f"; {rival} / nvfuser {times[rival] / times.get('nvfuser of torch', times['nvfuser']):.2f}", end="")
    print(flush=True)
    return {"row": name, "size": size, "ms": times, "way": fd.last_way.name}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=2**24)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--out", default="", help="file for the results as JSON")
    parser.add_argument("--no-compile", action="store_true", help="leave out torch.compile")
    options = parser.parse_args()
    rows = [measure(name, options.size, options.rounds, not options.no_compile) for name in ROWS]
    assert all(row["way"] == "host" for row in rows), "a row ran in the evaluator"
    report = {
        "date": date.today().isoformat(),
        "nvfuser": __version__,
        "threads": len(os.sched_getaffinity(0)),
        "rows": rows,
    }
    if options.out:
        with open(options.out, "w") as file:
            json.dump(report, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
