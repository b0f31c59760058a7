# SPDX-License-Identifier: Apache-2.0
"""The version of nvFuser's direct API that nvfuser_direct follows, as a text that compares as versions do."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

_PARTS = re.compile(r"v?(?P<release>\d+(\.\d+)*)[.\-_]?(?P<phase>[a-z]*)[.\-_]?(?P<number>\d*)", re.IGNORECASE)
# A phase before the release itself, the release, what came after it.
_PHASES = {"dev": 0, "a": 1, "alpha": 1, "b": 2, "beta": 2, "c": 3, "rc": 3, "": 4, "post": 5, "rev": 5, "r": 5}
_Key = tuple[tuple[int, ...], int, int]


def _key(value: object) -> _Key:
    """What orders a version: a text, numbers such as (0, 2, 36), or an object whose text is a version."""
    is_numbers = isinstance(value, Iterable) and not isinstance(value, str)
    text = ".".join(map(str, value)) if is_numbers else str(value)  # type: ignore[call-overload]
    match = _PARTS.fullmatch(text.partition("+")[0].strip())
    if match is None or match["phase"].lower() not in _PHASES:
        raise ValueError(f"expected a version such as 0.2.36, got {text!r}")
    release = [int(number) for number in match["release"].split(".")]
    while len(release) > 1 and release[-1] == 0:
        release.pop()
    return tuple(release), _PHASES[match["phase"].lower()], int(match["number"] or 0)


class NvfuserVersion(str):
    """A version as text.  Comparisons are those of versions, and leave out what follows a ``+``.

    See Also
    --------
    nvfuser_direct.version

    Examples
    --------
    >>> NvfuserVersion("0.2.36+git1234") == "0.2.36", NvfuserVersion("0.2.36") < "0.10", NvfuserVersion("1.0") > (0, 9)
    (True, True, True)
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        try:
            return _key(self) == _key(other)
        except ValueError:
            return str(self) == other

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __lt__(self, other: Any) -> bool:
        return _key(self) < _key(other)

    def __le__(self, other: Any) -> bool:
        return _key(self) <= _key(other)

    def __gt__(self, other: Any) -> bool:
        return _key(self) > _key(other)

    def __ge__(self, other: Any) -> bool:
        return _key(self) >= _key(other)

    def __hash__(self) -> int:
        return hash(_key(self))


__version__ = NvfuserVersion("0.2.36")


def version() -> str:
    """The version of nvFuser's direct API that this package follows.

    Returns
    -------
    NvfuserVersion
        A text that compares as versions do.

    See Also
    --------
    nvfuser.version

    Examples
    --------
    >>> import nvfuser_direct
    >>> nvfuser_direct.version(), nvfuser_direct.version() >= "0.2.4"
    ('0.2.36', True)
    """
    return __version__


if TYPE_CHECKING:
    from packaging.version import Version as Version
else:

    def __getattr__(name: str) -> Any:
        """`Version`: the class of the package `packaging`, imported when it is asked for."""
        if name != "Version":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from packaging.version import Version

        return Version
