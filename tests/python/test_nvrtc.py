# SPDX-License-Identifier: Apache-2.0
"""Kernels for GPUs, as the emulator runs them, compile with NVRTC for every architecture; no GPU is needed."""

import re

import pytest
import test_segments
import test_shapes
import test_sweep

from nvfuser import CompileError, FusionDefinition
from nvfuser._C import compile_cubin

INCLUDES = "".join(
    f'#include "rt/{name}.h"\n' for name in ("types", "convert", "math", "memory", "reduce", "ring", "grid")
)
ARCHITECTURES = (80, 90, 100, 120)


def kernels(fd, inputs, suffix):
    """Text of the kernels of a program, their names kept apart from those of other programs."""
    return re.sub(r"\b(k_)?nvf_\w+", rf"\g<0>_{suffix}", fd.kernel_text(inputs, target="emulator"))


@pytest.fixture(scope="module")
def unit():
    """One unit of every operation in every dtype, reads along several axes, and cuts."""
    text = INCLUDES
    for dtype, torch_dtype in test_sweep.DTYPES.items():
        tensors = [test_sweep.values(torch_dtype, seed) for seed in range(3)]
        fd, _, _ = test_sweep.build(tensors)
        text += kernels(fd, tensors, dtype.name)
    for name, (x, build, _) in test_shapes.ONE_KERNEL.items():
        with FusionDefinition() as fd:
            fd.add_output(build(fd.from_pytorch(x)))
        text += kernels(fd, [x], name)
    x = test_segments.numbers(20, 35)
    for name, (build, _, _) in test_segments.PROGRAMS.items():
        with FusionDefinition() as fd:
            build(fd, fd.from_pytorch(x), fd.from_pytorch(x))
        text += kernels(fd, [x, x], name)
    return text


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_compiles(unit, arch):
    assert compile_cubin(unit, arch) > 100_000


def test_gpu_text_is_not_host_text():
    with FusionDefinition() as fd:
        fd.add_output(fd.define_tensor(shape=[-1], contiguity=True) + 1.0)
    x = test_segments.numbers(16)
    gpu, host = (fd.kernel_text([x], target=way) for way in ("emulator", "host"))
    assert "blockIdx.x" in gpu and "RT_KERNEL" in gpu and "blockIdx" not in host
    assert gpu == fd.kernel_text([x], target="emulator"), "text depends on the program alone"


def test_error_holds_the_log():
    with pytest.raises(
        CompileError, match="refuses a unit for sm_90: NVRTC_ERROR_COMPILATION\n.*unit.cu\\(1\\): error"
    ):
        compile_cubin("int f( {", 90)


def test_unknown_architecture():
    with pytest.raises(CompileError, match="sm_13|arch"):
        compile_cubin(INCLUDES, 13)
