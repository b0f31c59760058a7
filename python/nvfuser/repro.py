# SPDX-License-Identifier: Apache-2.0
"""Scripts that repeat a call: the definition, inputs of the same description (or the same values), the call."""

from __future__ import annotations

import math
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nvfuser import tensors
from nvfuser._C import DataType, Fusion, TensorArgument, Way, device_status, options_table
from nvfuser.version import __version__
from nvfuser.ways import way_of

# Options that change what runs; folders, programs and threads are the machine's.
_OPTIONS = ("NVFUSER_CANDIDATE", "NVFUSER_TARGET", "NVFUSER_WITHHOLD")
_ALIGNMENT = 16  # of fresh memory, and the largest that kernels ask about
_NARROW = (DataType.Float8_e4m3fn, DataType.Float8_e5m2, DataType.Float8_e8m0fnu)
_COMPLEX = (DataType.ComplexFloat, DataType.ComplexDouble)
_INTEGERS = (DataType.Int, DataType.Int32, DataType.UInt64)


@dataclass(frozen=True)
class _Tensor:
    """What a script makes again: a layout in flat memory of `elements`, and where its first element lies there."""

    framework: str
    dtype: DataType
    device: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int
    elements: int
    saved: str  # name of its memory in the file of values; empty without one

    @property
    def is_plain(self) -> bool:
        """Is a fresh row-major tensor the same?"""
        return self.offset == 0 and self.strides == row_major(self.shape)


@dataclass(frozen=True)
class Call:
    """A call of a fusion, described."""

    inputs: tuple[_Tensor | bool | int | float | complex, ...]
    target: Way | None
    schedule_for: str
    seed: int
    values: str  # path of the file with the inputs' values; empty without one


def row_major(shape: Sequence[int]) -> tuple[int, ...]:
    """Strides of a dense tensor; 0 for axes of size 1 or less, where they mean nothing."""
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step if size > 1 else 0)
        step *= max(size, 1)
    return tuple(reversed(strides))


def _describe(value: Any, saved: str) -> _Tensor | Any:
    framework = tensors.framework_of(value)
    if framework is None:
        return value
    argument: TensorArgument = framework.describe(value)
    shape = tuple(argument.sizes)
    strides = tuple(stride if size > 1 else 0 for size, stride in zip(shape, argument.strides, strict=True))
    spans = [(size - 1) * stride for size, stride in zip(shape, strides, strict=True)]
    empty = 0 in shape
    before = 0 if empty else -sum(span for span in spans if span < 0)
    after = 0 if empty else 1 + sum(span for span in spans if span > 0)
    # Vectors are as wide as the address allows, so a script's tensor is aligned like the caller's.
    shift = 0 if empty else (argument.data - before * _bytes(argument.dtype)) % _ALIGNMENT // _bytes(argument.dtype)
    device = f"cuda:{argument.index}" if argument.cuda else "cpu"
    strides = row_major(shape) if empty else strides
    return _Tensor(
        framework.name, argument.dtype, device, shape, strides, shift + before, shift + before + after, saved
    )


def _bytes(dtype: DataType) -> int:
    return {"bool": 1, "bfloat16": 2}.get(name := tensors.TORCH_NAMES[dtype]) or _bits(name) // 8


def _bits(name: str) -> int:
    return 8 if name.startswith("float8") else int("".join(c for c in name if c.isdigit()))


def _memory(value: Any, tensor: _Tensor) -> np.ndarray:
    """The bytes of flat memory in which a tensor's elements lie, what lies before them for alignment included."""
    size = _bytes(tensor.dtype)
    if tensor.framework == "torch":
        flat = value.detach().as_strided((tensor.elements - tensor.offset,), (1,))  # it has no negative strides
        body = flat.cpu().contiguous().view(framework_torch().uint8).numpy()
    else:
        array = np.asarray(value.get() if hasattr(value, "get") else value)
        flat = np.zeros(tensor.elements, array.dtype)
        if array.size:
            strides = [stride * size for stride in tensor.strides]
            np.lib.stride_tricks.as_strided(flat[tensor.offset :], tensor.shape, strides)[...] = array
        return flat.view(np.uint8)
    return np.concatenate([np.zeros(tensor.elements * size - body.size, np.uint8), body])


def framework_torch() -> Any:
    """The module torch, which one of the inputs comes from."""
    return tensors.framework_named("torch").torch


def describe_call(
    inputs: Sequence[Any],
    target: str | Way | None = None,
    schedule_for: str = "",
    seed: int = 1,
    values: str | os.PathLike[str] | None = None,
) -> Call:
    """What a script needs of a call; with `values` the inputs' values are saved there (an .npz)."""
    known = tensors.flatten(inputs)
    described = tuple(_describe(value, f"input{k}" if values else "") for k, value in enumerate(known))
    path = ""
    if values:
        path = os.path.abspath(values)
        path += "" if path.endswith(".npz") else ".npz"
        pairs = zip(known, described, strict=True)
        memory: dict[str, Any] = {of.saved: _memory(value, of) for value, of in pairs if isinstance(of, _Tensor)}
        np.savez(path, **memory)
    return Call(described, way_of(target), schedule_for, seed, path)


def call_to_save(
    inputs: Sequence[Any],
    target: str | Way | None,
    schedule_for: str,
    seed: int,
    save: bool | str | os.PathLike[str],
) -> Call:
    """A call of `execute`; `save`: True, or where the inputs' values go too."""
    return describe_call(inputs, target, schedule_for, seed, None if isinstance(save, bool) else save)


# ---- text ----


def _number(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    if isinstance(value, complex) and not (math.isfinite(value.real) and math.isfinite(value.imag)):
        return f"complex({_number(value.real)}, {_number(value.imag)})"
    return repr(value)


def _tuple(numbers: Sequence[int]) -> str:
    return "(" + ", ".join(map(str, numbers)) + ("," if len(numbers) == 1 else "") + ")"


def _torch_flat(tensor: _Tensor, shape: str) -> str:
    name = f"torch.{tensors.TORCH_NAMES[tensor.dtype]}"
    place = f'device="{tensor.device}"'
    if tensor.saved:
        return f'torch.from_numpy(saved["{tensor.saved}"]).view({name}).to("{tensor.device}")'
    if tensor.dtype == DataType.Bool:
        return f"torch.randint(0, 2, {shape}, dtype={name}, {place})"
    if tensor.dtype in _INTEGERS:
        low = 0 if tensor.dtype == DataType.UInt64 else -9
        return f"torch.randint({low}, 10, {shape}, {place}).to({name})"
    if tensor.dtype in _NARROW:
        return f"torch.rand({shape}, {place}).to({name})"
    return f"torch.randn({shape}, dtype={name}, {place})"


def _torch(tensor: _Tensor) -> str:
    if tensor.is_plain:
        flat = _torch_flat(tensor, _tuple(tensor.shape))
        return f"{flat}.reshape({_tuple(tensor.shape)})" if tensor.saved else flat
    layout = f"{_tuple(tensor.shape)}, {_tuple(tensor.strides)}, {tensor.offset}"
    return f"{_torch_flat(tensor, _tuple([tensor.elements]))}.as_strided({layout})"


def _numpy_dtype(dtype: DataType) -> str:
    name = tensors.TORCH_NAMES[dtype]
    return "bool" if name == "bool" else f"np.{name}" if hasattr(np, name) else f"ml_dtypes.{name}"


def _numpy_flat(tensor: _Tensor, shape: str) -> str:
    name = _numpy_dtype(tensor.dtype)
    if tensor.saved:
        return f'saved["{tensor.saved}"].view({name})'
    if tensor.dtype == DataType.Bool:
        return f"rng.integers(0, 2, {shape}).astype({name})"
    if tensor.dtype in _INTEGERS:
        return f"rng.integers({0 if tensor.dtype == DataType.UInt64 else -9}, 10, {shape}).astype({name})"
    if tensor.dtype in _COMPLEX:
        return f"(rng.standard_normal({shape}) + 1j * rng.standard_normal({shape})).astype({name})"
    if tensor.dtype in _NARROW:
        return f"rng.random({shape}).astype({name})"
    return f"rng.standard_normal({shape}).astype({name})"


def _numpy(tensor: _Tensor) -> str:
    """Of NumPy, or of CuPy and JAX, whose tensors are made from NumPy's."""
    module = {"cupy": "cupy", "jax": "jax.numpy"}.get(tensor.framework, "")
    if tensor.is_plain or tensor.framework == "jax":
        shape = _tuple(tensor.shape)
        text = _numpy_flat(tensor, shape) + (f".reshape({shape})" if tensor.saved else "")
        return f"{module}.asarray({text})" if module else text
    flat = _numpy_flat(tensor, _tuple([tensor.elements]))
    flat = f"cupy.asarray({flat})" if module else flat
    strides = _tuple([stride * _bytes(tensor.dtype) for stride in tensor.strides])
    return f"{module or 'np'}.lib.stride_tricks.as_strided({flat}[{tensor.offset}:], {_tuple(tensor.shape)}, {strides})"


def _input(value: Any) -> str:
    if not isinstance(value, _Tensor):
        return _number(value)
    return _torch(value) if value.framework == "torch" else _numpy(value)


def _imports(call: Call) -> tuple[list[str], list[str]]:
    """Import lines, and lines that seed the generators and open the saved values."""
    made = [value for value in call.inputs if isinstance(value, _Tensor)]
    modules = {value.framework for value in made} - {"numpy"}
    with_numpy = bool(call.values) or any(value.framework != "torch" for value in made)
    imports = ["import jax.numpy" if module == "jax" else f"import {module}" for module in sorted(modules)]
    setup = []
    if any(_numpy_dtype(value.dtype).startswith("ml_dtypes") for value in made if value.framework != "torch"):
        imports.append("import ml_dtypes")
    if with_numpy:
        imports.append("import numpy as np")
    if call.values:
        setup.append(f"saved = np.load({call.values!r})")
    elif with_numpy:
        setup.append("rng = np.random.default_rng(0)")
    if "torch" in modules and not call.values:
        setup.append("torch.manual_seed(0)")
    return sorted(imports), setup


def _header(call: Call | None) -> list[str]:
    versions = [f"nvfuser {__version__}", f"Python {platform.python_version()}", f"numpy {np.__version__}"]
    versions += [f"{name} {sys.modules[name].__version__}" for name in ("torch", "cupy", "jax") if name in sys.modules]
    lines = [f"# {', '.join(versions)}; {platform.platform()}"]
    for device in sorted({value.device for value in call.inputs if isinstance(value, _Tensor)} if call else ()):
        lines.append(f"# {device}: {_device_name(device)}")
    lines += [f"# {target}: {what}" for target, (_, what) in sorted(device_status().items()) if what]
    return [line.replace("\n", " ") for line in lines]


def _device_name(device: str) -> str:
    if device == "cpu":
        return platform.processor() or platform.machine()
    if "torch" in sys.modules:
        return str(framework_torch().cuda.get_device_name(device))
    return "a CUDA device"


def _environment() -> list[str]:
    """Options that differ from their defaults, set before nvfuser reads them."""
    found = [(name, value) for name, value, _ in options_table() if name in _OPTIONS and value not in ("", "0")]
    return ["import os", "", *[f"os.environ[{name!r}] = {value!r}" for name, value in found], ""] if found else []


def script(fusion: Fusion, call: Call | None, package: str = "nvfuser") -> str:
    """A program of its own: the definition, then the inputs and the call.  Without a call, the definition alone.
    `package` is what it imports FusionDefinition from.
    """
    imports, setup = _imports(call) if call else ([], [])
    lines = [*_header(call), *_environment(), *imports, f"from {package} import DataType, FusionDefinition", "", ""]
    lines += [fusion.python_source().rstrip(), "", ""]
    lines += ["with FusionDefinition() as fd:", "    nvfuser_fusion(fd)"]
    if call:
        arguments = "" if call.target is None else f', target="{call.target.name}"'
        arguments += f', schedule_for="{call.schedule_for}"' if call.schedule_for else ""
        arguments += f", seed={call.seed}" if call.seed != 1 else ""
        lines += ["", *setup, "inputs = [", *[f"    {_input(value)}," for value in call.inputs], "]"]
        lines += [f"outputs = fd.execute(inputs{arguments})"]
    return "\n".join(lines) + "\n"
