# SPDX-License-Identifier: Apache-2.0
"""The site: these pages, the reference made from the docstrings, tables made from the results of benchmarks."""

import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests" / "python")]

import drawn_example  # noqa: E402
import performance_tables  # noqa: E402
import reference_pages  # noqa: E402

import nvfuser  # noqa: E402

project = "nvfuser"
author = "the nvfuser developers"
version = release = nvfuser.__version__
extensions = ["myst_parser"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"nvfuser {release}"
html_static_path: list[str] = []
html_copy_source = html_show_sourcelink = False
default_role = "code"
nitpicky = True
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]
suppress_warnings = ["myst.header"]
# Names in annotations that are not of this package.
nitpick_ignore_regex = [
    ("py:.*", r"(os|collections\.abc|typing|np|numpy|torch)\..*|Sequence|Iterable|Any|NDArray|P|R|Defined|Self")
]


def setup(app: Any) -> None:
    """Writes what is generated before the pages are read."""
    made = HERE / "_generated"
    made.mkdir(exist_ok=True)
    reference_pages.write(made)
    drawn_example.write(made)
    performance_tables.write(made, HERE.parent / "benchmarks" / "results")
