# SPDX-License-Identifier: Apache-2.0
"""Writes docs/options.md from the options table; with --check, status 1 when the page differs from the table."""

import argparse
import sys
from pathlib import Path

from nvfuser._C import options_page

PAGE = Path(__file__).resolve().parents[1] / "docs" / "options.md"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare")
    text = options_page()
    if parser.parse_args().check:
        if PAGE.read_text() != text:
            print(f"{PAGE.name} is stale: run python tools/options_page.py")
            return 1
        return 0
    PAGE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
