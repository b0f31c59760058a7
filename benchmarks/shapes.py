# SPDX-License-Identifier: Apache-2.0
"""Kernels that serve many shapes, next to the kernel compiled for each shape alone, in interleaved rounds on one GPU.

One program is called with 1,000 shapes drawn log-uniformly over 1..2^14 x 1..2^15, in random order; then 20 of them are
timed against a fresh definition that saw that shape alone.  Ratios are times of the shared program over its own.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from typing import Any

import torch
from gpu import Timer

from nvfuser import DataType, FusionDefinition, __version__

MOST_ELEMENTS = 2**29  # 1 GiB of each half-precision tensor


def add() -> FusionDefinition:
    with FusionDefinition() as fd:
        x, y = [fd.define_tensor(shape=[-1, -1], contiguity=True, dtype=DataType.BFloat16) for _ in range(2)]
        fd.add_output(fd.ops.cast((x + y) * 2.0, DataType.BFloat16))
    return fd


def add_row() -> FusionDefinition:
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1, -1], contiguity=True, dtype=DataType.BFloat16)
        row = fd.define_tensor(shape=[-1], contiguity=[True], dtype=DataType.BFloat16)
        fd.add_output(fd.ops.cast(fd.ops.relu(x + fd.ops.broadcast(row, [True, False])), DataType.BFloat16))
    return fd


def transpose() -> FusionDefinition:
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1, -1], contiguity=True, dtype=DataType.BFloat16)
        fd.add_output(fd.ops.permute(fd.ops.cast(x * 2.0, DataType.BFloat16), [1, 0]))
    return fd


def tensors(rows: int, columns: int, second: tuple[int, ...] | None) -> list[torch.Tensor]:
    shapes = [(rows, columns)] + ([second] if second else [])
    return [torch.randn(shape, device="cuda", dtype=torch.bfloat16) for shape in shapes]


PROGRAMS: dict[str, tuple[Callable[[], FusionDefinition], Callable[[int, int], list[torch.Tensor]]]] = {
    "add": (add, lambda m, n: tensors(m, n, (m, n))),
    "row": (add_row, lambda m, n: tensors(m, n, (n,))),
    "transpose": (transpose, lambda m, n: tensors(m, n, None)),
}


def measure(name: str, shapes: list[tuple[int, int]], timed: int, timer: Timer, rounds: int) -> dict[str, Any]:
    make, inputs_of = PROGRAMS[name]
    shared = make()
    texts = set()
    for shape in shapes:
        inputs = inputs_of(*shape)
        shared.execute(inputs)
        texts.add(shared.kernel_text(inputs))
    rows = []
    for shape in shapes[:timed]:
        inputs = inputs_of(*shape)
        own = make()
        runs = {"shared": lambda i=inputs: shared.execute(i), "own": lambda o=own, i=inputs: o.execute(i)}
        rows.append({"shape": shape} | timer.medians(runs, rounds))
        torch.cuda.empty_cache()
    mean = math.exp(sum(math.log(row["shared"] / row["own"]) for row in rows) / len(rows))
    worst = max(rows, key=lambda row: row["shared"] / row["own"])
    print(
        f"{name}: {len(shapes)} shapes, {len(texts)} kernels; {timed} shapes, shared over own: geometric mean "
        f"{mean:.3f}, worst {worst['shared'] / worst['own']:.3f} at {worst['shape']}",
        flush=True,
    )
    return {"program": name, "kernels": len(texts), "mean": mean, "rows": rows}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--shapes", type=int, default=1000)
    parser.add_argument("--timed", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--out", default="", help="file for the results as JSON")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    shapes = []
    while len(shapes) < options.shapes:
        shape = (int(2 ** rng.uniform(0, 14)), int(2 ** rng.uniform(0, 15)))
        if shape[0] * shape[1] <= MOST_ELEMENTS:
            shapes.append(shape)
    print(f"{torch.cuda.get_device_name()}, nvfuser {__version__}, seed {options.seed}")
    timer = Timer()
    rows = [measure(name, shapes, options.timed, timer, options.rounds) for name in PROGRAMS]
    if options.out:
        commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
        with open(options.out, "w") as file:
            json.dump(
                {
                    "device": torch.cuda.get_device_name(),
                    "date": date.today().isoformat(),
                    "commit": commit,
                    "seed": options.seed,
                    "rows": rows,
                },
                file,
                indent=1,
            )
    return 0 if all(row["mean"] <= 1.15 for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
