# SPDX-License-Identifier: Apache-2.0
"""What a fusion is made of: values, axes, expressions, and the enums that describe them."""

from nvfuser._C import (
    BroadcastOp,
    DataType,
    Expr,
    Fusion,
    FusionGuard,
    IterDomain,
    MemoryType,
    ParallelType,
    SqueezeOp,
    Statement,
    TensorDomain,
    TensorView,
    Val,
    compute_tensor_descriptor,
    define_scalar,
    define_tensor,
)

__all__ = [
    "BroadcastOp",
    "DataType",
    "Expr",
    "Fusion",
    "FusionGuard",
    "IterDomain",
    "MemoryType",
    "ParallelType",
    "SqueezeOp",
    "Statement",
    "TensorDomain",
    "TensorView",
    "Val",
    "compute_tensor_descriptor",
    "define_scalar",
    "define_tensor",
]
