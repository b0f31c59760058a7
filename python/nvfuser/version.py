# SPDX-License-Identifier: Apache-2.0
"""The version of the package."""

from nvfuser._C import library_version

__version__: str = library_version()


def version() -> str:
    """The version of nvfuser, such as ``0.1.0``."""
    return __version__
