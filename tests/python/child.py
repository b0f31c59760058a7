# SPDX-License-Identifier: Apache-2.0
"""Programs that need a process of their own: another environment, or a look at what is loaded."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

# Before the first line of every program, which stays line 1.
BOOKS = f"import sys; sys.path.append({str(Path(__file__).parent)!r}); import at_end; sys.path.pop()"


def run_python(program, *, without=(), leaks=False, **environment):
    """Runs a program; `without` names variables that it does not get.  Returns the finished process, which may leave
    no wrappers unless `leaks`."""
    variables = {name: value for name, value in os.environ.items() if name not in without}
    variables.update({name: str(value) for name, value in environment.items()})
    text = textwrap.dedent(program)
    command = [sys.executable, "-c", BOOKS + (text if text.startswith("\n") else "\n" + text)]
    process = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=300, check=False)
    assert leaks or "nanobind: leaked" not in process.stderr, process.stderr
    return process


def output_of(program, **options):
    """Standard output of a program that must succeed."""
    process = run_python(program, **options)
    assert process.returncode == 0, process.stderr
    return process.stdout
