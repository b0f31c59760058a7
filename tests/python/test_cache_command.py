# SPDX-License-Identifier: Apache-2.0
"""``python -m nvfuser.cache``: what it lists, measures and clears; and what a process does with a damaged cache."""

import json
import subprocess
import sys

import child
import pytest

PROGRAM = """
import sys, warnings
import numpy as np
import nvfuser
with nvfuser.FusionDefinition() as fd:
    x = fd.define_tensor(shape=[-1], contiguity=True)
    fd.add_output(nvfuser.ops.relu(x) * 3.0)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    (result,) = fd.execute([np.ones(5, np.float32)])
assert result.tolist() == [3.0] * 5
print(fd.last_way.name, nvfuser._C.compiler_runs(), [w.category.__name__ for w in caught], *[w.message for w in caught])
"""


def command(folder, *arguments, status=0):
    run = subprocess.run(
        [sys.executable, "-m", "nvfuser.cache", *arguments, "--folder", str(folder)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == status and run.stderr == "", run.stderr
    return run.stdout


def report(folder, action):
    return json.loads(command(folder, action, "--json"))


@pytest.fixture
def filled(tmp_path):
    """A cache folder with one compiled program in it."""
    assert child.output_of(PROGRAM, NVFUSER_CACHE_DIR=tmp_path).startswith("host 1 []")
    return tmp_path


def test_a_second_process_compiles_nothing(filled):
    assert child.output_of(PROGRAM, NVFUSER_CACHE_DIR=filled).startswith("host 0 []")


def test_list_and_size(filled):
    found = report(filled, "list")
    assert sorted(item["kind"] for item in found["items"]) == ["headers", "host"]
    files = [name for item in found["items"] for name in item["files"]]
    present = {path.name: path for path in (filled / "v1").iterdir()}
    assert set(files) <= set(present) and {name for name in files if name.endswith(".so")}
    one = next(item for item in found["items"] if item["kind"] == "host")
    assert one["bytes"] == sum(present[name].stat().st_size for name in one["files"])
    assert report(filled, "size")["bytes"] == found["bytes"] == sum(item["bytes"] for item in found["items"])
    lines = command(filled, "list").splitlines()
    assert len(lines) == 3 and one["name"] in "".join(lines) and lines[-1].startswith("2 entries, ")
    assert command(filled) == lines[-1] + "\n"


def test_clear_leaves_foreign_files(filled):
    foreign = [filled / "notes.txt", filled / "v1" / "mine.so", filled / "v1" / ("0" * 32 + "-mine.cpp")]
    for path in foreign:
        path.write_text("mine")
    assert report(filled, "clear")["entries"] == 2
    assert all(path.read_text() == "mine" for path in foreign)
    assert sorted(path.name for path in (filled / "v1").iterdir()) == sorted(path.name for path in foreign[1:])
    assert report(filled, "list")["items"] == []
    assert child.output_of(PROGRAM, NVFUSER_CACHE_DIR=filled).startswith("host 1 []")


def test_a_folder_that_is_not_there(tmp_path):
    assert report(tmp_path / "none", "size")["entries"] == 0
    assert command(tmp_path / "none", "clear").startswith("deleted 0 entries")
    assert not (tmp_path / "none").exists()


def test_help_and_mistakes(tmp_path):
    assert "left alone" in command(tmp_path, "--help")
    run = subprocess.run([sys.executable, "-m", "nvfuser.cache", "burn"], capture_output=True, timeout=120, check=False)
    assert run.returncode == 2


@pytest.mark.parametrize("damage", ["truncated", "foreign"])
def test_one_warning_for_damaged_entries(filled, damage):
    for path in (filled / "v1").glob("*.so"):
        path.write_bytes(path.read_bytes()[:-100] if damage == "truncated" else b"foreign")
    said = child.output_of(PROGRAM, NVFUSER_CACHE_DIR=filled)
    assert said.startswith("host 1 ['RuntimeWarning'] disk cache: ") and "damaged or foreign" in said
    assert child.output_of(PROGRAM, NVFUSER_CACHE_DIR=filled).startswith("host 0 []"), "it was replaced"


def test_a_warning_as_an_error_stops_nothing(filled):
    for path in (filled / "v1").glob("*.so"):
        path.write_bytes(b"foreign")
    program = PROGRAM.replace('"always"', '"error"')
    process = child.run_python(program, NVFUSER_CACHE_DIR=filled)
    assert process.returncode == 0 and "RuntimeWarning" in process.stderr, process.stderr
