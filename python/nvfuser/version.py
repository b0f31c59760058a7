# SPDX-License-Identifier: Apache-2.0
"""The version of the package."""

from nvfuser._C import library_version

__version__: str = library_version()


def version() -> str:
    """The version of nvfuser, such as ``0.1.0``.

    Returns
    -------
    str
        What ``nvfuser.__version__`` is.

    See Also
    --------
    nvfuser_direct.version

    Examples
    --------
    >>> nvfuser.version() == nvfuser.__version__
    True
    """
    return __version__
