# SPDX-License-Identifier: Apache-2.0
"""The picture in the tutorial."""

from pathlib import Path

import generated_file

from nvfuser import FusionDefinition, draw, ops


def write(folder: Path) -> None:
    """Writes softmax.svg into a folder."""
    with FusionDefinition() as fd:
        x = fd.define_tensor(shape=[-1, -1], contiguity=[True, True])
        e = ops.exp(x - ops.max(x, 1, keepdim=True))
        fd.add_output(e / ops.sum(e, 1, keepdim=True))
    generated_file.write(folder / "softmax.svg", draw(fd))
