# SPDX-License-Identifier: Apache-2.0
"""Which schedules a fuzz run reached: family x vector width x fact, home and team of rows, counted over kernels of
GPUs and of the host.

A cell that a run of the fuzzer can reach and did not is a failure of the run; a cell that it cannot reach stands in
EXCLUDED with the reason.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

KERNEL = re.compile(r"^  (?P<name>\w+): (?P<params>[^;]+); facts: (?P<facts>.*); grid", re.MULTILINE)


@dataclass(frozen=True)
class Kernel:
    """A kernel as a plan describes it."""

    params: str
    facts: str
    in_place: bool

    @property
    def family(self) -> str:
        return self.params.split()[0]

    def number(self, name: str) -> int:
        found = re.search(rf"\b{name}=(\d+)", self.params)
        return int(found[1]) if found else 1

    @property
    def team(self) -> int:
        """Threads that share a row; 0 where there are no rows."""
        return self.number("threads") // self.number("rows") if self.family == "rows" else 0

    @property
    def cell(self) -> tuple[str, int]:
        return self.family, self.number("vector")


# What a column counts.  "none" is the kernel that serves every call but the largest.
COLUMNS: dict[str, Callable[[Kernel], bool]] = {
    "exact": lambda k: "exact" in k.facts,
    "divisor": lambda k: "%" in k.facts,
    "aligned": lambda k: "@" in k.facts,
    "none": lambda k: k.facts == "narrow",
    "wide": lambda k: "wide" in k.facts,
    "in place": lambda k: k.in_place,
    "batch": lambda k: k.number("batch") > 1,
    "other": lambda k: k.number("other") > 1,
    "stream": lambda k: "stream=1" in k.params,
    "reload": lambda k: "home=reload" in k.params,
    "register": lambda k: "home=registers" in k.params,
    "shared": lambda k: "home=shared" in k.params,
    "warp": lambda k: 0 < k.team <= 32,
    "block": lambda k: k.team > 32,
}
WIDTHS = {
    "flat": (1, 2, 4, 8, 16), "tile": (1, 2, 4, 8, 16), "cpu_flat": (1,), "cpu_tile": (1,), "rows": (1, 2, 4, 8),
    "cpu_rows": (1,),
}  # fmt: skip


@dataclass(frozen=True)
class Excluded:
    """Cells that no run reaches: of these families and widths (empty: all of them) in these columns."""

    families: tuple[str, ...]
    widths: tuple[int, ...]
    columns: tuple[str, ...]
    reason: str


CPU = ("cpu_flat", "cpu_tile")
POINTS = ("flat", "tile", *CPU)
HOMES = ("reload", "register", "shared", "warp", "block")
EXCLUDED = (
    Excluded(("flat",), (1,), ("divisor", "aligned"), "stated for vectors; single elements need neither"),
    Excluded(CPU, (), ("divisor", "aligned"), "the host compiler vectorises lanes itself, with unaligned moves"),
    Excluded(("tile", *CPU), (), ("batch",), "a decision of the flat family; a tile's size and threads give its batch"),
    Excluded(("flat", *CPU), (), ("other",), "the second width of a tile"),
    Excluded(("flat", "tile"), (), ("stream",), "a decision for CPUs"),
    Excluded(
        ("cpu_flat",), (), ("stream",), "chosen for results above half of the last cache; fuzz_schedules reaches it"
    ),
    Excluded(("cpu_tile",), (), ("stream",), "tiles are stored by columns, never past the cache"),
    Excluded((*POINTS, "cpu_rows"), (), HOMES, "decisions about rows on a GPU"),
    Excluded(("rows",), (1,), ("divisor", "aligned"), "stated for vectors; single elements need neither"),
    Excluded(("rows",), (), ("shared",), "chosen for more rows than graphs have; fuzz_schedules reaches it"),
    Excluded(("rows", "cpu_rows"), (), ("in place",), "memory of aliases is compared bit by bit, which sums are not"),
    Excluded(("rows", "cpu_rows"), (), ("other", "stream"), "decisions of other families"),
    Excluded(("cpu_rows",), (), ("divisor", "aligned", "batch"), "lanes of rows are folded as they lie"),
)


def why_excluded(family: str, width: int, column: str) -> str | None:
    """Why a run cannot reach the cell, or None when it can."""
    for row in EXCLUDED:
        if family in row.families and width in (row.widths or (width,)) and column in row.columns:
            return row.reason
    return None


class Coverage:
    def __init__(self) -> None:
        self.kernels: Counter[tuple[str, int]] = Counter()
        self.cells: Counter[tuple[str, int, str]] = Counter()

    def add(self, plan_text: str, kernel_text: str) -> None:
        """Counts the kernels of a plan: its description, and the text of its kernels."""
        for found in KERNEL.finditer(plan_text):
            self.add_kernel(Kernel(found["params"], found["facts"], written_in_place(kernel_text, found["name"])))

    def add_kernel(self, kernel: Kernel) -> None:
        self.kernels[kernel.cell] += 1
        self.cells.update((*kernel.cell, column) for column, holds in COLUMNS.items() if holds(kernel))

    def merge(self, rows: Iterable[list]) -> None:
        """Adds what another run reached, as `rows` gives it."""
        for family, width, column, count in rows:
            if column:
                self.cells[(family, width, column)] += count
            else:
                self.kernels[(family, width)] += count

    def rows(self) -> list[list]:
        """family, width, column (empty: all kernels), count."""
        totals = [[*cell, "", count] for cell, count in self.kernels.items()]
        return sorted(totals + [[*cell, count] for cell, count in self.cells.items()])

    def missing(self) -> list[str]:
        """Cells that are reachable and never ran."""
        return [
            f"{family} vector={width} {column}"
            for family, widths in WIDTHS.items()
            for width in widths
            for column in COLUMNS
            if not self.cells[(family, width, column)] and why_excluded(family, width, column) is None
        ]

    def table(self) -> str:
        """Counts; '-' where a cell cannot be reached."""
        lines = [f"{'family':<9}{'vector':>7}{'kernels':>9}" + "".join(f"{column:>9}" for column in COLUMNS)]
        rows = {(family, width) for family, widths in WIDTHS.items() for width in widths} | set(self.kernels)
        for family, width in sorted(rows):
            line = f"{family:<9}{width:>7}{self.kernels[(family, width)]:>9}"
            for column in COLUMNS:
                count = self.cells[(family, width, column)]
                excluded = not count and why_excluded(family, width, column)
                line += f"{'-' if excluded else count:>9}"
            lines.append(line)
        lines += [f"  not reachable: {'/'.join(r.families)} {'/'.join(r.columns)}: {r.reason}" for r in EXCLUDED]
        return "\n".join(lines)


def written_in_place(kernel_text: str, name: str) -> bool:
    """Does the kernel read the buffer that it writes?"""
    kernel = kernel_text.partition(f"namespace k_{name} {{")[2].partition("}  // namespace")[0]
    return "Coherent<" in kernel
