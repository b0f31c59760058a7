# SPDX-License-Identifier: Apache-2.0
"""Holds the sources against the architecture: a folder includes only folders before it, no include cycles, no file over
800 lines, no base name twice among the headers.  Prints one line a finding; status 1 when there is one."""

import re
import sys
from pathlib import Path

FOLDERS = "base integer device ir ops graph transform fuse schedule lower codegen backend runtime dist"
ORDER = FOLDERS.split()
MAX_LINES = 800
INCLUDE = re.compile(r'^\s*#\s*include\s*"nvfuser/([\w./]+)"', re.M)
FOREIGN = re.compile(r'#\s*include\s*[<"](torch|ATen|c10|Python\.h|nanobind|cuda)')


def includes(root: Path) -> dict[str, set[str]]:
    """File -> files of the library that it includes."""
    source = root / "src" / "nvfuser"
    found = {}
    for path in sorted(source.rglob("*")):
        if path.suffix in {".h", ".cpp", ".def"}:
            found[path.relative_to(source).as_posix()] = set(INCLUDE.findall(path.read_text()))
    return found


def order_findings(edges: dict[str, set[str]]) -> list[str]:
    rank = {name: k for k, name in enumerate(ORDER)}
    found = []
    for file, targets in edges.items():
        here = file.split("/")[0]
        if here not in rank:
            found.append(f"{file}: '{here}' is no folder of the architecture")
            continue
        for target in sorted(targets):
            there = target.split("/")[0]
            if rank.get(there, -1) > rank[here]:
                found.append(f"{file} includes {target}, but {there}/ comes after {here}/")
    return found


def cycle_findings(edges: dict[str, set[str]]) -> list[str]:
    state: dict[str, int] = {}
    found: list[str] = []

    def visit(node: str, trail: list[str]) -> None:
        state[node] = 1
        for target in sorted(edges.get(node, ())):
            if state.get(target) == 1:
                found.append("include cycle: " + " -> ".join([*trail[trail.index(target) :], target]))
            elif target not in state:
                visit(target, [*trail, target])
        state[node] = 2

    for node in edges:
        if node not in state:
            visit(node, [node])
    return found


def file_findings(root: Path) -> list[str]:
    found = []
    for folder in ("src", "python", "tests", "benchmarks", "tools", "examples"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in {".h", ".cpp", ".def", ".py"}:
                text = path.read_text()
                name = path.relative_to(root).as_posix()
                if text.count("\n") > MAX_LINES:
                    found.append(f"{name}: {text.count(chr(10))} lines, at most {MAX_LINES}")
                if "SPDX-License-Identifier" not in "\n".join(text.split("\n", 2)[:2]):
                    found.append(f"{name}: the first lines name no licence")
                if folder == "src" and FOREIGN.search(text):
                    found.append(f"{name}: the library includes neither Python, torch nor CUDA headers")
    return found


def main() -> int:
    root = Path(__file__).resolve().parents[2]
    edges = includes(root)
    findings = order_findings(edges) + cycle_findings(edges) + file_findings(root)
    for finding in findings:
        print(finding)
    print(f"layers: {len(edges)} files, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
