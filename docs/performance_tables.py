# SPDX-License-Identifier: Apache-2.0
"""Tables of the performance page, made from the files of benchmarks/results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import generated_file

COLUMNS = ("nvfuser", "copy of the same bytes", "eager", "compile", "max-autotune")


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


def shares(data: dict[str, Any]) -> str:
    """Of the speed of a copy, with microseconds in brackets."""
    used = [name for name in COLUMNS if any(name in row["share"] for row in data["rows"])]
    rows = [
        [row["case"], *(f"{row['share'][n]:.3f} ({row['us'][n]:.1f})" if n in row["share"] else "–" for n in used)]
        for row in data["rows"]
    ]
    return table(["case", *used], rows)


def last_run(data: dict[str, Any]) -> dict[str, Any]:
    """A file holds several runs, or is one."""
    run: dict[str, Any] = data.get("runs", [data])[-1]
    return run


def size_of(row: dict[str, Any]) -> str:
    return "x".join(map(str, row["shape"])) if "shape" in row else f"{row['size']:,} elements"


def host(data: dict[str, Any]) -> str:
    """Milliseconds on a CPU, of the last run in the file."""
    run = last_run(data)
    names = list(dict.fromkeys(name for row in run["rows"] for name in row.get("ms", {})))
    rows = [
        [f"{row['row']}, {size_of(row)}", *(f"{row['ms'][n]:.2f}" if n in row["ms"] else "–" for n in names)]
        for row in run["rows"]
        if "ms" in row
    ]
    return f"{run['threads']} threads, milliseconds:\n\n" + table(["program", *names], rows)


def kernels(data: dict[str, Any]) -> str:
    """How much slower a kernel that serves many shapes is than one made for the shape."""
    rows = [[row["program"], str(row["kernels"]), f"{row['mean']:.3f}"] for row in data["rows"]]
    return table(["program", "kernels", "time over its own kernel's, geometric mean"], rows)


def section(path: Path) -> str:
    """The tables of one file; nothing for a form that is not known."""
    data = json.loads(path.read_text())
    first = last_run(data).get("rows", [{}])[0]
    form = shares if "share" in first else kernels if "kernels" in first and "mean" in first else None
    form = host if "ms" in first else form
    if form is None:
        return ""
    facts = [str(data[key]) for key in ("device", "date") if key in data]
    facts += [f"commit {data['commit']}"] if "commit" in data else []
    facts += [f"torch {data['torch']}"] if "torch" in data else []
    facts += [f"a copy runs at {data['copy_TBps']:.2f} TB/s"] if "copy_TBps" in data else []
    source = f"From `benchmarks/results/{path.name}`" + (": " + ", ".join(facts) if facts else "") + "."
    return f"## {path.stem}\n\n{source}\n\n{form(data)}\n"


def write(folder: Path, results: Path) -> None:
    """Writes performance.md into a folder; the newest results come first."""
    text = "".join(section(path) for path in sorted(results.glob("*.json"), reverse=True))
    generated_file.write(folder / "performance.md", text)
