# SPDX-License-Identifier: Apache-2.0
"""Divides a range of seeds into shares, gives them to processes and adds up their reports.

With --folder the reports are kept there, and a run that is started again does only the shares that are missing.  A
process that dies is a failure of the seed at which it was.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import subprocess
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from coverage import Coverage


@dataclass
class Crew:
    """The sum of all reports."""

    done: int = 0
    seconds: float = 0.0  # of all processes
    failures: dict[int, str] = field(default_factory=dict)
    counts: Counter = field(default_factory=Counter)
    coverage: Coverage = field(default_factory=Coverage)
    broken: list[str] = field(default_factory=list)  # shares without a report

    @property
    def failed(self) -> bool:
        return bool(self.failures or self.broken)

    def add(self, report: dict) -> None:
        self.done += report["count"]
        self.seconds += report["seconds"]
        self.failures.update({int(seed): problem for seed, problem in report["failures"].items()})
        self.counts.update(report["counts"])
        self.coverage.merge(report["coverage"])


def add_crew_options(parser: argparse.ArgumentParser, count: int) -> None:
    processors = len(os.sched_getaffinity(0))
    parser.add_argument("--seed", type=int, default=1, help="first seed")
    parser.add_argument("--count", type=int, help=f"so many seeds (default: {count})")
    parser.add_argument("--seconds", type=float, help="begin no share of the work after that time")
    parser.add_argument("--jobs", type=int, default=processors, help="processes (default: one for each processor)")
    parser.add_argument("--folder", type=Path, help="reports stay here; shares that are done are not done again")
    parser.add_argument("--report", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--scratch", help=argparse.SUPPRESS)
    parser.set_defaults(usual_count=count)


class Share:
    """A process at work on some seeds."""

    def __init__(self, command: list[str], first: int, count: int, folder: Path) -> None:
        """The report goes to the folder."""
        self.first, self.count = first, count
        self.report = folder / f"{first}-{count}.json"
        arguments = ["--seed", str(first), "--count", str(count), "--report", str(self.report)]
        # A process of the crew is one processor's work.
        alone = {**os.environ, "NVFUSER_THREADS": "1", "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen([*command, *arguments], env=alone)

    def finish(self, crew: Crew) -> None:
        if self.process.returncode == 0:
            crew.add(json.loads(self.report.read_text()))
            return
        trail = self.report.with_suffix(".trail")
        last = trail.read_text() if trail.exists() else f"{self.first} or behind it"
        ended = f"signal {-self.process.returncode}" if self.process.returncode < 0 else "an error"
        crew.broken.append(f"the process of seeds {self.first} to {self.first + self.count - 1} ended by {ended}")
        print(f"FAIL seed {last}: {crew.broken[-1]}", flush=True)


def run_crew(what: str, command: list[str], arguments: argparse.Namespace, share: int) -> Crew:
    """Runs `command --seed A --count N --report FILE --scratch FOLDER` for all shares."""
    start, crew = time.monotonic(), Crew()
    count = arguments.count or (None if arguments.seconds else arguments.usual_count)
    # Short runs are divided, too; one that ends by the clock is begun in small pieces.
    size = max(1, share // 5) if count is None else max(1, min(share, -(-count // arguments.jobs)))
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.folder or Path(scratch)
        command = [*command, "--scratch", scratch]
        folder.mkdir(parents=True, exist_ok=True)
        at, running = 0, []
        while True:
            late = arguments.seconds is not None and at > 0 and time.monotonic() - start > arguments.seconds
            more = not late and (count is None or at < count)
            if more and len(running) < arguments.jobs:
                first, number = arguments.seed + at, size if count is None else min(size, count - at)
                report = folder / f"{first}-{number}.json"
                at += number
                if report.exists():
                    crew.add(json.loads(report.read_text()))
                else:
                    running.append(Share(command, first, number, folder))
                continue
            if not running:
                break
            time.sleep(0.05)
            for one in [s for s in running if s.process.poll() is not None]:
                running.remove(one)
                one.finish(crew)
    summary = describe(what, arguments.seed, crew, time.monotonic() - start)
    print(summary)
    if arguments.folder:
        (arguments.folder / "summary.txt").write_text(summary + "\n" + crew.coverage.table() + "\n")
    return crew


def describe(what: str, first: int, crew: Crew, seconds: float) -> str:
    """Seeds, counts, finds, commit, date."""
    git = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip() or "unknown"
    date = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M")
    speed = f"{seconds:.1f} s, {crew.done / max(seconds, 0.001):.1f} a second"
    lines = [
        f"{crew.done} {what} from seed {first}: {len(crew.failures) + len(crew.broken)} failed; {speed}",
        f"  commit {commit}, {date} UTC, {crew.seconds:.0f} s of all processes",
        "  " + ", ".join(f"{name} {count}" for name, count in crew.counts.most_common()),
    ]
    lines += [f"  seed {seed}: {problem.splitlines()[0][:200]}" for seed, problem in sorted(crew.failures.items())]
    return "\n".join(lines + [f"  {text}" for text in crew.broken])
