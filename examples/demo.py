# SPDX-License-Identifier: Apache-2.0
"""The main job on real tensors: define a fusion, look at it, run it, time it against the unfused program, check it.

Exit status 1 when the error exceeds its bound or the fused run is slower than the unfused one.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from nvfuser import FusionDefinition

ERROR_BOUND = 2e-6  # of tanh and sums of numbers of size 1, in float32


def define() -> FusionDefinition:
    """bias + gelu (tanh form): y = 0.5 t (1 + tanh(0.79788456 (t + 0.044715 t^3))), t = x + b."""
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1, -1], contiguity=[True, True])
        b = fd.define_tensor(shape=[-1], contiguity=[True])
        t = x + b
        inner = (t + t * t * t * 0.044715) * 0.7978845608028654
        fd.add_output(t * 0.5 * (fd.ops.tanh(inner) + 1.0))
    return fd


def unfused_numpy(x: np.ndarray, b: np.ndarray) -> np.ndarray:
    t: np.ndarray = x + b
    inner = (t + t * t * t * np.float32(0.044715)) * np.float32(0.7978845608028654)
    out: np.ndarray = t * np.float32(0.5) * (np.tanh(inner) + np.float32(1))
    return out


def torch_programs(x: np.ndarray, b: np.ndarray) -> dict[str, tuple[Callable[[], Any], list[Any]]]:
    """The unfused program in torch eager on the same device as the fused one; empty without torch."""
    try:
        import torch
    except ImportError:
        return {}
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tx, tb = torch.from_numpy(x).to(device), torch.from_numpy(b).to(device)

    def eager() -> Any:
        t = tx + tb
        out = t * 0.5 * (torch.tanh((t + t * t * t * 0.044715) * 0.7978845608028654) + 1.0)
        if device == "cuda":
            torch.cuda.synchronize()
        return out

    return {f"torch eager ({device})": (eager, [tx, tb])}


def seconds(run: Callable[[], Any], rounds: int) -> float:
    """Median seconds of a call after one that warms up."""
    run()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rows", type=int, default=2048, help="rows of x (default 2048)")
    parser.add_argument("--columns", type=int, default=4096, help="columns of x (default 4096)")
    parser.add_argument("--rounds", type=int, default=7, help="timed calls of each program (default 7)")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    x = rng.standard_normal((options.rows, options.columns), np.float32)
    b = rng.standard_normal(options.columns).astype(np.float32)
    fd = define()
    print("The fusion:", repr(fd), sep="\n")

    programs = torch_programs(x, b)
    inputs = next(iter(programs.values()))[1] if programs else [x, b]

    def fused() -> Any:
        out = fd.execute(inputs)[0]
        if getattr(getattr(out, "device", None), "type", "") == "cuda":
            import torch

            torch.cuda.synchronize()
        return out

    plan = fd.plan_text(inputs)
    operations, kernels = repr(fd).count("fd.ops."), plan.split()[2]
    print(f"What was fused: {operations} operations into {kernels} kernel{'' if kernels == '1' else 's'}.")
    print("What runs:", plan, sep="\n")
    print("The kernel:", fd.kernel_text(inputs), sep="\n")
    print(f"Timing {options.rounds} calls of each program ...", flush=True)
    fused_time = seconds(fused, options.rounds)
    unfused = {"NumPy": seconds(lambda: unfused_numpy(x, b), options.rounds)}
    unfused.update({name: seconds(run, options.rounds) for name, (run, _) in programs.items()})
    print(f"fused ({fd.last_way.name if fd.last_way else 'not run'}): {fused_time * 1e3:.2f} ms")
    for name, value in unfused.items():
        print(f"unfused, {name}: {value * 1e3:.2f} ms = {value / fused_time:.2f} x the fused time")
    got = fused()
    got = got.cpu().numpy() if hasattr(got, "cpu") else got
    error = float(np.max(np.abs(got - fd.reference([x, b])[0])))
    print(f"largest error against float64: {error:.3g} (bound {ERROR_BOUND:.3g})")
    slower = any(value < fused_time for value in unfused.values())
    if error > ERROR_BOUND or slower:
        print(
            "FAILED:",
            "the error exceeds its bound" if error > ERROR_BOUND else "the fused run is slower than the unfused one",
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
