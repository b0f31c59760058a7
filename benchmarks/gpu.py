# SPDX-License-Identifier: Apache-2.0
"""Pointwise figures on one GPU: nvfuser next to torch eager, torch.compile and max-autotune, as shares of a copy.

A share is the time that a large device-to-device copy (2 GiB in, 2 GiB out) needs per byte, times the bytes of the
case, over the time measured.  All contenders of a case run in interleaved rounds of one process; L2 is overwritten
before each run; the medians count.  Needs torch with CUDA.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import torch

from nvfuser import DataType, FusionDefinition, __version__

GIB = 2**30
POOL = 24 * GIB


@dataclass
class Case:
    """A program: inputs, the torch function and the fusion, each of one result or several in the same order."""

    name: str
    inputs: list[torch.Tensor]
    eager: Callable[..., Any]
    define: Callable[[FusionDefinition, list[Any]], Any]
    tolerance: float = 0.04
    reference: Callable[..., Any] | None = None  # of float64 inputs, where `eager` does not take them
    beside_eager: bool = False  # errors may be no larger than eager's


def listed(results: Any) -> list[Any]:
    return list(results) if isinstance(results, (list, tuple)) else [results]


def gelu(fd: FusionDefinition, t: Any) -> Any:
    return t * 0.5 * (fd.ops.tanh((t + t * t * t * 0.044715) * 0.7978845608028654) + 1.0)


def bf16(fd: FusionDefinition, value: Any) -> Any:
    return fd.ops.cast(value, DataType.BFloat16)


def random(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, device="cuda", dtype=torch.bfloat16)


def cases() -> list[Case]:
    f = torch.nn.functional
    channels_last = random(64, 256, 56, 56).to(memory_format=torch.channels_last)
    scale, bias = random(1, 256, 1, 1), random(1, 256, 1, 1)
    return [
        Case(
            "bias+gelu 16384x8192",
            [random(16384, 8192), random(8192)],
            lambda x, b: f.gelu(x + b, approximate="tanh"),
            lambda fd, v: bf16(fd, gelu(fd, v[0] + v[1])),
        ),
        Case(
            "silu*mul 16384x14336",
            [random(16384, 14336), random(16384, 14336)],
            lambda x, y: f.silu(x) * y,
            lambda fd, v: bf16(fd, v[0] * fd.ops.sigmoid(v[0]) * v[1]),
        ),
        Case(
            "scale-bias-relu 64x256x56x56 channels-last",
            [channels_last, scale, bias],
            lambda x, s, b: torch.relu(x * s + b),
            lambda fd, v: bf16(fd, fd.ops.relu(v[0] * v[1] + v[2])),
            tolerance=0.1,
        ),
        Case(
            "add+permute(0,2,1,3) 16x1024x32x128",
            [random(16, 1024, 32, 128), random(16, 1024, 32, 128)],
            lambda x, y: (x + y).permute(0, 2, 1, 3).contiguous(),
            lambda fd, v: bf16(fd, fd.ops.stride_order(fd.ops.permute(v[0] + v[1], [0, 2, 1, 3]), [3, 2, 1, 0])),
        ),
        Case(
            "relu+transpose 16384x8192",
            [random(16384, 8192)],
            lambda x: torch.relu(x).t().contiguous(),
            lambda fd, v: fd.ops.stride_order(fd.ops.permute(fd.ops.relu(v[0]), [1, 0]), [1, 0]),
        ),
    ]


def odd_cases() -> list[Case]:
    """x + y at inner extents that no vector divides, and at an offset pointer; 64 MiB a tensor."""
    found = []
    for inner in (1, 3, 257, 1000, 4097, 50257):
        rows = 2**25 // inner
        found.append(
            Case(
                f"add rows of {inner}",
                [random(rows, inner), random(rows, inner)],
                torch.add,
                lambda fd, v: bf16(fd, v[0] + v[1]),
            )
        )
    for inner in (257, 4097):
        rows = 2**25 // inner
        found.append(
            Case(
                f"bias rows of {inner}",
                [random(rows, inner), random(inner)],
                torch.add,
                lambda fd, v: bf16(fd, v[0] + v[1]),
            )
        )
    flat = random(2**25 + 1)
    found.append(
        Case("add at offset pointers", [flat[1:], random(2**25)], torch.add, lambda fd, v: bf16(fd, v[0] + v[1]))
    )
    return found


def build(case: Case) -> FusionDefinition:
    with FusionDefinition() as fd:
        values = [fd.from_pytorch(tensor) for tensor in case.inputs]
        for value in listed(case.define(fd, values)):
            fd.add_output(value)
    return fd


class Timer:
    """Interleaved timing with CUDA events; the GPU is kept busy before each start, so no host time is measured."""

    def __init__(self) -> None:
        self.scratch = torch.empty(2**26, dtype=torch.int32, device="cuda")

    def once(self, run: Callable[[], Any]) -> tuple[Any, Any]:
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        torch.cuda._sleep(400_000)
        self.scratch.zero_()
        start.record()
        run()
        end.record()
        return start, end

    def medians(self, runs: dict[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
        """Median microseconds of each contender."""
        for run in runs.values():
            for _ in range(3):
                run()
        pairs: dict[str, list[tuple[Any, Any]]] = {name: [] for name in runs}
        for _ in range(rounds):
            for name, run in runs.items():
                pairs[name].append(self.once(run))
        torch.cuda.synchronize()
        return {name: statistics.median(s.elapsed_time(e) * 1e3 for s, e in times) for name, times in pairs.items()}


def copy_rate(timer: Timer) -> float:
    """Bytes per microsecond of a 2 GiB device-to-device copy, read and written bytes counted."""
    source = torch.empty(2 * GIB, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    time = timer.medians({"copy": lambda: target.copy_(source)}, 31)["copy"]
    return 4 * GIB / time


def bytes_of(case: Case, results: list[torch.Tensor]) -> int:
    """The least that has to move: every input read once, every result written once."""
    return sum(t.numel() * t.element_size() for t in [*case.inputs, *results])


@dataclass
class Errors:
    """Against the program in float64: the largest relative to 1 + |x|, the largest and the root mean square of each
    result in units of that result's root mean square."""

    largest: float
    scaled: list[float]
    mean: list[float]


def wide(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.double() if tensor.is_floating_point() else tensor


def errors_of(got: list[torch.Tensor], want: list[torch.Tensor]) -> Errors:
    errors = Errors(0.0, [], [])
    for result, expected in zip(got, want, strict=True):
        distance = (result.double() - expected).abs_()
        scale = float(expected.square().mean().sqrt()) or 1.0
        errors.mean.append(float(distance.square().mean().sqrt()) / scale)
        errors.scaled.append(float(distance.max()) / scale)
        errors.largest = max(errors.largest, float((distance / (1 + expected.abs())).max()))
    return errors


def is_wrong(case: Case, ours: Errors, eager: Errors) -> bool:
    """Beyond the tolerance, or worse than eager by more than noise: 2 % of the mean, a third of the largest error."""
    worse = any(
        a > 1.02 * b + 1e-7 or c > 4 / 3 * d + 1e-6
        for a, b, c, d in zip(ours.mean, eager.mean, ours.scaled, eager.scaled, strict=True)
    )
    return not ours.largest <= case.tolerance or (case.beside_eager and worse)


def measure(case: Case, timer: Timer, rate: float, rounds: int, compile_peers: bool) -> dict[str, Any]:
    fd = build(case)
    results = fd.execute(case.inputs)
    moved = bytes_of(case, results)
    want = listed((case.reference or case.eager)(*[wide(t) for t in case.inputs]))
    ours, eager = errors_of(results, want), errors_of(listed(case.eager(*case.inputs)), want)
    wrong = is_wrong(case, ours, eager)
    del results, want
    source = torch.empty(moved // 2, dtype=torch.uint8, device="cuda")
    target = torch.empty_like(source)
    runs: dict[str, Callable[[], Any]] = {
        "nvfuser": lambda: fd.execute(case.inputs),
        "copy of the same bytes": lambda: target.copy_(source),
        "eager": lambda: case.eager(*case.inputs),
    }
    if compile_peers:
        for name, mode in (("compile", None), ("max-autotune", "max-autotune-no-cudagraphs")):
            torch._dynamo.reset()
            compiled = torch.compile(case.eager, mode=mode, dynamic=False)
            runs[name] = lambda compiled=compiled: compiled(*case.inputs)
            runs[name]()
    times = timer.medians(runs, rounds)
    shares = {name: moved / rate / time for name, time in times.items()}
    row = {
        "case": case.name,
        "bytes": moved,
        "error": ours.largest,
        "error of eager": eager.largest,
        "mean errors": ours.mean,
        "mean errors of eager": eager.mean,
        "us": times,
        "share": shares,
        "plan": fd.plan_text(case.inputs),
    }
    if wrong:
        row["wrong"] = True
    text = "  ".join(f"{name} {times[name]:.1f} us ({shares[name]:.3f})" for name in times)
    print(
        f"{case.name}: {text}  error {max(ours.mean):.3g} of the mean, eager {max(eager.mean):.3g}; largest "
        f"{ours.largest:.2g}, eager {eager.largest:.2g}{'  WRONG' if wrong else ''}",
        flush=True,
    )
    return row


Maker = Callable[[], Case]  # cases hold tensors: one at a time


def options_of(about: str) -> argparse.ArgumentParser:
    """What the commands of all benchmarks take."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--rounds", type=int, default=41)
    parser.add_argument("--out", default="", help="file for the results as JSON")
    parser.add_argument("--no-compile", action="store_true", help="leave out torch.compile")
    parser.add_argument("--only", default="", help="regular expression that names of cases have to match")
    return parser


def measure_all(makers: Iterable[Maker], options: argparse.Namespace, compile_peers: bool) -> list[dict[str, Any]]:
    """A row a case; a copy of the same device is measured once.

    All tensors come from one piece of memory that is taken first, as in a program that runs for long: where every case
    got fresh pieces from the driver, copies of 512 MiB were 10 % slower in some of them."""
    torch.empty(POOL, dtype=torch.uint8, device="cuda")  # stays with torch's allocator
    timer = Timer()
    rate = copy_rate(timer)
    print(f"{torch.cuda.get_device_name()}: copy of 2 GiB {rate * 1e-6:.3f} TB/s", flush=True)
    rows = []
    for make in makers:
        case = make()
        if re.search(options.only, case.name):
            rows.append(measure(case, timer, rate, options.rounds, compile_peers))
        del case
    return rows


def report(rows: list[dict[str, Any]], options: argparse.Namespace, **more: Any) -> int:
    """Writes the results where that is asked for; the status of the command."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    found = {
        "device": torch.cuda.get_device_name(),
        "date": date.today().isoformat(),
        "commit": commit,
        "nvfuser": __version__,
        "torch": torch.__version__,
        "rows": rows,
    } | more
    if options.out:
        with open(options.out, "w") as file:
            json.dump(found, file, indent=1)
    return 1 if any("wrong" in row for row in rows) else 0


def main() -> int:
    options = options_of(__doc__.splitlines()[0]).parse_args()
    rows = measure_all([lambda c=case: c for case in cases()], options, not options.no_compile)
    rows += measure_all([lambda c=case: c for case in odd_cases()], options, False)
    return report(rows, options)


if __name__ == "__main__":
    sys.exit(main())
