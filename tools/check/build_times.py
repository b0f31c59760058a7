# SPDX-License-Identifier: Apache-2.0
"""The slowest source files of a build, from its ninja log: build_times.py BUILD [--limit SECONDS].  Status 1 when one
took longer than the limit and stands out from the others, as none does because the machine is busy."""

import argparse
import statistics
import sys
from pathlib import Path

SHOWN = 8
OUTLIER = 10  # times the median


def steps(log: Path) -> dict[str, float]:
    """Output -> seconds of its last build."""
    lines = [line.split("\t") for line in log.read_text().splitlines() if not line.startswith("#")]
    return {output: (int(end) - int(start)) / 1000 for start, end, _, output, *_ in lines}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=Path)
    parser.add_argument("--limit", type=float, default=60.0)
    options = parser.parse_args()
    times = steps(options.build / ".ninja_log")
    objects = sorted((name for name in times if name.endswith((".o", ".gch"))), key=times.__getitem__, reverse=True)
    limit = max(options.limit, OUTLIER * statistics.median(times[name] for name in objects))
    print(f"{len(objects)} source files, {sum(times[name] for name in objects):.0f} s of compiling; the slowest:")
    for name in objects[:SHOWN]:
        print(f"  {times[name]:5.1f} s  {name.partition('.dir/')[2] or name}")
    late = [name for name in objects if times[name] > limit]
    for name in late:
        print(f"{name}: {times[name]:.1f} s, at most {options.limit:.0f} on a quiet machine")
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main())
