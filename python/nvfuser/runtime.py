# SPDX-License-Identifier: Apache-2.0
"""What runs fusions: executors, their caches, profiles of calls, and the ways to run."""

from nvfuser._C import FusionProfile, KernelProfile, Way, get_fusion_profile, reset_profiler
from nvfuser.ahead import TensorSpec
from nvfuser.executor_cache import FusionExecutorCache, LRUCache, LruFusionCache
from nvfuser.profiler import PythonProfiler
from nvfuser.ways import PerformanceWarning

__all__ = [
    "FusionExecutorCache",
    "FusionProfile",
    "KernelProfile",
    "LRUCache",
    "LruFusionCache",
    "PerformanceWarning",
    "PythonProfiler",
    "TensorSpec",
    "Way",
    "get_fusion_profile",
    "reset_profiler",
]
