# SPDX-License-Identifier: Apache-2.0
"""A host compiler at a low level of optimisation still runs the kernel: see codegen/dialect.cpp on noipa."""

import shutil

import numpy as np
import pytest

from nvfuser import DataType, FusionDefinition
from nvfuser._C import set_option


@pytest.fixture
def unoptimised(tmp_path):
    """The machine's compiler with the last word -O1; GCC 12 then dropped the call of this file's kernel."""
    script = tmp_path / "compiler"
    script.write_text(f'#!/bin/sh\nexec {shutil.which("c++") or "g++"} "$@" -O1\n')
    script.chmod(0o755)
    set_option("cxx", str(script))
    yield
    set_option("cxx", "")


def test_complex_products_in_tiles_are_stored(unoptimised):
    with FusionDefinition() as fd:
        x = fd.define_tensor(
            shape=[-1, -1, 1, -1, -1], contiguity=[False, False, None, False, True], dtype=DataType.ComplexDouble
        )
        y = fd.ops.stride_order(x, [2, 1, 0, 3, 4])
        z = fd.ops.set(y)
        fd.add_output(fd.ops.mul(z, fd.ops.sub(z, fd.ops.sub(x, y))))
    room = np.arange(6000).astype(np.complex128) * (0.5 - 0.25j)
    strides = [16 * stride for stride in (1813, 259, 259, 7, 1)]
    a = np.lib.stride_tricks.as_strided(room[2:], (3, 3, 1, 33, 3), strides)
    (got,) = fd.execute([a], target="host")
    np.testing.assert_allclose(got, a * a)
