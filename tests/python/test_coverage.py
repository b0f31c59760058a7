# SPDX-License-Identifier: Apache-2.0
"""Each name of the API that nvfuser_direct follows is there, or absent for a reason which is written down."""

import importlib

import direct_api
import numpy as np
import pytest

import nvfuser_direct

ROWS = list(direct_api.rows())


def found(name):
    """Does the package have it?  Members of a definition as one has them that was executed."""
    value = nvfuser_direct
    for part in name.split("."):
        if part in ("pytorch_utils", "nvfuser_direct_version"):
            value = importlib.import_module(f"nvfuser_direct.{part}")
            continue
        if name.startswith("FusionDefinition.") and value is nvfuser_direct.FusionDefinition:
            value = executed()
        if not hasattr(value, part):
            return False
        value = getattr(value, part)
    return True


def executed():
    with nvfuser_direct.FusionDefinition() as fd:
        fd.add_output(fd.define_tensor(shape=[-1]) * 2.0)
    fd.execute([np.ones(1, np.float32)], target="evaluator")
    return fd


def test_names(capsys):
    """A name that is not there has a reason; one that is there has none; absent modules cannot be imported."""
    wrong = [name for name, reason in ROWS if found(name) == (reason is not None)]
    assert not wrong
    bound = [name for name, reason in ROWS if reason is None]
    reasons = {reason: sum(r == reason for _, r in ROWS) for _, reason in ROWS if reason is not None}
    with capsys.disabled():
        print(f"\nnames of the API: {len(bound)} of {len(ROWS)} are there; absent:")
        for reason, count in sorted(reasons.items(), key=lambda item: -item[1]):
            print(f"  {count:3} {reason}")
    assert len(bound) > 150


def test_each_name_stands_once():
    names = [name for name, _ in ROWS]
    assert len(set(names)) == len(names)
    assert {name.partition(".")[0] for name in direct_api.ABSENT_OF} <= set(direct_api.MEMBERS)
    assert set(direct_api.ABSENT_OF) <= set(names)


@pytest.mark.parametrize("module", ["schedule", "multidevice", "idm"])
def test_absent_modules(module):
    with pytest.raises(ImportError):
        importlib.import_module(f"nvfuser_direct.{module}")
