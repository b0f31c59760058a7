# SPDX-License-Identifier: Apache-2.0
"""In CI a test may be skipped only for want of hardware or of a rare framework; any other skip fails the run."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ALLOWED = ("needs a GPU", "needs CuPy", "needs JAX", "needs free-threaded Python")
PASSES = "def test_passes():\n    pass\n"


def in_test(statement):
    return f"import pytest\n{PASSES}def test_skips():\n    {statement}\n"


def at_import(statement):
    return f"import pytest\n{statement}\n{PASSES}"


OTHER = {
    "call": in_test('pytest.skip("not today")'),
    "mark": f'import pytest\n{PASSES}@pytest.mark.skip(reason="not today")\ndef test_skips():\n    pass\n',
    "condition": f'import pytest\n{PASSES}@pytest.mark.skipif(True, reason="slow")\ndef test_skips():\n    pass\n',
    "no reason": in_test("pytest.skip()"),
    "missing module": in_test('pytest.importorskip("no_such_module")'),
    "reason that holds an allowed one": in_test('pytest.skip("needs a GPU that nobody has")'),
    "fixture": f"import pytest\n{PASSES}@pytest.fixture\ndef f():\n    pytest.skip()\ndef test_skips(f):\n    pass\n",
    "expected to fail": f"import pytest\n{PASSES}@pytest.mark.xfail\ndef test_fails():\n    assert False\n",
    "module": at_import('pytest.skip("not today", allow_module_level=True)'),
    "module that is missing at import": at_import('pytest.importorskip("no_such_module")'),
}


def run_pytest(folder, text, **environment):
    """pytest on one test file beside this folder's conftest.py."""
    shutil.copy(HERE / "conftest.py", folder)
    (folder / "test_it.py").write_text(text)
    variables = {name: value for name, value in os.environ.items() if name != "CI"}
    variables["PYTHONPATH"] = os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", "."]
    return subprocess.run(
        [*command, "test_it.py"],
        cwd=folder,
        env={**variables, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize("kind", OTHER)
def test_other_skips_fail_in_ci(tmp_path, kind):
    process = run_pytest(tmp_path, OTHER[kind], CI="1")
    assert process.returncode != 0, process.stdout
    assert "skipped in CI" in process.stdout


@pytest.mark.parametrize("kind", ("call", "module", "expected to fail"))
def test_they_are_skips_elsewhere(tmp_path, kind):
    process = run_pytest(tmp_path, OTHER[kind])
    assert process.returncode in (0, 5), process.stdout  # 5: no test is left
    assert "skipped in CI" not in process.stdout


def test_allowed_reasons_are_skips_in_ci(tmp_path):
    text = "import pytest\n" + PASSES
    for number, reason in enumerate(ALLOWED):
        text += f'def test_{number}():\n    pytest.skip("{reason}")\n'
    text += 'def test_framework():\n    pytest.importorskip("no_such_module", reason="needs CuPy")\n'
    process = run_pytest(tmp_path, text, CI="1")
    assert process.returncode == 0, process.stdout
    assert f"1 passed, {len(ALLOWED) + 1} skipped" in process.stdout
    process = run_pytest(tmp_path, at_import('pytest.skip("needs a GPU", allow_module_level=True)'), CI="1")
    assert "skipped in CI" not in process.stdout and "1 skipped" in process.stdout
