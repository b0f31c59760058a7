# SPDX-License-Identifier: Apache-2.0
"""What programs ask of torch for nvfuser: element types and facts of the GPU."""

from __future__ import annotations

import functools
import gc
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch

from nvfuser import DataType, tensors

# What Python's numbers become.
_NUMBERS = {complex: DataType.ComplexDouble, float: DataType.Double, int: DataType.Int, bool: DataType.Bool}
# Of every GPU that kernels are made for (compute capability 8.0 and newer); torch does not tell them.
_THREADS_PER_BLOCK, _REGISTERS_PER_BLOCK = 1024, 65536


def torch_dtype_to_nvfuser_dtype(dtype: Any) -> DataType:
    """The element type of a torch dtype, or of the Python types bool, int, float and complex.

    Parameters
    ----------
    dtype : torch.dtype or type
        The dtype.

    Returns
    -------
    DataType
        The element type.

    Raises
    ------
    TypeError
        When there is none.

    See Also
    --------
    pytorch_utils.python_scalar_to_nvfuser_dtype

    Examples
    --------
    >>> torch_dtype_to_nvfuser_dtype(torch.bfloat16), torch_dtype_to_nvfuser_dtype(float)
    (DataType.BFloat16, DataType.Double)
    """
    return _NUMBERS[dtype] if dtype in _NUMBERS else tensors.data_type_of(dtype)


def python_scalar_to_nvfuser_dtype(value: Any) -> DataType:
    """The element type that a Python number has as a scalar input.

    Parameters
    ----------
    value : bool, int, float or complex
        The number.

    Returns
    -------
    DataType
        Bool, Int, Double or ComplexDouble.

    Raises
    ------
    TypeError
        For anything else.

    See Also
    --------
    pytorch_utils.torch_dtype_to_nvfuser_dtype

    Examples
    --------
    >>> python_scalar_to_nvfuser_dtype(True), python_scalar_to_nvfuser_dtype(2)
    (DataType.Bool, DataType.Int)
    """
    if type(value) not in _NUMBERS:
        raise TypeError(f"expected a bool, an int, a float or a complex, got {type(value).__name__}")
    return _NUMBERS[type(value)]


def retry_on_oom_or_skip_test(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorates a test: out of the GPU's memory it runs once more with all caches empty, then it is skipped.

    Parameters
    ----------
    function : callable
        The test.

    Returns
    -------
    callable
        The decorated test.

    See Also
    --------
    pytorch_utils.get_device_properties

    Examples
    --------
    >>> @retry_on_oom_or_skip_test
    ... def test_sum() -> float:
    ...     return float(torch.ones(3).sum())
    >>> test_sum()
    3.0
    """

    @functools.wraps(function)
    def retried(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except torch.OutOfMemoryError:
            pass  # the tensors of its frames die with the exception
        gc.collect()
        torch.cuda.empty_cache()
        try:
            return function(*args, **kwargs)
        except torch.OutOfMemoryError:
            import pytest

            pytest.skip("needs a GPU with more memory")

    return retried


@functools.cache
def get_device_properties() -> dict[str, Any]:
    """Facts of the current GPU: sizes in bytes, clocks in kHz, the memory's data-sheet bandwidth in GB/s.

    Returns
    -------
    dict
        By the names of that API, such as ``gpu_sm_count``.

    Raises
    ------
    RuntimeError
        Without a GPU.

    See Also
    --------
    pytorch_utils.torch_dtype_to_nvfuser_dtype

    Examples
    --------
    >>> "gpu_name" in get_device_properties() if torch.cuda.is_available() else True
    True
    """
    if not torch.cuda.is_available():
        raise RuntimeError("there is no GPU")
    found = torch.cuda.get_device_properties(torch.cuda.current_device())
    return {
        "gpu_name": found.name,
        "gpu_compute_capability_major": found.major,
        "gpu_compute_capability_minor": found.minor,
        "gpu_gmem_bytes": found.total_memory,
        "gpu_sm_count": found.multi_processor_count,
        "gpu_max_threads_per_block": _THREADS_PER_BLOCK,
        "gpu_smem_bytes_per_block": found.shared_memory_per_block,
        "gpu_regs_per_block": _REGISTERS_PER_BLOCK,
        "gpu_clock_rate_khz": found.clock_rate,
        "gpu_l2_bytes": found.L2_cache_size,
        "gpu_mem_clock_khz": found.memory_clock_rate,
        "gpu_mem_bus_width": found.memory_bus_width,
        "gpu_max_threads_per_sm": found.max_threads_per_multi_processor,
        # two transfers a clock; bits to bytes, kHz to GHz
        "gpu_peak_bandwidth_gbps": 2 * found.memory_bus_width * found.memory_clock_rate / (8 * 1e6),
    }


if TYPE_CHECKING:
    DEVICE_PROPERTIES: dict[str, Any] | None
else:

    def __getattr__(name: str) -> Any:
        """`DEVICE_PROPERTIES`: those of the current GPU, asked for at first use; None without a GPU."""
        if name != "DEVICE_PROPERTIES":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return get_device_properties() if torch.cuda.is_available() else None
