# SPDX-License-Identifier: Apache-2.0
"""Operations: each builds an expression of the fusion that the thread defines, from tensors, scalars and numbers."""

from nvfuser._C.ops import *  # noqa: F403
