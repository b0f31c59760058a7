# SPDX-License-Identifier: Apache-2.0
"""Many processes of fuzz_schedules on one range of seeds, their counts added up.

    python tests/fuzz/schedules.py --count 10000 --seed 1 --folder build/fuzz

CI runs build/fuzz_schedules itself.  Exit status 1 when a schedule failed or a process died.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from crew import add_crew_options, run_crew

PROGRAM = Path(__file__).parents[2] / "build" / "fuzz_schedules"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_crew_options(parser, count=500)
    parser.add_argument("--program", type=Path, default=PROGRAM, help="default: build/fuzz_schedules")
    arguments = parser.parse_args()
    crew = run_crew("schedules", [str(arguments.program), "--workers", "1"], arguments, share=500)
    return int(crew.failed)


if __name__ == "__main__":
    sys.exit(main())
