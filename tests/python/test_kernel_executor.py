# SPDX-License-Identifier: Apache-2.0
"""One fusion, one kernel: what is run, and what is refused."""

import numpy as np
import pytest
from test_reduce_kernels import program

from nvfuser import DataType, DefinitionError, FusionDefinition, KernelExecutor, ScheduleError, ShapeError


def test_one_kernel():
    with FusionDefinition() as fd:
        fd.add_output(fd.define_tensor(shape=[-1], contiguity=[True]) + 1.0)
    kernel, x = KernelExecutor(fusion_id=3, group_id=2), np.ones(8, np.float32)
    assert not kernel.is_compiled() and repr(kernel) == "<KernelExecutor: empty>"
    with pytest.raises(DefinitionError, match="no kernel is there: compile a fusion first"):
        kernel.run([x])
    kernel.compile(fd.fusion, [x])
    assert kernel.is_compiled() and not kernel.is_programmatic_dependent_launch_enabled()
    for inputs in (x, np.arange(8, dtype=np.float32)):
        (result,) = kernel.run([inputs])
        assert result.tolist() == (inputs + 1).tolist()
    with pytest.raises(ShapeError):
        kernel.run([np.ones((2, 2), np.float32)])
    assert kernel.run((x,))[0].sum() == 16 and (kernel.fusion_id, kernel.group_id) == (3, 2)


def test_programs_of_several_kernels_are_refused():
    fd, kernel = program("both axes", DataType.Float), KernelExecutor()
    x = np.ones((4, 40), np.float32)
    for target, count in (("host", 3), ("evaluator", 0)):
        with pytest.raises(ScheduleError, match=f"does not support the Fusion provided.  It takes {count} kernels"):
            kernel.compile(fd.fusion, [x], target=target)
    assert not kernel.is_compiled()
