# SPDX-License-Identifier: Apache-2.0
"""nanobind against pybind11: the module's own binding sources built against either, and what the two cost.

    python benchmarks/bindings/run.py --library build/libnvfuser.a       build, measure, write the results
    python benchmarks/bindings/run.py --readme [--check]                 the table of the README from the newest results

Processes of the two columns take turns.  Times are processor time, the least over the processes: what else the machine
does disturbs them little.  A ratio is nanobind / pybind11.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RESULTS = ROOT / "benchmarks" / "results"
BEGIN, END = "<!-- figures of the bindings -->", "<!-- end of the figures of the bindings -->"
# Row -> (key, unit, what the ratio should be at most; None: only reported).
ROWS: dict[str, tuple[str, str, float | None]] = {
    "binding code (extension less core)": ("binding_kB", "kB", 0.5),
    "build of the bindings, processor time": ("build_s", "s", 0.4),
    "import of the module beside NumPy": ("import_ms", "ms", 1.0),
    "import in a process that has no shared C++ runtime": ("import_alone_ms", "ms", 1.0),
    "resident memory of the module beside NumPy": ("resident_kB", "kB", 0.9),
    "resident memory in a process that has no shared C++ runtime": ("resident_alone_kB", "kB", 0.9),
    "method: `tv.is_tensor()`": ("is_tensor() of a TensorView", "ns", 0.5),
    "method returning a node: `tv.definition()`": ("definition() of a TensorView", "ns", 0.5),
    "method with an argument: `tv.axis(0)`": ("axis(0) of a TensorView", "ns", 0.5),
    "method with a named argument: `expr.input(index=0)`": ("input(index=0) of an Expr", "ns", 0.5),
    "property: `tv.ndim`": ("ndim of a TensorView", "ns", 0.5),
    "list of nodes: `fusion.vals()`": ("vals() of a Fusion", "ns", None),
    "`fd.execute`, 2 inputs of 1,024 floats (torch, CPU)": ("execute, 2 inputs of 1,024 floats", "ns", 0.7),
    "torch's part of it: lends the inputs, makes and frees the result": ("exchange_ns", "ns", None),
    "the rest of it": ("execute_rest_ns", "ns", None),
    "`ops.add` in a definition": ("ops.add in a definition", "ns", None),
    "the source line of an op, part of it": ("line_ns", "ns", None),
}


def child(what: str, site: Path, cache: Path) -> Any:
    variables = {**os.environ, "NVFUSER_CACHE_DIR": str(cache), "OMP_NUM_THREADS": "1", "PYTHONPATH": str(site)}
    command = [sys.executable, str(HERE / "measure.py"), what]
    return json.loads(subprocess.run(command, env=variables, check=True, capture_output=True, text=True).stdout)


def sites_in_memory(work: Path, columns: list[str], folder: Path) -> dict[str, Path]:
    """Copies of the packages and of nanobind's backend, of which equal pages come into memory in every run."""
    import nanobind_backend

    sites = {column: folder / f"site-{column}" for column in columns}
    for column, site in sites.items():
        shutil.copytree(work / site.name, site)
        if column == "nanobind":
            shutil.copytree(Path(nanobind_backend.__file__).parent, site / "nanobind_backend")
    return sites


def measure(work: Path, built: dict[str, dict[str, float]], rounds: int) -> dict[str, Any]:
    """The least of every figure over processes that take turns."""
    measured = ("alone", "beside", "package", "calls")
    seen: dict[str, dict[str, list[Any]]] = {column: {what: [] for what in measured} for column in built}
    figures: dict[str, Any] = {}
    memory = Path("/dev/shm")
    with (
        tempfile.TemporaryDirectory() as cache,
        tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder,
    ):
        sites = sites_in_memory(work, list(built), Path(folder))
        for turn in range(rounds):
            for column in built if turn % 2 == 0 else reversed(list(built)):
                for what in measured if turn < 5 else measured[:-1]:
                    seen[column][what].append(child(what, sites[column], Path(cache)))
        names = {column: child("members", site, Path(cache)) for column, site in sites.items()}
    for column, made in built.items():
        least = {what: {key: min(run[key] for run in runs) for key in runs[0]} for what, runs in seen[column].items()}
        figures[column] = {
            **least["calls"],
            "execute_rest_ns": least["calls"]["execute, 2 inputs of 1,024 floats"] - least["calls"]["exchange_ns"],
            "import_ms": least["beside"]["import_ms"],
            "import_alone_ms": least["alone"]["import_ms"],
            "resident_kB": least["beside"]["resident_bytes"] / 1024,
            "resident_alone_kB": least["alone"]["resident_bytes"] / 1024,
            "package_import_ms": least["package"]["import_ms"],
            "extension_kB": made["extension_bytes"] / 1024,
            "binding_kB": (made["extension_bytes"] - made["core_bytes"]) / 1024,
            "build_s": made["compile_seconds"] + made["link_seconds"] - made["core_link_seconds"],
            "build_wall_s": made["wall_seconds"],
        }
    differing = sorted(set(names["nanobind"]) ^ set(names["pybind11"]))
    return {"figures": figures, "members": len(set(names["nanobind"]) & set(names["pybind11"])), "differing": differing}


def table(run: dict[str, Any]) -> str:
    nano, pybind = run["figures"]["nanobind"], run["figures"]["pybind11"]
    lines = ["| | nanobind | pybind11 | ratio | wanted |", "|---|--:|--:|--:|---|"]
    for title, (key, unit, limit) in ROWS.items():
        ratio = nano[key] / pybind[key]
        verdict = "" if limit is None else f"≤ {limit:g}: " + ("reached" if ratio <= limit else "**not reached**")
        digits = 1 if max(nano[key], pybind[key]) < 100 else 0
        lines.append(
            f"| {title} | {nano[key]:,.{digits}f} {unit} | {pybind[key]:,.{digits}f} {unit} | {ratio:.2f} | {verdict} |"
        )
    return "\n".join(lines) + "\n"


def verdict(value: float, limit: float, unit: str) -> str:
    return f"{value:,.1f} {unit} ({'reached' if value <= limit else '**not reached**'}: {limit:g} {unit} or less)"


def absolute(run: dict[str, Any]) -> str:
    nano = run["figures"]["nanobind"]
    return (
        f"The module of the wheel: {verdict(run['product_kB'] / 1024, 5, 'MB')}.  `import nvfuser` beside NumPy: "
        f"{verdict(nano['package_import_ms'], 50, 'ms')}.  The source line of an op: "
        f"{verdict(nano['line_ns'], 50, 'ns')}.\n"
    )


def page(run: dict[str, Any]) -> str:
    differing = ", ".join(f"`{name}`" for name in run["differing"]) or "none"
    return (
        f"# nanobind and pybind11, {run['date']}\n\n"
        "Made by `python benchmarks/bindings/run.py`: the sources of `python/bindings/` against nanobind and,\n"
        "unchanged but for the casters, against pybind11 (`over_pybind11.h` spells the one in the other).  "
        "Both link the same whole core.  Times are\n"
        "processor time, the least over processes that take turns, a loop of `timeit` included.\n\n"
        "Import and resident memory are those of the compiled module without the Python around it.  nanobind's\n"
        "backend needs the shared C++ runtime (0.9 MB), which NumPy has loaded in every `import nvfuser`; both\n"
        "modules hold another of their own.  Files lie in memory while they are measured.  No call takes less than\n"
        "torch's lending of inputs and making of the result.\n\n"
        f"- {run['machine']}; {run['compiler']}; CPython {run['python']}; nanobind {run['nanobind']} (split mode, its "
        f"shared backend of {run['backend_kB']:,.0f} kB is not counted), pybind11 {run['pybind11']}\n"
        f"- flags of both: `{run['flags']}`, link `{run['link']}`; the core: `-O2`, hidden symbols, not LTO\n"
        f"- {run['members']} members are bound in both; in one of them only: {differing}\n\n"
        f"{table(run)}\n{absolute(run)}"
    )


def out_of_date(built: Path, library: Path) -> bool:
    """Whether anything that the two modules are made of is newer than they are."""
    folders = (HERE, ROOT / "python", ROOT / "src")
    sources = [path for folder in folders for path in folder.rglob("*") if path.suffix in {".cpp", ".h", ".py"}]
    return not built.exists() or max(path.stat().st_mtime for path in [library, *sources]) > built.stat().st_mtime


def collect(library: Path, work: Path, rounds: int) -> dict[str, Any]:
    import nanobind
    import nanobind_backend
    import pybind11

    import build

    built = work / "built.json"
    if out_of_date(built, library):
        figures = build.build(library, work)
        built.write_text(json.dumps(figures))
    run = measure(work, json.loads(built.read_text()), rounds)
    product = next(library.parent.glob("_C*.so"))
    backend = next(Path(nanobind_backend.__file__).parent.glob("*.so"))
    compiler = subprocess.run([build.COMPILER, "--version"], check=True, capture_output=True, text=True).stdout
    processor = next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name"))
    return {
        **run,
        "date": date.today().isoformat(),
        "machine": f"{os.cpu_count()} cores of {processor.partition(': ')[2]}",
        "compiler": compiler.splitlines()[0],
        "python": platform.python_version(),
        "nanobind": nanobind.__version__,
        "pybind11": pybind11.__version__,
        "flags": build.FLAGS,
        "link": build.LINK,
        "product_kB": product.stat().st_size / 1024,
        "backend_kB": backend.stat().st_size / 1024,
    }


def readme(check: bool) -> int:
    """Puts the table of the newest results between the marks of the README, or compares."""
    results = max(RESULTS.glob("*-bindings.json"))
    run = json.loads(results.read_text())
    text = (ROOT / "README.md").read_text()
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    link = f"benchmarks/results/{results.stem}.md"
    made = f"{head}{BEGIN}\n{table(run)}\n{absolute(run)}{run['members']} members in both; [how]({link}).\n{END}{tail}"
    if check:
        if made != text:
            print("README.md: the figures of the bindings are stale: run python benchmarks/bindings/run.py --readme")
        return int(made != text)
    (ROOT / "README.md").write_text(made)
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", type=Path, default=ROOT / "build" / "libnvfuser.a")
    parser.add_argument("--work", type=Path, default=ROOT / "build" / "bindings", help="what is built there stays")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--readme", action="store_true", help="write the README's table from the newest results")
    parser.add_argument("--check", action="store_true", help="with --readme: only compare")
    options = parser.parse_args()
    if options.readme:
        return readme(options.check)
    run = collect(options.library.resolve(), options.work.resolve(), options.rounds)
    stem = RESULTS / f"{run['date']}-bindings"
    stem.with_suffix(".json").write_text(json.dumps(run, indent=1) + "\n")
    stem.with_suffix(".md").write_text(page(run))
    print(page(run))
    return 0


if __name__ == "__main__":
    sys.exit(main())
