# SPDX-License-Identifier: Apache-2.0
"""``python -m nvfuser.doctor``: what nvfuser finds on this machine, and a self test of every target.

Ends with status 1 when the self test of a target that was found fails.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import platform
import sys
from typing import Any

import numpy as np

from nvfuser import FusionDefinition, __version__
from nvfuser._C import cache_folder, cache_problem, cuda_device_names, device_status, nvrtc_status, options_table

PACKAGES = (
    "numpy",
    "nanobind-backend",
    "torch",
    "cupy-cuda13x",
    "cupy-cuda12x",
    "jax",
    "nvidia-cuda-nvrtc",
    "nvidia-cuda-nvrtc-cu12",
)


def versions() -> list[tuple[str, str]]:
    """Versions of nvfuser, Python and the packages that matter to it."""
    rows = [("nvfuser", __version__), ("Python", platform.python_version()), ("system", platform.platform())]
    for package in PACKAGES:
        try:
            rows.append((package, importlib.metadata.version(package)))
        except importlib.metadata.PackageNotFoundError:
            continue
    return rows


def self_test(target: str) -> str:
    """Compiles and runs one kernel on a target and compares it with the evaluator; empty when they agree."""
    rng = np.random.default_rng(0)
    x, bias = rng.standard_normal((64, 129), np.float32), rng.standard_normal(129).astype(np.float32)
    with FusionDefinition() as fd:
        a, b = fd.from_pytorch(x), fd.from_pytorch(bias)
        fd.add_output(fd.ops.tanh(a + b) * 0.5)
    inputs: list[Any] = [x, bias]
    if target == "cuda":
        import torch

        inputs = [torch.from_numpy(value).cuda() for value in inputs]
    try:
        got = fd.execute(inputs, target=target)[0]
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    got = got.cpu().numpy() if target == "cuda" else got
    worst = float(np.max(np.abs(got - fd.reference([x, bias])[0])))
    return "" if worst < 1e-5 else f"the result differs from the evaluator by {worst:.3g}"


def say(line: str) -> None:
    """Prints a line of a section; what it goes on with stands further in."""
    print("  " + line.rstrip().replace("\n", "\n    "))


def report_targets() -> bool:
    """Prints each target with what was found and how its self test ended; False when one failed."""
    good = True
    for target, (found, detail) in device_status().items():
        if not found:
            say(f"{target:10s} not found: {detail}")
            continue
        if target == "cuda" and "torch" not in {name for name, _ in versions()}:
            say(f"{target:10s} found: {detail}; the self test needs torch")
            continue
        problem = self_test(target)
        problem = problem and f": {problem}"
        good = good and not problem
        say(f"{target:10s} {'FAILED' if problem else 'works'}" + (f" ({detail})" if detail else "") + problem)
    return good


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m nvfuser.doctor", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--options", action="store_true", help="print the options table instead")
    if parser.parse_args(arguments).options:
        for name, value, doc in options_table():
            print(f"{name}={value}\n    {doc}")
        return 0
    print("versions")
    for name, version in versions():
        say(f"{name:24s} {version}")
    print("libraries")
    say(nvrtc_status())
    print("cache folder")
    problem = cache_problem()
    say(cache_folder() + (f" (not used: {problem})" if problem else ""))
    print("devices")
    for name in cuda_device_names() or ["no CUDA device"]:
        say(name)
    print("targets")
    return 0 if report_targets() else 1


if __name__ == "__main__":
    sys.exit(main())
