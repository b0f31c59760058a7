# SPDX-License-Identifier: Apache-2.0
"""Tensors of the frameworks: how each is described to the executor, and how each allocates results.

A framework is imported only when one of its tensors arrives, so nvfuser needs none of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from nvfuser._C import (
    POOLED_BYTES,
    DataType,
    LentTensor,
    OutputSpec,
    TensorArgument,
    cuda_device_of,
    host_bytes,
    synchronize_stream,
)

# DataType -> name of the dtype in torch and in NumPy (ml_dtypes for the types that NumPy lacks).
TORCH_NAMES = {
    DataType.Double: "float64",
    DataType.Float: "float32",
    DataType.Half: "float16",
    DataType.BFloat16: "bfloat16",
    DataType.Int: "int64",
    DataType.Int32: "int32",
    DataType.UInt64: "uint64",
    DataType.Bool: "bool",
    DataType.Float8_e4m3fn: "float8_e4m3fn",
    DataType.Float8_e5m2: "float8_e5m2",
    DataType.Float8_e8m0fnu: "float8_e8m0fnu",
    DataType.ComplexFloat: "complex64",
    DataType.ComplexDouble: "complex128",
}
_FROM_NAME = {name: dtype for dtype, name in TORCH_NAMES.items()}


def result_name(dtype: DataType) -> str:
    """The name of the dtype that a result of that type has; extents and counts, of dtype Index, are int64."""
    return "int64" if dtype == DataType.Index else TORCH_NAMES[dtype]


def data_type_of(dtype: Any) -> DataType:
    """The DataType of a torch or NumPy dtype; TypeError when there is none."""
    name = str(dtype).removeprefix("torch.")
    try:
        return _FROM_NAME[name]
    except KeyError:
        raise TypeError(f"nvfuser has no element type for {name}; known: {', '.join(sorted(_FROM_NAME))}") from None


def data_type_like(value: Any) -> DataType | str | None:
    """The DataType of a dtype of torch or NumPy, or of a type of numbers; what is wrong with such a one; None
    for anything else."""
    kind = type(value)
    if kind.__name__ == "dtype" and kind.__module__ == "torch" or isinstance(value, np.dtype):
        found = value
    elif isinstance(value, type) and issubclass(value, (bool, int, float, complex, np.generic)):
        found = np.dtype(value)
    else:
        return None
    try:
        return data_type_of(found)
    except TypeError as error:
        return str(error)


def host_memory(size: int) -> Any:
    """Bytes for one result, as a NumPy array."""
    return host_bytes(size) if size >= POOLED_BYTES else np.empty(size, np.uint8)


class NumpyFramework:
    """NumPy arrays."""

    name = "numpy"
    tensor = np.ndarray

    def describe(self, array: Any) -> TensorArgument:
        """Address, dtype and layout of an array; byte strides must be multiples of the element."""
        dtype = data_type_of(array.dtype)
        if any(stride % array.itemsize for stride in array.strides):
            raise TypeError(f"strides {array.strides} are no multiples of the element's {array.itemsize} bytes")
        if not array.dtype.isnative:
            raise TypeError("arrays of foreign byte order are not supported")
        strides = [stride // array.itemsize for stride in array.strides]
        return TensorArgument(array.__array_interface__["data"][0], dtype, False, 0, list(array.shape), strides)

    def writable(self, array: Any) -> bool:
        return bool(array.flags.writeable)

    def dtype(self, dtype: DataType) -> Any:
        """The NumPy dtype of a DataType; narrow types come from ml_dtypes."""
        name = result_name(dtype)
        if hasattr(np, name) and name != "bool":
            return np.dtype(name)
        if name == "bool":
            return np.dtype(bool)
        try:
            import ml_dtypes
        except ImportError:
            raise TypeError(f"a NumPy array of {name} needs the package ml_dtypes") from None
        return np.dtype(getattr(ml_dtypes, name))

    def empty(self, spec: OutputSpec) -> tuple[Any, int]:
        """An array of that layout and its address."""
        dtype = self.dtype(spec.dtype)
        memory = host_memory(max(spec.elements, 1) * dtype.itemsize).view(dtype)
        strides = [stride * dtype.itemsize for stride in spec.strides]
        array = np.lib.stride_tricks.as_strided(memory, spec.sizes, strides)
        return array, memory.__array_interface__["data"][0]

    def stream(self, index: int) -> int:
        return 0

    def finish(self, array: Any) -> Any:
        return array


class TorchFramework:
    """torch tensors of the CPU and of CUDA devices."""

    name = "torch"

    def __init__(self) -> None:
        import torch

        self.torch = torch
        self.tensor = torch.Tensor
        self.dtypes = {dtype: getattr(torch, name) for dtype, name in TORCH_NAMES.items() if hasattr(torch, name)}
        self.dtypes[DataType.Index] = torch.int64
        # C functions that the exchange by DLPack's table calls where this torch has them: one notes that tensors were
        # written, the others make a tensor of (sizes, strides, dtype), on CUDA on the current device.
        self.increment_version = getattr(torch._C, "_increment_version", None)
        guards = getattr(getattr(torch._C, "_dynamo", None), "guards", None)
        self.strided_on_cpu = getattr(guards, "_empty_strided_cpu", None)
        self.strided_on_cuda = getattr(guards, "_empty_strided_cuda", None)

    def describe(self, tensor: Any) -> TensorArgument:
        """Address, dtype and layout of a strided tensor."""
        if tensor.layout is not self.torch.strided or tensor.device.type not in ("cpu", "cuda"):
            raise TypeError(f"expected a strided tensor on cpu or cuda, got layout {tensor.layout} on {tensor.device}")
        if tensor.is_conj() or tensor.is_neg():
            raise TypeError("the tensor is a lazy conjugate or negative view; call resolve_conj() or resolve_neg()")
        address = tensor.data_ptr()
        if address == 0 and tensor.numel() > 0:
            raise TypeError(f"a tensor of type {type(tensor).__name__} has no memory")
        cuda = tensor.device.type == "cuda"
        dtype, index = data_type_of(tensor.dtype), tensor.device.index or 0
        return TensorArgument(address, dtype, cuda, index, list(tensor.shape), list(tensor.stride()))

    def writable(self, tensor: Any) -> bool:
        return True

    def empty(self, spec: OutputSpec) -> tuple[Any, int]:
        """A tensor of that layout and its address."""
        dtype = self.dtypes[spec.dtype]
        if not spec.cuda and spec.elements * dtype.itemsize >= POOLED_BYTES:
            memory = self.torch.from_numpy(host_memory(spec.elements * dtype.itemsize)).view(dtype)
            return memory.as_strided(spec.sizes, spec.strides), memory.data_ptr()
        device = f"cuda:{spec.index}" if spec.cuda else "cpu"
        tensor = self.torch.empty_strided(spec.sizes, spec.strides, dtype=dtype, device=device)
        return tensor, tensor.data_ptr()

    def stream(self, index: int) -> int:
        return int(self.torch.cuda.current_stream(index).cuda_stream)

    def finish(self, tensor: Any) -> Any:
        return tensor


class CupyFramework:
    """CuPy arrays."""

    name = "cupy"

    def __init__(self) -> None:
        import cupy

        self.cupy = cupy
        self.tensor = cupy.ndarray

    def describe(self, array: Any) -> TensorArgument:
        strides = [stride // array.itemsize for stride in array.strides]
        dtype = data_type_of(array.dtype)
        return TensorArgument(array.data.ptr, dtype, True, array.device.id, list(array.shape), strides)

    def writable(self, array: Any) -> bool:
        return True

    def empty(self, spec: OutputSpec) -> tuple[Any, int]:
        dtype = np.dtype(result_name(spec.dtype))
        with self.cupy.cuda.Device(spec.index):
            memory = self.cupy.empty(max(spec.elements, 1), dtype)
        strides = [stride * dtype.itemsize for stride in spec.strides]
        return self.cupy.ndarray(tuple(spec.sizes), dtype, memory.data, strides), memory.data.ptr

    def stream(self, index: int) -> int:
        return int(self.cupy.cuda.get_current_stream().ptr)

    def finish(self, array: Any) -> Any:
        return array


class JaxFramework:
    """JAX arrays on one device.  Results are written before anybody else holds them."""

    name = "jax"

    def __init__(self) -> None:
        import jax

        self.jax = jax
        self.tensor = jax.Array

    def describe(self, array: Any) -> TensorArgument:
        array.block_until_ready()
        device = next(iter(array.devices()))
        sizes = list(array.shape)
        strides = [int(np.prod(sizes[axis + 1 :])) for axis in range(len(sizes))]
        cuda = device.platform in ("gpu", "cuda")
        address = array.unsafe_buffer_pointer()
        return TensorArgument(address, data_type_of(array.dtype), cuda, device.id if cuda else 0, sizes, strides)

    def writable(self, array: Any) -> bool:
        return False

    def empty(self, spec: OutputSpec) -> tuple[Any, int]:
        """A flat array for the elements, with the layout that `finish` brings to row-major order; its address."""
        device = self.jax.devices("gpu" if spec.cuda else "cpu")[spec.index]
        with self.jax.default_device(device):
            array = self.jax.numpy.empty(max(spec.elements, 1), result_name(spec.dtype)).block_until_ready()
        return (array, spec), array.unsafe_buffer_pointer()

    def stream(self, index: int) -> int:
        return 0

    def finish(self, result: Any) -> Any:
        """The elements in the order of the axes: arrays of JAX have no strides."""
        flat, spec = result
        numpy = self.jax.numpy
        if 0 in spec.sizes:
            return numpy.zeros(tuple(spec.sizes), flat.dtype)
        real = [axis for axis, size in enumerate(spec.sizes) if size > 1 and spec.strides[axis] != 0]
        order = sorted(real, key=lambda axis: -spec.strides[axis])
        array = flat[: spec.elements].reshape([spec.sizes[axis] for axis in order])
        array = array.transpose([order.index(axis) for axis in real])
        array = array.reshape([spec.sizes[axis] if axis in real else 1 for axis in range(len(spec.sizes))])
        return numpy.broadcast_to(array, tuple(spec.sizes))


_FACTORIES = {
    "numpy": NumpyFramework,
    "torch": TorchFramework,
    "cupy": CupyFramework,
    "jax": JaxFramework,
    "jaxlib": JaxFramework,
}
_loaded: dict[str, Any] = {}


def framework_named(name: str) -> Any:
    """The framework of that root module, imported on first use."""
    if name not in _loaded:
        _loaded[name] = _FACTORIES[name]()
    return _loaded[name]


def framework_of(value: Any) -> Any | None:
    """The framework of a tensor; None for anything that is no tensor of a known framework."""
    for base in type(value).__mro__:
        root = str(base.__module__).partition(".")[0]
        if root in _FACTORIES:
            framework = framework_named(root)
            if isinstance(value, framework.tensor):
                return framework
    return None


def default_framework(on_cuda: bool = False) -> Any:
    """Where results live when no input is a tensor of a known framework: torch when the program uses it, else NumPy, or
    CuPy for memory of a GPU.
    """
    if "torch" in sys.modules:
        return framework_named("torch")
    if not on_cuda:
        return framework_named("numpy")
    if "cupy" in sys.modules:
        return framework_named("cupy")
    raise TypeError("results on a GPU need torch or CuPy: import one of them")


def default_example(on_cuda: bool = False) -> Any:
    """A tensor of the framework in which results live when no input is a tensor of a known one."""
    framework = default_framework(on_cuda)
    if framework.name == "torch":
        return framework.torch.empty(0)
    return framework.cupy.empty(0) if framework.name == "cupy" else np.empty(0)


# DLPack's kinds of memory that work on a GPU's streams: CUDA and CUDA managed.
STREAMED = (2, 13)
# The newest DLPack whose capsules are understood.
DLPACK_VERSION = (1, 3)


def lent_by_dlpack(value: Any) -> LentTensor:
    """The memory of an object with `__dlpack__`, in order with the current stream of the framework of results."""
    options: dict[str, Any] = {}
    try:
        kind, index = value.__dlpack_device__()
        if kind in STREAMED:
            options["stream"] = default_framework(True).stream(index) or 1  # 1 names the legacy default stream
        try:
            capsule = value.__dlpack__(max_version=DLPACK_VERSION, **options)
        except TypeError:  # of an object that knows DLPack before 1.0 only
            capsule = value.__dlpack__(**options)
        return LentTensor(capsule)
    except Exception as error:  # the object's own code may raise anything
        raise TypeError(f"no memory of this {type(value).__name__} through DLPack: {error}") from error


def lent_by_interface(value: Any, interface: dict[str, Any]) -> LentTensor:
    """The memory that `__cuda_array_interface__` describes, once work on the stream that it names is done."""
    if interface.get("mask") is not None:
        raise TypeError(f"the {type(value).__name__} is masked")
    dtype, sizes = np.dtype(interface["typestr"]), list(interface["shape"])
    address, read_only = interface["data"]
    steps = interface.get("strides")
    if steps is None:
        steps = [dtype.itemsize * int(np.prod(sizes[axis + 1 :])) for axis in range(len(sizes))]
    if not dtype.isnative or any(step % dtype.itemsize for step in steps):
        raise TypeError(f"the {type(value).__name__} has foreign byte order, or strides between its elements")
    if interface.get("stream"):
        synchronize_stream(interface["stream"])
    strides = [step // dtype.itemsize for step in steps]
    device = cuda_device_of(address) if address else 0
    described = TensorArgument(address, data_type_of(dtype), True, device, sizes, strides)
    return LentTensor(described, bool(read_only), value)


def lent_by_buffer(value: Any) -> np.ndarray | None:
    """The memory of an object with Python's buffer protocol as an array, which is read-only where the buffer is; None
    for an object without it.
    """
    try:
        return np.asarray(memoryview(value))
    except TypeError:
        return None


def as_known(value: Any) -> Any:
    """A number, or a tensor of a known framework, or the memory that another object lends, without a copy."""
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        raise TypeError(f"the integer {value} does not fit into 64 bits")
    if isinstance(value, (bool, int, float, complex, LentTensor)) or framework_of(value) is not None:
        return value
    if isinstance(value, np.generic) and value.dtype.kind in "biufc":
        return as_known(value.item())
    if hasattr(type(value), "__dlpack__"):
        return lent_by_dlpack(value)
    interface = getattr(value, "__cuda_array_interface__", None)
    if isinstance(interface, dict):
        return lent_by_interface(value, interface)
    array = lent_by_buffer(value)
    if array is not None:
        return array
    raise TypeError(f"expected a tensor or a number, got {type(value).__name__}")


def items_of(inputs: Any) -> Iterator[Any]:
    """Inputs with nested lists and tuples (vector inputs) put in place."""
    for value in inputs:
        if isinstance(value, (list, tuple)):
            yield from items_of(value)
        else:
            yield value


# What a message adds to the position of an input: its text and the user's line, or nothing.
Describe = Callable[[int], str]


def nothing(position: int) -> str:
    return ""


def flatten(inputs: Any, describe: Describe = nothing) -> list[Any]:
    """All inputs as numbers and tensors of known frameworks; TypeError names the input that is neither."""
    if not isinstance(inputs, Iterable):
        raise TypeError(f"expected a list of inputs, got {type(inputs).__name__}")
    return [named(position, as_known, value, describe) for position, value in enumerate(items_of(inputs))]


def named(position: int, function: Callable[[Any], Any], value: Any, describe: Describe = nothing) -> Any:
    """function(value), a TypeError telling which input it is about."""
    try:
        return function(value)
    except TypeError as error:
        text = describe(position)
        raise TypeError(f"input {position}: {error}{'; it is for ' + text if text else ''}") from error
