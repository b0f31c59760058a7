# SPDX-License-Identifier: Apache-2.0
"""``python -m nvfuser.cache``: lists, measures and clears the disk cache of compiled kernels.

Only what nvfuser has stored is listed and deleted; other files in the folder are left alone.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime
from typing import Any

from nvfuser._C import cache_folder, cache_items, cache_problem, clear_cache, option

ACTIONS = ("list", "size", "clear")


def described(row: tuple[str, list[str], int, int]) -> dict[str, Any]:
    """A row of the compiled part as a dictionary: name, kind, files, bytes, day of the last use."""
    name, files, size, used = row
    kind = "headers" if name.startswith("include-") else name.partition("-")[2]
    day = datetime.fromtimestamp(used).date().isoformat()
    return {"name": name, "kind": kind, "files": sorted(files), "bytes": size, "used": day}


def human(size: int) -> str:
    """Bytes with a unit of at most four digits."""
    number, unit = float(size), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if number < 1024:
            break
        number, unit = number / 1024, larger
    return f"{size} B" if unit == "B" else f"{number:.1f} {unit}"


def run(action: str, folder: str) -> dict[str, Any]:
    """What the command says, as it goes out with ``--json``."""
    rows = clear_cache(folder) if action == "clear" else cache_items(folder)
    entries = [described(row) for row in rows]
    report: dict[str, Any] = {
        "folder": folder,
        "problem": cache_problem() if action == "size" else "",
        "entries": len(entries),
        "bytes": sum(entry["bytes"] for entry in entries),
        "limit": int(option("NVFUSER_CACHE_SIZE")),
    }
    if action == "list":
        report["items"] = entries
    if action == "clear":
        report["left"] = len(cache_items(folder))
    return report


def say(action: str, report: dict[str, Any]) -> None:
    for entry in report.get("items", ()):
        print(f"{entry['used']}  {human(entry['bytes']):>10}  {entry['kind']:10}  {entry['name']}")
    total = f"{report['entries']} entries, {human(report['bytes'])}"
    if action == "clear":
        left = f"; {report['left']} could not be deleted" if report["left"] else ""
        print(f"deleted {total} in {report['folder']}{left}")
    else:
        print(f"{total} of at most {human(report['limit'])} in {report['folder']}")
        if report["problem"]:
            print(f"not used: {report['problem']}")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m nvfuser.cache",
        description="Lists, measures or clears the disk cache of compiled kernels. Files that nvfuser has not written "
        "are left alone; programs that run meanwhile compile anew what they miss.",
    )
    parser.add_argument("action", nargs="?", choices=ACTIONS, default="size", help="what to do (default: %(default)s)")
    parser.add_argument("--folder", default=None, help="the folder (default: that of NVFUSER_CACHE_DIR)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args(arguments)
    report = run(chosen.action, chosen.folder or cache_folder())
    if chosen.json:
        print(json.dumps(report))
    else:
        say(chosen.action, report)
    return 1 if report.get("left") else 0


if __name__ == "__main__":
    sys.exit(main())
