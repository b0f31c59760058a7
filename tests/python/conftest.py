# SPDX-License-Identifier: Apache-2.0
"""Shared by all Python tests: a private cache folder, and no skips in CI but for hardware."""

import os
import tempfile

import at_end  # noqa: F401
import pytest

os.environ.setdefault("NVFUSER_CACHE_DIR", tempfile.mkdtemp(prefix="nvfuser-test-"))

# The only reasons for which a test may be skipped when CI is set.
ALLOWED_SKIPS = ("needs a GPU", "needs CuPy", "needs JAX", "needs free-threaded Python")


def refuse_skip(report):
    """Makes a skip in CI a failure, unless its reason is one of those."""
    if not report.skipped or not os.environ.get("CI"):
        return
    # (file, line, "Skipped: reason"); a test that is expected to fail has no such reason
    reason = report.longrepr[2].removeprefix("Skipped: ") if isinstance(report.longrepr, tuple) else "expected to fail"
    if reason not in ALLOWED_SKIPS:
        vars(report).pop("wasxfail", None)  # with it a failure would not count
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {reason}; allowed: {', '.join(ALLOWED_SKIPS)}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    refuse_skip(outcome.get_result())


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report(collector):
    """A module that skips itself when it is read."""
    outcome = yield
    refuse_skip(outcome.get_result())


def pytest_sessionfinish(session, exitstatus):
    from nvfuser._C import compiler_runs

    print(f"\ncompiler runs: {compiler_runs()}")
