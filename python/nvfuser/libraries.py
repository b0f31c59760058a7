# SPDX-License-Identifier: Apache-2.0
"""Folders of the Python installation in which an NVRTC may lie, told to the loader; it opens none before first use."""

import sys

from nvfuser._C import add_library_folder


def register_library_folders() -> None:
    """Tells the loader the folders of ``sys.path``: it looks for NVRTC in the packages below them when it needs one."""
    for folder in sys.path:
        if folder:
            add_library_folder(folder)
