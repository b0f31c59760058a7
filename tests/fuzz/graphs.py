# SPDX-License-Identifier: Apache-2.0
"""Random graphs through the public Python API, run on the host, in the emulator and by the evaluator.

    python tests/fuzz/graphs.py --count 2000 --seed 1
    python tests/fuzz/graphs.py --seconds 60 --seed 1
    python tests/fuzz/graphs.py --replay 1234

The ways have to agree in every bit (any NaN equals any other), and with the float64 reference within the error that the
operations may make.  For that, host kernels are compiled without fused multiply-add, which the evaluator and the
emulator do not have; --machine compiles them as they are and compares them within the error.  The seeds of a unit share
a compile and a setting: which of the ranked schedules runs, which facts kernels do without.  Processes divide the work.
Exit status 1 when a graph failed, a process died, or a run of 2,000 graphs missed a schedule that it can reach.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

os.environ["NVFUSER_CACHE"] = "0"

import torch
from coverage import Coverage
from crew import add_crew_options, run_crew
from drawn_graph import FORMS, TURNED_FORMS, Graph, draw
from drawn_input import DrawnInput
from fuzz_compiler import write_compiler
from graph_run import WAYS, fresh_inputs, run_graph

from nvfuser import Way
from nvfuser._C import compiler_runs, prepare_batch, set_option

UNIT = 50  # seeds of one setting and one compile
COVERED = 2000  # graphs that reach every schedule which is reachable

# Which of the ranked schedules runs, and which facts its kernel does without.  The lengths have no common factor, so
# every pair occurs.
CANDIDATES = (0, 3, 0, 1, 15, 0, 7, 0, 12, 2, 17, 0, 5)
WITHHELD = ("", "narrow", "", "exact,divisors,alignment", "", "alignment,narrow", "exact,divisors")
# For matrices as small as these, schedules with tiles stand behind the others.
TILES = (11, 12, 13, 14, 11, 8, 13, 12, 11, 15)
TURNED = 3  # one unit in so many is of turned matrices


@dataclass(frozen=True)
class Setting:
    candidate: int
    withhold: str
    quick: bool  # compiled with less optimisation than users get
    turned: bool

    def __str__(self) -> str:
        speed = "quick compile" if self.quick else "compiled as for users"
        return f"candidate {self.candidate}, withheld {self.withhold or 'nothing'}, {speed}"


def setting_of(seed: int) -> Setting:
    unit = (seed - 1) // UNIT
    turned = unit % TURNED == TURNED - 1
    candidate = TILES[unit // TURNED % len(TILES)] if turned else CANDIDATES[unit % len(CANDIDATES)]
    return Setting(candidate, WITHHELD[unit % len(WITHHELD)], unit % 10 != 5, turned)


def draw_seed(seed: int) -> Graph:
    return draw(seed, TURNED_FORMS if setting_of(seed).turned else FORMS)


class Fuzzer:
    """Units of seeds through compile and run, in this process."""

    def __init__(self, folder: str, arguments: argparse.Namespace) -> None:
        """`folder`: for compilers and precompiled headers; shared by the processes of a crew."""
        self.exact_host = not arguments.machine and platform.machine() == "x86_64"
        self.compilers = {q: write_compiler(folder, exact=self.exact_host, quick=q) for q in (True, False)}
        self.candidate = arguments.candidate
        self.coverage = Coverage()
        self.failures: dict[int, str] = {}
        self.spread: Counter[str] = Counter()

    def set_up(self, seed: int) -> Setting:
        setting = setting_of(seed)
        set_option("cxx", self.compilers[setting.quick])
        set_option("withhold", setting.withhold)
        set_option("candidate", str(setting.candidate if self.candidate is None else self.candidate))
        return setting

    def try_seeds(self, seeds: list[int], trail: Path | None = None) -> list[Graph]:
        """Seeds of one unit."""
        self.set_up(seeds[0])
        if trail:
            trail.write_text(f"{seeds[0]} or one of its unit")
        graphs = []
        for seed in seeds:
            try:
                graphs.append(draw_seed(seed))
            except Exception as error:
                self.failures[seed] = f"definition: {type(error).__name__}: {error}"
        for graph in self.compile(graphs):
            if trail:
                trail.write_text(str(graph.seed))
            try:
                problem = run_graph(graph, self.exact_host)
            except Exception as error:
                problem = f"{type(error).__name__}: {error}"
            if problem:
                self.failures[graph.seed] = problem
        self.spread.update(v.dtype.name for g in graphs for v in g.outputs)
        self.spread["aliased"] += sum(g.aliased for g in graphs)
        return graphs

    def compile(self, graphs: list[Graph]) -> list[Graph]:
        """Prepares all; those that fail are found by halving.  Host and emulator compile side by side."""
        if not graphs:
            return []
        inputs = [fresh_inputs(g)[0] for g in graphs]
        plans: dict[Way, list] = {}
        errors: list[Exception] = []

        def prepare(way: Way) -> None:
            try:
                devices = [g.device if way == Way.emulator else "" for g in graphs]
                executors = [g.definition._ready() for g in graphs]
                calls = [(e, values, way, d) for e, values, d in zip(executors, inputs, devices, strict=True)]
                plans[way] = prepare_batch(calls)
            except Exception as error:
                errors.append(error)

        threads = [threading.Thread(target=prepare, args=(way,)) for way in WAYS[1:]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if not errors:
            for plan in itertools.chain(*plans.values()):
                self.coverage.add(str(plan), plan.kernel_text)
            return graphs
        if len(graphs) == 1:
            self.failures[graphs[0].seed] = f"{type(errors[0]).__name__}: {errors[0]}"
            return []
        half = len(graphs) // 2
        return self.compile(graphs[:half]) + self.compile(graphs[half:])


def describe(graph: Graph) -> str:
    lines = [repr(graph.definition)]
    for k, value in enumerate(graph.inputs):
        lines.append(f"  input {k}: {value.describe() if isinstance(value, DrawnInput) else value}")
    lines.append(f"  device {graph.device}, fiber seed {graph.fiber_seed}, {setting_of(graph.seed)}")
    return "\n".join(lines)


def replay(fuzzer: Fuzzer, seed: int) -> int:
    """One seed under its setting, with its kernels."""
    graphs = fuzzer.try_seeds([seed])
    for graph in graphs:
        print(describe(graph))
        for way in WAYS[1:]:
            try:
                print(graph.definition.kernel_text(fresh_inputs(graph)[0], target=way))
            except Exception as error:
                print(f"{way.name}: {error}")
    print(f"seed {seed}: {fuzzer.failures.get(seed, 'passes')}")
    return int(bool(fuzzer.failures))


def work(fuzzer: Fuzzer, first: int, count: int, report: Path) -> int:
    """One share of the work; the report is what the crew adds up."""
    torch.set_num_threads(1)
    at, end, started = first, first + count, time.monotonic()
    while at < end:
        after = min(end, ((at - 1) // UNIT + 1) * UNIT + 1)
        graphs = {g.seed: g for g in fuzzer.try_seeds(list(range(at, after)), report.with_suffix(".trail"))}
        for seed in sorted(set(fuzzer.failures) & set(range(at, after))):
            shown = describe(graphs[seed]) if seed in graphs else ""
            print(f"FAIL seed {seed}: {fuzzer.failures[seed]}\n{shown}", flush=True)
        at = after
    result = {
        "first": first,
        "count": count,
        "seconds": time.monotonic() - started,
        "failures": {str(seed): problem for seed, problem in fuzzer.failures.items()},
        "counts": {"compiler runs": compiler_runs(), **fuzzer.spread},
        "coverage": fuzzer.coverage.rows(),
    }
    draft = report.with_suffix(".draft")
    draft.write_text(json.dumps(result))
    draft.rename(report)
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_crew_options(parser, count=200)
    parser.add_argument("--replay", type=int, help="one seed, with its kernels")
    parser.add_argument("--candidate", type=int, help="the ranked schedule that is run; else it changes by unit")
    parser.add_argument("--machine", action="store_true", help="host kernels with all of this machine's instructions")
    arguments = parser.parse_args()
    if arguments.replay is None and arguments.report is None:
        passed = ["--machine"] * arguments.machine
        passed += ["--candidate", str(arguments.candidate)] if arguments.candidate is not None else []
        crew = run_crew("graphs", [sys.executable, __file__, *passed], arguments, share=10 * UNIT)
        print(crew.coverage.table())
        missing = crew.coverage.missing() if crew.done >= COVERED else []
        print("".join(f"FAIL never ran: {cell}\n" for cell in missing), end="")
        return int(crew.failed or bool(missing))
    if arguments.report is not None:
        return work(Fuzzer(arguments.scratch, arguments), arguments.seed, arguments.count, arguments.report)
    with tempfile.TemporaryDirectory() as folder:
        return replay(Fuzzer(folder, arguments), arguments.replay)


if __name__ == "__main__":
    sys.exit(main())
