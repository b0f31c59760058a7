# SPDX-License-Identifier: Apache-2.0
"""Runs one fusion in every way that needs no GPU, and says how close results are to each other and to a reference."""

import os
import re

import torch

from nvfuser import Way

# Set in the run without a compiler (test_without_compiler.py): only the evaluator is left, and nobody asks for it.
HAS_COMPILER = not os.environ.get("NVFUSER_TEST_NO_COMPILER")
COMPILED = ("host", "emulator") if HAS_COMPILER else ()
WAYS = (*COMPILED, "evaluator")
# Largest relative and absolute error against a reference of higher precision.
TOLERANCE = {
    torch.float64: 1e-11, torch.complex128: 1e-10, torch.float32: 6e-6, torch.complex64: 4e-5, torch.float16: 1e-3,
    torch.bfloat16: 8e-3, torch.float8_e4m3fn: 0.07, torch.float8_e5m2: 0.13, torch.float8_e8m0fnu: 1.0,
}  # fmt: skip
# Integers of the size of a float: their distance counts the representable values between two floats.
BITS = {8: torch.int64, 4: torch.int32, 2: torch.int16, 1: torch.uint8}
PARTS = {torch.complex128: torch.float64, torch.complex64: torch.float32}
FAR = 1 << 32  # the distance of results that share nothing


def run(fd, inputs, way, **options):
    """The outputs of one way, which must be the way that ran."""
    outputs = fd.execute(inputs, target=way if HAS_COMPILER else None, **options)
    assert fd.last_way == getattr(Way, way)
    return outputs


def run_everywhere(fd, inputs, make=None):
    """Way -> outputs; `make` gives fresh inputs for each way where a fusion writes into them."""
    return {way: run(fd, make() if make else inputs, way) for way in WAYS}


def wide(tensor):
    """The same values in the reference's dtype: float64, complex128, int64 or bool."""
    if tensor.dtype == torch.bool:
        return tensor
    if tensor.dtype.is_complex:
        return tensor.to(torch.complex128)
    if not tensor.dtype.is_floating_point:
        return tensor.to(torch.int64)
    return (tensor.to(torch.float32) if tensor.dtype.itemsize == 1 else tensor).to(torch.float64)


def ordered(tensor):
    """Floats as int64 in the order of the reals; both zeros are 0."""
    bits = tensor.contiguous().view(BITS[tensor.dtype.itemsize]).to(torch.int64)
    if tensor.dtype == torch.float8_e8m0fnu:
        return bits
    width = 8 * tensor.dtype.itemsize
    sign = bits >> (width - 1) & 1
    magnitude = bits & ((1 << (width - 1)) - 1)
    return torch.where(sign == 1, -magnitude, magnitude)


def complex_ulps(a, b):
    """As ulps, in units of the modulus: a part that is small beside the other has fewer digits."""
    nan_a, nan_b = a.isnan(), b.isnan()
    if not torch.equal(nan_a, nan_b):
        return FAR
    unit = wide(a).abs() * torch.finfo(PARTS[a.dtype]).eps
    same = nan_a | (a == b)
    distance = torch.where(same, 0.0, (wide(a) - wide(b)).abs() / unit.clamp(min=torch.finfo(PARTS[a.dtype]).tiny))
    return int(distance.nan_to_num(FAR, FAR, FAR).max().ceil())


def ulps(a, b):
    """Largest distance of two tensors in units in the last place; NaN only equals NaN."""
    assert a.dtype == b.dtype and a.shape == b.shape
    if a.dtype.is_complex:
        return complex_ulps(a, b)
    if not a.dtype.is_floating_point:
        return 0 if torch.equal(wide(a), wide(b)) else FAR
    if a.numel() == 0:
        return 0
    nan_a, nan_b = wide(a).isnan(), wide(b).isnan()
    if not torch.equal(nan_a, nan_b):
        return FAR
    distance = (ordered(a) - ordered(b)).abs()
    return int(torch.where(nan_a, 0, distance).max())


def mismatch(got, want):
    """Why `got` is not the reference rounded to its dtype, or None."""
    if got.shape != want.shape:
        return f"shape {tuple(got.shape)}, expected {tuple(want.shape)}"
    tolerance = TOLERANCE.get(got.dtype)
    if tolerance is None:
        return None if torch.equal(wide(got), wide(want.to(got.dtype))) else f"got {got}, expected {want}"
    a, b = wide(got), want.to(torch.complex128 if got.dtype.is_complex else torch.float64)
    if got.dtype in (torch.float32, torch.float16, torch.float64):  # IEEE: what is too large becomes infinite
        b = b.to(got.dtype).to(torch.float64)
    try:
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance, equal_nan=True)
    except AssertionError as error:
        return str(error)
    return None


def kernel_count(fd, inputs, way):
    """Kernels that these inputs run."""
    header = fd.plan_text(inputs, target=way).splitlines()[0]
    return int(re.fullmatch(rf"way {way}, (\d+) kernels", header).group(1))
