# SPDX-License-Identifier: Apache-2.0
"""What nvFuser's direct API lets a call say beyond its inputs: a device, and names of options."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any, TypedDict

from nvfuser import OptionError, Way, tensors

# Options that programs may name.  They steer how that system compiles, not what a program computes, so nothing follows
# from them here.
_ENABLE = """
cutlass_scheduler fuse_matmul fuse_multiple_matmuls host_ir_jit host_ir_lowering id_model_extra_validation
insert_resharding_after kernel_db kernel_debug kernel_lineinfo kernel_profile memory_promotion multicast_protocol
p2p_protocol p2p_transport reuse_zeroed_memory static_fusion_count tma_inner_persistent tma_pointwise tma_reduction
wait_debugger warn_register_spill ws_normalization
"""
_DISABLE = """
compile_to_sass contig_indexing expr_simplify fallback greedy_scheduler grouped_grid_welford_outer_opt index_hoist
infer_contiguity kernel_reuse magic_zero matmul_expr_eval multidevice nvrtc_caching nvtx parallel_compile
predicate_elimination python_inline_definitions resize_scheduler reuse_mismatched_type_registers var_name_remapping
welford_vectorization
"""
ENABLE = frozenset(_ENABLE.split())
DISABLE = frozenset(_DISABLE.split())
# Options that change results.
REFUSED = frozenset({"fast_math", "fma", "io_to_lower_precision"})


class CallOptions(TypedDict, total=False):
    """What `execute` takes by name: that API's arguments, and those of :meth:`nvfuser.FusionDefinition.execute`."""

    device: Any
    _enable_options: Iterable[str]
    _disable_options: Iterable[str]
    save_repro_inputs: bool | str | os.PathLike[str] | None
    out: Sequence[object] | None
    target: str | Way | None
    schedule_for: str
    seed: int


def check_options(names: Iterable[str], known: frozenset[str]) -> None:
    """OptionError for a name that is not known, or whose meaning this version does not have."""
    for name in names:
        word = name.partition("(")[0]
        if word in REFUSED:
            raise OptionError(f"the option {word} changes results and is not part of this version")
        if word not in known:
            raise OptionError(f"unknown option {word!r}; known: {', '.join(sorted(known))}")


def device_index(device: Any) -> int | None:
    """The ordinal of a GPU from an int, a text such as "cuda:1" or a torch.device; AssertionError for other devices."""
    if device is None or isinstance(device, int):
        return device
    import torch

    found = torch.device(device)
    assert found.type == "cuda", f"expected a CUDA device, got {found}"
    index: int = torch.cuda.current_device() if found.index is None else found.index
    return index


def on_device(results: list[Any], inputs: Iterable[Any], index: int | None) -> list[Any]:
    """Results of a program without tensors among its inputs, on the GPU that was asked for or is current."""
    if any(tensors.framework_of(value) is not None for value in tensors.items_of(inputs)):
        return results
    torch = sys.modules.get("torch")
    if torch is None or (index is None and not torch.cuda.is_available()):
        return results
    return [torch.as_tensor(result, device="cuda" if index is None else f"cuda:{index}") for result in results]
