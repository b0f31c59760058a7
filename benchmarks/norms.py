# SPDX-License-Identifier: Apache-2.0
"""Reductions and normalisations on one GPU, bfloat16 in and out: nvfuser next to torch eager, torch.compile and
max-autotune, as shares of a copy of the least bytes (see gpu.py); errors next to eager's.

--odd: row lengths that no vector divides, and few long rows, next to a copy of the same bytes.
--drawn SEED: 10 shapes an op from a seed, next to the listed shapes of that op.
"""

from __future__ import annotations

import math
import random as random_numbers
import sys
from collections.abc import Callable
from typing import Any

import torch
from gpu import Case, Maker, bf16, measure_all, options_of, random, report

from nvfuser import DataType, FusionDefinition

f = torch.nn.functional
aten = torch.ops.aten
SHAPES = [(131072, 1024), (16384, 8192), (4096, 32768)]
EPSILON = 1e-5


def wide(fd: FusionDefinition, value: Any) -> Any:
    return fd.ops.cast(value, DataType.Float)


def case(name: str, shape: tuple[int, ...], inputs: list[torch.Tensor], eager: Any, define: Any, **more: Any) -> Case:
    text = "x".join(str(size) for size in shape)
    return Case(f"{name} {text}", inputs, eager, lambda fd, v: define(fd, *v), beside_eager=True, **more)


def sum_over(name: str, axes: list[int]) -> Callable[[int, int], Case]:
    return lambda rows, columns: case(
        name, (rows, columns), [random(rows, columns)],
        lambda x: x.sum(axes), lambda fd, x: fd.ops.sum(x, axes),
    )  # fmt: skip


def softmax(rows: int, columns: int) -> Case:
    return case(
        "softmax", (rows, columns), [random(rows, columns)],
        lambda x: f.softmax(x, 1), lambda fd, x: fd.ops.softmax(x, 1),
    )  # fmt: skip


def softmax_backward(rows: int, columns: int) -> Case:
    return case(
        "softmax backward", (rows, columns), [random(rows, columns), torch.softmax(random(rows, columns), 1)],
        lambda g, y: torch._softmax_backward_data(g, y, 1, y.dtype), lambda fd, g, y: fd.ops.softmax_backward(g, y, 1),
    )  # fmt: skip


def rms_norm(rows: int, columns: int) -> Case:
    return case(
        "RMS norm", (rows, columns), [random(rows, columns), random(columns)],
        lambda x, w: f.rms_norm(x, w.shape, w, EPSILON),
        lambda fd, x, w: fd.ops.rms_norm(x, [columns], w, EPSILON),
    )  # fmt: skip


def rms_norm_residual(rows: int, columns: int) -> Case:
    def eager(x: torch.Tensor, r: torch.Tensor, w: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        total = x + r
        return f.rms_norm(total, w.shape, w, EPSILON), total

    def define(fd: FusionDefinition, x: Any, r: Any, w: Any) -> list[Any]:
        total = x + r
        return [fd.ops.rms_norm(total, [columns], w, EPSILON, DataType.BFloat16), bf16(fd, total)]

    inputs = [random(rows, columns), random(rows, columns), random(columns)]
    return case("RMS norm + residual", (rows, columns), inputs, eager, define)


def rms_norm_backward(rows: int, columns: int) -> Case:
    def reference(g: torch.Tensor, x: torch.Tensor, rstd: torch.Tensor, w: torch.Tensor) -> list[torch.Tensor]:
        h = x * rstd
        inner = g * w
        return [(inner - h * (inner * h).mean(1, True)) * rstd, (g * h).sum(0)]

    x = random(rows, columns)
    rstd = (x.float().square().mean(1, True) + EPSILON).rsqrt()
    return case(
        "RMS norm backward", (rows, columns), [random(rows, columns), x, rstd, random(columns)],
        lambda g, x, rstd, w: aten._fused_rms_norm_backward(g, x, [columns], rstd, w, [True, True]),
        lambda fd, g, x, rstd, w: fd.ops.rms_norm_backward(g, x, rstd, [columns], w),
        reference=reference,
    )  # fmt: skip


def layer_norm(rows: int, columns: int) -> Case:
    return case(
        "layer norm", (rows, columns), [random(rows, columns), random(columns), random(columns)],
        lambda x, w, b: f.layer_norm(x, w.shape, w, b, EPSILON),
        lambda fd, x, w, b: fd.ops.layer_norm(x, [columns], w, b, EPSILON),
    )  # fmt: skip


def layer_norm_backward(rows: int, columns: int) -> Case:
    x = random(rows, columns)
    var, mean = torch.var_mean(x.float(), 1, correction=0, keepdim=True)
    inputs = [random(rows, columns), x, mean, (var + EPSILON).rsqrt(), random(columns), random(columns)]
    return case(
        "layer norm backward", (rows, columns), inputs,
        lambda g, x, mean, rstd, w, b: aten.native_layer_norm_backward(
            g, x, [columns], mean, rstd, w, b, [True, True, True]
        ),
        lambda fd, g, x, mean, rstd, w, b: fd.ops.layer_norm_backward(g, x, mean, rstd, [columns], w),
    )  # fmt: skip


def bias_gelu_backward(rows: int, columns: int) -> Case:
    def eager(g: torch.Tensor, x: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        slope = aten.gelu_backward(g, x + b, approximate="tanh")
        return slope, slope.sum(0)

    def define(fd: FusionDefinition, g: Any, x: Any, b: Any) -> list[Any]:
        slope = fd.ops.gelu_backward(g, x + b, "tanh", DataType.Float)
        return [bf16(fd, slope), bf16(fd, fd.ops.sum(slope, [0]))]

    inputs = [random(rows, columns), random(rows, columns), random(columns)]
    return case("bias gelu backward", (rows, columns), inputs, eager, define)


def cross_entropy(rows: int, columns: int) -> Case:
    return case(
        "cross-entropy", (rows, columns), [random(rows, columns), torch.randint(0, columns, (rows,), device="cuda")],
        lambda x, t: f.cross_entropy(x, t, reduction="none"),
        lambda fd, x, t: fd.ops.cross_entropy(x, t, reduction="none"),
        tolerance=0.1,
    )  # fmt: skip


def batch_norm(*shape: int) -> Case:
    return case(
        "batch norm", shape, [random(*shape), random(shape[1]), random(shape[1])],
        lambda x, w, b: f.batch_norm(x, None, None, w, b, True, eps=EPSILON),
        lambda fd, x, w, b: fd.ops.batch_norm(x, weight=w, bias=b, training=True, eps=EPSILON),
    )  # fmt: skip


def group_norm_silu(groups: int, *shape: int) -> Case:
    return case(
        f"group norm + silu, {groups} groups", shape, [random(*shape), random(shape[1]), random(shape[1])],
        lambda x, w, b: f.silu(f.group_norm(x, groups, w, b, EPSILON)),
        lambda fd, x, w, b: fd.ops.silu(fd.ops.group_norm(x, groups, w, b, EPSILON)),
    )  # fmt: skip


ROW_OPS: dict[str, Callable[[int, int], Case]] = {
    "sum": sum_over("sum inner", [1]), "softmax": softmax, "RMS norm": rms_norm, "layer norm": layer_norm,
    "RMS norm + residual": rms_norm_residual, "softmax backward": softmax_backward,
    "layer norm backward": layer_norm_backward, "RMS norm backward": rms_norm_backward,
    "bias gelu backward": bias_gelu_backward, "cross-entropy": cross_entropy,
}  # fmt: skip
LISTED: dict[str, list[tuple[int, int]]] = {
    "sum": [SHAPES[1]], "softmax": SHAPES, "RMS norm": SHAPES, "layer norm": SHAPES, "RMS norm + residual": [SHAPES[1]],
    "softmax backward": [SHAPES[1]], "layer norm backward": [(16384, 4096)], "RMS norm backward": [(16384, 4096)],
    "bias gelu backward": [SHAPES[1]], "cross-entropy": [(8192, 128256)],
}  # fmt: skip


def makers(op: str, shapes: list[tuple[int, int]]) -> list[Maker]:
    return [lambda n=shape: ROW_OPS[op](*n) for shape in shapes]


def cases() -> list[Maker]:
    """The twenty."""
    made = [maker for op, shapes in LISTED.items() for maker in makers(op, shapes)]
    made += [
        lambda: sum_over("sum outer", [0])(*SHAPES[1]),
        lambda: sum_over("sum all", [0, 1])(*SHAPES[1]),
        lambda: batch_norm(64, 256, 56, 56),
        lambda: group_norm_silu(32, 16, 512, 64, 64),
    ]
    return made


ODD_COLUMNS = [257, 1000, 4097, 50257, 128255]
FEW_ROWS = [(rows, columns) for columns in (2**17, 2**20) for rows in (1, 7, 133)]
ODD_OPS = ["sum", "softmax", "RMS norm", "layer norm", "softmax backward", "RMS norm + residual"]


def odd_cases() -> list[Maker]:
    """64 MiB a tensor where the length is odd; few long rows as they are."""
    shapes = [(2**25 // columns, columns) for columns in ODD_COLUMNS] + FEW_ROWS
    return [maker for op in ODD_OPS for maker in makers(op, shapes)]


def falls_off(row: dict[str, Any]) -> bool:
    """From 64 MiB up less than 0.8 of copy, below that longer than max(copy / 0.8, copy + 5 us)."""
    ours, copy = row["us"]["nvfuser"], row["us"]["copy of the same bytes"]
    return bool(ours > (copy / 0.8 if row["bytes"] >= 2**26 else max(copy / 0.8, copy + 5.0)))


def drawn_shapes(generator: random_numbers.Random, listed: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Log-uniform lengths of 2^8 to 2^17, and rows for half to all of the elements of the op's listed shapes: what a
    length costs is asked for, not what a launch costs."""
    most = max(rows * columns for rows, columns in listed)
    shapes = []
    for _ in range(10):
        columns = int(2 ** generator.uniform(8, 17))
        shapes.append((int(most * 2 ** generator.uniform(-1, 0)) // columns, columns))
    return shapes


def mean_share(rows: list[dict[str, Any]]) -> float:
    return math.exp(sum(math.log(row["share"]["nvfuser"]) for row in rows) / len(rows))


def run_drawn(options: Any) -> list[dict[str, Any]]:
    generator = random_numbers.Random(options.drawn)
    print(f"shapes drawn from seed {options.drawn}")
    found, ratios = [], []
    for op in LISTED:
        shapes = drawn_shapes(generator, LISTED[op])
        known, drawn = (measure_all(makers(op, n), options, False) for n in (LISTED[op], shapes))
        if known and drawn:
            ratios.append(mean_share(drawn) / mean_share(known))
            print(f"{op}: listed {mean_share(known):.3f}, drawn {mean_share(drawn):.3f}, ratio {ratios[-1]:.3f}")
            found += known + drawn
    if ratios:
        print(f"drawn over listed, geometric mean: {math.exp(sum(map(math.log, ratios)) / len(ratios)):.3f}")
    return found


def main() -> int:
    parser = options_of(__doc__.splitlines()[0])
    parser.add_argument("--odd", action="store_true", help="odd row lengths and few long rows")
    parser.add_argument("--drawn", type=int, metavar="SEED", help="10 shapes an op from this seed")
    options = parser.parse_args()
    if options.drawn is not None:
        return report(run_drawn(options), options, seed=options.drawn)
    if options.odd:
        rows = measure_all(odd_cases(), options, False)
        cliffs = [row["case"] for row in rows if falls_off(row)]
        print(f"{len(rows) - len(cliffs)} of {len(rows)} without a cliff; below: {', '.join(cliffs) or 'none'}")
        return report(rows, options, cliffs=cliffs)
    rows = measure_all(cases(), options, not options.no_compile)
    print(f"geometric mean of {len(rows)} shares: {mean_share(rows):.3f}" if rows else "no case matches")
    return report(rows, options)


if __name__ == "__main__":
    sys.exit(main())
