# SPDX-License-Identifier: Apache-2.0
"""The rows of direct_rows.py, each defined twice (equal fusions), run, printed, rebuilt from its text and run again:
values as torch gives them, equal values and strides after the way through the text."""

import re
from pathlib import Path

import pytest
import torch
from direct_rows import ELSEWHERE, ROWS, SUITE

from nvfuser import DataType, FusionDefinition

HERE = Path(__file__).parent
# Rows whose outputs say how they lie in memory.
OUTPUT_ORDERS = {
    "test_output_stride_order",
    "test_output_stride_order_with_reduction",
    "test_broadcast_and_stride_order",
}


def define(row):
    with FusionDefinition() as fd:
        values = [
            fd.from_pytorch(value) if isinstance(value, torch.Tensor) else fd.define_scalar(dtype=DataType.Double)
            for value in row.inputs
        ]
        results = row.define(*values)
        for result in results if isinstance(results, (list, tuple)) else [results]:
            fd.add_output(result)
    return fd


def rebuilt(fd):
    scope = {"FusionDefinition": FusionDefinition, "DataType": DataType}
    exec(repr(fd), scope)
    with FusionDefinition() as again:
        scope["nvfuser_fusion"](again)
    return again


@pytest.mark.parametrize("name", ROWS)
def test_row(name):
    row = ROWS[name]
    fd = define(row)
    assert fd.fusion == define(row).fusion
    results = fd.execute(row.inputs, target="evaluator")
    again = rebuilt(fd).execute(row.inputs, target="evaluator")
    expected = row.expect(*row.inputs)
    expected = expected if isinstance(expected, (list, tuple)) else [expected]
    assert len(results) == len(again) == len(expected)
    for got, copy, want in zip(map(torch.as_tensor, results), map(torch.as_tensor, again), expected, strict=True):
        assert got.dtype == want.dtype and got.shape == want.shape
        assert torch.allclose(got, want, rtol=1e-5, atol=1e-6, equal_nan=True)
        assert torch.equal(got.nan_to_num(), copy.nan_to_num()) and got.stride() == copy.stride()
        if name in OUTPUT_ORDERS:
            assert [s for s, n in zip(got.stride(), got.shape, strict=True) if n > 1] == [
                s for s, n in zip(want.stride(), want.shape, strict=True) if n > 1
            ]


def test_rows_elsewhere_are_there(capsys):
    for target in ELSEWHERE.values():
        file, function = target.split("::")
        assert re.search(rf"^def {function}\(", (HERE / file).read_text(), re.M), target
    assert not set(ROWS) & set(ELSEWHERE)
    with capsys.disabled():
        print(f"\nrows of that suite: {len(ROWS)} here, {len(ELSEWHERE)} in other tests, of {SUITE}")
