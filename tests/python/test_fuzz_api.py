# SPDX-License-Identifier: Apache-2.0
"""A few of the bad calls that `make fuzz-api` makes: no crash, errors with messages, the fusion usable after."""

import re
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).resolve().parents[1] / "fuzz" / "api.py"


def test_bad_calls():
    command = [sys.executable, str(PROGRAM), "--count", "4000", "--seed", "3"]
    process = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert process.returncode == 0 and "leaked" not in process.stderr, process.stdout + process.stderr
    counts = {name: int(number) for number, name in re.findall(r"(\d+) ([A-Z]\w+)", process.stdout)}
    assert re.match(r"4000 calls of \d{3} members, seed 3: ", process.stdout) and counts["TypeError"] > 2000
