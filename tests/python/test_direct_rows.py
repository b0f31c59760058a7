# SPDX-License-Identifier: Apache-2.0
"""The rows of direct_rows.py, each defined twice (equal fusions), run, printed, rebuilt from its text and run again:
values as torch gives them, equal values and strides after the way through the text.  And how many functions of that
suite are covered."""

import re
from pathlib import Path

import pytest
import torch
from direct_rows import ELSEWHERE, IN_PLACE, ROWS
from direct_suite import FUNCTIONS, WITHOUT

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
            fd.add_output(*result) if isinstance(result, tuple) else fd.add_output(result)
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


def copies(inputs):
    """With the strides that they have."""
    fresh = [torch.empty_strided(x.shape, x.stride(), dtype=x.dtype) for x in inputs]
    return [new.copy_(x) for new, x in zip(fresh, inputs, strict=True)]


@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place_row(name):
    row = IN_PLACE[name]
    fd = define(row)
    assert fd.fusion == define(row).fusion
    results, after = row.expect(*row.inputs)
    for program in (fd, rebuilt(fd)):
        inputs = copies(row.inputs)
        got = program.execute(inputs, target="evaluator")
        for value, want in zip([*got, *inputs], [*results, *after], strict=True):
            assert torch.allclose(value, want, rtol=1e-5, atol=1e-6)
        if name == "test_returning_aliased_outputs":
            assert {value.data_ptr() for value in got} == {inputs[0].data_ptr()}


def test_texts():
    """Of a definition's expressions, and the program that makes it; test_profiler.py reads that of kernels."""
    fd = define(ROWS["test_misaligned_add"])
    assert re.search(r"T2\w*\[.*\] = add\(T0.*, T1.*\);", fd.fusion.print_math())
    assert "fd.ops.add(tv0, tv1)" in repr(fd)


def test_covered(capsys):
    """Every function of that suite is covered, or its machinery does not exist."""
    for target in ELSEWHERE.values():
        file, function = target.split("::")
        assert re.search(rf"^def {function}\(", (HERE / file).read_text(), re.M), target
    covered = [*ROWS, *IN_PLACE, *ELSEWHERE]
    missing = {reason: names.split() for reason, names in WITHOUT.items()}
    names = [*covered, *(name for row in missing.values() for name in row)]
    assert len(set(names)) == len(names) == FUNCTIONS
    with capsys.disabled():
        print(f"\nfunctions of that suite: {len(covered)} covered, of {len(covered)} whose machinery exists, ", end="")
        print(f"of {FUNCTIONS}; missing: " + ", ".join(f"{reason} ({len(row)})" for reason, row in missing.items()))
