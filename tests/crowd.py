# SPDX-License-Identifier: Apache-2.0
"""Processes that share one empty disk cache.

    python tests/crowd.py start --processes 64   # all at once: one result, one compile, nothing half written
    python tests/crowd.py kill --times 100       # kill -9 at random moments of a compile: the next run works

Prints what it has found; status 1 unless all of it is as it has to be.
"""

import argparse
import collections
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PROGRAM = """
import sys
import numpy as np
import nvfuser
with nvfuser.FusionDefinition() as fd:
    x = fd.define_tensor(shape=[-1], contiguity=True)
    fd.add_output(nvfuser.ops.tanh(x) * {factor} + 1.0)
print("ready", flush=True)
sys.stdin.readline()
(got,) = fd.execute([np.linspace(-2, 2, 1000, dtype=np.float32)])
print(fd.last_way.name, nvfuser._C.compiler_runs(), got.tobytes().hex()[:4000], flush=True)
"""


class Runs:
    """Starts the program in folders of its own."""

    def __init__(self, folder):
        self.cache, self.temporary = Path(folder) / "cache", Path(folder) / "temporary"
        self.temporary.mkdir()

    def start(self, factor=2.0):
        """A process that has imported nvfuser and waits for a line on its standard input."""
        variables = {
            **os.environ,
            "NVFUSER_CACHE_DIR": str(self.cache),
            "TMPDIR": str(self.temporary),
            "NVFUSER_TARGET": "host",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        }
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM.format(factor=factor)],
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def left_over(self):
        """What should be gone once no process lives."""
        found = list(self.temporary.iterdir()) + list(self.cache.glob("v1/tmp/*"))
        return sorted(str(path) for path in found)

    def entries(self):
        return len([path for path in self.cache.glob("v1/*") if path.name not in ("tmp", "ledger")]) - 1


def all_at_once(folder, processes):
    """Each says when it is there; then all get the word."""
    runs = Runs(folder)
    crowd = [runs.start() for _ in range(processes)]
    for process in crowd:
        assert process.stdout.readline() == "ready\n"
    for process in crowd:
        process.stdin.write("\n")
        process.stdin.flush()
    said = [process.communicate()[0].split() for process in crowd]
    right = [words for process, words in zip(crowd, said, strict=True) if process.returncode == 0 and len(words) == 3]
    return {
        "processes": processes,
        "right": len(right),
        "results": len({words[2] for words in right}),
        "compiles": sum(int(words[1]) for words in right),
        "entries": runs.entries(),
        "left_over": runs.left_over(),
    }


def killed(folder, times, seed):
    """Every second victim has a program that no one has compiled before; the others one that was cut off."""
    runs, random_moment = Runs(folder), random.Random(seed)
    start = time.monotonic()
    process = runs.start(-1.0)
    process.communicate("\n")
    typical = time.monotonic() - start
    compiling = 0
    for k in range(times):
        process = runs.start(float(k // 2))
        process.stdout.readline()
        process.stdin.write("\n")
        process.stdin.flush()
        time.sleep(random_moment.uniform(0, 0.6 * typical))
        compiling += any(runs.temporary.iterdir()) and process.poll() is None
        process.kill()
        process.communicate()
    outcomes = collections.Counter()
    for k in range(-1, (times + 1) // 2):
        process = runs.start(float(k))
        words = process.communicate("\n")[0].split()
        outcomes["host" in words and process.returncode == 0] += 1
    return {
        "times": times,
        "seed": seed,
        "compiling": compiling,
        "works": outcomes[False] == 0,
        "left_over": runs.left_over(),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=["start", "kill"])
    parser.add_argument("--processes", type=int, default=64)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nvfuser-crowd-") as folder:
        if chosen.mode == "start":
            report = all_at_once(folder, chosen.processes)
            good = report["right"] == chosen.processes and report["results"] == report["compiles"] == 1
        else:
            report = killed(folder, chosen.times, chosen.seed)
            good = report["works"]
    print(json.dumps(report) if chosen.json else "\n".join(f"{name}: {value}" for name, value in report.items()))
    return 0 if good and not report["left_over"] else 1


if __name__ == "__main__":
    sys.exit(main())
