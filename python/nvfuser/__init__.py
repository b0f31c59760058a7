# SPDX-License-Identifier: Apache-2.0
"""nvfuser: a kernel-fusion compiler.

Write tensor math inside ``with FusionDefinition() as fd:``, then call ``fd.execute([...])`` with tensors of torch,
NumPy, CuPy, JAX or anything with DLPack.  Everything between inputs and outputs runs as few kernels as possible.
"""

from typing import TYPE_CHECKING

from nvfuser import ir, ops, runtime
from nvfuser._C import (
    BroadcastOp,
    CompileError,
    DataType,
    DefinitionError,
    DeviceError,
    DTypeError,
    Expr,
    Fusion,
    FusionGuard,
    FusionProfile,
    InternalError,
    IterDomain,
    KernelProfile,
    MemoryType,
    NvfError,
    OptionError,
    ParallelType,
    ScheduleError,
    ShapeError,
    SqueezeOp,
    Statement,
    TensorDomain,
    TensorView,
    Val,
    Way,
    compute_tensor_descriptor,
    define_scalar,
    define_tensor,
    get_fusion_profile,
    reset_profiler,
)
from nvfuser.absent import refuser
from nvfuser.ahead import TensorSpec
from nvfuser.definition import FusionDefinition, translate_fusion
from nvfuser.drawing import draw
from nvfuser.executor_cache import FusionExecutorCache, LRUCache, LruFusionCache
from nvfuser.libraries import register_library_folders
from nvfuser.profiler import PythonProfiler
from nvfuser.version import __version__, version
from nvfuser.ways import PerformanceWarning

register_library_folders()

if not TYPE_CHECKING:  # checkers know what there is
    __getattr__ = refuser(__name__)

__all__ = [
    "BroadcastOp",
    "CompileError",
    "DTypeError",
    "DataType",
    "DefinitionError",
    "DeviceError",
    "Expr",
    "Fusion",
    "FusionDefinition",
    "FusionExecutorCache",
    "FusionGuard",
    "FusionProfile",
    "InternalError",
    "IterDomain",
    "KernelProfile",
    "LRUCache",
    "LruFusionCache",
    "MemoryType",
    "NvfError",
    "OptionError",
    "ParallelType",
    "PerformanceWarning",
    "PythonProfiler",
    "ScheduleError",
    "ShapeError",
    "SqueezeOp",
    "Statement",
    "TensorDomain",
    "TensorSpec",
    "TensorView",
    "Val",
    "Way",
    "__version__",
    "compute_tensor_descriptor",
    "define_scalar",
    "define_tensor",
    "draw",
    "get_fusion_profile",
    "ir",
    "ops",
    "reset_profiler",
    "runtime",
    "translate_fusion",
    "version",
]
