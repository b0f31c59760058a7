# SPDX-License-Identifier: Apache-2.0
"""How long segmentation takes, how many groups it finds and how many bytes they move: 1,000 pointwise operations, and
layers of norms, softmax, gelu and residuals with sums over both axes.

No kernel is compiled.  Milliseconds are those of NVFUSER_DUMP=time, the least of some rounds.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from typing import Any

import numpy as np

from nvfuser import _C, DataType, FusionDefinition, Way, ops

ROWS, COLUMNS = 64, 256


def matrix(fd: FusionDefinition, args: list[Any], *shape: int) -> Any:
    args.append(np.ones(shape, np.float32))
    return fd.define_tensor(shape=[-1] * len(shape), contiguity=True, dtype=DataType.Float)


def pointwise(fd: FusionDefinition, args: list[Any], count: int) -> None:
    x, y = (matrix(fd, args, ROWS, COLUMNS) for _ in range(2))
    value = x
    for k in range(count):
        value = value * x if k % 2 else value + y
    fd.add_output(value)


def column(value: Any) -> Any:
    return ops.broadcast(value, [False, True])


def layers(fd: FusionDefinition, args: list[Any], count: int) -> None:
    x = matrix(fd, args, ROWS, COLUMNS)
    for k in range(count):
        weight, bias = (ops.broadcast(matrix(fd, args, COLUMNS), [True, False]) for _ in range(2))
        var, mean = ops.var_mean(x, [1], 0, True)
        normal = (x - mean) * ops.rsqrt(var + 1e-5) * weight + bias
        share = ops.exp(normal - column(ops.max(normal, [1])))
        gate = share / column(ops.sum(share, [1])) * matrix(fd, args, ROWS, COLUMNS)
        x = x + 0.5 * gate * (1.0 + ops.tanh(0.79 * (gate + 0.044 * gate * gate * gate)))
        if k % 2:
            fd.add_output(ops.sum(x, [0]))
    fd.add_output(x)


PROGRAMS = {"pointwise": (pointwise, 1000), "layers": (layers, 60)}


def child(name: str) -> None:
    build, count = PROGRAMS[name]
    args: list[Any] = []
    with FusionDefinition() as fd:
        build(fd, args, count)
    _C.kernel_texts((fd._ready(), args, Way.emulator, "H200"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--child", choices=PROGRAMS, help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    if chosen.child:
        return child(chosen.child)
    print("| program | operations | milliseconds | groups | bytes moved | between groups |\n|---|---|---|---|---|---|")
    for name in PROGRAMS:
        times, last = [], ""
        for _ in range(chosen.rounds):
            last = subprocess.run(
                [sys.executable, __file__, "--child", name],
                env=os.environ | {"NVFUSER_DUMP": "time,segments"},
                capture_output=True,
                text=True,
                check=True,
            ).stderr
            operations, microseconds = re.search(r"segment (\d+) operations: (\d+) us", last).groups()  # type: ignore[union-attr]
            times.append(int(microseconds) / 1e3)
        groups, moved, between = re.search(r"(\d+) groups move (\d+) bytes, (\d+) of them", last).groups()  # type: ignore[union-attr]
        print(f"| {name} | {operations} | {min(times):.1f} | {groups} | {moved} | {between} |", flush=True)


if __name__ == "__main__":
    main()
