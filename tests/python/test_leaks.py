# SPDX-License-Identifier: Apache-2.0
"""At the end of a process no wrapper is left: the report of the binding library is silent, and works.  It is on in all
processes of the tests."""

import subprocess
import sys
from pathlib import Path

import child

CHECK = Path(__file__).parents[2] / "tools/check/without_leaks.py"

BEGIN = """
import gc, pickle, sys, threading
import numpy as np
import nvfuser
from nvfuser import DataType, FusionDefinition, FusionGuard, ops
from nvfuser._C import Fusion, report_leaks

report_leaks(True)
"""

# Everything in globals, as in a notebook: definitions, errors with their tracebacks, plans, pickles, open guards.
PROGRAM = """
with FusionDefinition() as fd:
    x = fd.define_tensor(shape=[-1, 4], contiguity=True)
    s = fd.define_scalar()
    y = ops.relu(x * s)
    axis, domain, definition, uses = x.axis(0), x.domain(), y.definition(), x.uses()
    fd.add_output(y)
    fd.add_output(x + 1.0, x)
kept = []
for call in (lambda: ops.permute(y, [0]), lambda: fd.execute([1, 2]), lambda: fd.execute([np.ones(3), 2.0]),
             lambda: fd.execute([np.ones((2, 5), np.float32), 2.0]), lambda: y + 1.0, lambda: ops.add(y, "a")):
    try:
        call()
    except (RuntimeError, TypeError) as error:
        kept.append(error)
assert len(kept) == 6
array = np.ones((3, 4), np.float32)
results = [fd.execute([array, 2.0], target=way) for way in ("evaluator", "host", "emulator")]
plan = fd._plan([array, 2.0], "emulator")
again = pickle.loads(pickle.dumps(fd))
fd.cycle = [fd, x, y, kept]
guard = FusionGuard(Fusion())
loose = nvfuser.define_tensor(shape=[2])
threads = [threading.Thread(target=lambda: kept.append(again.execute([array.copy(), 1.0], target="evaluator")))
           for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]

class Holder:
    values = {DataType.Float: x, "fd": fd}
"""


def report(program, **options):
    process = child.run_python(BEGIN + program, **options)
    assert process.returncode == 0, process.stderr
    return process.stderr


def test_nothing_is_left():
    assert report(PROGRAM) == ""


def test_an_error_that_ends_the_process_leaves_nothing():
    process = child.run_python(BEGIN + PROGRAM + "ops.neg(x)\n")
    assert process.returncode == 1 and "belongs to another fusion" in process.stderr and "leaked" not in process.stderr


HOLD = """
import ctypes
kept = FusionDefinition().__enter__()
ctypes.pythonapi.Py_IncRef(ctypes.py_object(kept.fusion))
"""


def test_the_report_works():
    """What C code holds for good is listed, and makes a run of the tests fail; not so when nobody asked."""
    assert "leaked 1 instances" in report(HOLD, leaks=True)
    quiet = f"report_leaks(False)\n{HOLD}"
    for text, status in ((HOLD, 1), (quiet, 0)):
        command = [sys.executable, CHECK, sys.executable, "-c", BEGIN + text]
        process = subprocess.run(command, capture_output=True, text=True, check=False)
        assert process.returncode == status and ("leaked 1 instances" in process.stderr) == status, process.stderr
