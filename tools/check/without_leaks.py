# SPDX-License-Identifier: Apache-2.0
"""Runs a program whose end may not find wrappers alive: without_leaks.py COMMAND...  What the binding library reports
about them comes after all Python code, so it is read from the program's errors, which are passed on."""

import subprocess
import sys

REPORT = b"nanobind: leaked"


def run(command: list[str]) -> int:
    """The program's exit status, or 1 when it leaves wrappers."""
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    leaked = False
    assert process.stderr is not None
    for line in process.stderr:
        leaked = leaked or REPORT in line
        sys.stderr.buffer.write(line)
        sys.stderr.buffer.flush()
    status = process.wait()
    if leaked:
        print("without_leaks: wrappers were alive at the end; see above", file=sys.stderr)
    return status or int(leaked)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
