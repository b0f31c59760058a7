# SPDX-License-Identifier: Apache-2.0
"""Files that the site's build makes."""

from pathlib import Path


def write(path: Path, text: str) -> None:
    """Leaves a file that would not change as it is: Sphinx reads again what is newer."""
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
