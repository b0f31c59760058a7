# SPDX-License-Identifier: Apache-2.0
"""What `validate` accepts: results against references, each dtype with a tolerance of its own."""

from __future__ import annotations

from typing import Any

import numpy as np

from nvfuser import tensors
from nvfuser._C import DataType

# Largest relative and absolute error that `validate` accepts per dtype, about 16 units in the last place.
TOLERANCES = {
    DataType.Double: 1e-12,
    DataType.ComplexDouble: 1e-12,
    DataType.Float: 4e-6,
    DataType.ComplexFloat: 4e-6,
    DataType.Half: 4e-3,
    DataType.BFloat16: 3e-2,
    DataType.Float8_e4m3fn: 0.2,
    DataType.Float8_e5m2: 0.4,
}


def as_float64(tensor: Any) -> np.ndarray:
    """A tensor's values as a NumPy array, narrow floats widened."""
    if hasattr(tensor, "detach"):
        tensor = tensor.detach().cpu()
        if tensor.dtype.is_floating_point:
            tensor = tensor.double()
        return np.asarray(tensor)
    array = np.asarray(tensor.get() if hasattr(tensor, "get") else tensor)
    return array if array.dtype.kind in "biuc" else array.astype(np.float64)


def compare(position: int, got: Any, want: Any) -> None:
    """RuntimeError where a result is not what was wanted."""
    framework = tensors.framework_of(got)
    tolerance = TOLERANCES.get(framework.describe(got).dtype, 0.0) if framework is not None else 0.0
    a, b = as_float64(got), as_float64(want)
    if a.shape != b.shape:
        raise RuntimeError(f"output {position}: expected shape {b.shape}, got {a.shape}")
    with np.errstate(all="ignore"):
        same = np.isclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True) if tolerance else a == b
    if not np.all(same):
        place = tuple(int(i) for i in np.argwhere(~np.asarray(same))[0])
        count = f"{int(np.sum(~same))} of {a.size}"
        raise RuntimeError(f"output {position} differs at {place}: got {a[place]}, expected {b[place]} ({count})")
