# SPDX-License-Identifier: Apache-2.0
"""Holds the package `nvfuser` of the process against this one: an older front end has that name too.

nvFuser warns where that one was imported first; here the two cannot live in one process, because this package is made
of the `nvfuser` of its own wheel.
"""

import sys
from pathlib import Path

HOME = Path(__file__).resolve().parents[1]


def check() -> None:
    """ImportError where `nvfuser` is imported already and is not this wheel's."""
    found = sys.modules.get("nvfuser")
    file = getattr(found, "__file__", None)
    if found is not None and (file is None or Path(file).resolve().parents[1] != HOME):
        raise ImportError(
            f"nvfuser_direct needs the package nvfuser beside it in {HOME}, but another one was imported before: "
            f"{file or found!r}.  Import nvfuser_direct first, in a process that does not use the other."
        )


check()
