# SPDX-License-Identifier: Apache-2.0
"""The doctor says what it finds and what it misses, and its status says whether what was found works."""

import os
import re
import stat
import subprocess
import sys

import pytest

from nvfuser import __version__
from nvfuser._C import options_table

SECTIONS = ["versions", "libraries", "cache folder", "devices", "targets"]


def doctor(*arguments, **environment):
    variables = {**os.environ, **{name: str(value) for name, value in environment.items()}}
    command = [sys.executable, "-m", "nvfuser.doctor", *arguments]
    return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=300, check=False)


def sections(process):
    """Title -> lines below it."""
    assert process.stderr == "", process.stderr
    parts = re.split(r"^(\S.*)\n", process.stdout, flags=re.M)
    assert parts[0] == ""
    return {title: re.findall(r"^  (\S.*)$", text, re.M) for title, text in zip(parts[1::2], parts[2::2], strict=True)}


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache")
    process = doctor(NVFUSER_CACHE_DIR=folder)
    assert process.returncode == 0, process.stdout
    return sections(process), folder


def test_sections(report):
    found, folder = report
    assert list(found) == SECTIONS
    assert re.fullmatch(rf"nvfuser +{re.escape(__version__)}", found["versions"][0])
    assert found["cache folder"] == [str(folder)]


def test_every_target_is_tried(report):
    found = {line.split()[0]: line for line in report[0]["targets"]}
    assert set(found) == {"cuda", "host", "emulator", "evaluator"}
    for target in ("host", "emulator"):
        assert re.search(r"works \(/.* \d+\.\d+", found[target]), "it names the compiler"
    assert "works" in found["evaluator"]
    assert "works" in found["cuda"] or "not found: " in found["cuda"] or "needs torch" in found["cuda"]


def test_the_compiler_that_is_used(report):
    assert any(re.match(r"NVRTC \d+\.\d+, /", line) for line in report[0]["libraries"]), report[0]["libraries"]


def test_what_is_missing_is_no_failure(tmp_path):
    found = sections(doctor(NVFUSER_CXX="/no/such/c++", NVFUSER_NVRTC=tmp_path, NVFUSER_CACHE_DIR=tmp_path))
    assert "no NVRTC was found; tried:" in found["libraries"][0]
    targets = {line.split()[0]: line for line in found["targets"]}
    assert "not found" in targets["host"] and "/no/such/c++" in targets["host"] and "works" in targets["evaluator"]


def test_a_target_that_fails_its_self_test(tmp_path):
    """A compiler that answers and then makes nothing: found, but it does not work."""
    broken = tmp_path / "c++"
    broken.write_text('#!/bin/sh\ncase " $* " in *" -dM "*) exec c++ "$@";; esac\necho cannot >&2\nexit 1\n')
    broken.chmod(broken.stat().st_mode | stat.S_IXUSR)
    process = doctor(NVFUSER_CXX=broken, NVFUSER_CACHE_DIR=tmp_path / "cache")
    targets = {line.split()[0]: line for line in sections(process)["targets"]}
    assert process.returncode == 1
    assert re.search(r"FAILED \(.*\): CompileError", targets["host"]) and "works" in targets["evaluator"]


def test_a_cache_that_is_not_used(tmp_path):
    (tmp_path / "file").write_text("")
    process = doctor(NVFUSER_CACHE_DIR=tmp_path / "file", NVFUSER_CXX="/no/such/c++")
    line = sections(process)["cache folder"][0]
    assert line.startswith(f"{tmp_path / 'file'} (not used: ")


def test_options():
    process = doctor("--options")
    assert process.returncode == 0
    assert re.findall(r"^(\w+)=", process.stdout, re.M) == [variable for variable, _, _ in options_table()]
