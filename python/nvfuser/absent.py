# SPDX-License-Identifier: Apache-2.0
"""Names of nvFuser's direct API that this version does not have, and what their errors say."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn

_MANUAL = "schedules written by hand are not part of this version; fd.execute chooses the schedule"
_MATMUL = "matrix products are not part of this version"
_DEVICES = "programs of several devices are not part of this version"
_GRAPHS = "graphs of index domains are not part of this version"
_NODES = "no operation of this version makes such an expression"
_TOLERANCES = "fd.validate compares with a float64 evaluation, under a tolerance for each dtype"
_EXECUTE = "call fd.execute; these are for schedules written by hand, which are not part of this version"
_CUTLASS = "kernels of CUTLASS are not part of this version"
_TIMERS = "PythonProfiler and its FusionProfile time calls in this version"

# Name -> why it is not there, and what serves instead.
ABSENT = {
    "schedule": _MANUAL,
    "KernelExecutor": _MANUAL,
    "CompileParams": _MANUAL,
    "LaunchParams": _MANUAL,
    "HeuristicParams": _MANUAL,
    "PointwiseParams": _MANUAL,
    "ReductionParams": _MANUAL,
    "SchedulerType": _MANUAL,
    "LoadStoreOpType": _MANUAL,
    "CacheOp": _MANUAL,
    "Split": _NODES,
    "Merge": _NODES,
    "ReshapeOp": _NODES,
    "MatmulParams": _MATMUL,
    "GemmTile": _MATMUL,
    "MatMulTileOptions": _MATMUL,
    "CircularBufferOptions": _MATMUL,
    "SupportedVectorization": _MATMUL,
    "ClusterDims": _MATMUL,
    "MmaMacroEncode": _MATMUL,
    "MmaMacro": _MATMUL,
    "MmaMacroArch": _MATMUL,
    "MatmulTilingStrategy": _MATMUL,
    "MatmulBufferingLoopLevel": _MATMUL,
    "MatmulCircularBufferingStrategy": _MATMUL,
    "MatmulTileRasterizationOrder": _MATMUL,
    "multidevice": _DEVICES,
    "execute_with_dtensors": _DEVICES,
    "CommunicatorBackend": _DEVICES,
    "idm": _GRAPHS,
    "IdMappingMode": _GRAPHS,
    "validate_with_auto_inferred_outputs": _TOLERANCES,
    "get_val_tolerances": _TOLERANCES,
    "nvf_cutlass": _CUTLASS,
    "benchmark_utils": _TIMERS,
}

# Members of FusionDefinition that are not there.
ABSENT_MEMBERS = {
    "sched": _MANUAL,
    "ke": _EXECUTE,
    "manual_execute": _EXECUTE,
    "manual_validate": _EXECUTE,
    "fec": "there is none before the first execute",
}


def refuser(module: str) -> Callable[[str], NoReturn]:
    """The `__getattr__` of a package: AttributeError, or ImportError in `from package import name`, with the reason."""

    def refuse(name: str) -> NoReturn:
        reason = ABSENT.get(name)
        message = f"module {module!r} has no attribute {name!r}"
        if reason is None:
            raise AttributeError(message)
        # The import system asks for the names of a `from` statement by hasattr, and drops an AttributeError's text.
        of_import = sys._getframe(1).f_code.co_name == "_handle_fromlist"
        raise (ImportError if of_import else AttributeError)(f"{message}: {reason}")

    return refuse
