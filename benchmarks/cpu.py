# SPDX-License-Identifier: Apache-2.0
"""Figures of the CPU target: fused chains, reductions and norms next to a plain copy, torch eager and torch.compile.

All contenders of a row run in interleaved rounds of one process, with the same number of threads; medians count.
Each runs twice in its turn, and the second time counts: the first writes back what its predecessor left in the cache.
Threads of torch spin for some milliseconds after their work, so torch comes first, then a copy by one thread, in whose
time they fall asleep, then nvfuser.
"""

from __future__ import annotations

import argparse
import json
import os
import re
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


Build, Peer = Callable[..., Any], Callable[..., Any]
ROWS: dict[str, tuple[Build, Peer]] = {
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

MATRIX = (8192, 4096)
# The number of vectors of the matrix' columns that a row takes, too.
MATRIX_ROWS: dict[str, tuple[int, Build, Peer]] = {
    "softmax": (0, lambda fd, x: fd.ops.softmax(x, 1), lambda torch, x: x.softmax(1)),
    "layer norm": (
        2,
        lambda fd, x, w, b: fd.ops.layer_norm(x, [MATRIX[1]], w, b),
        lambda torch, x, w, b: torch.nn.functional.layer_norm(x, w.shape, w, b),
    ),
    "RMS norm": (
        1,
        lambda fd, x, w: fd.ops.rms_norm(x, [MATRIX[1]], w, 1e-5),
        lambda torch, x, w: torch.nn.functional.rms_norm(x, w.shape, w, 1e-5),
    ),
    "sum inner": (0, lambda fd, x: fd.ops.sum(x, [1]), lambda torch, x: x.sum(1)),
    "sum outer": (0, lambda fd, x: fd.ops.sum(x, [0]), lambda torch, x: x.sum(0)),
    "sum all": (0, lambda fd, x: fd.ops.sum(x), lambda torch, x: x.sum()),
}


def medians(runs: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Median milliseconds of each contender, behind a run of its own."""
    for run in runs.values():
        run()
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            run()
            start = time.perf_counter()
            run()
            times[name].append((time.perf_counter() - start) * 1e3)
    return {name: statistics.median(values) for name, values in times.items()}


def measure(
    name: str, build: Build, peer: Peer, shapes: list[tuple[int, ...]], rounds: int, compile_peer: bool
) -> dict[str, Any]:
    generator = np.random.default_rng(0)
    inputs = [generator.standard_normal(shape).astype(np.float32) for shape in shapes]
    with FusionDefinition() as fd:
        fd.add_output(build(fd, *[fd.from_pytorch(value) for value in inputs]))
    result = fd.execute(inputs)[0]
    moved = sum(value.nbytes for value in [*inputs, result])
    source, target = np.ones(moved // 2, np.uint8), np.ones(moved // 2, np.uint8)  # zeros share one page
    runs: dict[str, Callable[[], Any]] = {}
    own: dict[str, Callable[[], Any]] = {
        "copy": lambda: np.copyto(target, source),
        "nvfuser": lambda: fd.execute(inputs),
    }
    try:
        import torch

        torch.set_num_threads(len(os.sched_getaffinity(0)))
        tensors = [torch.from_numpy(value) for value in inputs]
        old, new = torch.from_numpy(source), torch.from_numpy(target)
        runs["copy, all threads"] = lambda: new.copy_(old)
        runs["torch eager"] = lambda: peer(torch, *tensors)
        own["nvfuser of torch"] = lambda: fd.execute(tensors)
        if compile_peer:
            torch._dynamo.reset()  # or the ninth row runs uncompiled
            compiled = torch.compile(lambda *values: peer(torch, *values), dynamic=False)
            runs["torch.compile"] = lambda: compiled(*tensors)
        want = peer(torch, *[tensor.double() for tensor in tensors])
        distances = {"nvfuser": torch.from_numpy(np.asarray(result)), "torch eager": peer(torch, *tensors)}
        errors = {key: float((value.double() - want).abs().max()) for key, value in distances.items()}
    except ImportError:
        errors = {}
    times = medians(runs | own, rounds)
    text = "  ".join(f"{contender} {value:.2f} ms" for contender, value in times.items())
    print(f"{name}, {'x'.join(map(str, shapes[0]))} floats ({fd.last_way.name}): {text}")
    best_copy = min(value for key, value in times.items() if key.startswith("copy"))
    print(f"  share of copy {best_copy / times['nvfuser']:.3f}", end="")
    for rival in ("torch eager", "torch.compile"):
        if rival in times:
            print(f"; {rival} / nvfuser {times[rival] / times.get('nvfuser of torch', times['nvfuser']):.2f}", end="")
    print("".join(f"; error of {key} {value:.2g}" for key, value in errors.items()), flush=True)
    return {"row": name, "shape": shapes[0], "ms": times, "errors": errors, "way": fd.last_way.name}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=2**24)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--out", default="", help="file for the results as JSON")
    parser.add_argument("--only", default="", help="regular expression that names of rows have to match")
    parser.add_argument("--no-compile", action="store_true", help="leave out torch.compile")
    options = parser.parse_args()
    compiled = not options.no_compile
    rows = []
    for name, (build, peer) in ROWS.items():
        if re.search(options.only, name):
            rows.append(measure(name, build, peer, [(options.size,)], options.rounds, compiled))
    for name, (vectors, build, peer) in MATRIX_ROWS.items():
        if re.search(options.only, name):
            shapes = [MATRIX, *[(MATRIX[1],)] * vectors]
            rows.append(measure(name, build, peer, shapes, options.rounds, compiled))
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
