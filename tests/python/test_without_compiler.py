# SPDX-License-Identifier: Apache-2.0
"""Machines without a compiler, without a home, or with odd cache folders run every program."""

import os
import stat
from pathlib import Path

import child
import pytest

PROGRAM = """
import warnings
import numpy as np
import nvfuser
with nvfuser.FusionDefinition() as fd:
    x = fd.define_tensor(shape=[-1], contiguity=True)
    fd.add_output(nvfuser.ops.relu(x) * 2.0)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    for size in (3, 4, 5):
        (result,) = fd.execute([np.ones(size, np.float32)])
        assert result.tolist() == [2.0] * size
print(fd.last_way.name, [(w.category.__name__, w.filename) for w in caught])
print(*[str(w.message) for w in caught])
"""
COMPILER_VARIABLES = ("NVFUSER_CXX", "NVFUSER_TARGET", "NVFUSER_SILENCE_PERFORMANCE_WARNING", "CXX")


def test_one_warning():
    """The warning points at the caller's line and says what was looked for."""
    way, message = child.output_of(PROGRAM, without=COMPILER_VARIABLES, PATH="").splitlines()
    assert way == "evaluator [('PerformanceWarning', '<string>')]"
    assert message.startswith("no compiled kernel on this machine, so fusions run in the evaluator")
    assert "g++" in message or "PATH" in message


@pytest.mark.parametrize("word", ["1", "yes"])
def test_the_option_silences_it(word):
    lines = child.output_of(PROGRAM, without=COMPILER_VARIABLES, PATH="", NVFUSER_SILENCE_PERFORMANCE_WARNING=word)
    assert lines.splitlines()[0] == "evaluator []"


def test_asking_for_the_evaluator_is_no_fallback():
    lines = child.output_of(PROGRAM, without=COMPILER_VARIABLES, PATH="", NVFUSER_TARGET="evaluator")
    assert lines.splitlines()[0] == "evaluator []"


@pytest.mark.parametrize("way", ["host", "emulator"])
def test_asking_for_a_kernel_is_an_error(way):
    process = child.run_python(PROGRAM, without=COMPILER_VARIABLES, PATH="", NVFUSER_TARGET=way)
    assert process.returncode == 1 and "CompileError" in process.stderr.splitlines()[-1]


def test_a_compiler_that_fails(tmp_path):
    """A compiler which is there and refuses everything leaves the evaluator too."""
    broken = tmp_path / "c++"
    broken.write_text("#!/bin/sh\necho cannot >&2\nexit 1\n")
    broken.chmod(broken.stat().st_mode | stat.S_IXUSR)
    environment = dict(NVFUSER_CXX=broken, NVFUSER_CACHE_DIR=tmp_path / "cache")
    way, message = child.output_of(PROGRAM, without=COMPILER_VARIABLES[1:], **environment).splitlines()[:2]
    assert way == "evaluator [('PerformanceWarning', '<string>')]" and str(broken) in message


SUITE = """
import pytest

class Count:
    warnings = []

    def pytest_warning_recorded(self, warning_message):
        self.warnings.append(warning_message.category.__name__)

files = [f"{folder}/{{name}}.py" for name in ("test_casts", "test_alias", "test_sweep")]
status = pytest.main(["-q", "-p", "no:cacheprovider", "--rootdir", "{folder}", *files], plugins=[Count()])
print(int(status), Count.warnings.count("PerformanceWarning"))
"""


def test_a_part_of_the_suite():
    """The same tests, with the evaluator as the only way: one warning in all."""
    program = SUITE.format(folder=Path(__file__).parent)
    environment = dict(PATH="", NVFUSER_TEST_NO_COMPILER=1, PYTHONDONTWRITEBYTECODE=1)
    out = child.output_of(program, without=COMPILER_VARIABLES, **environment)
    assert out.splitlines()[-1] == "0 1" and "compiler runs: 0" in out and "skipped" not in out, out


def noexec_folders():
    """Mounted folders that nothing may be executed from, if this machine has one that can be written."""
    with open("/proc/mounts") as mounts:
        fields = [line.split() for line in mounts]
    places = [place for _, place, kind, options, *_ in fields if "noexec" in options.split(",") and kind == "tmpfs"]
    return [place for place in places if os.access(place, os.W_OK)][:1]


def folders(tmp_path):
    """Cache folders of all sorts."""
    frozen = tmp_path / "frozen"
    frozen.mkdir(mode=0o500)
    (tmp_path / "file").write_text("")
    yield frozen
    yield tmp_path / "missing" / "far" / "away"
    yield tmp_path / "file" / "below"
    yield tmp_path / "file"
    yield "/proc/nowhere"
    for place in noexec_folders():
        yield f"{place}/nvfuser-test-{os.getpid()}"


def test_cache_folders(tmp_path):
    for folder in folders(tmp_path):
        out = child.output_of(PROGRAM, without=COMPILER_VARIABLES, NVFUSER_CACHE_DIR=folder)
        assert out.splitlines()[0] == "host []", folder


def test_no_home(tmp_path):
    """Without HOME the cache lies in the folder for temporary files."""
    hidden = ("NVFUSER_CACHE_DIR", "XDG_CACHE_HOME", "HOME", *COMPILER_VARIABLES)
    program = PROGRAM + "from nvfuser._C import cache_folder\nprint(cache_folder())\n"
    lines = child.output_of(program, without=hidden, TMPDIR=tmp_path).splitlines()
    assert lines[0] == "host []" and lines[-1].startswith(str(tmp_path))


def test_no_cache(tmp_path):
    child.output_of(PROGRAM, without=COMPILER_VARIABLES, NVFUSER_CACHE="0", NVFUSER_CACHE_DIR=tmp_path / "cache")
    assert not (tmp_path / "cache").exists()
