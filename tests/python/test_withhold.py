# SPDX-License-Identifier: Apache-2.0
"""Kernels without facts that hold: the same results, and text for what then has to be expected."""

import numpy as np
import pytest

from nvfuser import FusionDefinition, Way
from nvfuser._C import OptionError, kernel_texts, set_option


@pytest.fixture
def withhold():
    yield lambda facts: set_option("withhold", facts)
    set_option("withhold", "")


def definition():
    with FusionDefinition() as fd:
        x, y = (fd.define_tensor(shape=[-1, -1], contiguity=True) for _ in range(2))
        fd.add_output(fd.ops.relu(x - y))
    return fd


def inputs():
    numbers = np.random.default_rng(1).standard_normal((2, 64, 256)).astype(np.float32)
    return [numbers[0], numbers[1]]


def text(way):
    """The kernel of a call that no plan is kept for."""
    device = "H200" if way == Way.emulator else ""
    return kernel_texts((definition()._ready(), inputs(), way, device))[0]


def test_each_kind_of_fact(withhold):
    usual = text(Way.emulator)
    assert "using Index = int;" in usual and "rt::copy<4>(" in usual
    withhold("narrow")
    assert "using Index = long long;" in text(Way.emulator) and "using Index = long long;" in text(Way.host)
    withhold("alignment")
    assert "rt::copy<4>(" not in text(Way.emulator) and "using Index = int;" in text(Way.emulator)
    withhold("exact")
    assert text(Way.emulator).count("if (") > usual.count("if (")
    withhold("")
    assert text(Way.emulator) == usual


@pytest.mark.parametrize("way", ("host", "emulator"))
def test_results_are_the_same(withhold, way):
    x, y = inputs()
    withhold("exact,divisors,alignment,narrow")
    fd = definition()
    (got,) = fd.execute([x, y], target=way)
    np.testing.assert_array_equal(got, np.maximum(x - y, 0))
    assert "; facts: wide;" in fd.plan_text([x, y], target=way)


def test_unknown_facts_are_refused(withhold):
    with pytest.raises(OptionError, match="exact"):
        withhold("everything")
