# SPDX-License-Identifier: Apache-2.0
"""NVFUSER_DUMP prints the product of each stage to the error stream, and knows its names."""

import child
import pytest

PROGRAM = """
import numpy as np
from nvfuser import FusionDefinition, ops
with FusionDefinition() as fd:
    x = fd.define_tensor(shape=[-1, -1], contiguity=True)
    fd.add_output(ops.segment_set(x * 3.0) + 1.0)
fd.execute([np.ones((5, 7), np.float32)], target={way!r})
print("done")
"""
# Stage -> texts that its product holds.
STAGES = {
    "fusion": ["= mul(", "= add("],
    "segments": [
        "group 0: pointwise\n  reads T0",
        "140 bytes; read by group 1: segment_set",
        "140 bytes, output",
        "2 groups move 560 bytes, 280 of them between groups",
    ],
    "params": ["nvf_mul_0: ", "us estimated", "facts: "],
    "kernel": ["nvf_mul_0", "for "],
    "code": ["rt::mul(", '#include "rt/types.h"'],
    "plan": ["way host, 2 kernels"],
    "moved": ["nvf_mul_0: in0 read 140, out0 written 140"],
    "time": [" us"],
}


@pytest.fixture(scope="module")
def dumps(tmp_path_factory):
    """All stages of one run: stage -> text."""
    programs = PROGRAM.format(way="host") + PROGRAM.format(way="emulator")
    process = child.run_python(programs, NVFUSER_DUMP=",".join(STAGES))
    assert process.returncode == 0 and process.stdout == "done\n" * 2, process.stderr
    parts = process.stderr.split("==== nvfuser ")
    assert parts[0] == ""
    found = {}
    for part in parts[1:]:
        stage, text = part.split(" ====\n", 1)
        found[stage] = found.get(stage, "") + text
    return found


@pytest.mark.parametrize("stage", STAGES)
def test_stage(dumps, stage):
    assert stage in dumps
    for text in STAGES[stage]:
        assert text in dumps[stage], dumps[stage]


def test_stages_are_all_known(dumps):
    assert set(dumps) == set(STAGES)
    from nvfuser import OptionError
    from nvfuser._C import set_option

    with pytest.raises(OptionError) as caught:
        set_option("dump", "nothing")
    assert str(caught.value).endswith("known: " + ", ".join(STAGES))


def test_nothing_is_printed_by_default():
    process = child.run_python(PROGRAM.format(way="evaluator"), without=("NVFUSER_DUMP",))
    assert (process.returncode, process.stdout, process.stderr) == (0, "done\n", "")


def test_evaluator_dumps_its_plan():
    process = child.run_python(PROGRAM.format(way="evaluator"), NVFUSER_DUMP=" plan , fusion ")
    assert process.stderr.count("==== nvfuser") == 2 and "way evaluator, 0 kernels" in process.stderr


def test_unknown_stage():
    process = child.run_python(PROGRAM.format(way="evaluator"), NVFUSER_DUMP="plan,speed")
    assert process.returncode == 1
    message = process.stderr.strip().splitlines()[-1]
    assert "OptionError: NVFUSER_DUMP: 'speed' is unknown; known: " + ", ".join(STAGES) in message
