# SPDX-License-Identifier: Apache-2.0
"""Shared by all Python tests: a private cache folder, and no skips in CI but for hardware."""

import os
import tempfile

import pytest

os.environ.setdefault("NVFUSER_CACHE_DIR", tempfile.mkdtemp(prefix="nvfuser-test-"))

# The only reasons for which a test may be skipped when CI is set.
ALLOWED_SKIPS = ("needs a GPU", "needs CuPy", "needs JAX", "needs free-threaded Python")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("CI") and not any(reason in str(report.longrepr) for reason in ALLOWED_SKIPS):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"


def pytest_sessionfinish(session, exitstatus):
    from nvfuser._C import compiler_runs

    print(f"\ncompiler runs: {compiler_runs()}")
