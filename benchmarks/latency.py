# SPDX-License-Identifier: Apache-2.0
"""Host times: import after NumPy, first execute with nothing cached and from the disk cache, fusion to kernel text.

Each figure comes from fresh processes; medians count.  On a machine with a GPU the first execute is timed in a process
whose CUDA context exists.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from datetime import date

IMPORT = """
import time, numpy
start = time.perf_counter()
import nvfuser
print((time.perf_counter() - start) * 1e3)
"""

FIRST = """
import time, numpy, nvfuser
values = [numpy.ones((256, 1024), numpy.float32), numpy.ones(1024, numpy.float32)]
if {cuda}:
    import torch
    values = [torch.from_numpy(v).cuda() for v in values]
    torch.cuda.synchronize()
start = time.perf_counter()
with nvfuser.FusionDefinition() as fd:
    x, b = [fd.from_pytorch(v) for v in values]
    fd.add_output(fd.ops.tanh(x + b) * 0.5)
fd.execute(values)
if {cuda}:
    torch.cuda.synchronize()
print((time.perf_counter() - start) * 1e3)
"""

TEXT = """
import time, numpy, nvfuser
from nvfuser import _C
x = numpy.ones((256, 1024), numpy.float32)
rows, columns = 16384, 4096
g, wide = (numpy.zeros((rows, columns), numpy.float16) for _ in range(2))
mean, rstd = (numpy.zeros((rows, 1), numpy.float32) for _ in range(2))
norm = [g, wide, mean, rstd, numpy.zeros(columns, numpy.float16)]
def chain(count):
    with nvfuser.FusionDefinition() as fd:
        value = fd.from_pytorch(x)
        for k in range(count):
            value = value * 1.5 if k % 2 else value + float(k)
        fd.add_output(value)
    return fd, [x]
def layer_norm_backward():
    with nvfuser.FusionDefinition() as fd:
        g, x, mean, rstd, w = (fd.from_pytorch(value) for value in norm)
        for value in fd.ops.layer_norm_backward(g, x, mean, rstd, [columns], w):
            fd.add_output(value)
    return fd, norm
chain(6)
for build in (lambda: chain(6), lambda: chain(500), layer_norm_backward):
    times = []
    for _ in range(5):
        start = time.perf_counter()
        fd, args = build()
        texts = _C.kernel_texts((_C.FusionExecutor(fd.fusion), args, nvfuser.Way.emulator, "H200"))
        assert len(texts) <= 2
        times.append((time.perf_counter() - start) * 1e3)
    print(sorted(times)[2])
"""
TEXTS = ("6 operations", "500 operations", "layer norm backward")


def milliseconds(script: str, cache: str) -> list[float]:
    """What a script prints, run in a fresh process with that cache folder."""
    environment = {**os.environ, "NVFUSER_CACHE_DIR": cache}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True)
    return [float(line) for line in done.stdout.split()]


def has_cuda() -> bool:
    try:
        import torch
    except ImportError:
        return False
    return bool(torch.cuda.is_available())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--out", default="", help="file for the results as JSON")
    options = parser.parse_args()
    rows: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as cache:
        rows["import nvfuser after numpy, ms"] = statistics.median(
            milliseconds(IMPORT, cache)[0] for _ in range(options.rounds)
        )
        for name, cuda in (("host", False), ("cuda", True)):
            if cuda and not has_cuda():
                continue
            script = FIRST.format(cuda=cuda)
            cold = []
            for _ in range(options.rounds):
                with tempfile.TemporaryDirectory() as fresh:
                    cold.append(milliseconds(script, fresh)[0])
            milliseconds(script, cache)
            warm = [milliseconds(script, cache)[0] for _ in range(options.rounds)]
            rows[f"first execute on {name}, nothing cached, ms"] = statistics.median(cold)
            rows[f"first execute on {name}, disk cache, ms"] = statistics.median(warm)
        for name, time in zip(TEXTS, milliseconds(TEXT, cache), strict=True):
            rows[f"fusion to text, {name}, ms"] = time
    for name, value in rows.items():
        print(f"{name}: {value:.2f}")
    if options.out:
        with open(options.out, "w") as file:
            json.dump({"date": date.today().isoformat(), "rows": rows}, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
