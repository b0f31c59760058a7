# SPDX-License-Identifier: Apache-2.0
"""Random graphs through the public Python API, run on the host, in the emulator and by the evaluator.

    python tests/fuzz/graphs.py --seconds 60 --seed 1
    python tests/fuzz/graphs.py --replay 1234 --candidate 0

The ways have to agree in every bit (any NaN equals any other), and with the float64 reference within the error that the
operations may make.  For that, host kernels are compiled without fused multiply-add, which the evaluator and the
emulator do not have; --machine compiles them as they are and compares them within the error.  Kernels of a batch of
graphs compile as one unit.  Exit status 1 when something failed.
"""

from __future__ import annotations

import argparse
import itertools
import os
import platform
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

os.environ["NVFUSER_CACHE"] = "0"

import numpy as np
import torch
from coverage import Coverage
from drawn_graph import Graph, Value, draw
from drawn_input import DrawnInput

from nvfuser import Way
from nvfuser._C import compiler_runs, option, prepare_batch, set_option
from nvfuser.definition import as_float64
from nvfuser.runtime import Call

WAYS = (Way.evaluator, Way.host, Way.emulator)


class State:
    exact_host = True  # the host has to agree in every bit
    coverage = Coverage()
    trail = -1  # file in which the seed that runs is written, for the parent of a process that dies


def leave_trail(seed: int) -> None:
    if State.trail >= 0:
        os.pwrite(State.trail, struct.pack("q", seed), 0)


def compile_exactly(folder: str) -> None:
    """Makes the library use the machine's compiler without fused multiply-add, which AVX-512 has too, and without
    functions of constants folded at compile time, which round otherwise than the mathematical library."""
    compiler = os.environ.get("NVFUSER_CXX") or shutil.which("c++") or shutil.which("g++") or "clang++"
    script = Path(folder) / "compiler"
    script.write_text(f'#!/bin/sh\nexec {compiler} "$@" -mno-fma -mno-avx512f -frounding-math\n')
    script.chmod(0o755)
    set_option("cxx", str(script))


def fresh_inputs(graph: Graph) -> tuple[list, list[torch.Tensor]]:
    """Inputs in memory of their own, and that memory."""
    rooms = [d.room.clone() for d in graph.inputs if isinstance(d, DrawnInput)]
    left = iter(rooms)
    return [d.view(next(left)) if isinstance(d, DrawnInput) else d for d in graph.inputs], rooms


def bits(tensor: torch.Tensor) -> np.ndarray:
    """Values for comparison bit by bit; every NaN counts as one."""
    if tensor.dtype.is_complex:
        tensor = torch.view_as_real(tensor)
    values = tensor.contiguous()
    if values.dtype.is_floating_point:
        values = torch.where(
            values.double().isnan(), torch.zeros((), dtype=torch.float64) * float("nan"), values.double()
        )
        return values.contiguous().view(torch.int64).numpy()
    return values.numpy() if values.dtype != torch.uint64 else values.view(torch.int64).numpy()


def layout_of(tensor: torch.Tensor) -> str:
    return f"{tensor.dtype} {list(tensor.shape)} {tensor.stride()}"


def compare_bits(what: str, way: Way, got: torch.Tensor, want: torch.Tensor) -> str | None:
    strided = got.stride() != want.stride() and got.numel() > 1
    if got.shape != want.shape or got.dtype != want.dtype or strided:
        return f"{what} on {way.name}: {layout_of(got)}, evaluator {layout_of(want)}"
    a, b = bits(got), bits(want)
    if np.array_equal(a, b):
        return None
    place = tuple(int(k) for k in np.argwhere(a != b)[0])[: got.dim()]
    values = f"{got[place]!r}, evaluator {want[place]!r} ({int(np.sum(a != b))} of {a.size})"
    return f"{what} on {way.name} differs from the evaluator at {place}: {values}"


def compare_reference(k: int, value: Value, got: torch.Tensor, want: np.ndarray) -> str | None:
    if value.error is None:
        return None
    a = as_float64(got)
    with np.errstate(all="ignore"):
        same = a == want if value.error == 0.0 else np.abs(a - want) <= 2 * value.error
    if np.all(same):
        return None
    place = tuple(int(i) for i in np.argwhere(~np.asarray(same))[0])
    values = f"{a[place]}, expected {want[place]} within {2 * value.error} ({int(np.sum(~same))} of {a.size})"
    return f"output {k} differs from float64 at {place}: {values}"


def run(graph: Graph) -> str | None:
    """What went wrong, or None."""
    reference, _ = fresh_inputs(graph)
    results = {}
    for way in WAYS:
        inputs, rooms = fresh_inputs(graph)
        outputs = graph.definition.execute(
            inputs, target=way, schedule_for=graph.device if way == Way.emulator else "", seed=graph.fiber_seed
        )
        if graph.definition.last_way != way:
            return f"{way.name} was asked for, {graph.definition.last_way.name} ran"
        results[way] = (outputs, rooms)
    want_outputs, want_rooms = results[Way.evaluator]
    for way in WAYS[1:]:
        outputs, rooms = results[way]
        pairs = [(f"output {k}", g, w) for k, (g, w) in enumerate(zip(outputs, want_outputs, strict=True))]
        pairs += [(f"memory of input {k}", g, w) for k, (g, w) in enumerate(zip(rooms, want_rooms, strict=True))]
        for what, got, want in pairs:
            if way == Way.emulator or State.exact_host:
                problem = compare_bits(what, way, got, want)
                if problem:
                    return problem
    expected = graph.definition.reference(reference)
    if len(expected) != len(graph.outputs):
        return f"{len(expected)} outputs, expected {len(graph.outputs)}"
    for k, value in enumerate(graph.outputs):
        for way in (Way.evaluator, Way.host):
            problem = compare_reference(k, value, results[way][0][k], expected[k])
            if problem:
                return f"{problem} ({way.name})"
    return None


def compile_graphs(graphs: list[Graph], failures: dict[int, str]) -> list[Graph]:
    """Prepares all; those that fail are found by halving.  Host and emulator compile side by side."""
    if not graphs:
        return []
    held = [(g, Call(fresh_inputs(g)[0])) for g in graphs]
    errors: list[Exception] = []

    def prepare(way: Way) -> None:
        try:
            device = {g.seed: g.device if way == Way.emulator else "" for g in graphs}
            plans = prepare_batch([(g.definition._ready(), c.arguments, way, device[g.seed]) for g, c in held])
            for graph, plan in zip(graphs, plans, strict=True):
                if way == Way.emulator:
                    State.coverage.add(str(plan), graph.aliased)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=prepare, args=(way,)) for way in WAYS[1:]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if not errors:
        return graphs
    if len(graphs) == 1:
        failures[graphs[0].seed] = f"{type(errors[0]).__name__}: {errors[0]}"
        return []
    half = len(graphs) // 2
    return compile_graphs(graphs[:half], failures) + compile_graphs(graphs[half:], failures)


def try_seeds(seeds: list[int]) -> tuple[dict[int, str], list[Graph]]:
    failures: dict[int, str] = {}
    graphs = []
    for seed in seeds:
        leave_trail(seed)
        try:
            graphs.append(draw(seed))
        except Exception as error:
            failures[seed] = f"definition: {type(error).__name__}: {error}"
    for graph in compile_graphs(graphs, failures):
        leave_trail(graph.seed)
        try:
            problem = run(graph)
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
        if problem:
            failures[graph.seed] = problem
    return failures, graphs


def candidate_of(batch: int) -> int:
    """Which of the schedules that are ranked for a kernel is run: the best, every other time one behind it."""
    return 0 if batch % 2 == 0 else (1, 14, 4, 17, 6, 19, 8, 16, 11, 18, 13, 34)[batch // 2 % 12]


def show(graph: Graph) -> None:
    print(repr(graph.definition))
    for k, value in enumerate(graph.inputs):
        print(f"  input {k}: {value.describe() if isinstance(value, DrawnInput) else value}")
    print(
        f"  device {graph.device}, fiber seed {graph.fiber_seed}, candidate {option('NVFUSER_CANDIDATE')}", flush=True
    )


def replay(seed: int) -> int:
    show(draw(seed))
    failures, graphs = try_seeds([seed])
    for graph, way in itertools.product(graphs, WAYS[1:]):
        try:
            print(graph.definition.kernel_text(fresh_inputs(graph)[0], target=way))
        except Exception as error:
            print(f"{way.name}: {error}")
    print(f"seed {seed}: {failures.get(seed, 'passes')}")
    return int(bool(failures))


def watch(arguments: list[str]) -> int:
    """Runs this program as a child; says which seed ran when it dies."""
    with tempfile.TemporaryFile() as trail:
        command = [sys.executable, __file__, *arguments, "--trail", str(trail.fileno())]
        status = subprocess.run(command, pass_fds=[trail.fileno()], check=False).returncode
        if status < 0:
            trail.seek(0)
            print(f"FAIL seed {struct.unpack('q', trail.read(8))[0]}: the process died of signal {-status}")
        return int(status != 0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=0, help="stop after that time")
    parser.add_argument("--count", type=int, default=0, help="stop after that many graphs")
    parser.add_argument("--seed", type=int, default=1, help="first seed")
    parser.add_argument("--batch", type=int, default=200, help="graphs in one compile")
    parser.add_argument("--replay", type=int, help="one seed, with its kernels")
    parser.add_argument("--candidate", type=int, help="the ranked schedule that is run; else it changes by batch")
    parser.add_argument("--machine", action="store_true", help="host kernels with all of this machine's instructions")
    parser.add_argument("--trail", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.trail is None:
        return watch(sys.argv[1:])
    State.trail = options.trail
    folder = tempfile.TemporaryDirectory()
    State.exact_host = not options.machine and platform.machine() == "x86_64"
    if State.exact_host:
        compile_exactly(folder.name)
    set_option("candidate", str(options.candidate or 0))
    if options.replay is not None:
        return replay(options.replay)
    start, failed, done = time.monotonic(), {}, 0
    spread: Counter = Counter()
    for first in itertools.count(options.seed, options.batch):
        size = min(options.batch, options.count - done) if options.count else options.batch
        if options.candidate is None:
            set_option("candidate", str(candidate_of(first // options.batch)))
        failures, graphs = try_seeds(list(range(first, first + size)))
        by_seed = {g.seed: g for g in graphs}
        for seed, problem in sorted(failures.items()):
            print(f"FAIL seed {seed}: {problem}", flush=True)
            if seed in by_seed:
                show(by_seed[seed])
        failed.update(failures)
        done += size
        spread.update(v.dtype.name for g in graphs for v in g.outputs)
        spread["aliased"] += sum(g.aliased for g in graphs)
        if (options.count and done >= options.count) or (
            options.seconds and time.monotonic() - start > options.seconds
        ):
            break
        if not options.count and not options.seconds:
            break
    seconds = time.monotonic() - start
    speed = f"{seconds:.1f} s, {done / seconds:.1f} graphs/s, {compiler_runs()} compiler runs"
    print(f"{done} graphs from seed {options.seed}, {len(failed)} failed, {speed}")
    print("outputs:", ", ".join(f"{name} {count}" for name, count in spread.most_common()))
    print(State.coverage.table())
    if failed:
        print("failing seeds:", " ".join(map(str, failed)))
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
