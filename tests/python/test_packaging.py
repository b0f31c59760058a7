# SPDX-License-Identifier: Apache-2.0
"""The compiled module as a guest in a process: its C++ runtime keeps one count of exceptions with the system's, and it
brings its types for checkers."""

import ctypes
from pathlib import Path

import pytest

import nvfuser
from nvfuser import FusionDefinition


def exceptions_in_flight():
    """std::uncaught_exceptions() of this thread, as the system's C++ runtime counts."""
    runtime = ctypes.CDLL("libstdc++.so.6")
    count = runtime["_ZSt19uncaught_exceptionsv"]
    count.restype = ctypes.c_int
    return count()


def squeeze_beyond_rank(fd, x):
    fd.ops.squeeze(x, [5])


def add_text(fd, x):
    fd.ops.add("a", x)


@pytest.mark.parametrize(("call", "error"), [(squeeze_beyond_rank, nvfuser.ShapeError), (add_text, TypeError)])
def test_errors_leave_no_exception_in_flight(call, error):
    before = exceptions_in_flight()
    for _ in range(100):
        with FusionDefinition() as fd:
            x = fd.define_tensor(shape=[3, -1], contiguity=True)
            with pytest.raises(error):
                call(fd, x)
    assert exceptions_in_flight() == before == 0


def test_types_for_checkers():
    folder = Path(nvfuser.__file__).parent
    operations = (folder / "_C" / "ops.pyi").read_text()
    missing = [name for name in dir(nvfuser.ops) if name[0] != "_" and f"def {name}(" not in operations]
    assert not missing
    assert (folder / "py.typed").exists() and (folder / "_C" / "__init__.pyi").exists()
