# SPDX-License-Identifier: Apache-2.0
"""Programs that need a process of their own: another environment, or a look at what is loaded."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

# Before the first line of every program, which stays line 1.
COUNTING = f"import sys; sys.path.append({str(Path(__file__).parent)!r}); import count_runs; sys.path.pop()"


def run_python(program, *, without=(), **environment):
    """Runs a program; `without` names variables that it does not get.  Returns the finished process."""
    variables = {name: value for name, value in os.environ.items() if name not in without}
    variables.update({name: str(value) for name, value in environment.items()})
    text = textwrap.dedent(program)
    command = [sys.executable, "-c", COUNTING + (text if text.startswith("\n") else "\n" + text)]
    return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=300, check=False)


def output_of(program, **options):
    """Standard output of a program that must succeed."""
    process = run_python(program, **options)
    assert process.returncode == 0, process.stderr
    return process.stdout
