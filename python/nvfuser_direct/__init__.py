# SPDX-License-Identifier: Apache-2.0
"""nvfuser under the name of nvFuser's direct API, with that API's conventions where they differ.

Programs written for it run unchanged as far as their parts exist here; what does not exist is absent, and the error
says so.  All classes but FusionDefinition and the executors' are those of :mod:`nvfuser`.
"""

from typing import TYPE_CHECKING

from nvfuser_direct import own_nvfuser as own_nvfuser  # before anything of nvfuser: it refuses another package

# isort: split
from nvfuser import (
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
    PerformanceWarning,
    PythonProfiler,
    ScheduleError,
    ShapeError,
    SqueezeOp,
    Statement,
    TensorDomain,
    TensorSpec,
    TensorView,
    Val,
    Way,
    compute_tensor_descriptor,
    define_scalar,
    define_tensor,
    draw,
    get_fusion_profile,
    ir,
    ops,
    reset_profiler,
    runtime,
    translate_fusion,
)
from nvfuser.absent import refuser
from nvfuser.executor_cache import LruFusionCache
from nvfuser_direct.definition import FusionDefinition
from nvfuser_direct.executors import FusionExecutorCache, LRUCache
from nvfuser_direct.nvfuser_direct_version import __version__, version

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
